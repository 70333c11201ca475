import CorvidKernels
import Foundation
import TestSupport
import Testing

@Suite(.serialized) struct RotaryTests {
    private func rotated(_ head: [Float], interleaved: Bool, cosine: [Float], sine: [Float]) -> [Float] {
        var head = head
        ck_rotate(interleaved ? 1 : 0, cosine.count, cosine, sine, &head)
        return head
    }

    /// Where the two values of pair `i` stand.
    private func places(_ i: Int, pairs: Int, interleaved: Bool) -> (Int, Int) {
        interleaved ? (2 * i, 2 * i + 1) : (i, i + pairs)
    }

    @Test(
        "Each pair is turned by its angle and the rest of the head is left alone", arguments: [true, false])
    func reference(interleaved: Bool) {
        var random = SeededGenerator(seed: 51)
        for pairs in Array(0...40) + [64, 128] {
            let angles = random.floats(pairs, magnitude: 4)
            let cosine = angles.map { cos($0) }, sine = angles.map { sin($0) }
            let head = random.floats(2 * pairs + 19)
            InstructionSets.each { level in
                let found = rotated(head, interleaved: interleaved, cosine: cosine, sine: sine)
                var worst = 0.0
                for i in 0..<pairs {
                    let (first, second) = places(i, pairs: pairs, interleaved: interleaved)
                    let a = Double(head[first]), b = Double(head[second])
                    let c = Double(cosine[i]), s = Double(sine[i])
                    worst = max(worst, abs(Double(found[first]) - (a * c - b * s)))
                    worst = max(worst, abs(Double(found[second]) - (b * c + a * s)))
                }
                #expect(worst < 1.5e-7, "pairs \(pairs) \(level)")
                #expect(found[(2 * pairs)...] == head[(2 * pairs)...], "pairs \(pairs) \(level)")
            }
        }
    }

    @Test("Both arrangements of the pairs and every instruction set give the same bits")
    func sameBits() {
        var random = SeededGenerator(seed: 52)
        for pairs in 1...40 {
            let head = random.floats(2 * pairs), cosine = random.floats(pairs), sine = random.floats(pairs)
            let halves = (0..<pairs).map { head[2 * $0] } + (0..<pairs).map { head[2 * $0 + 1] }
            let results = InstructionSets.results {
                let together = rotated(head, interleaved: true, cosine: cosine, sine: sine)
                let apart = rotated(halves, interleaved: false, cosine: cosine, sine: sine)
                let joined = (0..<pairs).flatMap { [apart[$0], apart[$0 + pairs]] }
                #expect(bits(together) == bits(joined), "pairs \(pairs)")
                return bits(together)
            }
            #expect(results.allSatisfy { $0 == results[0] }, "pairs \(pairs)")
        }
    }

    @Test("An angle of zero changes nothing and a quarter turn swaps the pair")
    func knownAngles() {
        let head: [Float] = [1, 2, 3, 4, 5]
        InstructionSets.each { level in
            for interleaved in [true, false] {
                let still = rotated(head, interleaved: interleaved, cosine: [1, 1], sine: [0, 0])
                #expect(still == head, "\(level)")
            }
            let interleaved = rotated(head, interleaved: true, cosine: [0, 0], sine: [1, 1])
            #expect(interleaved == [-2, 1, -4, 3, 5], "\(level)")
            let halves = rotated(head, interleaved: false, cosine: [0, 0], sine: [1, 1])
            #expect(halves == [-3, -4, 1, 2, 5], "\(level)")
        }
    }

    @Test("The product of two turned heads depends on the difference of their positions alone")
    func relativePositions() {
        var random = SeededGenerator(seed: 53)
        let query = random.floats(32), key = random.floats(32)
        func turned(_ head: [Float], by position: Int) -> [Double] {
            let angles = (0..<16).map { Float(position) * pow(10000, -Float(2 * $0) / 32) }
            return rotated(
                head, interleaved: true, cosine: angles.map { cos($0) }, sine: angles.map { sin($0) }
            )
            .map(Double.init)
        }
        InstructionSets.each { level in
            let near = zip(turned(query, by: 9), turned(key, by: 4)).reduce(0) { $0 + $1.0 * $1.1 }
            let far = zip(turned(query, by: 59), turned(key, by: 54)).reduce(0) { $0 + $1.0 * $1.1 }
            #expect(abs(near - far) < 2e-5, "\(level)")
        }
    }
}
