/// What a line of a talk means.
enum ChatInput: Equatable, Sendable {
    case nothing
    case message(String)
    case help
    case quit
    case reset
    /// Nil shows the system prompt, an empty text removes it.
    case system(String?)
    case save(path: String)
    case load(path: String)
    /// Nil shows all parameters.
    case parameters(name: String?, value: String?)
    /// A command that is not known, or lacks what it needs.
    case mistake(String)

    /// A line that begins with `/` and letters is a command; `//` begins a message with one slash.
    /// Paths such as `/usr/bin` are messages.
    init(_ line: String) {
        let text = line.trimmed
        guard !text.isEmpty else {
            self = .nothing
            return
        }
        guard text.hasPrefix("/") else {
            self = .message(line)
            return
        }
        if text.hasPrefix("//") {
            self = .message(String(text.dropFirst()))
            return
        }
        let word = text.dropFirst().prefix { !$0.isWhitespace }
        guard !word.isEmpty, word.allSatisfy({ $0.isLetter && $0.isASCII }) else {
            self = .message(line)
            return
        }
        self = Self.command(word.lowercased(), String(text.dropFirst(word.count + 1)).trimmed)
    }

    private static func command(_ name: String, _ rest: String) -> ChatInput {
        switch name {
        case "help": return .help
        case "quit", "exit", "bye": return .quit
        case "reset": return .reset
        case "system": return .system(rest.isEmpty ? nil : rest == "-" ? "" : rest)
        case "save": return rest.isEmpty ? .mistake("/save needs the name of a file") : .save(path: rest)
        case "load": return rest.isEmpty ? .mistake("/load needs the name of a file") : .load(path: rest)
        case "params":
            let words = rest.split(maxSplits: 1, whereSeparator: \.isWhitespace).map(String.init)
            return .parameters(name: words.first, value: words.count > 1 ? words[1].trimmed : nil)
        default:
            return .mistake("no command '/\(name)'; /help lists them, and // begins a message with a slash")
        }
    }

    /// What can be typed.
    static let commands = """
        /system TEXT          tell the model who it is; /system - removes it, /system alone shows it
        /reset                forget what was said
        /params NAME VALUE    change how answers are drawn; /params alone lists all
        /save FILE            write the talk to a file (JSON)
        /load FILE            go on with a saved talk
        /help                 this list
        /quit                 leave, as does Ctrl-D
        Ctrl-C stops an answer. Alt-Enter starts a new line; pasted lines are sent together.
        """
}

extension String {
    /// Without blanks and line breaks at both ends.
    var trimmed: String {
        var text = self[...]
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }
}
