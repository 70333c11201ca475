/// How tokens are chosen. The same names stand on the command line (`--top-k`), in JSON (`top_k`) and in
/// errors.
///
/// The steps apply in this order: logit bias, repetition, frequency and presence penalty, temperature,
/// top-k, top-p, min-p. Each at its neutral value does nothing and costs nothing.
public struct SamplingSettings: Sendable, Equatable {
    /// 0 takes the most likely token (greedy), 0.7 is lively prose that stays on the subject; 0...100.
    public var temperature = 0.7
    /// How many of the most likely tokens stay; 0 keeps all.
    public var topK = 40
    /// Probability that the kept tokens must sum to; 0...1, 1 keeps all.
    public var topP = 0.95
    /// Least probability relative to the most likely token; 0...1, 0 keeps all.
    public var minP = 0.0
    /// Divides the logits of tokens seen in prompt or answer; 0.01...100, 1 does nothing.
    public var repetitionPenalty = 1.0
    /// Subtracted per occurrence in the answer; -2...2.
    public var frequencyPenalty = 0.0
    /// Subtracted from what occurs in the answer; -2...2.
    public var presencePenalty = 0.0
    /// Added to the logits of single tokens; -100...100 each.
    public var logitBias: [Int: Double] = [:]
    /// Key of the random numbers: the same seed gives the same text.
    public var seed: UInt64 = 0

    public init() {}

    /// Always the most likely token.
    public static var greedy: SamplingSettings {
        var settings = SamplingSettings()
        settings.temperature = 0
        return settings
    }

    /// The model's own distribution, unchanged.
    public static var plain: SamplingSettings {
        var settings = SamplingSettings()
        settings.temperature = 1
        settings.topK = 0
        settings.topP = 1
        return settings
    }

    public var isGreedy: Bool { temperature == 0 }

    /// The steps these settings stand for, in order, without those that would do nothing.
    public var steps: [any LogitsStep] {
        var steps: [any LogitsStep] = []
        if !logitBias.isEmpty {
            let pairs = logitBias.map { (Int32(truncatingIfNeeded: $0.key), Float($0.value)) }
            steps.append(LogitBias(Dictionary(pairs) { first, _ in first }))
        }
        if repetitionPenalty != 1 { steps.append(RepetitionPenalty(Float(repetitionPenalty))) }
        if frequencyPenalty != 0 { steps.append(FrequencyPenalty(Float(frequencyPenalty))) }
        if presencePenalty != 0 { steps.append(PresencePenalty(Float(presencePenalty))) }
        // The most likely token stays the most likely one through all that follows.
        if isGreedy { return steps }
        if temperature != 1 { steps.append(Temperature(Float(temperature))) }
        if topK > 0 { steps.append(TopK(topK)) }
        if topP < 1 { steps.append(TopP(topP)) }
        if minP > 0 { steps.append(MinP(minP)) }
        return steps
    }

    /// - Parameter size: how many tokens the tokenizer has, which bounds the ids of ``logitBias``.
    /// - Throws: ``GenerationError/outOfRange(field:found:allowed:)`` for the first bad field.
    public func validate(size: Int) throws {
        try check("temperature", temperature, 0...100)
        if topK < 0 {
            throw GenerationError.outOfRange(field: "top-k", found: "\(topK)", allowed: "0 or more")
        }
        try check("top-p", topP, 0...1)
        try check("min-p", minP, 0...1)
        try check("repetition-penalty", repetitionPenalty, 0.01...100)
        try check("frequency-penalty", frequencyPenalty, -2...2)
        try check("presence-penalty", presencePenalty, -2...2)
        for (id, bias) in logitBias.sorted(by: { $0.key < $1.key }) {
            if !(0..<size).contains(id) {
                throw GenerationError.outOfRange(
                    field: "logit-bias", found: "token \(id)", allowed: "tokens 0..<\(size)")
            }
            try check("logit-bias", bias, -100...100)
        }
    }

    private func check(_ field: String, _ value: Double, _ range: ClosedRange<Double>) throws {
        // NaN lies in no range.
        guard range.contains(value) else {
            func text(_ bound: Double) -> String { bound == bound.rounded() ? "\(Int(bound))" : "\(bound)" }
            throw GenerationError.outOfRange(
                field: field, found: "\(value)",
                allowed: "\(text(range.lowerBound)) to \(text(range.upperBound))")
        }
    }
}

// MARK: - JSON

extension SamplingSettings: Codable {
    private enum CodingKeys: String, CodingKey {
        case temperature
        case topK = "top_k"
        case topP = "top_p"
        case minP = "min_p"
        case repetitionPenalty = "repetition_penalty"
        case frequencyPenalty = "frequency_penalty"
        case presencePenalty = "presence_penalty"
        case logitBias = "logit_bias"
        case seed
    }

    /// Fields that are absent keep their defaults.
    public init(from decoder: any Decoder) throws {
        self.init()
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func read<T: Decodable>(_ key: CodingKeys, into field: inout T) throws {
            if let value = try values.decodeIfPresent(T.self, forKey: key) { field = value }
        }
        try read(.temperature, into: &temperature)
        try read(.topK, into: &topK)
        try read(.topP, into: &topP)
        try read(.minP, into: &minP)
        try read(.repetitionPenalty, into: &repetitionPenalty)
        try read(.frequencyPenalty, into: &frequencyPenalty)
        try read(.presencePenalty, into: &presencePenalty)
        try read(.logitBias, into: &logitBias)
        try read(.seed, into: &seed)
    }
}
