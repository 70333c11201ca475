import CorvidModels

/// The residual after each block at the last token of prompts with demonstrations (Hendel et al., 2023).
public struct TaskVector: Sendable, Equatable {
    /// For each block `[width]`.
    public let layers: [[Float]]

    public init(layers: [[Float]]) { self.layers = layers }

    /// What is put in after a block.
    /// - Throws: ``InContextError/layer(_:layers:)``.
    public func injection(after layer: Int) throws -> StateInjection {
        guard layers.indices.contains(layer) else {
            throw InContextError.layer(layer, layers: layers.count)
        }
        return .residual(layers[layer], after: layer)
    }
}

extension Model {
    /// The mean over prompts of the residuals at their last tokens.
    /// - Throws: ``InContextError/noDummies``, or what a pass throws.
    public func taskVector(of prompts: [InContextPrompt]) async throws -> TaskVector {
        guard !prompts.isEmpty else { throw InContextError.noDummies }
        let sites = (0..<configuration.layers).map { Site.output(of: $0) }
        var sums = [[Double]](
            repeating: [Double](repeating: 0, count: configuration.width), count: configuration.layers)
        let longest = prompts.map(\.tokens.count).max() ?? 0
        let capacity = PromptBatch.capacity(self, tokens: longest)
        for start in stride(from: 0, to: prompts.count, by: capacity) {
            let part = prompts[start..<min(prompts.count, start + capacity)]
            var batch = PromptBatch(self, part.map(\.tokens))
            let ends = part.map(\.tokens.count)
            let records = try await batch.run(upTo: ends, reading: sites, at: ends.map { [$0 - 1] })
            for (record, end) in zip(records, ends) {
                for (layer, site) in sites.enumerated() {
                    for (index, value) in (record[site]?[end - 1] ?? []).enumerated() {
                        sums[layer][index] += Double(value)
                    }
                }
            }
        }
        let count = Double(prompts.count)
        return TaskVector(layers: sums.map { $0.map { Float($0 / count) } })
    }
}
