import CorvidModels
import CorvidTensors
import Foundation

/// Memory that a run takes beside the weights, which stay in their files.
struct MemoryNeed: Sendable {
    /// Keys and values, activations of one pass, and what the command itself keeps.
    let bytes: Int

    /// - Parameters:
    ///   - tokens: positions of each sequence; positions beyond the context do not occur.
    ///   - besides: bytes that the command itself keeps.
    init(model: Model, tokens: Int, sequences: Int = 1, besides: Int = 0) {
        let positions = min(max(0, tokens), model.contextLength)
        let cache = Self.product(model.cacheBytesPerPosition, positions, max(1, sequences))
        let activations = Self.activations(model.configuration, rows: min(positions, Defaults.prefillChunk))
        bytes = [cache, activations, besides].reduce(0) { sum, part in
            let (total, overflow) = sum.addingReportingOverflow(part)
            return overflow ? Int.max : total
        }
    }

    /// Refuses before the first large block is taken; otherwise the system may end another process.
    /// - Throws: ``CommandError/memory(needed:available:)``.
    func refuseIfTooLarge() throws {
        guard let available = MachineMemory.available, bytes > available else { return }
        throw CommandError.memory(needed: bytes, available: available)
    }

    /// Values of a pass over `rows` rows: residual stream, projections, MLP, scores of one block, in f32.
    static func activations(_ configuration: ModelConfiguration, rows: Int) -> Int {
        let heads = configuration.heads * configuration.headWidth
        let perRow = 4 * configuration.width + 2 * heads + 3 * configuration.hidden
        return product(4, perRow, rows) &+ product(4, configuration.vocabulary)
    }

    private static func product(_ factors: Int...) -> Int {
        factors.reduce(1) { result, factor in
            let (product, overflow) = result.multipliedReportingOverflow(by: factor)
            return overflow ? Int.max : product
        }
    }
}
