import CorvidTensors

/// What patches do to one stored tensor, in the order of its own outputs.
struct WeightEdit {
    /// A delta with its numbers at hand.
    private struct Part {
        let factors: [(values: [Float], columns: Int)]
        let scale: Double
        /// Where an input or output stands in the factors; nil: at its own place.
        let inputs, outputs: [Int: Int]?
        let inputList, outputList: [Int]?

        init(_ delta: WeightDelta) throws {
            factors = try delta.factors.map { (try $0.weight.floats(), $0.inputs) }
            scale = Double(delta.scale)
            func places(_ list: [Int]?) -> [Int: Int]? {
                list.map { list in
                    Dictionary(list.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
                }
            }
            inputs = places(delta.inputs)
            outputs = places(delta.outputs)
            inputList = delta.inputs
            outputList = delta.outputs
        }

        /// D[output, :] added to `sums`, by inputs.
        func add(output: Int, to sums: inout [Double]) {
            guard let row = outputs.map({ $0[output] }) ?? output, let first = factors.first else { return }
            let width = first.columns
            func add(_ factor: Double, _ start: Int) {
                for index in 0..<width {
                    sums[inputList?[index] ?? index] += factor * Double(first.values[start + index])
                }
            }
            if factors.count == 1 { return add(scale, row * width) }
            let rank = factors[1].columns
            for index in 0..<rank {
                add(scale * Double(factors[1].values[row * rank + index]), index * width)
            }
        }

        /// D[:, input] added to `sums`, by outputs.
        func add(input: Int, to sums: inout [Double]) {
            guard let column = inputs.map({ $0[input] }) ?? input, let first = factors.first,
                let last = factors.last
            else { return }
            let rows = last.values.count / max(1, last.columns)
            for row in 0..<rows {
                var value = 0.0
                if factors.count == 1 {
                    value = Double(first.values[row * first.columns + column])
                } else {
                    for index in 0..<last.columns {
                        value +=
                            Double(last.values[row * last.columns + index])
                            * Double(first.values[index * first.columns + column])
                    }
                }
                sums[outputList?[row] ?? row] += scale * value
            }
        }
    }

    private var parts: [Part] = []
    /// Factors of what some inputs do; others have 1.
    private var inputFactors: [Int: Float] = [:]
    /// Added to a bias or norm.
    private var vector: [Double] = []

    /// Adds a change of a matrix.
    mutating func add(_ delta: WeightDelta) throws { parts.append(try Part(delta)) }

    /// Multiplies what an input does.
    mutating func scale(input: Int, by factor: Float) { inputFactors[input, default: 1] *= factor }

    /// Adds to a bias or norm.
    mutating func add(_ values: [Float], scale: Float) {
        if vector.isEmpty { vector = [Double](repeating: 0, count: values.count) }
        for (index, value) in values.enumerated() where index < vector.count {
            vector[index] += Double(scale) * Double(value)
        }
    }

    /// The change of a bias or norm.
    func add(to values: inout [Float]) {
        for (index, value) in vector.enumerated() where index < values.count {
            values[index] = Float(Double(values[index]) + value)
        }
    }

    /// The change of a stored row of a matrix.
    /// - Parameter isOutput: whether rows are outputs; else they are inputs.
    func add(to values: inout ArraySlice<Float>, row: Int, isOutput: Bool) {
        var sums = values.map(Double.init)
        for part in parts {
            if isOutput { part.add(output: row, to: &sums) } else { part.add(input: row, to: &sums) }
        }
        if isOutput {
            for (input, factor) in inputFactors where input < sums.count { sums[input] *= Double(factor) }
        } else if let factor = inputFactors[row] {
            for index in sums.indices { sums[index] *= Double(factor) }
        }
        for (index, value) in sums.enumerated() { values[values.startIndex + index] = Float(value) }
    }
}
