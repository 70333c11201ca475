/// The effects of many facts, averaged over tokens that play the same part (Meng et al. 2022, figure 2).
public struct TraceAverage: Sendable, Equatable {
    /// Parts that a token plays. A subject of one token is the first and the last one; a token may also be the
    /// first one behind the subject and the last of the prompt.
    public enum Part: String, Sendable, CaseIterable {
        case firstSubject = "first subject token"
        case middleSubject = "middle subject tokens"
        case lastSubject = "last subject token"
        case firstAfter = "first token after"
        case furtherAfter = "further tokens"
        case last = "last token"
    }

    /// A mean with its 95 % band.
    public struct Mean: Sendable, Equatable {
        public let value: Double
        /// Half the width of the band, 1.96 standard deviations over the root of the count; 0 for one value.
        public let halfWidth: Double
        public let count: Int

        /// - Parameter values: one or more; of none, the mean is not a number.
        init(_ values: [Double]) {
            let count = Double(values.count)
            let mean = values.reduce(0, +) / count
            let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
            value = mean
            halfWidth = values.isEmpty ? 0 : 1.96 * (squares / count).squareRoot() / count.squareRoot()
            self.count = values.count
        }
    }

    /// AIE of the tokens that play a part, at each layer.
    public struct PartEffects: Sendable, Equatable {
        public let part: Part
        public let layers: [Mean]
    }

    /// How many facts there are.
    public let facts: Int
    public let cleanProbability: Mean
    public let corruptedProbability: Mean
    /// ATE.
    public let totalEffect: Mean
    /// For the parts that some token plays.
    public let indirectEffects: [PartEffects]

    /// - Parameter traces: of one model.
    /// - Throws: ``TracingError/noFacts``.
    public init(_ traces: [FactTrace]) throws {
        guard let layers = traces.first?.restoredProbabilities.first?.count else {
            throw TracingError.noFacts
        }
        facts = traces.count
        cleanProbability = Mean(traces.map(\.cleanProbability))
        corruptedProbability = Mean(traces.map(\.corruptedProbability))
        totalEffect = Mean(traces.map(\.totalEffect))
        indirectEffects = Part.allCases.compactMap { part in
            let rows = traces.flatMap { trace in
                Self.tokens(part, of: trace.subject, in: trace.ids.count).map(trace.indirectEffects)
            }
            guard !rows.isEmpty else { return nil }
            return PartEffects(
                part: part, layers: (0..<layers).map { layer in Mean(rows.map { $0[layer] }) })
        }
    }

    /// The tokens that play a part.
    static func tokens(_ part: Part, of subject: Range<Int>, in count: Int) -> [Int] {
        let (first, end) = (subject.lowerBound, subject.upperBound)
        switch part {
        case .firstSubject: return [first]
        case .middleSubject: return end - first > 2 ? Array(first + 1..<end - 1) : []
        case .lastSubject: return [end - 1]
        case .firstAfter: return end < count ? [end] : []
        case .furtherAfter: return end + 1 < count - 1 ? Array(end + 1..<count - 1) : []
        case .last: return [count - 1]
        }
    }
}
