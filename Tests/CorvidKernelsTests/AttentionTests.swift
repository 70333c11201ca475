import CorvidKernels
import Foundation
import TestSupport
import Testing

@Suite(.serialized) struct AttentionTests {
    @Test("Attention agrees with a softmax in double precision", arguments: 1...60)
    func reference(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let task = AttentionTask(.random(using: &random), using: &random)
        let (expected, bound) = task.inDouble()
        InstructionSets.each { level in
            let found = task.attend()
            #expect(found.count == expected.count, "seed \(seed) \(level) \(task.shape)")
            let worst = zip(found, expected).map { abs(Double($0) - $1) }.max() ?? 0
            #expect(worst <= bound, "seed \(seed) \(level) \(task.shape)")
        }
    }

    @Test("Every instruction set gives the same bits", arguments: 101...160)
    func sameBits(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let task = AttentionTask(.random(using: &random), using: &random)
        let results = InstructionSets.results { bits(task.attend()) }
        #expect(results.allSatisfy { $0 == results[0] && !$0.isEmpty }, "seed \(seed) \(task.shape)")
    }

    @Test("A row has the same bits whatever other rows are computed beside it", arguments: 201...260)
    func rowsAreIndependent(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var shape = AttentionTask.Shape.random(using: &random)
        shape.rows = random.int(2...70)
        if shape.causal { shape.keyCount = shape.firstPosition + shape.rows }
        let task = AttentionTask(shape, using: &random)
        InstructionSets.each { level in
            var pieces: [Float] = []
            var row = 0
            while row < shape.rows {
                let next = min(row + random.int(1...20), shape.rows)
                pieces += task.attend(rows: row..<next)
                row = next
            }
            #expect(bits(task.attend()) == bits(pieces), "seed \(seed) \(level) \(shape)")
        }
    }

    @Test("Three stages in any parts give the bits of the whole", arguments: 301...340)
    func stages(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let task = AttentionTask(.random(using: &random), using: &random)
        InstructionSets.each { level in
            let found = bits(task.attendInStages(using: &random))
            #expect(found == bits(task.attend()) && !found.isEmpty, "seed \(seed) \(level) \(task.shape)")
        }
    }

    @Test("A NaN in a query is in its head and row, and nowhere else", arguments: 401...420)
    func poisonedQuery(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var shape = AttentionTask.Shape.random(using: &random)
        shape.rows = random.int(2...20)
        if shape.causal { shape.keyCount = shape.firstPosition + shape.rows }
        let task = AttentionTask(shape, using: &random)
        let poisoned = random.int(0...task.queries.count - 1), head = poisoned / shape.width
        InstructionSets.each { level in
            let before = task.attend()
            let clean = task.queries[poisoned]
            task.queries[poisoned] = .nan
            let after = task.attend()
            task.queries[poisoned] = clean
            for index in 0..<min(before.count, after.count) where index / shape.width != head {
                #expect(before[index].bitPattern == after[index].bitPattern, "seed \(seed) \(level) \(shape)")
            }
            let seen = task.visible(row: head / shape.group)
            let own = after[head * shape.width..<(head + 1) * shape.width]
            #expect(own.allSatisfy { $0.isNaN } || seen.isEmpty, "seed \(seed) \(level) \(shape)")
        }
    }

    @Test("Keys and values which a row does not see leave no trace in it", arguments: 501...530)
    func unseen(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var shape = AttentionTask.Shape.random(using: &random)
        shape.causal = true
        shape.rows = random.int(2...40)
        shape.keyCount = shape.firstPosition + shape.rows
        if random.chance(2) { shape.window = random.int(1...40) }
        let task = AttentionTask(shape, using: &random)
        let before = InstructionSets.results { task.attend() }
        let position = random.int(shape.firstPosition...shape.keyCount - 1)
        let fault: Float = random.chance(2) ? .nan : .infinity
        let faults = [Float](repeating: fault, count: shape.width)
        task.store(key: faults, value: faults, at: position)
        let after = InstructionSets.results { task.attend() }
        let stride = shape.group * shape.width
        for (before, after) in zip(before, after) {
            for row in 0..<shape.rows {
                let old = before[row * stride..<(row + 1) * stride],
                    new = after[row * stride..<(row + 1) * stride]
                if task.visible(row: row).contains(position) {
                    #expect(new.allSatisfy { $0.isNaN }, "seed \(seed) row \(row) \(shape)")
                } else {
                    #expect(bits(old) == bits(new), "seed \(seed) row \(row) \(shape)")
                }
            }
        }
    }

