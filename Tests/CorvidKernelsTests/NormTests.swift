import CorvidKernels
import TestSupport
import Testing

@Suite(.serialized) struct NormTests {
    private static let sizes = Array(1...40) + [63, 64, 65, 576, 1000]

    private func layerNorm(_ x: [Float], weight: [Float]?, bias: [Float]?, epsilon: Float) -> [Float] {
        var out = [Float](repeating: 0, count: x.count)
        withOptional(weight) { weight in
            withOptional(bias) { bias in ck_layer_norm(x.count, x, weight, bias, epsilon, &out) }
        }
        return out
    }

    private func rootMeanSquareNorm(_ x: [Float], weight: [Float]?, epsilon: Float) -> [Float] {
        var out = [Float](repeating: 0, count: x.count)
        withOptional(weight) { ck_rms_norm(x.count, x, $0, epsilon, &out) }
        return out
    }

    private func withOptional(_ values: [Float]?, _ body: (UnsafePointer<Float>?) -> Void) {
        guard let values else { return body(nil) }
        values.withUnsafeBufferPointer { body($0.baseAddress) }
    }

    /// Sixteen partial sums by index mod 16, joined as a tree: the order that the header states.
    private func total(_ count: Int, adding step: (inout Float, Int) -> Void) -> Float {
        var lanes = [Float](repeating: 0, count: 16)
        for index in 0..<count { step(&lanes[index % 16], index) }
        for half in [8, 4, 2, 1] { for lane in 0..<half { lanes[lane] += lanes[lane + half] } }
        return lanes[0]
    }

    @Test(
        "LayerNorm follows its formula and order of sums to the last bit",
        arguments: [(true, true), (true, false), (false, false)])
    func layerNormDefinition(hasWeight: Bool, hasBias: Bool) {
        var random = SeededGenerator(seed: 31)
        for count in Self.sizes {
            let x = random.floats(count, magnitude: 3)
            let weight = hasWeight ? random.floats(count) : nil, bias = hasBias ? random.floats(count) : nil
            let mean = total(count) { $0 += x[$1] } / Float(count)
            let variance = total(count) { $0.addProduct(x[$1] - mean, x[$1] - mean) } / Float(count)
            let factor = 1 / (variance + 1e-5).squareRoot()
            let expected = x.indices.map { index in
                let y = (x[index] - mean) * factor * (weight?[index] ?? 1)
                return bias.map { y + $0[index] } ?? y
            }
            InstructionSets.each { level in
                let found = layerNorm(x, weight: weight, bias: bias, epsilon: 1e-5)
                #expect(bits(found) == bits(expected), "count \(count) \(level)")
            }
        }
    }

    @Test("RMSNorm follows its formula and order of sums to the last bit", arguments: [true, false])
    func rootMeanSquareDefinition(hasWeight: Bool) {
        var random = SeededGenerator(seed: 32)
        for count in Self.sizes {
            let x = random.floats(count, magnitude: 3), weight = hasWeight ? random.floats(count) : nil
            let mean = total(count) { $0.addProduct(x[$1], x[$1]) } / Float(count)
            let factor = 1 / (mean + 1e-6).squareRoot()
            let expected = x.indices.map { x[$0] * factor * (weight?[$0] ?? 1) }
            InstructionSets.each { level in
                let found = rootMeanSquareNorm(x, weight: weight, epsilon: 1e-6)
                #expect(bits(found) == bits(expected), "count \(count) \(level)")
            }
        }
    }

    @Test("Both norms agree with double precision")
    func reference() {
        var random = SeededGenerator(seed: 33)
        let x = random.floats(4096, magnitude: 5).map { $0 + 2 }
        let mean = x.reduce(0.0) { $0 + Double($1) } / 4096
        let variance = x.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / 4096
        let square = x.reduce(0.0) { $0 + Double($1) * Double($1) } / 4096
        InstructionSets.each { level in
            let layer = layerNorm(x, weight: nil, bias: nil, epsilon: 1e-5)
            let root = rootMeanSquareNorm(x, weight: nil, epsilon: 1e-5)
            var worst = 0.0
            for index in x.indices {
                let exactLayer = (Double(x[index]) - mean) / (variance + 1e-5).squareRoot()
                let exactRoot = Double(x[index]) / (square + 1e-5).squareRoot()
                worst = max(worst, abs(Double(layer[index]) - exactLayer))
                worst = max(worst, abs(Double(root[index]) - exactRoot))
            }
            #expect(worst < 1e-6, "\(level)")
        }
    }

    @Test("A row of equal values has no deviation: LayerNorm gives the bias")
    func constantRow() {
        var random = SeededGenerator(seed: 34)
        let weight = random.floats(48), bias = random.floats(48)
        InstructionSets.each { level in
            let found = layerNorm([Float](repeating: 4, count: 48), weight: weight, bias: bias, epsilon: 1e-5)
            #expect(found == bias, "\(level)")
        }
    }

    @Test("The result may take the place of the input, and no value gives none")
    func inPlace() {
        var random = SeededGenerator(seed: 35)
        let x = random.floats(57), weight = random.floats(57)
        InstructionSets.each { level in
            var layer = x, root = x
            layer.withUnsafeMutableBufferPointer {
                ck_layer_norm(57, $0.baseAddress, weight, nil, 1e-5, $0.baseAddress)
            }
            root.withUnsafeMutableBufferPointer {
                ck_rms_norm(57, $0.baseAddress, weight, 1e-5, $0.baseAddress)
            }
            #expect(bits(layer) == bits(layerNorm(x, weight: weight, bias: nil, epsilon: 1e-5)), "\(level)")
            #expect(bits(root) == bits(rootMeanSquareNorm(x, weight: weight, epsilon: 1e-5)), "\(level)")
            #expect(layerNorm([], weight: nil, bias: nil, epsilon: 1e-5).isEmpty, "\(level)")
            #expect(rootMeanSquareNorm([], weight: nil, epsilon: 1e-5).isEmpty, "\(level)")
        }
    }

    @Test("A NaN in a row makes the whole row NaN")
    func poisoned() {
        var random = SeededGenerator(seed: 36)
        var x = random.floats(100)
        x[77] = .nan
        InstructionSets.each { level in
            #expect(layerNorm(x, weight: nil, bias: nil, epsilon: 1e-5).allSatisfy { $0.isNaN }, "\(level)")
            #expect(rootMeanSquareNorm(x, weight: nil, epsilon: 1e-5).allSatisfy { $0.isNaN }, "\(level)")
        }
    }
}
