import CorvidKernels

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What a layer of a small dense network does with its sums.
public enum NetworkActivation: String, Sendable, CaseIterable {
    case identity, relu, tanh
    /// λ x above zero, λ α (eˣ - 1) below. Source: Klambauer et al. 2017, "Self-Normalizing Neural Networks",
    /// equation 2.
    case selu
}

/// Numbers in which small dense networks compute: f32 for use, f64 for checks of it. All matrices are row-major
/// arrays; operations change whole arrays on the calling thread.
public protocol NetworkNumber: BinaryFloatingPoint, Sendable {
    /// c = A B `[rows, columns]`, or with either of them transposed; A B + c when `adding`.
    /// - Parameter inner: columns of A and rows of B as they are multiplied.
    static func multiply(
        _ a: [Self], transposed: Bool, _ b: [Self], otherTransposed: Bool, rows: Int, columns: Int,
        inner: Int, adding: Bool, into c: inout [Self]
    ) throws(LinearAlgebraError)
    /// x = f(x)
    static func activate(_ f: NetworkActivation, _ x: inout [Self])
    /// gradient = gradient · f'(x), of outputs f(x).
    static func differentiate(_ f: NetworkActivation, outputs: [Self], _ gradient: inout [Self])
    /// Adds `row` to each row of x.
    static func add(row: [Self], to x: inout [Self])
    /// The sum of the rows of x, each `width` wide.
    static func sumRows(_ x: [Self], width: Int) -> [Self]
    /// x = x · y, element by element.
    static func scale(_ x: inout [Self], by y: [Self])
    /// The rows `indices` of a table whose rows are `width` wide.
    static func gather(_ table: [Float], width: Int, _ indices: ArraySlice<Int>) -> [Self]
    /// One step of Adam. Source: Kingma and Ba 2015, "Adam", algorithm 1.
    static func adam(
        _ weights: inout [Self], gradient: [Self], moments: inout AdamMoments<Self>, _ step: AdamStep)
}

/// Adam's running means of slopes and of their squares.
public struct AdamMoments<Number: NetworkNumber>: Sendable {
    fileprivate var first, second: [Number]

    /// Of so many weights which have not been changed yet.
    public init(count: Int) {
        first = [Number](repeating: 0, count: count)
        second = first
    }
}

/// The numbers of one step of Adam.
public struct AdamStep: Sendable {
    public var learningRate: Double
    public var firstDecay = 0.9
    public var secondDecay = 0.999
    public var epsilon = 1e-8
    /// Which step, from 1 on.
    public var number: Int

    public init(learningRate: Double, number: Int) {
        self.learningRate = learningRate
        self.number = number
    }
}

extension NetworkNumber {
    public static func multiply(
        _ a: [Self], transposed: Bool = false, _ b: [Self], otherTransposed: Bool = false,
        rows: Int, columns: Int, inner: Int, into c: inout [Self]
    ) throws(LinearAlgebraError) {
        try multiply(
            a, transposed: transposed, b, otherTransposed: otherTransposed, rows: rows, columns: columns,
            inner: inner, adding: false, into: &c)
    }

    /// Of a mask for dropout: 0 with probability `rate`, else 1 / (1 - rate). The rate is taken in steps of
    /// 2⁻¹⁶.
    public static func dropoutMask(
        count: Int, rate: Double, random: CounterRandom, stream: UInt32, step: UInt64
    ) -> [Self] {
        let threshold = UInt32((min(max(rate, 0), 1) * 65_536).rounded())
        let kept = Self(1 / (1 - min(max(rate, 0), 0.999)))
        return [Self](unsafeUninitializedCapacity: count) { buffer, initialized in
            var index = 0
            var block: UInt32 = 0
            while index < count {
                let words = random.words(stream: stream, step: step, index: block)
                block &+= 1
                for word in 0..<4 {
                    for half in [words[word] & 0xFFFF, words[word] >> 16] where index < count {
                        buffer.initializeElement(at: index, to: half < threshold ? 0 : kept)
                        index += 1
                    }
                }
            }
            initialized = count
        }
    }
}

extension Float: NetworkNumber {
    public static func multiply(
        _ a: [Float], transposed: Bool, _ b: [Float], otherTransposed: Bool, rows: Int,
        columns: Int, inner: Int, adding: Bool, into c: inout [Float]
    ) throws(LinearAlgebraError) {
        try Plain.multiply(
            try OpenBLAS.shared.sgemm, a, transposed, b, otherTransposed, (rows, columns, inner), adding, &c)
    }