    @Test("A row which sees no key gives zeros")
    func nothingToSee() {
        var random = SeededGenerator(seed: 601)
        for causal in [true, false] {
            let shape = AttentionTask.Shape(width: 20, group: 3, rows: 4, keyCount: 0, causal: causal)
            let task = AttentionTask(shape, using: &random)
            InstructionSets.each { level in
                #expect(task.attend() == [Float](repeating: 0, count: 240), "\(level)")
            }
        }
    }

    @Test("Equal scores give the mean of the values")
    func mean() {
        // Queries of zero: each of the 300 keys has weight 1/300.
        var random = SeededGenerator(seed: 602)
        let task = AttentionTask(.init(f32: true, width: 5, keyCount: 300, causal: false), using: &random)
        task.queries = [Float](repeating: 0, count: 5)
        let means = (0..<5).map { d in (0..<300).reduce(0.0) { $0 + Double(task.values[$1 * 5 + d]) } / 300 }
        InstructionSets.each { level in
            for (found, mean) in zip(task.attend(), means) {
                #expect(abs(Double(found) - mean) < 1e-6, "\(level)")
            }
        }
    }
}

extension AttentionTask.Shape {
    /// Odd and even widths, positions around the borders of tiles and pages, every option.
    static func random(using random: inout SeededGenerator) -> Self {
        var shape = Self()
        shape.f32 = random.chance(2)
        shape.width = [1, 5, 10, 16, 20, 32, 48, 64, 80, 96, 128, 256][random.int(0...11)]
        shape.group = random.chance(8) ? random.int(5...13) : random.int(1...4)
        shape.rows = random.chance(3) ? random.int(1...60) : random.int(1...12)
        shape.firstPosition = random.chance(3) ? random.int(240...270) : random.int(0...60)
        if random.chance(8) { shape.firstPosition = random.int(500...900) }
        shape.causal = !random.chance(4)
        shape.keyCount = shape.causal ? shape.firstPosition + shape.rows : random.int(1...300)
        if random.chance(3) { shape.window = random.int(1...(random.chance(2) ? 6 : 400)) }
        if random.chance(3) {
            shape.slopes = (1...shape.group).map { Float(sign: .plus, exponent: -$0, significand: 1) }
        } else if random.chance(3) {
            // Tables of one distance, of some, and of more than any key has.
            let count = [1, 7, 40, 700][random.int(0...3)]
            shape.firstBias = -random.int(0...count)
            shape.biases = (0..<shape.group).map { _ in random.floats(count, magnitude: 3) }
        }
        shape.scale = 1 / Float(shape.width).squareRoot()
        return shape
    }
}

extension AttentionTask {
    /// The formula in double precision, and how far a single-precision result may lie from it, in roundings: a
    /// score is off by at most width + 2 of sum |q k|, which is relative in its weight; a weight by 10 more; the
    /// sums by one per key. Values are at most 1.
    func inDouble() -> (expected: [Double], bound: Double) {
        var expected: [Double] = []
        var greatest = 0.0
        for row in 0..<shape.rows {
            let seen = visible(row: row)
            for head in 0..<shape.group {
                let query = queries[
                    (row * shape.group + head) * shape.width..<(row * shape.group + head + 1) * shape.width]
                var scores: [Double] = []
                for position in seen {
                    let key = keys[position * shape.width..<(position + 1) * shape.width]
                    let terms = zip(query, key).map { Double($0) * Double($1) }
                    greatest = max(greatest, Double(shape.scale) * terms.reduce(0) { $0 + abs($1) })
                    var score = Double(shape.scale) * terms.reduce(0, +)
                    score += Double(bias(row: row, head: head, position: position))
                    greatest = max(greatest, abs(score))
                    scores.append(score)
                }
                let maximum = scores.max() ?? 0
                let weights = scores.map { exp($0 - maximum) }
                let sum = weights.reduce(0, +)
                for d in 0..<shape.width {
                    let total = zip(seen, weights).reduce(0.0) {
                        $0 + $1.1 * Double(values[$1.0 * shape.width + d])
                    }
                    expected.append(seen.isEmpty ? 0 : total / sum)
                }
            }
        }
        let roundings = Double(shape.width + 2) * greatest + 10 + Double(shape.keyCount)
        return (expected, roundings * 0x1p-24)
    }
}
