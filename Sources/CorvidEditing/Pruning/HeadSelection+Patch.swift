import CorvidModels
import CorvidText

extension HeadSelection {
    /// A patch in which the chosen heads count `scale` times as much as they did: 0 for none of it. It is taken
    /// back like any other.
    /// - Throws: `PatchError`, `PatchFileError`.
    public func patch(
        name: String, scale: Float = 0, configuration: ModelConfiguration, settings: JSON, seed: UInt64?,
        data: [PatchHeader.Source] = [], report: JSON? = nil
    ) throws -> Patch {
        let changes = try heads.byLayer.sorted { $0.key < $1.key }.map { layer, list -> Patch.Change in
            var factors = [Float](repeating: 1, count: configuration.heads(layer: layer))
            for head in list where factors.indices.contains(head) { factors[head] = scale }
            return .mask(try SiteMask.heads(factors, at: Site(.heads, layer: layer)))
        }
        let header = PatchHeader(
            name: name, method: "prune-" + method.rawValue, settings: settings, seed: seed, data: data,
            report: report)
        return try Patch(header, changes)
    }
}
