import CorvidTensors
import CorvidText

/// W + scale · up · down (LoRA; Hu et al., 2021).
public struct LowRankDelta: PatchChange {
    public let target: WeightTarget
    /// `[rank, inputs]` and `[outputs, rank]`.
    public let down, up: Tensor
    public let scale: Float

    public var rank: Int { down.rows }

    /// - Throws: ``PatchError/shape(place:reason:)`` for factors that do not fit.
    public init(_ target: WeightTarget, down: Tensor, up: Tensor, scale: Float = 1) throws {
        try PatchError.require(target.role.isMatrix, target, "is no matrix that rows are multiplied by")
        try PatchError.require(
            down.shape.count == 2 && up.shape.count == 2 && down.rows == up.columns && down.count > 0
                && up.count > 0 && down.isPatchType && up.isPatchType, target,
            "the factors have shapes \(down.shape) and \(up.shape), expected [rank, inputs] and [outputs, rank]"
        )
        try PatchError.require(scale.isFinite, target, "the scale is no finite number")
        self.target = target
        self.down = down
        self.up = up
        self.scale = scale
    }

    init(_ reader: inout ChangeReader) throws {
        let target = try reader.fields.target()
        let size = try MatrixSize(&reader)
        let rank = try reader.fields.integer("rank", 1...PatchFile.Limits.position)
        let scale = try reader.fields.number("scale")
        try self.init(
            target, down: try reader.numbers("down", [rank, size.inputs]),
            up: try reader.numbers("up", [size.outputs, rank]), scale: scale)
    }

    var size: MatrixSize { MatrixSize(outputs: up.rows, inputs: down.columns) }

    var fields: JSONObject {
        [
            "target": .string("\(target)"), "shape": size.json, "rank": .integer(Int64(rank)),
            "scale": .number(Double(scale)),
        ]
    }
    var tensors: [(part: String, tensor: Tensor)] { [("down", down), ("up", up)] }
    var place: String { "\(target)" }
    var touched: [WeightTarget] { [target] }

    func scaled(by factor: Float) -> Patch.Change? {
        (try? LowRankDelta(target, down: down, up: up, scale: scale * factor)).map { .lowRank($0) }
    }

    func check(_ configuration: ModelConfiguration) throws {
        try configuration.checkMatrix(target, size.list)
    }

    func lay(_ factor: Float, on overlay: inout ModelOverlay) throws {
        let factors = [try Linear(down, as: .f32), try Linear(up, as: .f32)]
        overlay.weights[target, default: []].append(WeightDelta(factors: factors, scale: scale * factor))
    }
}
