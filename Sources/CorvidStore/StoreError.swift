/// Why a model was not found.
public enum StoreError: Error, Equatable, CustomStringConvertible {
    case noHome
    case emptyName
    case noFile(path: String)
    case noDefaultModel(folder: String)
    case noPatch(name: String, store: String)
    case unknownModel(name: String, known: [String], nearest: String?, store: String)

    public var description: String {
        switch self {
        case .noHome:
            return "no place for models: set CORVID_HOME to a folder"
        case .emptyName:
            return "the model's name is empty; give a path, a name in the store or ORG/NAME"
        case .noFile(let path):
            return "\(path): no such file or folder"
        case .noDefaultModel(let folder):
            return
                "the default model is not in \(folder).\nRun './corvid chat' once to fetch it, or name a model."
        case .noPatch(let name, let store):
            return
                "\(name): no such patch: neither a file or folder, nor a name in \(store)"
        case .unknownModel(let name, let known, let nearest, let store):
            let there = known.isEmpty ? "There is none yet in \(store)." : "There are: \(Self.list(known))."
            let hint = nearest.map { " Did you mean '\($0)'?" } ?? ""
            return
                "no model '\(name)': neither a path, nor in the store, nor in the Hugging Face cache.\(hint)\n"
                + there
        }
    }

    private static func list(_ names: [String]) -> String {
        let shown = names.prefix(8).joined(separator: ", ")
        return names.count > 8 ? "\(shown) and \(names.count - 8) more" : shown
    }
}
