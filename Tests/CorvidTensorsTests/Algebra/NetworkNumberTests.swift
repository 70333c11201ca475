import CorvidTensors
import TestSupport
import Testing

/// f32 operations against the same in f64, and those against their formulas.
@Suite struct NetworkNumberTests {
    @Test("products are plain sums, for every way to transpose", arguments: [false, true], [false, true])
    func products(transposed: Bool, otherTransposed: Bool) throws {
        var generator = SeededGenerator(seed: 21)
        let (rows, columns, inner) = (9, 17, 33)
        let a = generator.doubles(rows * inner)
        let b = generator.doubles(inner * columns)
        let before = generator.doubles(rows * columns)
        var expected = before
        for row in 0..<rows {
            for column in 0..<columns {
                for k in 0..<inner {
                    expected[row * columns + column] +=
                        a[transposed ? k * rows + row : row * inner + k]
                        * b[otherTransposed ? column * inner + k : k * columns + column]
                }
            }
        }
        var found = before
        try Double.multiply(
            a, transposed: transposed, b, otherTransposed: otherTransposed, rows: rows, columns: columns,
            inner: inner, adding: true, into: &found)
        expectClose(found, expected, within: 1e-13)
        var floats = before.map(Float.init)
        try Float.multiply(
            a.map(Float.init), transposed: transposed, b.map(Float.init), otherTransposed: otherTransposed,
            rows: rows, columns: columns, inner: inner, adding: true, into: &floats)
        expectClose(floats.map(Double.init), expected, within: 1e-5)
    }

    @Test("activations have their values and slopes", arguments: NetworkActivation.allCases)
    func activations(f: NetworkActivation) {
        let points = [-3.0, -0.7, -0.01, 0.02, 0.9, 4]
        func value(_ x: Double) -> Double {
            var result = [x]
            Double.activate(f, &result)
            return result[0]
        }
        // SELU(-0.7) = 1.0507 · 1.67326 · (e^-0.7 - 1) = -0.885038..., SELU(4) = 4.202804
        if f == .selu { expectClose([value(-0.7), value(4)], [-0.8850529, 4.2028039], within: 1e-6) }
        if f == .relu { #expect(value(-3) == 0 && value(4) == 4) }
        var slopes = [Double](repeating: 2, count: points.count)
        Double.differentiate(f, outputs: points.map(value), &slopes)
        let expected = points.map { (value($0 + 1e-6) - value($0 - 1e-6)) / 1e-6 }
        expectClose(slopes, expected, within: 1e-8)
        var floats = points.map(Float.init)
        Float.activate(f, &floats)
        expectClose(floats.map(Double.init), points.map(value), within: 1e-6)
    }

    @Test("dropout leaves out its share, keeps the mean, and depends on its place alone") func dropout() {
        let random = CounterRandom(seed: 3)
        func mask(_ step: UInt64) -> [Float] {
            Float.dropoutMask(count: 10_001, rate: 0.25, random: random, stream: 1, step: step)
        }
        let first = mask(1)
        #expect(Set(first) == [0, Float(1 / 0.75)])
        // Deviation of the share: √(0.25 · 0.75 / 10,001) = 0.0043
        #expect(abs(Double(first.count { $0 == 0 }) / 10_001 - 0.25) < 0.018)
        #expect(first == mask(1) && first != mask(2))
        #expect(Float.dropoutMask(count: 5, rate: 0, random: random, stream: 1, step: 1) == [1, 1, 1, 1, 1])
    }

    @Test("rows are looked up, summed, shifted and scaled") func rows() {
        let table: [Float] = [1, 2, 3, 4, 5, 6]
        #expect(Double.gather(table, width: 2, [2, 0][...]) == [5, 6, 1, 2])
        #expect(Float.sumRows([1, 2, 3, 4], width: 2) == [4, 6])
        var values: [Float] = [1, 2, 3, 4]
        Float.add(row: [10, 20], to: &values)
        #expect(values == [11, 22, 13, 24])
        Float.scale(&values, by: [2, 0, 1, 1])
        #expect(values == [22, 0, 13, 24])
    }
}
