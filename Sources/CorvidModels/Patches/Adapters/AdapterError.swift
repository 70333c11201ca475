/// Why another program's adapter cannot be a patch, or a patch cannot be another program's adapter.
public enum AdapterError: Error, Equatable, CustomStringConvertible {
    /// A field that changes the arithmetic in a way that is not supported.
    case field(file: String, name: String, found: String)
    /// A module that the model does not have.
    case module(file: String, name: String, family: String)
    case tensor(file: String, name: String, reason: String)
    case missing(file: String, name: String)
    /// An adapter for another architecture.
    case architecture(file: String, found: String, expected: String)
    /// A change that the other program has no form for.
    case export(format: String, place: String, reason: String)

    public var description: String {
        switch self {
        case .field(let file, let name, let found):
            return
                "\(file): field \(FormatError.shown(name)) is \(FormatError.shown(found)), which changes the "
                + "arithmetic and is not supported. Merge the adapter with its own tool."
        case .module(let file, let name, let family):
            return "\(file): module \(FormatError.shown(name)) is no weight of this \(family) model. "
                + "Was the adapter made for another model?"
        case .tensor(let file, let name, let reason):
            return "\(file): tensor \(FormatError.shown(name)) \(reason)."
        case .missing(let file, let name):
            return "\(file): \(name) is missing. Fetch the whole adapter."
        case .architecture(let file, let found, let expected):
            return "\(file): is an adapter for \(FormatError.shown(found)), the model is \(expected)."
        case .export(let format, let place, let reason):
            return "\(place) cannot be written for \(format): \(reason). Keep it as a patch."
        }
    }
}
