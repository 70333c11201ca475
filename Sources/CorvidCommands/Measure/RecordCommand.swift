import ArgumentParser
import CorvidModels
import CorvidTensors
import CorvidText

/// Writes what stands at sites of a model while it reads and continues a text.
struct RecordCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "record",
        abstract: "Write what stands between the layers of a model to a file.",
        discussion: """
            A site is LAYER.KIND, such as 5.mlp.hidden; * stands for every layer. Kinds are: input, \
            attention.input, attention.query, .key, .value, .query.rotated, .key.rotated, attention.pattern, \
            attention.heads, attention.output, mlp.input, mlp.hidden, mlp.output, output; without a layer \
            embedding, senses, final.norm, logits. The file is safetensors with one f32 tensor for each site, \
            [positions, values]; its metadata says which token ids and positions they belong to.

            Positions are all, prompt, generated, last, 3, 2-5, 4-, -2, after:TEXT (the last token of a piece of \
            the text) or tokens:TEXT.

            Example: corvid record --prompt "The Space Needle is in" --site 5.output --output residual.safetensors
            Example: corvid record --prompt "The sky is" --site '*.mlp.output' --at last --max-tokens 8 --output mlp.safetensors
            """)

    @Option(help: "The text to read; - reads standard input.")
    var prompt: String?

    @Option(help: ArgumentHelp("Token ids instead of a text; nothing is added to them.", valueName: "1,2,3"))
    var ids: TokenIdentifiers?

    @Option(
        parsing: .singleValue, help: ArgumentHelp("What to record; may be given again.", valueName: "site"))
    var site: [String] = []

    @Option(help: ArgumentHelp("The positions to record.", valueName: "positions"))
    var at: String = "all"

    @Option(
        help: ArgumentHelp("Tokens to generate after the text, with the most likely ones.", valueName: "N"))
    var maxTokens: Int = 0

    @Option(name: .customLong("output"), help: ArgumentHelp("The file to write.", valueName: "path"))
    var path: String?

    @OptionGroup var model: ModelOptions
    @OptionGroup var output: OutputOptions

    func checkOptions() throws {
        guard (prompt == nil) != (ids == nil) else {
            throw ValidationError("give one of --prompt and --ids.")
        }
        if site.isEmpty { throw ValidationError("--site is missing; name what to record, such as 5.output.") }
        if path == nil { throw ValidationError("--output is missing; name the file to write.") }
        if maxTokens < 0 { throw ValidationError("--max-tokens is \(maxTokens); expected 0 or more.") }
    }

    func report(to console: Console) async throws -> RecordReport {
        let query = try PositionQuery(parsing: at)
        let loaded = try model.load(console)
        let model = loaded.model
        let sites = try site.flatMap { try Self.sites($0, model.configuration) }
        let ids: [Int32]
        let positions: Positions
        if let given = self.ids?.ids {
            ids = given
            let spans = TokenSpans(
                given, of: try model.tokenizer.decode(given), tokenizer: try model.tokenizer)
            positions = try query.resolved(in: spans)
        } else {
            let text = try TextSource.argument(prompt ?? "")
            guard !text.isEmpty else { throw CommandError.emptyPrompt }
            let tokenizer = try model.tokenizer
            ids = tokenizer.encode(text)
            positions = try query.resolved(text: text, ids: ids, tokenizer: tokenizer)
        }
        let readings = sites.map { SiteReading($0, positions: positions) }
        let (values, generated) = try await model.namingDamagedWeights {
            try await record(readings, ids: ids, model: model, console: console)
        }
        return try write(sites: sites, values, ids: ids, generated: generated)
    }

    /// The sites that a text names; `*` is every layer.
    static func sites(_ text: String, _ configuration: ModelConfiguration) throws -> [Site] {
        if text.hasPrefix("*.") {
            let rest = text.dropFirst()
            return try (0..<configuration.layers).map { layer in
                let site = try Site(parsing: "\(layer)" + rest)
                try configuration.check(site)
                return site
            }
        }
        let site = try Site(parsing: text)
        try configuration.check(site)
        return [site]
    }

    private func record(
        _ readings: [SiteReading], ids: [Int32], model: Model, console: Console
    ) async throws -> (values: [SiteValues], generated: [Int32]) {
        // Logits are there for rows that want them; everything else a pass over the text gives anyway.
        guard maxTokens > 0 else {
            let rows = ids.enumerated().map {
                Batch<KeyValueCache>.Row(token: $1, sequence: 0, position: $0, wantsLogits: true)
            }
            let needsOutput = readings.contains { !$0.site.kind.isPerLayer }
            let output: ModelOutput = model.configuration.output == .vocabulary ? .logits : .states
            let run = try await model.run(
                SitePlan(readings: readings, endsAfterReadings: !needsOutput),
                Batch(rows: rows, caches: [try model.makeCache()], promptCounts: [ids.count]), for: output)
            return (run.readings, [])
        }
        var request = GenerationRequest(prompt: ids, maxTokens: maxTokens, sampling: .greedy)
        request.readings = readings
        request.prefillChunk = self.model.run.prefillChunk
        request.usesCache = !self.model.run.noCache
        let results = try await Generator(model: model, tokenizer: try model.tokenizer).run([request])
        guard let answer = results.first?.first else { return ([], []) }
        return (answer.readings, answer.ids)
    }

    private func write(
        sites: [Site], _ values: [SiteValues], ids: [Int32], generated: [Int32]
    ) throws -> RecordReport {
        guard let path else { throw CleanExit.helpRequest(self) }
        var tensors: [(String, Tensor)] = []
        var metadata = ["ids": (ids + generated).map(String.init).joined(separator: ",")]
        for (site, values) in zip(sites, values) {
            tensors.append(
                ("\(site)", try Tensor(values.values, shape: [values.count, values.columns])))
            metadata["positions of \(site)"] = values.places.map { "\($0.position)" }.joined(separator: ",")
        }
        try SafetensorsWriter.write(tensors, metadata: metadata, to: path)
        return RecordReport(
            path: path, promptIDs: ids, ids: generated,
            sites: zip(sites, values).map { site, values in
                RecordReport.Entry(
                    site: site, positions: values.places.map(\.position), columns: values.columns,
                    meanNorm: Self.meanNorm(values))
            })
    }

    /// The mean length of the rows.
    private static func meanNorm(_ values: SiteValues) -> Double {
        guard values.count > 0 else { return 0 }
        let lengths = (0..<values.count).map { row in
            values[row].reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        }
        return lengths.reduce(0, +) / Double(values.count)
    }
}

struct RecordReport: Report {
    struct Entry: Sendable {
        let site: Site
        let positions: [Int]
        let columns: Int
        let meanNorm: Double
    }

    let path: String
    let promptIDs: [Int32]
    let ids: [Int32]
    let sites: [Entry]

    var json: JSON {
        [
            "output": .string(path), "prompt_ids": .ids(promptIDs), "ids": .ids(ids),
            "sites": .array(
                sites.map { entry in
                    [
                        "site": .string("\(entry.site)"),
                        "shape": [.count(entry.positions.count), .count(entry.columns)],
                        "positions": .array(entry.positions.map { .count($0) }),
                        "mean_norm": .number(entry.meanNorm),
                    ]
                }),
        ]
    }

    var lines: String {
        var table = TextTable(.left, .right, .right, .right)
        table.add("site", "positions", "values", "mean norm")
        for entry in sites {
            table.add(
                "\(entry.site)", "\(entry.positions.count)", "\(entry.columns)",
                Figures.rate(entry.meanNorm))
        }
        return table.lines + "\nwritten to \(path)"
    }
}
