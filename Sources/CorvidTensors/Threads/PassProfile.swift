/// What a pass spends its time on.
public enum PassPart: String, Sendable, CaseIterable {
    /// Norms of rows.
    case norms
    /// Rounding of activations to the numbers that a product takes.
    case rounding
    /// Products which give queries, keys and values.
    case queryKeyValue = "query_key_value"
    /// Rotation of queries and keys by their positions.
    case rotary
    /// Keys and values on their way into the cache.
    case cache
    /// Scores, softmax and weighted values.
    case attention
    /// The product behind attention, with its addition to the residual.
    case attentionOutput = "attention_output"
    /// Products into the MLP, with the activation.
    case mlpUp = "mlp_up"
    /// The product out of the MLP, with its addition to the residual.
    case mlpDown = "mlp_down"
    /// The output matrix.
    case head
    /// Any other product.
    case product
    /// Everything else: looking up embeddings, choosing rows, angles, memory, handing out the logits.
    case other
}

/// Where the time of some passes went. A moment belongs to one part only: together they are the whole.
public struct PassProfile: Sendable, Equatable {
    public struct Part: Sendable, Equatable {
        /// Time from the beginning to the end, as a clock on the wall shows it.
        public internal(set) var seconds = 0.0
        /// Time in which threads worked, all threads together.
        public internal(set) var busySeconds = 0.0
        /// How often it was entered.
        public internal(set) var calls = 0
    }

    public let threads: Int
    public internal(set) var passes = 0
    /// All parts, also those which never occurred.
    public internal(set) var parts: [PassPart: Part]

    init(threads: Int) {
        self.threads = threads
        parts = Dictionary(uniqueKeysWithValues: PassPart.allCases.map { ($0, Part()) })
    }

    public subscript(part: PassPart) -> Part { parts[part] ?? Part() }

    /// Time of all passes.
    public var seconds: Double { parts.values.reduce(0) { $0 + $1.seconds } }
    /// Part of the threads' time in which they had nothing to do.
    public var idleFraction: Double { idleFraction(parts.values.reduce(0) { $0 + $1.busySeconds }, seconds) }

    /// Part of the threads' time in `part` in which they had nothing to do.
    public func idleFraction(of part: PassPart) -> Double {
        idleFraction(self[part].busySeconds, self[part].seconds)
    }

    private func idleFraction(_ busy: Double, _ seconds: Double) -> Double {
        seconds > 0 ? min(1, max(0, 1 - busy / (seconds * Double(threads)))) : 0
    }
}
