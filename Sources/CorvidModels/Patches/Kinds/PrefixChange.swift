import CorvidTensors
import CorvidText

/// Keys and values that stand before the first token of each sequence (Li and Liang, 2021).
public struct PrefixChange: PatchChange {
    /// `[layers, positions, keyValueHeads * headWidth]`; keys as they are after rotation.
    public let keys, values: Tensor

    /// - Throws: ``PatchError/shape(place:reason:)``.
    public init(keys: Tensor, values: Tensor) throws {
        try PatchError.require(
            keys.shape.count == 3 && keys.shape == values.shape && keys.count > 0 && keys.isPatchType
                && values.isPatchType && keys.shape[1] <= 1 << 24, "the prefix",
            "keys and values have shapes \(keys.shape) and \(values.shape), expected [layers, positions, width]"
        )
        self.keys = keys
        self.values = values
    }

    init(_ reader: inout ChangeReader) throws {
        let sizes = try reader.fields.integers("shape", 1...PatchFile.Limits.position, limit: 3)
        guard sizes.count == 3 else {
            throw reader.fields.wrong("shape", "\(sizes)", expected: "[layers, positions, width]")
        }
        try self.init(
            keys: try reader.numbers("keys", sizes.map { $0 }),
            values: try reader.numbers("values", sizes.map { $0 }))
    }

    var fields: JSONObject { ["shape": .array(keys.shape.map { .integer(Int64($0)) })] }
    var tensors: [(part: String, tensor: Tensor)] { [("keys", keys), ("values", values)] }
    var place: String { "prefix" }
    var touched: [WeightTarget] { [WeightTarget(.tokenEmbedding)] }
    var order: ChangeOrder { .sequence }

    func allows(_ scale: Float) -> Bool { scale == 0 || scale == 1 }
    func scaled(by scale: Float) -> Patch.Change? { scale == 1 ? .prefix(self) : nil }

    func check(_ configuration: ModelConfiguration) throws {
        let width = configuration.keyValueHeads * configuration.headWidth
        guard keys.shape[0] == configuration.layers, keys.shape[2] == width else {
            throw PatchMisfit(
                place: "the prefix", found: keys.shape,
                expected: [configuration.layers, keys.shape[1], width])
        }
    }

    func lay(_ scale: Float, on overlay: inout ModelOverlay) throws {
        let (layers, positions, width) = (keys.shape[0], keys.shape[1], keys.shape[2])
        func split(_ tensor: Tensor) throws -> [[Float]] {
            let numbers = try tensor.floats()
            return (0..<layers).map {
                Array(numbers[$0 * positions * width..<($0 + 1) * positions * width])
            }
        }
        let (keys, values) = (try split(keys), try split(values))
        guard let before = overlay.prefix else {
            overlay.prefix = KeyValuePrefix(positions: positions, keys: keys, values: values)
            return
        }
        overlay.prefix = KeyValuePrefix(
            positions: before.positions + positions, keys: zip(before.keys, keys).map { $0 + $1 },
            values: zip(before.values, values).map { $0 + $1 })
    }
}
