import CorvidTensors
import CorvidText

/// How likely a prompt makes each label before it sees a text: what calibrated classification divides by. It does
/// nothing to a pass; at scale s the priors are taken to the power s.
public struct LabelPrior: PatchChange {
    public let labels: [String]
    /// `[labels]`, above 0.
    public let prior: Tensor
    /// The task and its prompt, an object.
    public let task: JSON
    /// Digest of the prompt that the priors belong to.
    public let context: Digest
    public let scale: Float

    /// - Throws: ``PatchError/shape(place:reason:)``.
    public init(labels: [String], prior: Tensor, task: JSON, context: Digest, scale: Float = 1) throws {
        let values = prior.isPatchType ? try prior.floats() : []
        try PatchError.require(
            !labels.isEmpty && labels.count <= PatchFile.Limits.labels && prior.shape == [labels.count]
                && values.allSatisfy { $0 > 0 && $0.isFinite }, "labels",
            "the prior has shape \(prior.shape), expected a number above 0 for each of \(labels.count) labels"
        )
        try PatchError.require(Set(labels).count == labels.count, "labels", "a label is named twice")
        try PatchError.require(scale.isFinite, "labels", "the scale is no finite number")
        self.labels = labels
        self.prior = prior
        self.task = task
        self.context = context
        self.scale = scale
    }

    init(_ reader: inout ChangeReader) throws {
        let labels = try reader.fields.texts("labels", limit: PatchFile.Limits.labels)
        let task = try reader.fields.required("task")
        let context = try reader.fields.digest("context")
        let scale = try reader.fields.number("scale")
        try self.init(
            labels: labels, prior: try reader.numbers("prior", [labels.count]), task: task, context: context,
            scale: scale)
    }

    var fields: JSONObject {
        [
            "labels": .array(labels.map { .string($0) }), "task": task, "context": .string("\(context)"),
            "scale": .number(Double(scale)),
        ]
    }
    var tensors: [(part: String, tensor: Tensor)] { [("prior", prior)] }
    var place: String { "labels" }
    var touched: [WeightTarget] { [WeightTarget(.tokenEmbedding)] }

    func scaled(by factor: Float) -> Patch.Change? {
        (try? LabelPrior(labels: labels, prior: prior, task: task, context: context, scale: scale * factor))
            .map { .labelPrior($0) }
    }

    func check(_ configuration: ModelConfiguration) throws {}
}
