import ArgumentParser

/// Texts that are looked at one by one: given on the command line, or the lines of a file.
struct LineOptions: ParsableArguments {
    @Option(
        parsing: .singleValue, help: ArgumentHelp("A text; may be given again.", valueName: "text"))
    var text: [String] = []

    @Option(help: ArgumentHelp("A file with a text on each line; - reads standard input.", valueName: "path"))
    var file: String?

    private static let textsAtOnce = 256

    func check() throws {
        guard text.isEmpty != (file == nil) else {
            throw ValidationError("give one of --text and --file.")
        }
    }

    /// The texts; of a file, the lines that are not empty.
    /// - Throws: ``CommandError``.
    func texts() throws -> [String] {
        guard let file else { return text }
        return try TextSource.file(file).split(whereSeparator: \.isNewline).map(String.init)
    }

    /// Hands on some texts at a time: there may be many lines.
    func inParts(
        _ texts: [String], _ console: Console, _ body: (ArraySlice<String>) async throws -> Void
    ) async throws {
        for start in stride(from: 0, to: texts.count, by: Self.textsAtOnce) {
            console.show("texts", done: start, total: texts.count, unit: "texts")
            try await body(texts[start..<min(texts.count, start + Self.textsAtOnce)])
        }
    }
}
