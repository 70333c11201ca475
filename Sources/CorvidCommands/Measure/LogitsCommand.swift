import ArgumentParser
import CorvidModels
import CorvidTensors
import CorvidText

/// Writes the logits of every position of a sequence.
struct LogitsCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "logits",
        abstract: "Write all logits of a sequence to a file.",
        discussion: """
            The file is safetensors with one tensor, logits [tokens, rows of the output matrix], f32.

            Example: corvid logits --ids 504,3575,282,4649,314 --dtype f32 --output logits.safetensors
            """)

    @Option(help: ArgumentHelp("Token ids; nothing is added to them.", valueName: "1,2,3"))
    var ids: TokenIdentifiers?

    @Option(name: .customLong("output"), help: ArgumentHelp("The file to write.", valueName: "path"))
    var path: String?

    @OptionGroup var model: ModelOptions
    @OptionGroup var output: OutputOptions

    func checkOptions() throws {
        if ids == nil { throw ValidationError("--ids is missing; give token ids such as 1,2,3.") }
        if path == nil { throw ValidationError("--output is missing; name the file to write.") }
    }

    func report(to console: Console) async throws -> LogitsReport {
        guard let ids = ids?.ids, let path else { throw CleanExit.helpRequest(self) }
        let chunk = self.model.run.prefillChunk
        let model = try model.load(console).model
        let bytes = ids.count.multipliedReportingOverflow(by: 8 * model.vocabularySize)
        try MemoryNeed(
            model: model, tokens: ids.count, prefillChunk: chunk,
            besides: bytes.overflow ? Int.max : bytes.partialValue
        ).refuseIfTooLarge()
        let values = try await model.namingDamagedWeights {
            try await logits(of: ids, model: model, console: console)
        }
        let shape = [ids.count, model.vocabularySize]
        try SafetensorsWriter.write([("logits", Tensor(values, shape: shape))], to: path)
        return LogitsReport(path: path, shape: shape)
    }

    /// All rows, one after the other, in passes of at most `--prefill-chunk` tokens.
    private func logits(of ids: [Int32], model: Model, console: Console) async throws -> [Float] {
        var values: [Float] = []
        values.reserveCapacity(ids.count * model.vocabularySize)
        var cache = try model.makeCache()
        var done = 0
        while done < ids.count {
            try Task.checkCancellation()
            let end = min(done + self.model.run.prefillChunk, ids.count)
            if self.model.run.noCache { cache = try model.makeCache() }
            let rows = (cache.count..<end).map { position in
                Batch<KeyValueCache>.Row(
                    token: ids[position], sequence: 0, position: position, wantsLogits: position >= done)
            }
            let logits = try await model.logits(
                for: Batch(rows: rows, caches: [cache], promptCounts: [ids.count]))
            for index in 0..<logits.rowCount {
                let row = logits.row(index)
                guard row.allSatisfy(\.isFinite) else {
                    throw GenerationError.notFinite(position: done + index)
                }
                values.append(contentsOf: row)
            }
            done = end
            console.show("logits", done: done, total: ids.count, unit: "tokens")
        }
        return values
    }
}

struct LogitsReport: Report {
    let path: String
    let shape: [Int]

    var json: JSON {
        ["output": .string(path), "shape": .array(shape.map { .count($0) })]
    }

    var lines: String { "logits \(shape) written to \(path)" }
}
