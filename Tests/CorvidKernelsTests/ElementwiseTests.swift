import CorvidKernels
import TestSupport
import Testing

@Suite(.serialized) struct ElementwiseTests {
    @Test("Sum and scaling round once, whatever the length, also in place")
    func sumAndScaling() {
        var random = SeededGenerator(seed: 61)
        for count in 0...70 {
            let a = random.floats(count, magnitude: 100), b = random.floats(count)
            let sum = bits(zip(a, b).map { $0 + $1 }), scaled = bits(a.map { $0 * 0.7 })
            InstructionSets.each { level in
                var out = [Float](repeating: 0, count: count), first = a, second = b, own = a
                ck_add(count, a, b, &out)
                #expect(bits(out) == sum, "count \(count) \(level)")
                first.withUnsafeMutableBufferPointer { ck_add(count, $0.baseAddress, b, $0.baseAddress) }
                second.withUnsafeMutableBufferPointer { ck_add(count, a, $0.baseAddress, $0.baseAddress) }
                #expect(bits(first) == sum && bits(second) == sum, "count \(count) \(level)")
                ck_scale(count, a, 0.7, &out)
                own.withUnsafeMutableBufferPointer { ck_scale(count, $0.baseAddress, 0.7, $0.baseAddress) }
                #expect(bits(out) == scaled && bits(own) == scaled, "count \(count) \(level)")
            }
        }
    }
}
