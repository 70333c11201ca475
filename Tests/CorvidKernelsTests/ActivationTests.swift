import CorvidKernels
import Foundation
import TestSupport
import Testing

@Suite(.serialized) struct ActivationTests {
    private static let all: [ck_activation] = [
        CK_IDENTITY, CK_RELU, CK_GELU_ERF, CK_GELU_TANH, CK_QUICK_GELU, CK_SILU, CK_TANH,
    ]

    private func activate(_ function: ck_activation, _ x: [Float]) -> [Float] {
        var out = [Float](repeating: 0, count: x.count)
        ck_activate(function, x.count, x, &out)
        return out
    }

    private func gated(_ function: ck_activation, _ gate: [Float], _ up: [Float]) -> [Float] {
        var out = [Float](repeating: 0, count: gate.count)
        ck_activate_gated(function, gate.count, gate, up, &out)
        return out
    }

    private func exact(_ function: ck_activation, _ x: Double) -> Double {
        switch function {
        case CK_RELU: max(x, 0)
        case CK_GELU_ERF: 0.5 * x * erfc(-x / 2.0.squareRoot())
        case CK_GELU_TANH: 0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
        case CK_QUICK_GELU: x / (1 + exp(-1.702 * x))
        case CK_SILU: x / (1 + exp(-x))
        case CK_TANH: tanh(x)
        default: x
        }
    }

    @Test("Each function is within 2e-7 max(1, |x|) of its formula", arguments: all.map(\.rawValue))
    func accuracy(function: UInt32) {
        let function = ck_activation(rawValue: function)
        var random = SeededGenerator(seed: 41)
        let inputs =
            random.floats(100_000, magnitude: 12) + random.floats(10_000, magnitude: 100)
            + random.floats(10_000, magnitude: 0.01) + [0, -0.0, 1e4, -1e4, 1e30, -1e10, 6, -6, 13, -13]
        InstructionSets.each { level in
            for (x, found) in zip(inputs, activate(function, inputs)) {
                let error = abs(Double(found) - exact(function, Double(x)))
                if !(error <= 2e-7 * max(1, abs(Double(x)))) {
                    Issue.record("function \(function) of \(x) is \(found), error \(error), \(level)")
                    return
                }
            }
        }
    }

    @Test("Every instruction set gives the same bits, whatever the length", arguments: all.map(\.rawValue))
    func sameBits(function: UInt32) {
        let function = ck_activation(rawValue: function)
        var random = SeededGenerator(seed: 42)
        for count in 0...50 {
            var inputs = random.floats(count, magnitude: 20)
            if count > 20 {
                inputs.replaceSubrange(
                    3..<8, with: [.nan, .infinity, -.infinity, -0.0, Float.leastNonzeroMagnitude])
            }
            let up = random.floats(count)
            let results = InstructionSets.results {
                bits(gated(function, inputs, up) + activate(function, inputs))
            }
            #expect(results.allSatisfy { $0 == results[0] }, "count \(count)")
        }
    }

    @Test("A gated function is the function times the second input, and may take the place of either")
    func gate() {
        var random = SeededGenerator(seed: 43)
        let gate = random.floats(77, magnitude: 5), up = random.floats(77)
        for function in Self.all {
            InstructionSets.each { level in
                let expected = bits(zip(activate(function, gate), up).map { $0 * $1 })
                #expect(bits(gated(function, gate, up)) == expected, "\(function) \(level)")
                var first = gate, second = up, alone = gate
                first.withUnsafeMutableBufferPointer {
                    ck_activate_gated(function, 77, $0.baseAddress, up, $0.baseAddress)
                }
                second.withUnsafeMutableBufferPointer {
                    ck_activate_gated(function, 77, gate, $0.baseAddress, $0.baseAddress)
                }
                alone.withUnsafeMutableBufferPointer {
                    ck_activate(function, 77, $0.baseAddress, $0.baseAddress)
                }
                #expect(bits(first) == expected && bits(second) == expected, "\(function) \(level)")
                #expect(bits(alone) == bits(activate(function, gate)), "\(function) \(level)")
            }
        }
    }

    @Test("A NaN stays in its place")
    func poisoned() {
        var random = SeededGenerator(seed: 44)
        let clean = random.floats(40, magnitude: 3)
        var x = clean
        x[17] = .nan
        for function in Self.all {
            InstructionSets.each { level in
                let before = activate(function, clean), after = activate(function, x)
                #expect(after[17].isNaN, "\(function) \(level)")
                for index in 0..<40 where index != 17 {
                    #expect(before[index] == after[index], "\(function) \(level)")
                }
            }
        }
    }
}
