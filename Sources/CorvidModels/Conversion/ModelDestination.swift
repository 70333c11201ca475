import Foundation

/// Where a converted model goes: a file or folder that appears whole or not at all.
struct ModelDestination {
    let path: String
    let layout: ModelFiles.Layout

    var format: WeightFormat { layout == .gguf ? .gguf : .safetensors }

    static func layout(of path: String) -> ModelFiles.Layout {
        path.lowercased().hasSuffix(".gguf") ? .gguf : .huggingFace
    }

    /// - Parameter replaces: a model that stands there may be replaced.
    /// - Throws: ``ConversionError`` if the place is taken.
    init(path: String, source: ModelFiles, replaces: Bool) throws {
        self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        layout = Self.layout(of: path)
        try refuseSource(source)
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: self.path, isDirectory: &isFolder) else { return }
        switch (layout, isFolder.boolValue) {
        case (.gguf, true): throw ConversionError.occupied(path: self.path, found: "a folder")
        case (.huggingFace, false): throw ConversionError.occupied(path: self.path, found: "a file")
        case (.gguf, false): break
        case (.huggingFace, true):
            // Only what a conversion may have written is taken away again.
            let names = Set((try? FileManager.default.contentsOfDirectory(atPath: self.path)) ?? [])
            if names.isEmpty { return }
            let isModel = names.contains("config.json") && names.contains("model.safetensors")
            guard isModel else {
                throw ConversionError.occupied(
                    path: self.path, found: "a folder with other files than a model's")
            }
        }
        guard replaces else { throw ConversionError.exists(path: self.path) }
    }

    /// Neither the source's files nor a folder around them.
    private func refuseSource(_ source: ModelFiles) throws {
        let place = Self.resolved(path)
        for file in source.weightFiles + [source.path] {
            let other = Self.resolved(file)
            guard other != place, !other.hasPrefix(place.hasSuffix("/") ? place : place + "/") else {
                throw ConversionError.source(path: path)
            }
        }
    }

    private static func resolved(_ path: String) -> String {
        URL(fileURLWithPath: path).resolvingSymlinksInPath().standardizedFileURL.path
    }

    /// Lets `body` fill a folder beside the place, and puts it there when all is written.
    func writeFolder(_ body: (_ folder: String) throws -> Void) throws {
        let (parent, name) = WritePlace.split(path)
        let unique = "\(ProcessInfo.processInfo.processIdentifier)-\(UInt32.random(in: 0...UInt32.max))"
        let partial = parent + "." + name + "." + unique + ".partial"
        guard mkdir(partial, 0o755) == 0 else { throw WriteError.system(path, "creating a folder beside it") }
        do {
            try body(partial)
            try AtomicFile.flush(folder: partial, path)
            try put(partial)
        } catch {
            try? FileManager.default.removeItem(atPath: partial)
            throw error
        }
        try AtomicFile.flush(folder: parent.isEmpty ? "." : parent, path)
    }

    /// An empty folder is replaced by the renaming itself. Another one is moved aside first, and comes back if
    /// the new one cannot take its place: at every moment one of the two is whole.
    private func put(_ partial: String) throws {
        if rename(partial, path) == 0 { return }
        guard errno == ENOTEMPTY || errno == EEXIST else { throw WriteError.system(path, "renaming") }
        let old = partial + ".old"
        guard rename(path, old) == 0 else { throw WriteError.system(path, "moving the old folder aside") }
        guard rename(partial, path) == 0 else {
            let failure = WriteError.system(path, "renaming")
            _ = rename(old, path)
            throw failure
        }
        try? FileManager.default.removeItem(atPath: old)
    }
}
