/// A config that does not describe a model which Corvid runs.
public enum ConfigurationError: Error, Equatable, CustomStringConvertible {
    case unknownFamily(file: String, found: String, known: [String])
    case missing(file: String, keys: [String])
    case setting(file: String, key: String, found: String, expected: String)
    case relation(file: String, text: String)

    public var description: String {
        switch self {
        case .unknownFamily(let file, let found, let known):
            return "\(file): the model is a \(FormatError.shown(found)), which Corvid does not run yet. "
                + "It runs: \(known.joined(separator: ", "))."
        case .missing(let file, let keys):
            return
                "\(file): \(keys.joined(separator: " or ")) is missing. The file is incomplete: fetch it again."
        case .setting(let file, let key, let found, let expected):
            return "\(file): \(key) is \(found), expected \(expected)."
        case .relation(let file, let text):
            return "\(file): \(text). The file is damaged or belongs to another family."
        }
    }
}
