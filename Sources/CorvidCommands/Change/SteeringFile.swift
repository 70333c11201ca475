import CorvidEditing
import CorvidModels
import CorvidStore
import CorvidText

/// Keeps steering vectors as a patch, or as a control vector.
enum SteeringFile {
    /// - Parameter prompt: tokens of the prompt that a vector in the middle is for.
    static func write(
        _ vectors: [SteeringVector], _ source: SteeringSource, _ loaded: LoadedModel,
        reading options: SteeringOptions, seed: UInt64?, prompt: Int?, report: JSON? = nil, to path: String
    ) throws {
        var settings = source.settings
        settings["coefficients"] = .array(vectors.map { .number(Double($0.coefficient)) })
        let data = try [options.pairs, options.vector].compactMap { $0 }.filter { $0 != "-" }.map {
            PatchHeader.Source(name: $0, digest: try Digest(fileAt: $0))
        }
        let header = PatchHeader(
            name: source.name.isEmpty ? "steering" : source.name, method: "steer",
            settings: .object(settings),
            seed: seed, data: data, report: report)
        let patch = try Patch.steering(vectors, header: header, prompt: prompt)
        if path.lowercased().hasSuffix(".gguf") {
            return try PatchExport(patch, for: loaded.model.configuration, as: .gguf).write(to: path)
        }
        let digests = DigestStore(try Store())
        try patch.bound(to: loaded.model, cache: digests).save(to: path)
        digests.save()
    }
}
