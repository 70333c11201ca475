/// The tokens that may still be chosen at one position, with their logits.
///
/// Either dense (entry `i` is token `i`, as the model gave them) or, after a step has taken tokens away,
/// sparse with the ids in ascending order. Ascending ids are the one order in which probabilities are summed
/// and drawn from, so a result never depends on how a selection was made.
public struct Candidates: Sendable, Equatable {
    /// Token of each entry, ascending; `nil` while entry `i` is token `i`.
    public private(set) var ids: [Int32]?
    /// Logit of each entry; `-infinity` for a token of probability 0, never NaN or `+infinity`.
    public var logits: [Float]

    /// All tokens of one row of logits.
    ///
    /// - Parameters:
    ///   - row: the model's logits, `[vocabulary]`.
    ///   - count: how many tokens the tokenizer has; columns from there on are padding of the weights.
    /// - Returns: `nil` if a logit is NaN or `+infinity`, as with broken weights.
    public init?(row: ArraySlice<Float>, count: Int) {
        let row = row.prefix(max(count, 0))
        var broken: UInt8 = 0
        for logit in row { broken |= logit < .infinity ? 0 : 1 }
        guard broken == 0 else { return nil }
        ids = nil
        logits = Array(row)
    }

    /// - Parameters:
    ///   - ids: ascending, as many as `logits`.
    ///   - logits: neither NaN nor `+infinity`.
    public init(ids: [Int32], logits: [Float]) {
        precondition(ids.count == logits.count, "every candidate has one logit")
        self.ids = ids
        self.logits = logits
    }

    public var count: Int { logits.count }

    /// The token of entry `entry`.
    public func id(at entry: Int) -> Int32 {
        ids?[entry] ?? Int32(truncatingIfNeeded: entry)
    }

    /// The entry of token `id`, if it is still a candidate.
    public func entry(of id: Int32) -> Int? {
        guard let ids else { return id >= 0 && Int(id) < logits.count ? Int(id) : nil }
        var low = 0
        var high = ids.count
        while low < high {
            let middle = (low + high) / 2
            if ids[middle] < id { low = middle + 1 } else { high = middle }
        }
        return low < ids.count && ids[low] == id ? low : nil
    }

    /// The greatest logit; `-infinity` if no token is left.
    public var greatest: Float {
        var best = -Float.infinity
        for logit in logits where logit > best { best = logit }
        return best
    }

    /// The entry with the greatest logit, of equal ones that with the lowest id.
    public var best: Int? {
        var best = -Float.infinity
        var entry: Int?
        for (index, logit) in logits.enumerated() where logit > best {
            best = logit
            entry = index
        }
        return entry
    }

    /// Keeps the given entries.
    /// - Parameter entries: ascending.
    public mutating func keep(_ entries: [Int]) {
        ids = entries.map { id(at: $0) }
        logits = entries.map { logits[$0] }
    }

    /// exp(logit - greatest) of each entry: probabilities up to one common factor.
    ///
    /// In f64, so that the sum over a vocabulary loses nothing that matters.
    public func weights() -> [Double] {
        let greatest = Double(greatest)
        guard greatest > -.infinity else { return [Double](repeating: 0, count: count) }
        return logits.map { exponential(Double($0) - greatest) }
    }
}
