/// Why a command could not do its work, beyond what the library says.
enum CommandError: Error, Equatable, CustomStringConvertible {
    case output(reason: String)
    case file(path: String, reason: String)
    case notText(path: String)
    case noText(source: String)

    var description: String {
        switch self {
        case .output(let reason):
            "standard output: \(reason)"
        case .file(let path, let reason):
            "\(path): \(reason)"
        case .notText(let path):
            "\(path): is not UTF-8 text; convert it first, for example with iconv"
        case .noText(let source):
            "\(source): the text is empty"
        }
    }
}
