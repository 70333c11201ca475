import CorvidKernels
import Synchronization

/// What this machine can do at most, measured with the threads that will do the work.
public enum MachineMeasure {
    /// Best read bandwidth in bytes per second: the fastest of `repeats` sums over `byteCount` bytes.
    public static func readBandwidth(
        pool: WorkerPool, byteCount: Int = 1 << 30, repeats: Int = 10
    ) throws -> Double {
        try pool.runBlocking { workers in
            let buffer = try AlignedBuffer(byteCount: byteCount)
            let words = buffer.base.bindMemory(to: UInt64.self, capacity: byteCount / 8)
            let tasks = workers.threads
            let share = byteCount / 8 / tasks
            // Untouched pages all share one page of zeros; write each once.
            workers.forEach(tasks) { task, _ in
                var index = task * share
                while index < (task + 1) * share {
                    words[index] = UInt64(index)
                    index += 512
                }
            }
            let total = Atomic<UInt64>(0)
            let clock = ContinuousClock()
            var best = Duration.seconds(1_000)
            for _ in 0..<max(1, repeats) {
                let seconds = clock.measure {
                    workers.forEach(tasks) { task, _ in
                        total.wrappingAdd(ck_read_sum(share, words + task * share), ordering: .relaxed)
                    }
                }
                best = min(best, seconds)
            }
            withExtendedLifetime(buffer) {}
            return Double(share * tasks * 8) / best.inSeconds
        }
    }

    /// Best rate in operations per second (two per multiply-add) of the multiply-adds of `arithmetic`.
    public static func peakOperations(_ arithmetic: Arithmetic, pool: WorkerPool) throws -> Double {
        try pool.runBlocking { workers in
            let clock = ContinuousClock()
            var best = 0.0
            for _ in 0..<5 {
                let operations = Atomic<UInt64>(0)
                let seconds = clock.measure {
                    workers.forEach(workers.threads) { _, _ in
                        var sink: Float = 0
                        let done = ck_peak_operations(arithmetic.kernel, 200_000, &sink)
                        operations.wrappingAdd(UInt64(done), ordering: .relaxed)
                    }
                }
                best = max(best, Double(operations.load(ordering: .relaxed)) / seconds.inSeconds)
            }
            return best
        }
    }
}

/// The multiply-adds that a product is made of.
public enum Arithmetic: String, Sendable {
    case f32, bf16
    /// Exact sums of products of 8-bit integers.
    case int8

    fileprivate var kernel: ck_arithmetic {
        switch self {
        case .f32: CK_F32_FMA
        case .bf16: CK_BF16_DOT
        case .int8: CK_INT8_DOT
        }
    }
}

extension Linear {
    /// What its products are made of on this processor.
    public var arithmetic: Arithmetic {
        switch compute {
        case .blocks, .int8: .int8
        case .f32: .f32
        case .bf16: ck_has_bf16() != 0 ? .bf16 : .f32
        }
    }
}

extension Duration {
    /// This duration in seconds.
    public var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }
}
