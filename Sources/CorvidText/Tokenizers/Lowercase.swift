/// The lower case of single code points, as Hugging Face `tokenizers` has it.
enum Lowercase {
    private struct Run: Sendable {
        var first: UInt32
        var last: UInt32
        var step: UInt32
        var delta: Int32
    }

    private static let runs: [Run] = {
        let numbers = LowercaseData.runs
        return stride(from: 0, to: numbers.count, by: 4).map { index in
            let (first, count, step) = (numbers[index], numbers[index + 1], numbers[index + 2])
            return Run(
                first: UInt32(first), last: UInt32(first + (count - 1) * step), step: UInt32(step),
                delta: numbers[index + 3])
        }
    }()

    /// Appends the lower case of a code point, which is two only for U+0130.
    static func append(_ point: UInt32, to output: inout [UInt8]) {
        if point < 0x80 {
            output.append((0x41...0x5A).contains(point) ? UInt8(point | 0x20) : UInt8(point))
        } else if point == 0x130 {
            output.append(contentsOf: [0x69, 0xCC, 0x87])
        } else {
            UTF8Sequence.append(of(point), to: &output)
        }
    }

    private static func of(_ point: UInt32) -> UInt32 {
        let runs = runs
        var (low, high) = (0, runs.count)
        while low < high {
            let middle = (low + high) / 2
            if runs[middle].last < point { low = middle + 1 } else { high = middle }
        }
        // Runs of every second code point may interlock, so the next one may hold it too.
        for index in low..<min(low + 2, runs.count) {
            let run = runs[index]
            if point >= run.first, point <= run.last, (point - run.first) % run.step == 0 {
                return UInt32(bitPattern: Int32(bitPattern: point) + run.delta)
            }
        }
        return point
    }
}