    public static func activate(_ f: NetworkActivation, _ x: inout [Float]) {
        let count = x.count
        switch f {
        case .identity: return
        case .relu: Plain.relu(&x)
        case .tanh:
            x.withUnsafeMutableBufferPointer { x in
                if let x = x.baseAddress { ck_activate(CK_TANH, count, x, x) }
            }
        case .selu:
            withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { powers in
                x.withUnsafeMutableBufferPointer { x in
                    guard let x = x.baseAddress, let powers = powers.baseAddress else { return }
                    ck_exp(count, x, powers)
                    for index in 0..<count { x[index] = Plain.selu(x[index], power: powers[index]) }
                }
            }
        }
    }

    public static func differentiate(_ f: NetworkActivation, outputs: [Float], _ gradient: inout [Float]) {
        Plain.differentiate(f, outputs, &gradient)
    }
    public static func add(row: [Float], to x: inout [Float]) { Plain.add(row, &x) }
    public static func sumRows(_ x: [Float], width: Int) -> [Float] { Plain.sumRows(x, width) }
    public static func scale(_ x: inout [Float], by y: [Float]) { Plain.scale(&x, y) }
    public static func gather(_ table: [Float], width: Int, _ indices: ArraySlice<Int>) -> [Float] {
        Plain.gather(table, width, indices)
    }
    public static func adam(
        _ weights: inout [Float], gradient: [Float], moments: inout AdamMoments<Float>, _ step: AdamStep
    ) {
        Plain.adam(&weights, gradient, &moments.first, &moments.second, step)
    }
}

extension Double: NetworkNumber {
    public static func multiply(
        _ a: [Double], transposed: Bool, _ b: [Double], otherTransposed: Bool, rows: Int,
        columns: Int, inner: Int, adding: Bool, into c: inout [Double]
    ) throws(LinearAlgebraError) {
        try Plain.multiply(
            try OpenBLAS.shared.dgemm, a, transposed, b, otherTransposed, (rows, columns, inner), adding, &c)
    }

    public static func activate(_ f: NetworkActivation, _ x: inout [Double]) {
        switch f {
        case .identity: return
        case .relu: Plain.relu(&x)
        case .tanh: for index in x.indices { x[index] = hyperbolicTangent(x[index]) }
        case .selu: for index in x.indices { x[index] = Plain.selu(x[index], power: exp(x[index])) }
        }
    }

    public static func differentiate(_ f: NetworkActivation, outputs: [Double], _ gradient: inout [Double]) {
        Plain.differentiate(f, outputs, &gradient)
    }
    public static func add(row: [Double], to x: inout [Double]) { Plain.add(row, &x) }
    public static func sumRows(_ x: [Double], width: Int) -> [Double] { Plain.sumRows(x, width) }
    public static func scale(_ x: inout [Double], by y: [Double]) { Plain.scale(&x, y) }
    public static func gather(_ table: [Float], width: Int, _ indices: ArraySlice<Int>) -> [Double] {
        Plain.gather(table, width, indices)
    }
    public static func adam(
        _ weights: inout [Double], gradient: [Double], moments: inout AdamMoments<Double>, _ step: AdamStep
    ) {
        Plain.adam(&weights, gradient, &moments.first, &moments.second, step)
    }
}

/// Inside of an extension of `Double` the name would be looked up there.
private func hyperbolicTangent(_ x: Double) -> Double { tanh(x) }

