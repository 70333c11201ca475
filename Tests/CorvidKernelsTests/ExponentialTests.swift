import CorvidKernels
import Foundation
import TestSupport
import Testing

@Suite(.serialized) struct ExponentialTests {
    private func exponentials(of x: [Float]) -> [Float] {
        var out = [Float](repeating: 0, count: x.count)
        ck_exp(x.count, x, &out)
        return out
    }

    @Test("The exponential is within 2 units in the last place wherever the result is a normal number")
    func accuracy() {
        // Every 4,099th of all floats, both signs.
        let inputs = stride(from: UInt32(0), to: .max - 4099, by: 4099).map { Float(bitPattern: $0) }
            .filter { $0 >= -87.3 && $0 <= 88.7 }
        #expect(inputs.count > 500_000)
        InstructionSets.each { level in
            var worst = 0.0, at: Float = 0
            for (x, found) in zip(inputs, exponentials(of: inputs)) {
                let exact = Foundation.exp(Double(x))
                let error = abs(Double(found) - exact) / Double(Float(exact).ulp)
                if !(error <= worst) { (worst, at) = (error, x) }
            }
            #expect(worst <= 2, "\(level) at \(at)")
        }
    }

    @Test("Every instruction set gives the same bits, whatever the length")
    func sameBits() {
        var random = SeededGenerator(seed: 11)
        for count in 0...70 {
            let inputs = (0..<count).map { _ in
                Float(bitPattern: UInt32.random(in: 0 ... .max, using: &random))
            }
            let results = InstructionSets.results { bits(exponentials(of: inputs)) }
            #expect(results.allSatisfy { $0 == results[0] }, "count \(count)")
        }
    }

    @Test("Below the normal range the exponential is 0, above it is infinite, and NaN stays NaN")
    func limits() {
        InstructionSets.each { level in
            let low = exponentials(of: [-87.4, -90, -1e30, -.infinity])
            #expect(low == [0, 0, 0, 0] && low.allSatisfy { $0.sign == .plus }, "\(level)")
            #expect(
                exponentials(of: [88.73, 100, 1e30, .infinity]).allSatisfy { $0 == .infinity }, "\(level)")
            #expect(exponentials(of: [.nan, -.nan]).allSatisfy { $0.isNaN }, "\(level)")
            #expect(exponentials(of: [0, -0.0]) == [1, 1], "\(level)")
        }
    }

    @Test("The result may take the place of the input")
    func inPlace() {
        var random = SeededGenerator(seed: 12)
        let inputs = random.floats(53, magnitude: 20)
        InstructionSets.each { level in
            var values = inputs
            values.withUnsafeMutableBufferPointer { ck_exp($0.count, $0.baseAddress, $0.baseAddress) }
            #expect(bits(values) == bits(exponentials(of: inputs)), "\(level)")
        }
    }
}

@Suite(.serialized) struct LogSumExpTests {
    @Test("The logarithm of the sum of exponentials agrees with the formula in double precision")
    func reference() {
        var random = SeededGenerator(seed: 21)
        for count in Array(1...40) + [1000, 4099] {
            let inputs = random.floats(count, magnitude: 30)
            let maximum = Double(inputs.max() ?? 0)
            let expected = maximum + log(inputs.reduce(0.0) { $0 + Foundation.exp(Double($1) - maximum) })
            let results = InstructionSets.results { ck_log_sum_exp(inputs.count, inputs) }
            for found in results {
                #expect(abs(found - expected) < 1e-13 * max(1, abs(expected)), "count \(count)")
            }
            #expect(results.allSatisfy { $0.bitPattern == results[0].bitPattern }, "count \(count)")
        }
    }

    @Test("Nothing gives minus infinity, infinities count as such, and a NaN is kept")
    func limits() {
        InstructionSets.each { level in
            #expect(ck_log_sum_exp(0, []) == -.infinity, "\(level)")
            #expect(ck_log_sum_exp(3, [-.infinity, -.infinity, -.infinity]) == -.infinity, "\(level)")
            #expect(ck_log_sum_exp(3, [1, -.infinity, 1]) == 1 + log(2.0), "\(level)")
            #expect(ck_log_sum_exp(3, [1, .infinity, 1]) == .infinity, "\(level)")
            #expect(ck_log_sum_exp(3, [1, .nan, 1]).isNaN, "\(level)")
            #expect(ck_log_sum_exp(2, [.infinity, .nan]).isNaN, "\(level)")
            #expect(ck_log_sum_exp(2, [-.infinity, .nan]).isNaN, "\(level)")
        }
    }
}
