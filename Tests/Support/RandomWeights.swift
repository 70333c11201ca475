import CorvidTensors

/// Random weights of any type, as the bytes of a file would hold them.
public enum RandomWeights {
    /// A tensor `[rows, columns]` whose values are around ±1.
    public static func tensor(
        _ type: DType, rows: Int, columns: Int, using generator: inout SeededGenerator
    ) throws -> Tensor {
        guard let rowBytes = type.rowBytes(columns: columns) else {
            throw TensorError.blocks(type: type, shape: [rows, columns])
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(rows * rowBytes)
        for _ in 0..<rows * (columns / type.blockSize) { bytes += block(type, &generator) }
        return try Tensor(type: type, shape: [rows, columns], bytes: try Bytes(bytes))
    }

    /// One block (one number for plain types). Quants and 6-bit scales take every value; the block's own
    /// scales are finite and small, as a quantiser makes them.
    private static func block(_ type: DType, _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = (0..<type.blockBytes).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
        func set(_ offset: Int, _ value: Float) {
            let bits = Float16(value).bitPattern
            bytes[offset] = UInt8(truncatingIfNeeded: bits)
            bytes[offset + 1] = UInt8(truncatingIfNeeded: bits >> 8)
        }
        let scale = Float.random(in: 0.5...1.5, using: &generator)
        switch type {
        case .f32:
            let value = Float.random(in: -1...1, using: &generator)
            return (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * UInt32($0))) }
        case .f16: set(0, Float.random(in: -1...1, using: &generator))
        case .bf16:
            let high = Float.random(in: -1...1, using: &generator).bitPattern >> 16
            return [UInt8(truncatingIfNeeded: high), UInt8(truncatingIfNeeded: high >> 8)]
        case .q4_0: set(0, scale / 8)
        case .q5_0: set(0, scale / 16)
        case .q8_0: set(0, scale / 127)
        case .q4_1:
            set(0, scale / 8)
            set(2, -scale)
        case .q5_1:
            set(0, scale / 16)
            set(2, -scale)
        case .q4_K, .q5_K:
            set(0, scale / (type == .q4_K ? 400 : 800))
            set(2, scale / 64)
        case .q6_K: set(208, scale / 2048)
        default: break
        }
        return bytes
    }
}

extension Matrix {
    /// A matrix of values in -1...1, some rows much smaller.
    public static func random(
        rows: Int, columns: Int, using generator: inout SeededGenerator
    ) throws -> Matrix {
        let matrix = try Matrix(rows: rows, columns: columns)
        for row in 0..<rows {
            let size: Float = generator.index(below: 4) == 0 ? 0.01 : 1
            for column in 0..<columns {
                matrix[row, column] = size * Float.random(in: -1...1, using: &generator)
            }
        }
        return matrix
    }
}
