import CorvidTensors

/// A small dense network with one output, the logit of a yes.
struct ProbeNetwork<Number: NetworkNumber>: Sendable {
    struct Layer: Sendable {
        let inputs, outputs: Int
        let activation: NetworkActivation
        /// `[outputs, inputs]`
        var weights: [Number]
        /// `[outputs]`
        var bias: [Number]
    }

    /// The slopes of the loss by the weights and biases of the layers.
    struct Gradient {
        var loss: Number
        var weights: [[Number]]
        var biases: [[Number]]
    }

    var layers: [Layer]
    /// Share of the last layer's inputs that are left out in training.
    let dropout: Double

    /// Random weights as PyTorch's Linear has them, uniform within ±1 / √inputs.
    /// - Parameters:
    ///   - widths: of the input and of each layer's outputs.
    ///   - activations: one for each layer.
    ///   - index: tells networks of one seed apart.
    init(
        widths: [Int], activations: [NetworkActivation], dropout: Double, random: ProbeRandom, index: UInt32
    ) {
        self.dropout = dropout
        var drawn: UInt64 = 0
        func uniform(_ count: Int, within limit: Double) -> [Number] {
            var result: [Number] = []
            result.reserveCapacity(count + 3)
            while result.count < count {
                let words = random.random.words(
                    stream: ProbeRandom.Use.weights.rawValue, step: drawn, index: index)
                drawn += 1
                for word in 0..<4 { result.append(Number((Double(words[word]) * 0x1p-31 - 1) * limit)) }
            }
            result.removeLast(result.count - count)
            return result
        }
        layers = zip(widths, widths.dropFirst()).enumerated().map { place, sizes in
            let limit = 1 / Double(max(1, sizes.0)).squareRoot()
            return Layer(
                inputs: sizes.0, outputs: sizes.1, activation: activations[place],
                weights: uniform(sizes.0 * sizes.1, within: limit), bias: uniform(sizes.1, within: limit))
        }
    }

    /// The probe of the paper: W3 dropout(tanh(W2 selu(W1 x + b1) + b2)) + b3.
    static func characterProbe(
        inputs: Int, hidden: Int, dropout: Double, random: ProbeRandom, index: UInt32
    ) -> ProbeNetwork {
        ProbeNetwork(
            widths: [inputs, hidden, hidden, 1], activations: [.selu, .tanh, .identity], dropout: dropout,
            random: random, index: index)
    }

    /// Logits of some rows `[rows, inputs]`.
    func logits(_ x: [Number], rows: Int) throws(LinearAlgebraError) -> [Number] {
        var values = x
        for layer in layers { values = try layer.outputs(values, rows: rows) }
        return values
    }

    /// Mean binary cross-entropy of some rows `[rows, inputs]`, and its slopes.
    /// - Parameter mask: factors of the last layer's inputs, `[rows, width]`; nil: no dropout.
    func gradient(
        _ x: [Number], labels: ArraySlice<Bool>, mask: [Number]?
    ) throws(LinearAlgebraError) -> Gradient {
        let rows = labels.count
        // inputs[i] is what layer i reads; the last layer's inputs after dropout.
        var inputs = [x]
        var dropped: [Number] = []
        for (place, layer) in layers.enumerated() {
            if place == layers.count - 1, let mask {
                dropped = inputs[place]
                Number.scale(&inputs[place], by: mask)
            }
            inputs.append(try layer.outputs(inputs[place], rows: rows))
        }
        let logits = inputs[layers.count]
        var loss: Number = 0
        var slope = [Number](repeating: 0, count: rows)
        let share = 1 / Number(max(1, rows))
        for (row, label) in labels.enumerated() {
            let (rowLoss, rowSlope) = Self.crossEntropy(logits[row], label)
            loss += rowLoss * share
            slope[row] = rowSlope * share
        }
        var result = Gradient(
            loss: loss, weights: layers.map { _ in [] }, biases: layers.map { _ in [] })
        for place in layers.indices.reversed() {
            let layer = layers[place]
            Number.differentiate(layer.activation, outputs: inputs[place + 1], &slope)
            var weights = [Number](repeating: 0, count: layer.weights.count)
            try Number.multiply(
                slope, transposed: true, inputs[place], rows: layer.outputs, columns: layer.inputs,
                inner: rows, into: &weights)
            result.weights[place] = weights
            result.biases[place] = Number.sumRows(slope, width: layer.outputs)
            guard place > 0 else { break }
            var below = [Number](repeating: 0, count: rows * layer.inputs)
            try Number.multiply(
                slope, layer.weights, rows: rows, columns: layer.inputs, inner: layer.outputs, into: &below)
            if place == layers.count - 1, let mask {
                Number.scale(&below, by: mask)
                inputs[place] = dropped
            }
            slope = below
        }
        return result
    }

    /// -log σ(±z), and its slope by z.
    private static func crossEntropy(_ logit: Number, _ label: Bool) -> (loss: Number, slope: Number) {
        let z = Double(logit)
        let power = exponential(-z.magnitude)
        let loss = (label ? max(-z, 0) : max(z, 0)) + logarithm(onePlus: power)
        let probability = z >= 0 ? 1 / (1 + power) : power / (1 + power)
        return (Number(loss), Number(probability - (label ? 1 : 0)))
    }
}

extension ProbeNetwork.Layer {
    /// f(x Wᵀ + b) of some rows `[rows, inputs]`.
    func outputs(_ x: [Number], rows: Int) throws(LinearAlgebraError) -> [Number] {
        var result = [Number](repeating: 0, count: rows * outputs)
        try Number.multiply(
            x, weights, otherTransposed: true, rows: rows, columns: outputs, inner: inputs, into: &result)
        Number.add(row: bias, to: &result)
        Number.activate(activation, &result)
        return result
    }
}
