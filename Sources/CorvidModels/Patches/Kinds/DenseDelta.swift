import CorvidTensors
import CorvidText

/// W + scale · D for a matrix D of the weight's shape.
public struct DenseDelta: PatchChange {
    public let target: WeightTarget
    /// `[outputs, inputs]`.
    public let values: Tensor
    public let scale: Float

    /// - Throws: ``PatchError/shape(place:reason:)``.
    public init(_ target: WeightTarget, _ values: Tensor, scale: Float = 1) throws {
        try PatchError.require(target.role.isMatrix, target, "is no matrix that rows are multiplied by")
        try PatchError.require(
            values.shape.count == 2 && values.count > 0 && values.isPatchType, target,
            "the delta has shape \(values.shape), expected [outputs, inputs]")
        try PatchError.require(scale.isFinite, target, "the scale is no finite number")
        self.target = target
        self.values = values
        self.scale = scale
    }

    init(_ reader: inout ChangeReader) throws {
        let target = try reader.fields.target()
        let size = try MatrixSize(&reader)
        let scale = try reader.fields.number("scale")
        try self.init(target, try reader.numbers("values", [size.outputs, size.inputs]), scale: scale)
    }

    var fields: JSONObject {
        [
            "target": .string("\(target)"),
            "shape": MatrixSize(outputs: values.rows, inputs: values.columns).json,
            "scale": .number(Double(scale)),
        ]
    }
    var tensors: [(part: String, tensor: Tensor)] { [("values", values)] }
    var place: String { "\(target)" }
    var touched: [WeightTarget] { [target] }

    func scaled(by factor: Float) -> Patch.Change? {
        (try? DenseDelta(target, values, scale: scale * factor)).map { .dense($0) }
    }

    func check(_ configuration: ModelConfiguration) throws {
        try configuration.checkMatrix(target, values.shape)
    }

    func lay(_ factor: Float, on overlay: inout ModelOverlay) throws {
        overlay.weights[target, default: []].append(
            WeightDelta(factors: [try Linear(values, as: .f32)], scale: scale * factor))
    }
}
