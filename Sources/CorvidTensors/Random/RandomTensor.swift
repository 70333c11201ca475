#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension Tensor {
    /// A tensor of random weights in memory of its own, with mean 0 and standard deviation `deviation`.
    ///
    /// Plain types hold draws of a normal distribution; block types are random blocks, not quantised numbers:
    /// their quants and inner scales take every value, the block's own scale is what gives the deviation. So
    /// billions of weights take seconds. The bytes depend on the seed and the stream alone.
    /// - Parameters:
    ///   - stream: tells tensors of one seed apart.
    ///   - workers: share the work.
    /// - Throws: ``TensorError`` for shapes that the type does not allow and types that hold no numbers;
    ///   ``MemoryError``.
    public static func random(
        _ type: DType, shape: [Int], deviation: Float, seed: UInt64, stream: UInt32, workers: Workers
    ) throws -> Tensor {
        let byteCount = try byteCount(type: type, shape: shape)
        guard let filler = RandomFiller(type, deviation: deviation, seed: seed, stream: stream) else {
            throw TensorError.notWeights(type: type)
        }
        let buffer = try AlignedBuffer(byteCount: byteCount)
        let memory = Destination(base: buffer.base)
        // Whole blocks and whole words of 8 bytes, and small enough to stay in the first-level cache.
        let piece = type.blockBytes * 8 * max(1, 2048 / type.blockBytes)
        let pieces = (byteCount + piece - 1) / piece
        let tasks = min(pieces, workers.threads * 8)
        workers.forEach(tasks) { task, _ in
            for index in pieces * task / tasks..<pieces * (task + 1) / tasks {
                let start = index * piece
                filler.fill(memory.base + start, byteCount: min(piece, byteCount - start), at: start)
            }
        }
        let bytes = Bytes(owner: buffer, base: UnsafeRawPointer(buffer.base), count: byteCount)
        return try Tensor(type: type, shape: shape, bytes: bytes)
    }

    /// A tensor of f32 values which are all the same, in memory of its own.
    public static func filled(_ value: Float, shape: [Int]) throws -> Tensor {
        try Tensor([Float](repeating: value, count: shape.reduce(1, *)), shape: shape)
    }

    /// Sound: each task writes bytes of its own.
    private struct Destination: @unchecked Sendable {
        let base: UnsafeMutableRawPointer
    }
}

/// Fills memory with the random numbers or blocks of one type, at any place independently of all others.
private struct RandomFiller: Sendable {
    private let type: DType
    private let key: UInt64
    /// Bit patterns of draws, of which each number is one; empty for types whose bytes are uniform.
    private let draws: [UInt32]
    /// What stands in each block: its offset in bytes and its bits.
    private let scales: [(offset: Int, bits: UInt16)]

    private static let drawBits: UInt64 = 12

    init?(_ type: DType, deviation: Float, seed: UInt64, stream: UInt32) {
        self.type = type
        key = Self.mixed(seed &+ Self.mixed(UInt64(stream) &+ 1))
        let random = CounterRandom(seed: seed)
        func normals(_ bits: (Float) -> UInt32) -> [UInt32] {
            (0..<UInt64(1) << Self.drawBits).map { index in
                // Box and Muller. 1 - u is never 0.
                let radius = (-2 * log(1 - random.uniform(stream: stream, step: index, index: 0)))
                    .squareRoot()
                let angle = 2 * Double.pi * random.uniform(stream: stream, step: index, index: 1)
                return bits(Float(radius * cos(angle)) * deviation)
            }
        }
        /// Half-precision scales: `unit` is the deviation of a block whose scale is 1.
        func scale(_ offset: Int, unit: Float, times factor: Float = 1) -> (offset: Int, bits: UInt16) {
            (offset, Float16(deviation / unit * factor).bitPattern)
        }
        // Units: a uniform integer of n values has variance (n² - 1) / 12. In K-blocks a quant times a
        // uniform scale, less a minimum which moves the mean to 0.
        switch type {
        case .f32: (draws, scales) = (normals { $0.bitPattern }, [])
        case .f16: (draws, scales) = (normals { UInt32(Float16($0).bitPattern) }, [])
        case .bf16: (draws, scales) = (normals { ($0.bitPattern &+ 0x8000) >> 16 }, [])
        case .i8: (draws, scales) = ([], [])
        case .q4_0: (draws, scales) = ([], [scale(0, unit: 4.61)])
        case .q4_1: (draws, scales) = ([], [scale(0, unit: 4.61), scale(2, unit: 4.61, times: -7.5)])
        case .q5_0: (draws, scales) = ([], [scale(0, unit: 9.23)])
        case .q5_1: (draws, scales) = ([], [scale(0, unit: 9.23), scale(2, unit: 9.23, times: -15.5)])
        case .q8_0: (draws, scales) = ([], [scale(0, unit: 73.9)])
        case .q4_K: (draws, scales) = ([], [scale(0, unit: 258), scale(2, unit: 258, times: 7.5)])
        case .q5_K: (draws, scales) = ([], [scale(0, unit: 527), scale(2, unit: 527, times: 15.5)])
        case .q6_K: (draws, scales) = ([], [scale(208, unit: 1367)])
        default: return nil
        }
    }

    /// Fills `byteCount` bytes which stand `offset` bytes behind the tensor's start: whole blocks.
    func fill(_ memory: UnsafeMutableRawPointer, byteCount: Int, at offset: Int) {
        switch type {
        case .f32: numbers(memory, count: byteCount / 4, at: offset / 4) { $0 }
        case .f16, .bf16:
            numbers(memory, count: byteCount / 2, at: offset / 2) { UInt16(truncatingIfNeeded: $0) }
        default:
            var position = 0
            while position < byteCount {
                var word = word(UInt64((offset + position) / 8))
                memcpy(memory + position, &word, min(8, byteCount - position))
                position += 8
            }
            guard !scales.isEmpty else { return }
            for block in stride(from: 0, to: byteCount, by: type.blockBytes) {
                for (place, bits) in scales {
                    memory.storeBytes(of: bits.littleEndian, toByteOffset: block + place, as: UInt16.self)
                }
            }
        }
    }

    /// Four numbers from each random word.
    private func numbers<Bits: FixedWidthInteger & BitwiseCopyable>(
        _ memory: UnsafeMutableRawPointer, count: Int, at first: Int, _ narrow: (UInt32) -> Bits
    ) {
        let values = memory.assumingMemoryBound(to: Bits.self)
        let mask = (UInt64(1) << Self.drawBits) - 1
        draws.withUnsafeBufferPointer { draws in
            var index = 0
            while index < count {
                var word = word(UInt64((first + index) / 4))
                for slot in 0..<min(4, count - index) {
                    values[index + slot] = narrow(draws[Int(word & mask)])
                    word >>= 16
                }
                index += 4
            }
        }
    }

    /// The random word at `index`: SplitMix64's output function of its state there.
    /// Source: Steele et al. 2014, "Fast Splittable Pseudorandom Number Generators", figure 17.
    private func word(_ index: UInt64) -> UInt64 {
        Self.mixed(key &+ index &* 0x9E37_79B9_7F4A_7C15)
    }

    private static func mixed(_ state: UInt64) -> UInt64 {
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
