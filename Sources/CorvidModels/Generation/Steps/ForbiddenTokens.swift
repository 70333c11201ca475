import CorvidText

/// Takes tokens out of the choice altogether.
public struct ForbiddenTokens: LogitsStep {
    public let ids: [Int32]

    public init(_ ids: [Int32]) {
        self.ids = ids
    }

    /// The ids below its size that a tokenizer has no token for, as some vocabularies have gaps.
    public init(gapsOf tokenizer: any Tokenizer) {
        var bytes: [UInt8] = []
        var gaps: [Int32] = []
        for id in 0..<Int32(clamping: tokenizer.vocabularySize) {
            bytes.removeAll(keepingCapacity: true)
            tokenizer.appendBytes(of: id, to: &bytes)
            if bytes.isEmpty { gaps.append(id) }
        }
        ids = gaps
    }

    public func apply(to candidates: inout Candidates, history: TokenHistory) {
        for id in ids {
            if let entry = candidates.entry(of: id) { candidates.logits[entry] = -.infinity }
        }
    }
}