/// The loops, written once; the compiler makes one form for f32 and one for f64.
private enum Plain {
    static func multiply<Number>(
        _ gemm: OpenBLAS.Multiply<Number>, _ a: [Number], _ transposed: Bool, _ b: [Number],
        _ otherTransposed: Bool, _ sizes: (rows: Int, columns: Int, inner: Int), _ adding: Bool,
        _ c: inout [Number]
    ) throws(LinearAlgebraError) where Number: BinaryFloatingPoint {
        let (rows, columns, inner) = sizes
        precondition(
            a.count == rows * inner && b.count == inner * columns && c.count == rows * columns,
            "matrices of a product must have its sizes")
        guard max(rows, columns, inner) <= Int32.max else { throw .size(rows: rows, columns: columns) }
        guard rows > 0, columns > 0 else { return }
        guard inner > 0 else {
            if !adding { for index in c.indices { c[index] = 0 } }
            return
        }
        a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
                c.withUnsafeMutableBufferPointer { c in
                    guard let a = a.baseAddress, let b = b.baseAddress, let c = c.baseAddress else { return }
                    gemm(
                        OpenBLAS.rowMajor, OpenBLAS.transposition(transposed),
                        OpenBLAS.transposition(otherTransposed), Int32(rows), Int32(columns), Int32(inner), 1,
                        a, Int32(transposed ? rows : inner), b, Int32(otherTransposed ? inner : columns),
                        adding ? 1 : 0, c, Int32(columns))
                }
            }
        }
    }

    @inline(__always)
    static func selu<Number: BinaryFloatingPoint>(_ x: Number, power: Number) -> Number {
        let scale = Number(1.0507009873554805)
        return x > 0 ? scale * x : scale * Number(1.6732632423543772) * (power - 1)
    }

    static func relu<Number: BinaryFloatingPoint>(_ x: inout [Number]) {
        for index in x.indices where !(x[index] > 0) { x[index] = 0 }
    }

    static func differentiate<Number: BinaryFloatingPoint>(
        _ f: NetworkActivation, _ outputs: [Number], _ gradient: inout [Number]
    ) {
        precondition(outputs.count == gradient.count, "a gradient must have the shape of its values")
        outputs.withUnsafeBufferPointer { y in
            gradient.withUnsafeMutableBufferPointer { g in
                switch f {
                case .identity: return
                case .relu: for index in 0..<y.count { g[index] = y[index] > 0 ? g[index] : 0 }
                case .tanh: for index in 0..<y.count { g[index] *= 1 - y[index] * y[index] }
                case .selu:
                    let scale = Number(1.0507009873554805)
                    let slope = scale * Number(1.6732632423543772)
                    // Below zero the derivative is λ α eˣ = y + λ α.
                    for index in 0..<y.count { g[index] *= y[index] > 0 ? scale : y[index] + slope }
                }
            }
        }
    }

    static func add<Number: BinaryFloatingPoint>(_ row: [Number], _ x: inout [Number]) {
        precondition(!row.isEmpty && x.count % row.count == 0, "rows must be as wide as the added one")
        row.withUnsafeBufferPointer { row in
            x.withUnsafeMutableBufferPointer { x in
                for start in stride(from: 0, to: x.count, by: row.count) {
                    for column in 0..<row.count { x[start + column] += row[column] }
                }
            }
        }
    }

    static func sumRows<Number: BinaryFloatingPoint>(_ x: [Number], _ width: Int) -> [Number] {
        var sums = [Number](repeating: 0, count: width)
        x.withUnsafeBufferPointer { x in
            sums.withUnsafeMutableBufferPointer { sums in
                for start in stride(from: 0, to: x.count, by: max(1, width)) {
                    for column in 0..<width { sums[column] += x[start + column] }
                }
            }
        }
        return sums
    }

    static func scale<Number: BinaryFloatingPoint>(_ x: inout [Number], _ y: [Number]) {
        precondition(x.count == y.count, "factors must have the shape of the values")
        y.withUnsafeBufferPointer { y in
            x.withUnsafeMutableBufferPointer { x in for index in 0..<y.count { x[index] *= y[index] } }
        }
    }

    static func gather<Number: BinaryFloatingPoint>(
        _ table: [Float], _ width: Int, _ indices: ArraySlice<Int>
    ) -> [Number] {
        let rows = width > 0 ? table.count / width : 0
        return [Number](unsafeUninitializedCapacity: indices.count * width) { buffer, initialized in
            table.withUnsafeBufferPointer { table in
                var place = 0
                for index in indices {
                    precondition(index >= 0 && index < rows, "row outside the table")
                    for column in index * width..<(index + 1) * width {
                        buffer.initializeElement(at: place, to: Number(table[column]))
                        place += 1
                    }
                }
            }
            initialized = indices.count * width
        }
    }

    static func adam<Number: BinaryFloatingPoint>(
        _ weights: inout [Number], _ gradient: [Number], _ first: inout [Number], _ second: inout [Number],
        _ step: AdamStep
    ) {
        let count = weights.count
        precondition(
            gradient.count == count && first.count == count && second.count == count,
            "moments must have the shape of the weights")
        let (decay, secondDecay) = (Number(step.firstDecay), Number(step.secondDecay))
        let (rest, secondRest) = (1 - decay, 1 - secondDecay)
        let number = Double(max(1, step.number))
        let rate = Number(step.learningRate / (1 - pow(step.firstDecay, number)))
        let scale = Number(1 / (1 - pow(step.secondDecay, number)).squareRoot())
        let epsilon = Number(step.epsilon)
        weights.withUnsafeMutableBufferPointer { w in
            gradient.withUnsafeBufferPointer { g in
                first.withUnsafeMutableBufferPointer { m in
                    second.withUnsafeMutableBufferPointer { v in
                        for index in 0..<count {
                            let slope = g[index]
                            m[index] = decay * m[index] + rest * slope
                            v[index] = secondDecay * v[index] + secondRest * slope * slope
                            w[index] -= rate * m[index] / (v[index].squareRoot() * scale + epsilon)
                        }
                    }
                }
            }
        }
    }
}
