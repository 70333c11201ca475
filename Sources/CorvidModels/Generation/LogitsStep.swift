/// One rule that changes logits or takes tokens away before a token is chosen.
///
/// Sampling is a list of such values applied in order; a rule of your own goes in by
/// ``Sampler/init(settings:steps:size:sample:)``.
public protocol LogitsStep: Sendable {
    func apply(to candidates: inout Candidates, history: TokenHistory)
}

/// Which tokens a sequence holds, counted.
public struct TokenHistory: Sendable, Equatable {
    /// Every token of prompt and answer once.
    public private(set) var seen: Set<Int32>
    /// How often each token occurs in the answer.
    public private(set) var generated: [Int32: Int] = [:]

    public init(prompt: some Sequence<Int32>) {
        seen = Set(prompt)
    }

    public mutating func append(_ id: Int32) {
        seen.insert(id)
        generated[id, default: 0] += 1
    }
}
