import ArgumentParser
import CorvidEvaluation
import CorvidModels
import CorvidPlots
import CorvidText

/// Reads what a model would say after each layer.
struct TraceLensCommand: RecordedCommand {
    static let configuration = CommandConfiguration(
        commandName: "lens",
        abstract: "Read what a model would say after each layer (logit lens).",
        discussion: """
            The final norm and the output matrix read the state after each layer, as if the model ended there. \
            Entropy and the divergence to the model's own distribution are in nats.

            Example: corvid trace lens --prompt "The Space Needle is in the city of" --token " Seattle"
            Example: corvid trace lens --prompt "one two three" --positions all --json
            """)

    @Option(help: ArgumentHelp("The text that is read.", valueName: "text"))
    var prompt: String?

    @Option(
        help: ArgumentHelp(
            "Tokens to read behind: last, all, 3, 2-5, -2, after:TEXT or tokens:TEXT.", valueName: "positions"
        ))
    var positions = "last"

    @Option(
        help: ArgumentHelp("A text whose first token's probability is shown.", valueName: "text"))
    var token: String?

    @Option(help: ArgumentHelp("How many of the likeliest tokens are named.", valueName: "N"))
    var top = 3

    @OptionGroup var plot: PlotOptions
    @OptionGroup var model: ModelOptions
    @OptionGroup var output: OutputOptions

    var recorded: RunDeclaration { RunDeclaration(model: model, writes: [plot.path]) }

    func checkOptions() throws {
        if prompt == nil { throw ValidationError("--prompt is missing; give the text to read.") }
        guard (1...100).contains(top) else { throw ValidationError("--top is \(top); expected 1 to 100.") }
    }

    func report(to console: Console) async throws -> LensReport {
        guard let prompt else { throw CleanExit.helpRequest(self) }
        let query = try PositionQuery(parsing: positions)
        let loaded = try model.load(console)
        let tokenizer = try loaded.model.tokenizer
        let ids = tokenizer.encode(prompt)
        guard !ids.isEmpty else { throw CommandError.emptyPrompt }
        let token = try token.map { text in
            guard let id = tokenizer.encode(text, addSpecialTokens: false).first else {
                throw TracingError.emptyAnswer
            }
            return id
        }
        let chosen = try query.resolved(text: prompt, ids: ids, tokenizer: tokenizer)
        let lens = try await loaded.base.namingDamagedWeights {
            try await LogitLens(loaded.model, ids: ids, positions: chosen, token: token, top: top) {
                console.show("lens", done: $0, total: $1, unit: "rows")
            }
        }
        let report = LensReport(
            model: loaded.name, prompt: prompt, token: token, lens: lens, tokenizer: tokenizer)
        try plot.write(report.heatMap)
        return report
    }
}

struct LensReport: Report {
    let model: String
    let prompt: String
    let token: Int32?
    let lens: LogitLens
    let tokenizer: any Tokenizer

    private func text(_ id: Int32) -> String { TokenText.shown(id, tokenizer) }

    var json: JSON {
        let stages = lens.stages.map { stage -> JSON in
            let readings = stage.readings.map { reading -> JSON in
                [
                    "position": .count(reading.position), "entropy": .number(reading.entropy),
                    "divergence": .number(reading.divergence),
                    "probability": reading.probability.map { .number($0) } ?? .null,
                    "top": .array(
                        reading.top.map {
                            [
                                "id": .integer(Int64($0.id)), "token": .string(text($0.id)),
                                "probability": .number($0.probability),
                            ]
                        }),
                ]
            }
            return ["layer": stage.layer.map { .count($0) } ?? .null, "readings": .array(readings)]
        }
        return [
            "model": .string(model), "prompt": .string(prompt), "ids": .ids(lens.ids),
            "tokens": .array(lens.ids.map { .string(text($0)) }),
            "token": token.map { .integer(Int64($0)) } ?? .null, "stages": .array(stages),
        ]
    }

    /// The probability of the token that was asked for, or of the likeliest one, by stage and position.
    var heatMap: HeatMap {
        let columns =
            lens.stages.first?.readings.map { "\($0.position) \(text(lens.ids[$0.position]))" } ?? []
        return HeatMap(
            title: token.map { "Probability of \(text($0)) after each layer" }
                ?? "Probability of the likeliest token after each layer",
            rows: lens.stages.map { $0.layer.map { "layer \($0)" } ?? "embedding" }, columns: columns,
            values: lens.stages.map { $0.readings.map { $0.probability ?? $0.top.first?.probability ?? 0 } },
            columnAxis: "token", valueAxis: "probability")
    }

    /// A table for each position: a line for each stage.
    var lines: String {
        let count = lens.stages.first?.readings.count ?? 0
        return (0..<count).map { index in
            let alignments: [TextTable.Alignment] =
                [.right, .right, .right] + (token == nil ? [] : [.right]) + [.left]
            var table = TextTable(alignments)
            table.add(
                ["after", "entropy", "to final"] + (token.map { [text($0)] } ?? []) + ["likeliest"])
            for stage in lens.stages {
                let reading = stage.readings[index]
                let top = reading.top.map { "\(text($0.id)) \(Figures.cosine($0.probability))" }
                table.add(
                    [
                        stage.layer.map { "layer \($0)" } ?? "embedding", Figures.cosine(reading.entropy),
                        Figures.cosine(reading.divergence),
                    ] + (reading.probability.map { [Figures.cosine($0)] } ?? []) + [
                        top.joined(separator: "  ")
                    ])
            }
            let position = lens.stages[0].readings[index].position
            return "token \(position) \(text(lens.ids[position]))\n\(table.lines)"
        }.joined(separator: "\n\n")
    }
}
