import CorvidTensors
import CorvidText

/// W + scale · D for a matrix D that has few rows which are not zero: changes of some outputs.
public struct RowDelta: PatchChange {
    public let target: WeightTarget
    /// Ascending outputs.
    public let indices: [Int]
    /// A row for each of them, `[indices, inputs]`.
    public let values: Tensor
    public let outputs: Int
    public let scale: Float
    private let stored: Tensor

    /// - Throws: ``PatchError/shape(place:reason:)``.
    public init(
        _ target: WeightTarget, outputs: Int, indices: [Int], values: Tensor, scale: Float = 1
    ) throws {
        try PatchError.require(target.role.isMatrix, target, "is no matrix that rows are multiplied by")
        try SparseIndices.check(indices, below: outputs, target)
        try PatchError.require(
            values.shape.count == 2 && values.rows == indices.count && values.count > 0 && values.isPatchType,
            target, "the rows have shape \(values.shape), expected [\(indices.count), inputs]")
        try PatchError.require(scale.isFinite, target, "the scale is no finite number")
        self.target = target
        self.indices = indices
        self.values = values
        self.outputs = outputs
        self.scale = scale
        stored = try Tensor.indices(indices)
    }

    init(_ reader: inout ChangeReader) throws {
        let target = try reader.fields.target()
        let size = try MatrixSize(&reader)
        let scale = try reader.fields.number("scale")
        let indices = try reader.indices("indices", below: size.outputs)
        try self.init(
            target, outputs: size.outputs, indices: indices,
            values: try reader.numbers("values", [indices.count, size.inputs]), scale: scale)
    }

    var size: MatrixSize { MatrixSize(outputs: outputs, inputs: values.columns) }

    var fields: JSONObject {
        ["target": .string("\(target)"), "shape": size.json, "scale": .number(Double(scale))]
    }
    var tensors: [(part: String, tensor: Tensor)] { [("indices", stored), ("values", values)] }
    var place: String { "\(target)" }
    var touched: [WeightTarget] { [target] }

    func scaled(by factor: Float) -> Patch.Change? {
        (try? RowDelta(target, outputs: outputs, indices: indices, values: values, scale: scale * factor))
            .map { .rows($0) }
    }

    func check(_ configuration: ModelConfiguration) throws {
        try configuration.checkMatrix(target, size.list)
    }

    func lay(_ factor: Float, on overlay: inout ModelOverlay) throws {
        let delta = WeightDelta(
            factors: [try Linear(values, as: .f32)], outputs: indices, scale: scale * factor)
        overlay.weights[target, default: []].append(delta)
    }
}

/// W + scale · D for a matrix D that has few columns which are not zero: changes of what some inputs do.
public struct ColumnDelta: PatchChange {
    public let target: WeightTarget
    /// Ascending inputs.
    public let indices: [Int]
    /// A column for each of them, `[outputs, indices]`.
    public let values: Tensor
    public let inputs: Int
    public let scale: Float
    private let stored: Tensor

    /// - Throws: ``PatchError/shape(place:reason:)``.
    public init(
        _ target: WeightTarget, inputs: Int, indices: [Int], values: Tensor, scale: Float = 1
    ) throws {
        try PatchError.require(target.role.isMatrix, target, "is no matrix that rows are multiplied by")
        try SparseIndices.check(indices, below: inputs, target)
        try PatchError.require(
            values.shape.count == 2 && values.columns == indices.count && values.count > 0
                && values.isPatchType, target,
            "the columns have shape \(values.shape), expected [outputs, \(indices.count)]")
        try PatchError.require(scale.isFinite, target, "the scale is no finite number")
        self.target = target
        self.indices = indices
        self.values = values
        self.inputs = inputs
        self.scale = scale
        stored = try Tensor.indices(indices)
    }

    init(_ reader: inout ChangeReader) throws {
        let target = try reader.fields.target()
        let size = try MatrixSize(&reader)
        let scale = try reader.fields.number("scale")
        let indices = try reader.indices("indices", below: size.inputs)
        try self.init(
            target, inputs: size.inputs, indices: indices,
            values: try reader.numbers("values", [size.outputs, indices.count]), scale: scale)
    }

    var size: MatrixSize { MatrixSize(outputs: values.rows, inputs: inputs) }

    var fields: JSONObject {
        ["target": .string("\(target)"), "shape": size.json, "scale": .number(Double(scale))]
    }
    var tensors: [(part: String, tensor: Tensor)] { [("indices", stored), ("values", values)] }
    var place: String { "\(target)" }
    var touched: [WeightTarget] { [target] }

    func scaled(by factor: Float) -> Patch.Change? {
        (try? ColumnDelta(target, inputs: inputs, indices: indices, values: values, scale: scale * factor))
            .map { .columns($0) }
    }

    func check(_ configuration: ModelConfiguration) throws {
        try configuration.checkMatrix(target, size.list)
    }

    func lay(_ factor: Float, on overlay: inout ModelOverlay) throws {
        let delta = WeightDelta(
            factors: [try Linear(values, as: .f32)], inputs: indices, scale: scale * factor)
        overlay.weights[target, default: []].append(delta)
    }
}

/// Indices of rows or columns that a change has.
enum SparseIndices {
    /// - Throws: ``PatchError/shape(place:reason:)`` unless they ascend and lie below `bound`.
    static func check(_ indices: [Int], below bound: Int, _ target: WeightTarget) throws {
        let ascends = zip(indices, indices.dropFirst()).allSatisfy { $0 < $1 }
        try PatchError.require(
            ascends && (indices.first ?? 0) >= 0 && (indices.last ?? 0) < bound
                && bound <= PatchFile.Limits.position, target,
            "indices must ascend and lie in 0 to \(bound - 1)")
    }
}
