/// The label biases of a prompt, measured on texts without content.
public struct LabelBias: Sendable, Equatable {
    /// Without examples and without a text.
    public let vanilla: ContentFreePrior
    /// On "N/A", "" and "[MASK]": contextual calibration (CC).
    public let contextual: ContentFreePrior
    /// On random words of the task's corpus: domain-context calibration (DC).
    public let domain: ContentFreePrior
    /// On as many random English words.
    public let english: ContentFreePrior

    public init(
        vanilla: ContentFreePrior, contextual: ContentFreePrior, domain: ContentFreePrior,
        english: ContentFreePrior
    ) {
        self.vanilla = vanilla
        self.contextual = contextual
        self.domain = domain
        self.english = english
    }

    /// DLB, 0 to 1: how far the corpus's words move the labels more than English words do; half the sum of
    /// |p_English(y) - p_domain(y)|.
    public var domainLabelBias: Double { english.distance(to: domain) }

    /// Where the bias of a class comes from, in nats: positive makes the class more probable.
    public struct Part: Sendable, Equatable {
        /// Of the label words themselves: log of p_vanilla times the number of classes.
        public let vanilla: Double
        /// Of the examples: log p_CC - log p_vanilla.
        public let context: Double
        /// Of the corpus's words: log p_domain - log p_English.
        public let domain: Double
    }

    /// For each class.
    public var parts: [Part] {
        vanilla.probabilities.indices.map { label in
            func log(_ prior: ContentFreePrior) -> Double { logarithm(prior.probabilities[label]) }
            return Part(
                vanilla: log(vanilla) + logarithm(Double(vanilla.probabilities.count)),
                context: log(contextual) - log(vanilla), domain: log(domain) - log(english))
        }
    }

    /// The means of the parts of several prompts.
    public static func meanParts(_ biases: [LabelBias]) -> [Part] {
        let all = biases.map(\.parts)
        let count = Double(max(1, all.count))
        return (all.first ?? []).indices.map { label in
            func mean(_ value: (Part) -> Double) -> Double {
                all.reduce(0) { $0 + value($1[label]) } / count
            }
            return Part(vanilla: mean(\.vanilla), context: mean(\.context), domain: mean(\.domain))
        }
    }

    /// The prior that a method divides by; nil: none.
    public func prior(_ method: CalibrationMethod) -> ContentFreePrior? {
        switch method {
        case .plain: nil
        case .contextual: contextual
        case .domain: domain
        }
    }
}

/// What a prediction is divided by.
public enum CalibrationMethod: String, Sendable, CaseIterable {
    case plain
    case contextual = "cc"
    case domain = "dc"
}

/// A method, chosen by the biases that were measured.
public struct CalibrationChoice: Sendable, Equatable {
    public let method: CalibrationMethod
    /// One sentence.
    public let reason: String

    /// A method that was asked for.
    public init(method: CalibrationMethod) {
        self.method = method
        reason = "it was asked for"
    }

    /// Domain-context calibration where the corpus's words have a bias of their own, or random texts show one that
    /// "N/A" and the like do not; contextual calibration where these show one; else none. The paper has no such
    /// rule, and no thresholds.
    /// - Parameter biases: one for each set of examples; their means count.
    public init(_ biases: [LabelBias], settings: CalibrationSettings) {
        func mean(_ value: (LabelBias) -> Double) -> Double {
            biases.isEmpty ? 0 : biases.reduce(0) { $0 + value($1) } / Double(biases.count)
        }
        let own = mean(\.domainLabelBias)
        let hidden = mean { $0.contextual.distance(to: $0.domain) }
        let context = mean(\.contextual.distanceToUniform)
        if own > settings.domainThreshold {
            method = .domain
            reason =
                "the corpus's words move the labels by \(Self.figure(own)) more than English words do "
                + "(above \(Self.figure(settings.domainThreshold)))"
        } else if hidden > settings.contextThreshold {
            method = .domain
            reason =
                "random texts show a bias of \(Self.figure(hidden)) that N/A and the like do not "
                + "(above \(Self.figure(settings.contextThreshold)))"
        } else if context > settings.contextThreshold {
            method = .contextual
            reason =
                "N/A and the like show a bias of \(Self.figure(context)) (above "
                + "\(Self.figure(settings.contextThreshold))), random texts the same"
        } else {
            method = .plain
            reason =
                "neither N/A and the like (\(Self.figure(context))) nor random texts (\(Self.figure(hidden)) "
                + "from these) prefer a label by more than \(Self.figure(settings.contextThreshold))"
        }
    }

    /// Three decimals of a number of 0 to 1.
    private static func figure(_ value: Double) -> String {
        let thousandths = Int((value * 1000).rounded())
        return "\(thousandths / 1000)." + String(String(1000 + thousandths % 1000).dropFirst())
    }
}

/// How label biases are measured. Defaults are the paper's, where it has any.
public struct CalibrationSettings: Sendable, Equatable {
    /// Random texts of the corpus's words, and of English words; 1 or more.
    public var randomTexts = 20
    public var averaging = ContentFreePrior.Averaging.masses
    /// If given, random texts are added until no class's standard error is above it.
    public var tolerance: Double?
    /// At most this many are added for ``tolerance``.
    public var mostRandomTexts = 640
    /// Domain label bias above which domain-context calibration is chosen.
    public var domainThreshold = 0.1
    /// Distance of the contextual prior from equal probabilities above which contextual calibration is chosen, and
    /// of the domain's prior from it above which that is.
    public var contextThreshold = 0.1
    /// Words of no domain.
    public var english = EnglishWords.common

    public init() {}

    /// - Throws: ``CalibrationError/outOfRange(field:found:allowed:)``.
    func validate() throws {
        if randomTexts < 1 {
            throw CalibrationError.outOfRange(
                field: "random-texts", found: "\(randomTexts)", allowed: "1 or more")
        }
        if let tolerance, !(tolerance > 0) {
            throw CalibrationError.outOfRange(field: "tolerance", found: "\(tolerance)", allowed: "above 0")
        }
    }
}
