import CorvidTensors

extension Model {
    /// What `body` gives. If it fails because logits were NaN or infinite, the weights are searched for the
    /// cause.
    /// - Throws: ``WeightError/notFinite(file:tensor:)`` if a tensor of the files is damaged, else what
    ///   `body` throws.
    public func namingDamagedWeights<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as GenerationError {
            guard case .notFinite = error, let damaged = try firstNonFiniteTensor() else { throw error }
            throw WeightError.notFinite(file: damaged.file, tensor: damaged.name)
        }
    }

    /// The first tensor of the files that holds NaN or infinity, also as scale or minimum of a block; nil if
    /// there is none. Reads all weights once.
    /// - Throws: ``FormatError``, `MemoryError` if a file has become shorter, `CancellationError`.
    public func firstNonFiniteTensor() throws -> TensorEntry? {
        try source.checkSize()
        for entry in source.entries where entry.type?.holdsWeights == true {
            // Stored causal masks may be infinite.
            if configuration.family.ignored.contains(where: entry.name.hasSuffix) { continue }
            guard let tensor = try source.tensor(named: entry.name) else { continue }
            if try !tensor.isFinite() { return entry }
        }
        return nil
    }
}

extension Tensor {
    /// Elements that are dequantised at a time.
    private static let chunk = 1 << 18

    /// Whether no value is NaN or infinite.
    /// - Throws: `TensorError` for types that hold no weights, `CancellationError`.
    func isFinite() throws -> Bool {
        // One row for each block, so that the memory does not depend on the shape.
        let blocks = try Tensor(
            type: type, shape: [count / type.blockSize, type.blockSize], bytes: bytes)
        let step = max(1, Self.chunk / type.blockSize)
        for start in stride(from: 0, to: blocks.rows, by: step) {
            try Task.checkCancellation()
            let values = try blocks.rows(start..<min(start + step, blocks.rows)).floats()
            // Without a branch for each value the loop runs in vectors.
            let exponent: UInt32 = 0x7F80_0000
            var bad: UInt32 = 0
            for value in values { bad |= value.bitPattern & exponent == exponent ? 1 : 0 }
            if bad != 0 { return false }
        }
        return true
    }
}
