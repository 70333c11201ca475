import CorvidTensors
import CorvidText

/// scale · bias, added to the logits of some tokens.
public struct LogitBiasChange: PatchChange {
    /// Ascending ids.
    public let tokens: [Int]
    /// `[tokens]`.
    public let values: Tensor
    /// Logits of the model.
    public let vocabulary: Int
    public let scale: Float
    private let stored: Tensor

    /// - Throws: ``PatchError/shape(place:reason:)``.
    public init(tokens: [Int], values: Tensor, vocabulary: Int, scale: Float = 1) throws {
        try SparseIndices.check(tokens, below: vocabulary, WeightTarget(.head))
        try PatchError.require(
            values.shape == [tokens.count] && !tokens.isEmpty && values.isPatchType, "logits",
            "the bias has shape \(values.shape), expected one value for each of \(tokens.count) tokens")
        try PatchError.require(scale.isFinite, "logits", "the scale is no finite number")
        self.tokens = tokens
        self.values = values
        self.vocabulary = vocabulary
        self.scale = scale
        stored = try Tensor.indices(tokens)
    }

    init(_ reader: inout ChangeReader) throws {
        let vocabulary = try reader.fields.integer("vocabulary", 1...PatchFile.Limits.position)
        let scale = try reader.fields.number("scale")
        let tokens = try reader.indices("tokens", below: vocabulary)
        try self.init(
            tokens: tokens, values: try reader.numbers("values", [tokens.count]), vocabulary: vocabulary,
            scale: scale)
    }

    var fields: JSONObject {
        ["vocabulary": .integer(Int64(vocabulary)), "scale": .number(Double(scale))]
    }
    var tensors: [(part: String, tensor: Tensor)] { [("tokens", stored), ("values", values)] }
    var place: String { "\(Site.logits)" }
    var touched: [WeightTarget] { [WeightTarget(.tokenEmbedding)] }

    func scaled(by factor: Float) -> Patch.Change? {
        (try? LogitBiasChange(
            tokens: tokens, values: values, vocabulary: vocabulary, scale: scale * factor))
            .map { .logitBias($0) }
    }

    func check(_ configuration: ModelConfiguration) throws {
        try configuration.check(.logits)
        guard vocabulary == configuration.vocabulary else {
            throw PatchMisfit(
                place: "logits", found: [vocabulary], expected: [configuration.vocabulary])
        }
    }

    func siteChanges(_ factor: Float, _ configuration: ModelConfiguration) -> [SiteChange] {
        let vector = SiteRules.vector(values, nil)
        return [SiteChange(.add(vector, scale: scale * factor), at: .logits, part: .columns(tokens))]
    }
}
