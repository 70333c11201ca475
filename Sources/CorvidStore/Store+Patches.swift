import Foundation

extension Store {
    /// The folder that holds patches, by name.
    public var patches: String { root + "/patches" }

    /// The path of the patch that a person named: an existing path, or a name in the store with or without
    /// `.patch`.
    /// - Throws: ``StoreError/noPatch(name:store:)``.
    public func resolvePatch(_ name: String) throws -> String {
        guard !name.isEmpty else { throw StoreError.noPatch(name: name, store: patches) }
        if FileManager.default.fileExists(atPath: name) { return name }
        if ModelName.isComponent(name) {
            for candidate in [patches + "/" + name, patches + "/" + name + ".patch"]
            where FileManager.default.fileExists(atPath: candidate) {
                return candidate
            }
        }
        throw StoreError.noPatch(name: name, store: patches)
    }
}
