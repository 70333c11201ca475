import CorvidModels
import CorvidTensors

/// Memory that a run takes beside the weights, which stay in their files.
struct MemoryNeed: Sendable {
    /// Keys and values, activations of one pass, and what the command itself keeps.
    let bytes: Int

    /// - Parameters:
    ///   - tokens: positions of each sequence; positions beyond the context do not occur.
    ///   - prefillChunk: most rows of a prompt in one pass.
    ///   - besides: bytes that the command itself keeps.
    init(
        model: Model, tokens: Int, sequences: Int = 1, prefillChunk: Int = Defaults.prefillChunk,
        besides: Int = 0
    ) {
        self.init(
            model.configuration, cacheBytesPerPosition: model.cacheBytesPerPosition,
            tokens: min(tokens, model.contextLength), sequences: sequences, prefillChunk: prefillChunk,
            besides: besides)
    }

    /// The same for a model that is not loaded yet.
    init(
        _ configuration: ModelConfiguration, cacheBytesPerPosition: Int, tokens: Int, sequences: Int = 1,
        prefillChunk: Int = Defaults.prefillChunk, besides: Int = 0
    ) {
        let positions = min(max(0, tokens), configuration.context)
        let cache = Self.cachedPositions(positions, sequences: sequences)
            .multipliedSaturated(by: cacheBytesPerPosition)
        let rows = max(min(positions, prefillChunk), sequences)
        bytes = cache.addingSaturated(Self.activations(configuration, rows: rows)).addingSaturated(besides)
    }

    /// Refuses before the first large block is taken; otherwise the system may end another process.
    /// - Throws: ``CommandError/memory(needed:available:)``.
    func refuseIfTooLarge() throws {
        guard let available = MachineMemory.available, bytes > available else { return }
        throw CommandError.memory(needed: bytes, available: available)
    }

    /// Bytes of the matrices of a model whose weights are converted when it is loaded, at most.
    static func weights(_ entries: [TensorEntry], convertedTo type: DType) -> Int {
        entries.reduce(0) { total, entry in
            guard entry.shape.count == 2, let rows = entry.shape.first, let columns = entry.shape.last else {
                return total
            }
            // Which axis is a row is not known here; matrices that blocks divide one way are divided so.
            let bytes = [(rows, columns), (columns, rows)].compactMap { rows, columns in
                type.weightType(columns: columns).rowBytes(columns: columns)?.multipliedSaturated(by: rows)
            }
            return total.addingSaturated(bytes.min() ?? 0)
        }
    }

    /// Positions for which there is memory when each sequence holds `positions`: pages are taken whole.
    static func cachedPositions(_ positions: Int, sequences: Int) -> Int {
        let page = KeyValuePage.positions
        let pages = positions / page + (positions % page > 0 ? 1 : 0)
        return pages.multipliedSaturated(by: page).multipliedSaturated(by: max(1, sequences))
    }

    /// Values of a pass over `rows` rows: residual stream, projections, MLP, scores of one block, in f32.
    static func activations(_ configuration: ModelConfiguration, rows: Int) -> Int {
        let heads = configuration.heads * configuration.headWidth
        let perRow = 4 * configuration.width + 2 * heads + 3 * configuration.hidden
        return perRow.multipliedSaturated(by: rows).addingSaturated(configuration.vocabulary)
            .multipliedSaturated(by: 4)
    }
}
