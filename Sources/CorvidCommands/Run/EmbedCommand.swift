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

    @OptionGroup var input: LineOptions

    @Option(help: ArgumentHelp("Show the texts that are most like this one.", valueName: "text"))
    var search: String?

    @Option(help: ArgumentHelp("Texts to show with --search.", valueName: "N"))
    var top: Int = 5

    @OptionGroup var model: ModelOptions
    @OptionGroup var output: OutputOptions

    func checkOptions() throws {
        try input.check()
        if top < 1 { throw ValidationError("--top is \(top); expected 1 or more.") }
    }

    func report(to console: Console) async throws -> EmbedReport {
        let texts = try input.texts()
        let loaded = try model.load()
        let model = loaded.model
        var vectors: [[Float]] = []
        try await input.inParts(texts, console) { some in
            vectors += try await model.embed(try some.map(model.sentence))
        }
        guard let search else {
            return EmbedReport(model: loaded.name, texts: texts, content: .vectors(vectors))
        }
        let query = try await model.embed([try model.sentence(search)])
        let matches = CosineSearch.nearest(to: query.first ?? [], in: vectors, count: top)
        return EmbedReport(model: loaded.name, texts: texts, content: .matches(matches))
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
