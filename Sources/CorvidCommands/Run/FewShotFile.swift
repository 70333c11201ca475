import CorvidEditing
import CorvidModels
import CorvidStore
import CorvidText

/// Keeps a calibration as a patch.
enum FewShotFile {
    /// - Parameters:
    ///   - reads: files that it was made from.
    ///   - report: what was measured with it.
    static func write(
        _ saved: SavedCalibration, _ loaded: LoadedModel, reads: [String?], report: JSON, to path: String
    ) throws {
        let data = try reads.compactMap { $0 }.filter { $0 != "-" }.map {
            PatchHeader.Source(name: $0, digest: try Digest(fileAt: $0))
        }
        let header = PatchHeader(
            name: "\(saved.card.name)-\(saved.method.rawValue)", method: "calibrate",
            settings: [
                "task": .string(saved.card.name), "method": .string(saved.method.rawValue),
                "shots": .count(saved.demonstrations.count),
            ], seed: saved.seed, data: data, report: report)
        let digests = DigestStore(try Store())
        try saved.patch(header).bound(to: loaded.model, cache: digests).save(to: path)
        digests.save()
    }
}
