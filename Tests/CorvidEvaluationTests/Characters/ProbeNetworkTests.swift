import CorvidTensors
import CorvidText
import TestSupport
import Testing

@testable import CorvidEvaluation

/// The network and the linear probe against PyTorch, NumPy and finite differences.
@Suite struct ProbeNetworkTests {
    private let golden: JSON
    init() throws { golden = try JSON.parse(Fixtures.bytes("probe.json")) }

    private func numbers(_ value: JSON?) throws -> [Double] {
        try #require(value?.array).map { try #require($0.double) }
    }

    private func network<Number: NetworkNumber>(_: Number.Type) throws -> ProbeNetwork<Number> {
        let fixture = try #require(golden["network"])
        let inputs = try #require(fixture["inputs"]?.int)
        let hidden = try #require(fixture["hidden"]?.int)
        var network = ProbeNetwork<Number>.characterProbe(
            inputs: inputs, hidden: hidden, dropout: 0, random: ProbeRandom(seed: 1), index: 0)
        let weights = try #require(fixture["weights"]?.array)
        for place in network.layers.indices {
            network.layers[place].weights = try numbers(weights[2 * place]).map { Number($0) }
            network.layers[place].bias = try numbers(weights[2 * place + 1]).map { Number($0) }
        }
        return network
    }

    @Test("loss and gradients are PyTorch's") func gradients() throws {
        let fixture = try #require(golden["network"])
        let labels = try #require(fixture["labels"]?.array).map { $0 == .bool(true) }
        let gradient = try network(Double.self).gradient(
            try numbers(fixture["x"]), labels: labels[...], mask: nil)
        expectClose([gradient.loss], [try #require(fixture["loss"]?.double)], within: 1e-13)
        let expected = try #require(fixture["gradients"]?.array)
        for place in 0..<3 {
            expectClose(gradient.weights[place], try numbers(expected[2 * place]), within: 1e-13)
            expectClose(gradient.biases[place], try numbers(expected[2 * place + 1]), within: 1e-13)
        }
    }

    @Test("the gradient is that of finite differences, with dropout too") func finiteDifferences() throws {
        let random = ProbeRandom(seed: 9)
        let network = ProbeNetwork<Double>.characterProbe(
            inputs: 7, hidden: 5, dropout: 0.5, random: random, index: 0)
        var generator = SeededGenerator(seed: 10)
        let x = (0..<28).map { _ in Double.random(in: -2...2, using: &generator) }
        let labels = [true, false, false, true]
        let mask = Double.dropoutMask(count: 20, rate: 0.5, random: random.random, stream: 0, step: 1)
        let gradient = try network.gradient(x, labels: labels[...], mask: mask)
        let h = 1e-5
        for place in network.layers.indices {
            for index in network.layers[place].weights.indices {
                var (up, down) = (network, network)
                up.layers[place].weights[index] += h
                down.layers[place].weights[index] -= h
                let slope =
                    (try up.gradient(x, labels: labels[...], mask: mask).loss
                        - down.gradient(x, labels: labels[...], mask: mask).loss) / (2 * h)
                #expect(abs(slope - gradient.weights[place][index]) < 1e-6, "layer \(place), weight \(index)")
            }
            for index in network.layers[place].bias.indices {
                var (up, down) = (network, network)
                up.layers[place].bias[index] += h
                down.layers[place].bias[index] -= h
                let slope =
                    (try up.gradient(x, labels: labels[...], mask: mask).loss
                        - down.gradient(x, labels: labels[...], mask: mask).loss) / (2 * h)
                #expect(abs(slope - gradient.biases[place][index]) < 1e-6, "layer \(place), bias \(index)")
            }
        }
    }

    @Test("three steps of Adam lead where PyTorch's lead, in f64 and f32") func training() throws {
        try expectTraining(Double.self, within: 1e-12)
        try expectTraining(Float.self, within: 2e-5)
    }

    private func expectTraining<Number: NetworkNumber>(_: Number.Type, within tolerance: Double) throws {
        let fixture = try #require(golden["network"])
        let labels = try #require(fixture["labels"]?.array).map { $0 == .bool(true) }
        let x = try numbers(fixture["x"])
        let vectors = TokenVectors(x.map(Float.init), width: x.count / labels.count)
        let examples = ProbeExamples(rowsEach: 1, places: Array(labels.indices), labels: labels)
        var network = try network(Number.self)
        let schedule = ProbeSchedule(
            learningRate: try #require(fixture["rate"]?.double), batch: labels.count,
            epochs: try #require(fixture["steps"]?.int))
        try network.train(
            examples, of: vectors, schedule, random: ProbeRandom(seed: 1), index: 0, isCancelled: { false })
        let expected = try #require(fixture["after"]?.array)
        for place in 0..<3 {
            let layer = network.layers[place]
            expectClose(layer.weights.map { Double($0) }, try numbers(expected[2 * place]), within: tolerance)
            expectClose(
                layer.bias.map { Double($0) }, try numbers(expected[2 * place + 1]), within: tolerance)
        }
        let logits = try network.logits(
            examples.inputs(0..<labels.count, of: vectors), rows: labels.count)
        expectClose(logits.map { Double($0) }, try numbers(fixture["logits"]), within: tolerance)
        let counts = try network.test(examples, of: vectors)
        #expect(counts.truePositives + counts.falsePositives == logits.count { $0 > 0 })
    }

    @Test("the linear probe is the closed form, and its leave-one-out scores are those of solving anew")
    func ridge() throws {
        let fixture = try #require(golden["ridge"])
        let x = try numbers(fixture["x"])
        let width = try #require(fixture["width"]?.int)
        let labels = try #require(fixture["labels"]?.array).map { column in
            try #require(column.array).map { $0 == .bool(true) }
        }
        let vectors = TokenVectors(x.map(Float.init), width: width)
        let ridge = try #require(fixture["ridge"]?.double)
        let places = Array(0..<vectors.count)
        let (weights, scores) = try WorkerPool(threads: 2).runBlocking { workers in
            let probe = try RidgeProbe(
                vectors, places: places, labels: labels, ridges: [ridge], workers: workers,
                isCancelled: { false })
            var gram = try GramMatrix(width: width)
            try gram.add(x, workers: workers)
            var regular = try gram.scatter(0..<width, 0..<width)
            let scale = (0..<width).reduce(0) { $0 + regular[$1, $1] } / Double(width)
            for index in 0..<width { regular[index, index] += ridge * scale }
            let scores = try RidgeProbe.scores(
                vectors, places: places, labels: labels, means: probe.means, weights: probe.weights,
                factor: try Cholesky(regular), workers: workers)
            return (probe.weights, scores)
        }
        expectClose(weights.values, try numbers(fixture["weights"]), within: 1e-11)
        expectClose(scores.leftOut, try numbers(fixture["left_out"]), within: 1e-11)
    }
}

/// Checks numbers against others, with an allowance for numbers around 1 and above.
func expectClose(
    _ found: [Double], _ expected: [Double], within tolerance: Double,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(found.count == expected.count, sourceLocation: sourceLocation)
    for (index, (a, b)) in zip(found, expected).enumerated() {
        #expect(
            abs(a - b) <= tolerance * max(1, abs(b)), "at \(index): \(a), expected \(b)",
            sourceLocation: sourceLocation)
    }
}
