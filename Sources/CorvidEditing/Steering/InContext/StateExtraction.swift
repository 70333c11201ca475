import CorvidModels
import CorvidTensors

/// Reads state vectors from a model.
///
///     let extractor = try StateExtractor(model, builder)
///     let states = try await extractor.states(demonstrations, dummies: ["cat", "house"])
///     let vector = try StateOptimizer(.momentum).vector(of: states).through(20)
public struct StateExtractor: Sendable {
    public let model: Model
    public let builder: InContextPromptBuilder

    /// - Throws: ``InContextError/continuesNoText``.
    public init(_ model: Model, _ builder: InContextPromptBuilder) throws {
        guard model.continuesText else { throw InContextError.continuesNoText }
        self.model = model
        self.builder = builder
    }

    /// The states of demonstrations at their arrows and at those of dummy queries, in all layers.
    ///
    /// The demonstrations run once; each dummy query costs its own tokens.
    /// - Throws: ``InContextError``, or what the model throws.
    public func states(
        _ demonstrations: [InContextPair], dummies: [String]
    ) async throws -> InContextStates {
        guard !demonstrations.isEmpty else { throw InContextError.noDemonstrations }
        guard !dummies.isEmpty else { throw InContextError.noDummies }
        return try await model.states(of: builder.prompts(demonstrations, queries: dummies))
    }

    /// How many of the demonstrations fit before these queries.
    public func warnings(_ demonstrations: [InContextPair], dummies: [String]) throws -> [InContextWarning] {
        let kept = try builder.prompts(demonstrations, queries: dummies).first?.demonstrations ?? 0
        guard kept < demonstrations.count else { return builder.warnings }
        return builder.warnings + [.dropped(kept: kept, of: demonstrations.count)]
    }
}

extension Model {
    /// The states at the arrows of prompts with the same demonstrations and a query each, in all layers.
    ///
    /// Where arrows have several tokens, the state has as many rows as the shortest of them has tokens, the last
    /// ones of each.
    /// - Throws: ``InContextError``, or what a pass throws.
    public func states(of prompts: [InContextPrompt]) async throws -> InContextStates {
        let records = try await records(of: prompts)
        let rows = prompts.flatMap(\.arrows).map(\.count).min() ?? 0
        func state(_ prompt: Int, _ arrow: Range<Int>) throws -> StateVector {
            try self.state(records[prompt], at: arrow.suffix(rows))
        }
        guard let first = prompts.first else { throw InContextError.noDummies }
        let shown = try first.arrows.dropLast().map { try state(0, $0) }
        let queries = try prompts.enumerated().map { try state($0, $1.last) }
        return try InContextStates(demonstrations: shown, queries: queries)
    }

    /// The states at the last arrows of prompts that need not have anything in common.
    /// - Parameters:
    ///   - rows: the last tokens of each arrow; nil: as many as the shortest has.
    ///   - changes: what is changed meanwhile, at positions from the beginning.
    func lastStates(
        of prompts: [InContextPrompt], rows: Int? = nil, changes: [SiteChange] = []
    ) async throws -> [StateVector] {
        let count = rows ?? prompts.map(\.last.count).min() ?? 0
        let records = try await records(of: prompts, lastOnly: true, changes: changes)
        return try zip(prompts, records).map { try state($1, at: $0.last.suffix(count)) }
    }

    private func records(
        of prompts: [InContextPrompt], lastOnly: Bool = false, changes: [SiteChange] = []
    ) async throws -> [PromptBatch.Record] {
        let sites = (0..<configuration.layers).map { Site(.heads, layer: $0) }
        let longest = prompts.map(\.tokens.count).max() ?? 0
        let capacity = PromptBatch.capacity(self, tokens: longest)
        var records: [PromptBatch.Record] = []
        for start in stride(from: 0, to: prompts.count, by: capacity) {
            let part = prompts[start..<min(prompts.count, start + capacity)]
            var batch = PromptBatch(self, part.map(\.tokens), changes: changes)
            records += try await batch.run(
                upTo: part.map(\.tokens.count), reading: sites,
                at: part.map { lastOnly ? Array($0.last) : $0.arrows.flatMap { Array($0) } })
        }
        return records
    }

    private func state(_ record: PromptBatch.Record, at positions: some Collection<Int>) throws -> StateVector
    {
        let columns = configuration.siteWidth(.heads) ?? 0
        let layers = (0..<configuration.layers).map { layer -> [Float] in
            let values = record[Site(.heads, layer: layer)] ?? [:]
            return positions.flatMap { values[$0] ?? [] }
        }
        return try StateVector(layers: layers, tokens: positions.count, columns: columns)
    }
}
