/// Adds a constant to the logits of chosen tokens; `-infinity` forbids one.
public struct LogitBias: LogitsStep {
    public let bias: [Int32: Float]

    public init(_ bias: [Int32: Float]) {
        self.bias = bias
    }

    public func apply(to candidates: inout Candidates, history: TokenHistory) {
        for (id, value) in bias {
            if let entry = candidates.entry(of: id) { candidates.logits[entry] += value }
        }
    }
}
