import CorvidTensors

/// Why a model is not converted. Nothing was written.
public enum ConversionError: Error, Equatable, CustomStringConvertible {
    /// Something stands at the destination.
    case exists(path: String)
    /// What stands there is no model that may be replaced.
    case occupied(path: String, found: String)
    /// The destination is a file of the source, or a folder around one.
    case source(path: String)
    /// The format cannot hold weights of this type.
    case type(path: String, type: DType, format: String, allowed: [DType])
    /// GGUF has no form for the family.
    case family(name: String, known: [String])
    /// The destination's format has no way to say this of the model.
    case setting(path: String, what: String)
    /// A tensor that has no place in the other format.
    case tensor(file: String, name: String)

    public var description: String {
        switch self {
        case .exists(let path):
            return "\(path): exists already. Choose another place, or replace it with --force."
        case .occupied(let path, let found):
            return "\(path): is \(found), which is not replaced. Choose another place."
        case .source(let path):
            return "\(path): holds the model that is to be converted. Choose another place."
        case .type(let path, let type, let format, let allowed):
            return "\(path): \(format) does not hold \(type.weightName); "
                + "it holds \(allowed.map(\.weightName).joined(separator: ", "))."
        case .family(let name, let known):
            return "\(name) has no GGUF form; GGUF is written for \(known.joined(separator: ", ")). "
                + "Name a folder instead of a .gguf file."
        case .setting(let path, let what):
            return "\(path): this format cannot say that \(what). Convert within the source's format instead."
        case .tensor(let file, let name):
            return "\(file): tensor \(FormatError.shown(name)) has no place in the other format."
        }
    }
}
