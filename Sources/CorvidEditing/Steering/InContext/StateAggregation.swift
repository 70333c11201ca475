import CorvidModels

/// Demonstrations that are read together, and a pair that is none of them.
public struct DemonstrationGroup: Sendable, Equatable {
    public var demonstrations: [InContextPair]
    /// Its input is the group's dummy query; the whole pair stands for the group in the second stage.
    public var dummy: InContextPair

    public init(demonstrations: [InContextPair], dummy: InContextPair) {
        self.demonstrations = demonstrations
        self.dummy = dummy
    }

    /// Divides pairs into groups of a size. What is left over serves as dummies; where too little is left, the
    /// first pair of the next group does.
    /// - Throws: ``InContextError/pairs(needed:found:)``.
    public static func divide(
        _ pairs: [InContextPair], groups: Int, size: Int, spare: [InContextPair] = []
    ) throws -> [DemonstrationGroup] {
        try InContextError.check("groups", groups, 1...10_000)
        try InContextError.check("group size", size, 1...10_000)
        let (needed, overflows) = groups.multipliedReportingOverflow(by: size)
        guard !overflows, pairs.count >= needed else {
            throw InContextError.pairs(needed: overflows ? .max : needed, found: pairs.count)
        }
        let left = Array(pairs[needed...]) + spare
        return try (0..<groups).map { group in
            let shown = Array(pairs[group * size..<(group + 1) * size])
            if left.indices.contains(group) { return .init(demonstrations: shown, dummy: left[group]) }
            guard groups > 1 else { throw InContextError.noDummies }
            return .init(demonstrations: shown, dummy: pairs[(group + 1) % groups * size])
        }
    }
}

/// Makes one vector of many demonstrations, more than one prompt could hold (Li et al., 2024, section 3.3).
public struct StateAggregator: Sendable {
    public enum Method: String, Sendable, CaseIterable {
        /// A vector for each group; then a prompt of the groups' dummy pairs, with the vectors at their arrows.
        case divideAndConquer = "divide-and-conquer"
        /// The mean of the groups' vectors.
        case average
    }

    /// One vector of all groups, and what it took.
    public struct Result: Sendable {
        public let vector: StateVector
        /// The groups' own vectors.
        public let groups: [StateVector]
        /// Most tokens and most demonstrations that a prompt had.
        public let longestPrompt, mostDemonstrations: Int
    }

    public let extractor: StateExtractor
    /// Orders of its demonstrations over which a group's vector is averaged.
    public var shuffles = 5
    public var seed: UInt64

    public init(_ extractor: StateExtractor, shuffles: Int = 5, seed: UInt64) {
        self.extractor = extractor
        self.shuffles = shuffles
        self.seed = seed
    }

    private var model: Model { extractor.model }
    private var builder: InContextPromptBuilder { extractor.builder }

    /// - Parameters:
    ///   - dummies: fresh queries over which the second stage is averaged (5 in the paper).
    ///   - layer: L; the groups' vectors are written in layers 0 to L.
    /// - Throws: ``InContextError``, or what the model throws.
    public func aggregate(
        _ groups: [DemonstrationGroup], _ method: Method = .divideAndConquer, dummies: [String],
        through layer: Int,
        progress: InContextProgress = { _, _, _ in }
    ) async throws -> Result {
        guard !groups.isEmpty else { throw InContextError.noDemonstrations }
        guard !dummies.isEmpty else { throw InContextError.noDummies }
        try InContextError.check("shuffles", shuffles, 1...10_000)
        var (vectors, longest, most) = ([StateVector](), 0, 0)
        for (index, group) in groups.enumerated() {
            progress("groups", index, groups.count)
            let prompts = try prompts(of: group, number: index, method)
            longest = max(longest, prompts.map(\.tokens.count).max() ?? 0)
            most = max(most, prompts.map(\.demonstrations).max() ?? 0)
            vectors.append(try await StateVector.mean(model.lastStates(of: prompts)))
        }
        if method == .average {
            let rows = vectors.map(\.tokens).min() ?? 1
            let mean = try StateVector.mean(vectors.map { $0.lastTokens(rows) })
            return Result(
                vector: try mean.through(layer), groups: vectors, longestPrompt: longest,
                mostDemonstrations: most)
        }
        progress("dummy queries", 0, dummies.count)
        let prompts = try builder.prompts(groups.map(\.dummy), queries: dummies)
        let changes = try Self.changes(prompts[0], vectors, through: layer)
        let states = try await model.lastStates(of: prompts, changes: changes)
        return Result(
            vector: try StateVector.mean(states).through(layer), groups: vectors,
            longestPrompt: max(longest, prompts.map(\.tokens.count).max() ?? 0),
            mostDemonstrations: max(most, prompts[0].demonstrations))
    }

    /// The prompts that a group's vector is averaged over: its demonstrations in random orders, or as they are.
    private func prompts(
        of group: DemonstrationGroup, number: Int, _ method: Method
    ) throws -> [InContextPrompt] {
        guard method == .divideAndConquer else {
            return [try builder.prompt(group.demonstrations, query: group.dummy.input)]
        }
        let shuffle = PairShuffle(seed: seed, purpose: .group)
        return try (0..<shuffles).map { turn in
            let pairs = shuffle.shuffled(
                group.demonstrations, number: UInt32(truncatingIfNeeded: number * shuffles + turn))
            return try builder.prompt(pairs, query: group.dummy.input)
        }
    }

    /// Writes the vector of group g at the arrow of demonstration g, in layers 0 to `layer`.
    public static func changes(
        _ prompt: InContextPrompt, _ vectors: [StateVector], through layer: Int
    ) throws -> [SiteChange] {
        try zip(prompt.arrows.dropLast(), vectors).flatMap { arrow, vector in
            let vector = try vector.through(layer).lastTokens(arrow.count)
            let places = Positions.range(arrow.upperBound - vector.tokens..<arrow.upperBound)
            return vector.layers.enumerated().map { layer, values in
                SiteChange(
                    .replace(
                        SiteTensor(
                            rows: values, columns: vector.columns, first: arrow.upperBound - vector.tokens)),
                    at: Site(.heads, layer: layer), positions: places)
            }
        }
    }
}

/// Is called with what is being done, how much of it, and in all.
public typealias InContextProgress = @Sendable (_ stage: String, _ done: Int, _ total: Int) -> Void
