/// How likely a fact's answer is with each token restored at each layer, where its subject is corrupted.
public struct FactTrace: Sendable, Equatable {
    public let ids: [Int32]
    public let subject: Range<Int>
    /// The token whose probability is measured.
    public let answer: Int32
    /// P, of the clean run.
    public let cleanProbability: Double
    /// P*, with nothing restored, for each sample of noise.
    public let corruptedProbabilities: [Double]
    /// Mean over the samples with a token restored, `[tokens][layers]`.
    public let restoredProbabilities: [[Double]]

    /// P*: the mean over the samples.
    public var corruptedProbability: Double {
        corruptedProbabilities.reduce(0, +) / Double(max(1, corruptedProbabilities.count))
    }

    /// TE = P - P*.
    public var totalEffect: Double { cleanProbability - corruptedProbability }

    /// IE = P*(token, layer) - P*.
    public func indirectEffect(token: Int, layer: Int) -> Double {
        restoredProbabilities[token][layer] - corruptedProbability
    }

    /// IE of a token at all layers.
    public func indirectEffects(token: Int) -> [Double] {
        restoredProbabilities[token].map { $0 - corruptedProbability }
    }
}
