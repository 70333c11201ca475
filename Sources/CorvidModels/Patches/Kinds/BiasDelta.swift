import CorvidTensors
import CorvidText

/// scale · b, added to the outputs of a matrix, whether it has a bias or not.
public struct BiasDelta: PatchChange {
    public let target: WeightTarget
    /// `[outputs]`.
    public let values: Tensor
    public let scale: Float

    /// - Throws: ``PatchError/shape(place:reason:)``.
    public init(_ target: WeightTarget, _ values: Tensor, scale: Float = 1) throws {
        try PatchError.require(target.role.isMatrix, target, "is no matrix that rows are multiplied by")
        try PatchError.require(
            values.shape.count == 1 && values.count > 0 && values.isPatchType, target,
            "the bias has shape \(values.shape), expected [outputs]")
        try PatchError.require(scale.isFinite, target, "the scale is no finite number")
        self.target = target
        self.values = values
        self.scale = scale
    }

    init(_ reader: inout ChangeReader) throws {
        let target = try reader.fields.target()
        let scale = try reader.fields.number("scale")
        try self.init(target, try reader.numbers("values", [nil]), scale: scale)
    }

    var fields: JSONObject { ["target": .string("\(target)"), "scale": .number(Double(scale))] }
    var tensors: [(part: String, tensor: Tensor)] { [("values", values)] }
    var place: String { "\(target) bias" }
    var touched: [WeightTarget] { [target] }

    func scaled(by factor: Float) -> Patch.Change? {
        (try? BiasDelta(target, values, scale: scale * factor)).map { .bias($0) }
    }

    func check(_ configuration: ModelConfiguration) throws {
        guard case .matrix(let outputs, _)? = configuration.shape(of: target) else {
            throw PatchMisfit(place: "weight \(target)", found: values.shape, expected: nil)
        }
        guard values.count == outputs else {
            throw PatchMisfit(place: "the bias of \(target)", found: values.shape, expected: [outputs])
        }
    }

    func lay(_ factor: Float, on overlay: inout ModelOverlay) throws {
        overlay.weights[target, default: []].append(
            WeightDelta(bias: try Vector(values), scale: scale * factor))
    }
}
