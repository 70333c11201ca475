import ArgumentParser
import CorvidModels
import CorvidStore
import CorvidText

/// Shows how a text falls into tokens, or which text tokens stand for.
struct TokenizeCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "tokenize",
        abstract: "Turn text into token ids, and back.",
        discussion: """
            MODEL may also be a folder with nothing but a tokenizer, or the tokenizer's file.

            Example: corvid tokenize --text "Hello world"
            Example: corvid tokenize words/tokenizer.json --text "Hello world"
            Example: corvid tokenize --decode 19556,905
            """)

    @Argument(help: "Folder, .gguf file, name in the store, or ORG/NAME. (default: \(Defaults.model))")
    var model: String?

    @Option(help: "The text; - reads standard input.")
    var text: String?

    @Option(help: ArgumentHelp("A file with the text; - reads standard input.", valueName: "path"))
    var file: String?

    @Option(help: ArgumentHelp("Token ids to turn into text.", valueName: "1,2,3"))
    var decode: TokenIdentifiers?

    @Flag(help: "Leave out the tokens which the model expects around a text.")
    var noSpecial = false

    @Flag(help: "Read special tokens in the text, such as <|im_end|>, as ordinary text.")
    var literal = false

    @OptionGroup var output: OutputOptions

    func checkOptions() throws {
        let given = [text != nil, file != nil, decode != nil].filter { $0 }.count
        guard given == 1 else {
            throw ValidationError("give one of --text, --file and --decode.")
        }
    }

    func report(to console: Console) async throws -> TokenizeReport {
        let tokenizer = try TokenizerFiles.load(path: Store().resolve(model).path)
        let ids: [Int32]
        if let decode {
            if let unknown = decode.ids.first(where: {
                tokenizer.bytes(of: $0).isEmpty && tokenizer.piece(of: $0).isEmpty
            }) {
                throw CommandError.unknownToken(id: unknown, size: tokenizer.vocabularySize)
            }
            ids = decode.ids
        } else {
            ids = tokenizer.encode(
                bytes: try source(), addSpecialTokens: !noSpecial, parseSpecial: !literal)
        }
        return TokenizeReport(
            ids: ids, tokens: ids.map { tokenizer.piece(of: $0) }, text: tokenizer.decode(ids),
            showsText: decode != nil)
    }

    /// The bytes to encode, also such as are no UTF-8: a tokenizer can express any.
    private func source() throws -> [UInt8] {
        if let file { return try TextSource.bytes(of: file) }
        guard let text, text != "-" else { return try TextSource.bytes(of: "-") }
        return Array(text.utf8)
    }
}

struct TokenizeReport: Report {
    let ids: [Int32]
    /// As the vocabulary spells them.
    let tokens: [String]
    let text: String
    let showsText: Bool

    var json: JSON {
        ["ids": .ids(ids), "tokens": .array(tokens.map { .string($0) }), "text": .string(text)]
    }

    var lines: String {
        if showsText { return text }
        var table = TextTable(.right, .left)
        for (id, token) in zip(ids, tokens) { table.add("\(id)", token) }
        return table.lines
    }
}
