import ArgumentParser
import CorvidModels
import CorvidText

/// Makes a vector of each text, or finds the texts that are most like another.
struct EmbedCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "embed",
        abstract: "Turn texts into vectors, or search them by meaning.",
        discussion: """
            One vector for each --text, or for each line of --file, pooled as the model's files say. With \
            --search it shows the texts that are most like it, by the cosine between their vectors.

            Example: corvid embed all-MiniLM-L6-v2 --text "A crow is a bird." --json
            Example: corvid embed all-MiniLM-L6-v2 --file notes.txt --search "birds that talk" --top 3
            """)

    @Option(
        parsing: .singleValue, help: ArgumentHelp("A text; may be given again.", valueName: "text"))
    var text: [String] = []

    @Option(help: ArgumentHelp("A file with a text on each line; - reads standard input.", valueName: "path"))
    var file: String?

    @Option(help: ArgumentHelp("Show the texts that are most like this one.", valueName: "text"))
    var search: String?

    @Option(help: ArgumentHelp("Texts to show with --search.", valueName: "N"))
    var top: Int = 5

    @OptionGroup var model: ModelOptions
    @OptionGroup var output: OutputOptions

    func checkOptions() throws {
        guard text.isEmpty != (file == nil) else {
            throw ValidationError("give one of --text and --file.")
        }
        if top < 1 { throw ValidationError("--top is \(top); expected 1 or more.") }
    }

    func report(to console: Console) async throws -> EmbedReport {
        let texts = try file.map { Self.lines(of: try TextSource.file($0)) } ?? text
        let loaded = try model.load()
        let model = loaded.model
        var vectors: [[Float]] = []
        // Some texts at a time: there may be many lines.
        for start in stride(from: 0, to: texts.count, by: Self.textsAtOnce) {
            console.show("texts", done: start, total: texts.count, unit: "texts")
            let some = texts[start..<min(texts.count, start + Self.textsAtOnce)]
            vectors += try await model.embed(try some.map(model.sentence))
        }
        guard let search else {
            return EmbedReport(model: loaded.name, texts: texts, content: .vectors(vectors))
        }
        let query = try await model.embed([try model.sentence(search)])
        let matches = CosineSearch.nearest(to: query.first ?? [], in: vectors, count: top)
        return EmbedReport(model: loaded.name, texts: texts, content: .matches(matches))
    }

    private static let textsAtOnce = 256

    /// Lines that are not empty.
    private static func lines(of text: String) -> [String] {
        text.split(whereSeparator: \.isNewline).map(String.init)
    }
}

struct EmbedReport: Report {
    enum Content: Sendable {
        case vectors([[Float]])
        case matches([CosineSearch.Match])
    }

    let model: String
    let texts: [String]
    let content: Content

    var json: JSON {
        var object: JSONObject = ["model": .string(model)]
        switch content {
        case .vectors(let vectors):
            object["width"] = .count(vectors.first?.count ?? 0)
            object["vectors"] = .array(vectors.map { .array($0.map { .number(Double($0)) }) })
        case .matches(let matches):
            object["matches"] = .array(
                matches.map {
                    [
                        "index": .count($0.index), "score": .number($0.score),
                        "text": .string(texts[$0.index]),
                    ]
                })
        }
        return .object(object)
    }

    /// One text a line: its vector, or its likeness and itself.
    var lines: String {
        switch content {
        case .vectors(let vectors):
            return vectors.map { $0.map { "\($0)" }.joined(separator: " ") }.joined(separator: "\n")
        case .matches(let matches):
            return matches.map { Figures.cosine($0.score) + "  " + texts[$0.index] }.joined(separator: "\n")
        }
    }
}
