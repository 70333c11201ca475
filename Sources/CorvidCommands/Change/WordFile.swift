import Foundation

/// A list of words, told from a model by what it is: a file that is no weights.
enum WordFile {
    /// The text of the file; nil if the path names no plain file of text.
    static func text(of path: String) throws -> String? {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue,
            !path.lowercased().hasSuffix(".gguf")
        else { return nil }
        return try TextSource.file(path)
    }
}
