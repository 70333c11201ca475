import CorvidTensors
import CorvidText

/// scale · vectors, added to those of some rows of a table, such as the embedding of some tokens. The output
/// matrix stays as it is where it is the same as the token embedding: its rows are a ``RowDelta`` of `head`.
public struct TableRows: PatchChange {
    public let target: WeightTarget
    /// Ascending.
    public let indices: [Int]
    /// `[indices, width]`.
    public let values: Tensor
    /// Rows of the whole table.
    public let rows: Int
    public let scale: Float
    private let stored: Tensor

    /// - Throws: ``PatchError/shape(place:reason:)``.
    public init(_ target: WeightTarget, rows: Int, indices: [Int], values: Tensor, scale: Float = 1) throws {
        try PatchError.require(target.role.isTable, target, "is no table of vectors")
        try SparseIndices.check(indices, below: rows, target)
        try PatchError.require(
            values.shape.count == 2 && values.rows == indices.count && values.count > 0 && values.isPatchType,
            target, "the vectors have shape \(values.shape), expected [\(indices.count), width]")
        try PatchError.require(scale.isFinite, target, "the scale is no finite number")
        self.target = target
        self.indices = indices
        self.values = values
        self.rows = rows
        self.scale = scale
        stored = try Tensor.indices(indices)
    }

    init(_ reader: inout ChangeReader) throws {
        let target = try reader.fields.target()
        let size = try MatrixSize(&reader)
        let scale = try reader.fields.number("scale")
        let indices = try reader.indices("indices", below: size.outputs)
        try self.init(
            target, rows: size.outputs, indices: indices,
            values: try reader.numbers("values", [indices.count, size.inputs]), scale: scale)
    }

    private var size: MatrixSize { MatrixSize(outputs: rows, inputs: values.columns) }

    var fields: JSONObject {
        ["target": .string("\(target)"), "shape": size.json, "scale": .number(Double(scale))]
    }
    var tensors: [(part: String, tensor: Tensor)] { [("indices", stored), ("values", values)] }
    var place: String { "\(target)" }
    var touched: [WeightTarget] { [target] }

    func scaled(by factor: Float) -> Patch.Change? {
        (try? TableRows(target, rows: rows, indices: indices, values: values, scale: scale * factor))
            .map { .tableRows($0) }
    }

    func check(_ configuration: ModelConfiguration) throws {
        try configuration.checkTable(target, size.list)
    }

    func lay(_ factor: Float, on overlay: inout ModelOverlay) throws {
        let numbers = try values.floats()
        var vectors: [Int: [Float]] = [:]
        for (place, index) in indices.enumerated() {
            vectors[index] = Array(numbers[place * values.columns..<(place + 1) * values.columns])
        }
        overlay.tables[target, default: []].append(.rows(vectors, scale: scale * factor))
    }
}

/// scale · up · down[:, row], added to the vector of every row of a table (LoRA on an embedding).
public struct TableLowRank: PatchChange {
    public let target: WeightTarget
    /// `[rank, rows]` and `[width, rank]`.
    public let down, up: Tensor
    public let scale: Float

    /// - Throws: ``PatchError/shape(place:reason:)``.
    public init(_ target: WeightTarget, down: Tensor, up: Tensor, scale: Float = 1) throws {
        try PatchError.require(target.role.isTable, target, "is no table of vectors")
        try PatchError.require(
            down.shape.count == 2 && up.shape.count == 2 && down.rows == up.columns && down.count > 0
                && up.count > 0 && down.isPatchType && up.isPatchType, target,
            "the factors have shapes \(down.shape) and \(up.shape), expected [rank, rows] and [width, rank]")
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
            target, down: try reader.numbers("down", [rank, size.outputs]),
            up: try reader.numbers("up", [size.inputs, rank]), scale: scale)
    }

    private var size: MatrixSize { MatrixSize(outputs: down.columns, inputs: up.rows) }

    var fields: JSONObject {
        [
            "target": .string("\(target)"), "shape": size.json, "rank": .integer(Int64(down.rows)),
            "scale": .number(Double(scale)),
        ]
    }
    var tensors: [(part: String, tensor: Tensor)] { [("down", down), ("up", up)] }
    var place: String { "\(target)" }
    var touched: [WeightTarget] { [target] }

    func scaled(by factor: Float) -> Patch.Change? {
        (try? TableLowRank(target, down: down, up: up, scale: scale * factor)).map { .tableLowRank($0) }
    }

    func check(_ configuration: ModelConfiguration) throws {
        try configuration.checkTable(target, size.list)
    }

    func lay(_ factor: Float, on overlay: inout ModelOverlay) throws {
        overlay.tables[target, default: []].append(
            .lowRank(
                down: try down.floats(), up: try up.floats(), rank: down.rows, scale: scale * factor))
    }
}
