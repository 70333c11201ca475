import Foundation

/// A model that was found.
public struct ModelLocation: Sendable, Equatable {
    /// How it is shown: the name in the store or hub, or the last part of the path.
    public let name: String
    /// A file, or a folder in Hugging Face layout.
    public let path: String

    public init(name: String, path: String) {
        self.name = name
        self.path = path
    }
}

extension Store {
    /// Finds the model that a person named.
    ///
    /// In this order: an existing path, a name in the store, `ORG/NAME` in the Hugging Face cache.
    /// - Parameter name: nil for the default model.
    /// - Throws: ``StoreError``, which says what there is.
    public func resolve(_ name: String?) throws -> ModelLocation {
        guard let name else { return try resolveDefault() }
        guard !name.isEmpty else { throw StoreError.emptyName }
        if FileManager.default.fileExists(atPath: name) {
            let absolute = URL(fileURLWithPath: name).standardizedFileURL
            return ModelLocation(name: absolute.lastPathComponent, path: withoutTrailingSlash(name))
        }
        if ModelName.isComponent(name) {
            let folder = models + "/" + name
            if holdsModel(folder) { return ModelLocation(name: name, path: folder) }
            if name == Self.defaultModel { return try resolveDefault() }
            // Not a model, and yet what was asked for: opening it says what is missing.
            if FileManager.default.fileExists(atPath: folder) {
                return ModelLocation(name: name, path: folder)
            }
        }
        if let (organisation, repository) = ModelName.repository(name),
            let folder = hubCache.snapshot(organisation: organisation, name: repository)
        {
            return ModelLocation(name: name, path: folder)
        }
        if ModelName.looksLikePath(name) { throw StoreError.noFile(path: name) }
        let known = modelNames + hubCache.repositories
        throw StoreError.unknownModel(
            name: name, known: known, nearest: ModelName.nearest(to: name, among: known), store: models)
    }

    private func resolveDefault() throws -> ModelLocation {
        let folder = models + "/" + Self.defaultModel
        guard holdsModel(folder) else { throw StoreError.noDefaultModel(folder: folder) }
        return ModelLocation(name: Self.defaultModel, path: folder)
    }

    private func withoutTrailingSlash(_ path: String) -> String {
        var path = path[...]
        while path.count > 1, path.hasSuffix("/") { path = path.dropLast() }
        return String(path)
    }
}
