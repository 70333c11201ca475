import Foundation

/// Where the committed fixtures lie.
public enum Fixtures {
    /// The root of the package.
    public static let package: URL = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// `Tests/Golden`.
    public static let golden: URL = package.appendingPathComponent("Tests/Golden", isDirectory: true)

    /// The path of a file or folder below `Tests/Golden`.
    public static func path(_ name: String) -> String { golden.appendingPathComponent(name).path }

    /// The content of a file below `Tests/Golden`.
    public static func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: golden.appendingPathComponent(name)))
    }

    /// Paths of all Swift files below a folder of the package, sorted.
    public static func swiftFiles(below folder: String) -> [String] {
        let root = package.appendingPathComponent(folder).resolvingSymlinksInPath()
        let names = FileManager.default.enumerator(atPath: root.path)?.compactMap { $0 as? String } ?? []
        return names.filter { $0.hasSuffix(".swift") }.sorted().map { root.appendingPathComponent($0).path }
    }
}
