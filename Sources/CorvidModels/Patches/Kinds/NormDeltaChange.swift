import CorvidTensors
import CorvidText

/// scale · values, added to the weight and to the bias of a norm.
public struct NormDeltaChange: PatchChange {
    public let target: WeightTarget
    /// `[width]`; nil leaves it as it is.
    public let weight, bias: Tensor?
    public let scale: Float

    /// - Throws: ``PatchError/shape(place:reason:)``.
    public init(_ target: WeightTarget, weight: Tensor?, bias: Tensor? = nil, scale: Float = 1) throws {
        try PatchError.require(target.role.isNorm, target, "is no norm")
        let both = [weight, bias].compactMap { $0 }
        try PatchError.require(
            !both.isEmpty
                && both.allSatisfy { $0.shape.count == 1 && $0.count > 0 && $0.isPatchType }
                && both.allSatisfy { $0.count == both[0].count }, target,
            "weight and bias have shapes \(both.map(\.shape)), expected [width]")
        try PatchError.require(scale.isFinite, target, "the scale is no finite number")
        self.target = target
        self.weight = weight
        self.bias = bias
        self.scale = scale
    }

    init(_ reader: inout ChangeReader) throws {
        let target = try reader.fields.target()
        let scale = try reader.fields.number("scale")
        try self.init(
            target, weight: try reader.optionalNumbers("weight", [nil]),
            bias: try reader.optionalNumbers("bias", [nil]), scale: scale)
    }

    private var width: Int { (weight ?? bias)?.count ?? 0 }

    var fields: JSONObject { ["target": .string("\(target)"), "scale": .number(Double(scale))] }
    var tensors: [(part: String, tensor: Tensor)] {
        (weight.map { [("weight", $0)] } ?? []) + (bias.map { [("bias", $0)] } ?? [])
    }
    var place: String { "\(target)" }
    var touched: [WeightTarget] { [target] }

    func scaled(by factor: Float) -> Patch.Change? {
        (try? NormDeltaChange(target, weight: weight, bias: bias, scale: scale * factor)).map { .norm($0) }
    }

    func check(_ configuration: ModelConfiguration) throws {
        guard case .norm(let width)? = configuration.shape(of: target) else {
            throw PatchMisfit(place: "norm \(target)", found: [self.width], expected: nil)
        }
        guard self.width == width else {
            throw PatchMisfit(place: "norm \(target)", found: [self.width], expected: [width])
        }
    }

    func lay(_ factor: Float, on overlay: inout ModelOverlay) throws {
        overlay.norms[target, default: []].append(
            NormDelta(weight: try weight?.floats(), bias: try bias?.floats(), scale: scale * factor))
    }
}
