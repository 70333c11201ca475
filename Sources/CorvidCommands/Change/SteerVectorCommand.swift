import ArgumentParser
import CorvidEditing
import CorvidModels
import CorvidText

/// Makes steering vectors, keeps them as a patch, and shows at once what they do.
struct SteerVectorCommand: RecordedCommand {
    static let configuration = CommandConfiguration(
        commandName: "vector",
        abstract: "Make a steering vector, and try it.",
        discussion: """
            Two prompts give a vector for each of their tokens, which is added to the first tokens of other texts \
            (activation addition): --positive and --negative. A leading blank matters: " weddings" is one token of \
            most vocabularies, "weddings" several. Many pairs give one vector for all tokens: --pairs, JSON such as \
            {"pairs": [{"positive": "Talk very politely", "negative": "Talk very rudely"}]}.

            --strength 0.1 adds a tenth of the stream's own norm, which means about the same in all layers and \
            models. With --prompt the text goes on without and with the vector. --output writes a patch, for --with; \
            a name that ends in .gguf gives a control vector as llama.cpp reads it.

            Example: corvid steer --positive " weddings" --layer 14 --prompt "I went up to my friend and said"
            Example: corvid steer --pairs polite.json --method mean --layer 14 --strength 0.2 --output polite.patch
            Example: corvid chat --with polite.patch
            """)

    @OptionGroup(title: "Vectors") var steering: SteeringOptions

    @Option(help: ArgumentHelp("Times the vector is added. (default: 1)", valueName: "C"))
    var coefficient: Double?

    @Option(
        help: ArgumentHelp(
            "Norm of the vector as a part of the stream's, in place of --coefficient.", valueName: "R")
    )
    var strength: Double?

    @Option(
        name: .customLong("output"),
        help: ArgumentHelp("Write the patch here; or a control vector, x.gguf.", valueName: "path"))
    var destination: String?

    @Option(help: ArgumentHelp("Continue this text without and with the vector.", valueName: "text"))
    var prompt: String?

    @Flag(help: "Put blanks before the prompt for the vector to lie over, so that no word is written over.")
    var pad = false

    @Option(help: ArgumentHelp("Most tokens to generate.", valueName: "N"))
    var maxTokens: Int = 40

    @Option(help: ArgumentHelp("Continuations to show.", valueName: "K"))
    var samples: Int = 1

    @OptionGroup(title: "Sampling") var sampling: SamplingOptions
    @OptionGroup var model: ModelOptions
    @OptionGroup var output: OutputOptions

    func checkOptions() throws {
        try steering.check()
        try Self.check(coefficient: coefficient, strength: strength)
        if maxTokens < 0 { throw ValidationError("--max-tokens is \(maxTokens); expected 0 or more.") }
        guard (1...GenerationRequest.samplesLimit).contains(samples) else {
            throw ValidationError("--samples is \(samples); expected 1 to \(GenerationRequest.samplesLimit).")
        }
        if steering.place == .middle, prompt == nil {
            throw ValidationError("where the middle is depends on the prompt; give --prompt.")
        }
        if pad, prompt == nil { throw ValidationError("--pad goes with --prompt.") }
    }

    static func check(coefficient: Double?, strength: Double?) throws {
        guard coefficient == nil || strength == nil else {
            throw ValidationError("give one of --coefficient and --strength.")
        }
        for (name, value) in [("--coefficient", coefficient), ("--strength", strength)] {
            if let value, !value.isFinite || !Float(value).isFinite {
                throw ValidationError("\(name) is \(value); expected a finite number.")
            }
        }
    }

    var recorded: RunDeclaration {
        RunDeclaration(
            model: model, seed: prompt == nil ? nil : model.run.chosenSeed(),
            reads: [steering.pairs, steering.vector], writes: [destination])
    }

    func report(to console: Console) async throws -> SteerVectorReport {
        let loaded = try model.load(console)
        let model = loaded.model
        let seed = self.model.run.chosenSeed()
        return try await model.namingDamagedWeights {
            let source = try await SteeringSource(steering, model, console)
            let vectors = try source.vectors.map { try Self.scaled($0, coefficient, strength) }
            var answer = SteerVectorReport(model: loaded.name, source: source, vectors: vectors, seed: seed)
            if let prompt {
                var ids = source.tokens.ids(try TextSource.argument(prompt))
                if pad { ids = try source.tokens.makingRoom(in: ids, rows: vectors.map(\.count).max() ?? 0) }
                answer.promptIDs = ids
                answer.diagnoses = try await SteeringDiagnosis.measure(vectors, over: ids, model)
                try await tryOut(vectors, ids, model, seed, &answer, console)
            }
            if let destination {
                try SteeringFile.write(
                    vectors, source, loaded, reading: steering, seed: seed, prompt: answer.promptIDs?.count,
                    to: destination)
                answer.output = destination
            }
            return answer
        }
    }

    static func scaled(
        _ vector: SteeringVector, _ coefficient: Double?, _ strength: Double?
    ) throws -> SteeringVector {
        if let strength { return try vector.scaled(toPartOfStream: strength) }
        // A vector from a file keeps what it has.
        return vector.scaled(to: vector.coefficient * Float(coefficient ?? 1))
    }

    private func tryOut(
        _ vectors: [SteeringVector], _ ids: [Int32], _ model: Model, _ seed: UInt64,
        _ answer: inout SteerVectorReport, _ console: Console
    ) async throws {
        try MemoryNeed(
            model: model, tokens: ids.count.addingSaturated(maxTokens), sequences: samples,
            prefillChunk: self.model.run.prefillChunk
        ).refuseIfTooLarge()
        let generator = Generator(model: model, tokenizer: try model.tokenizer)
        let settings = sampling.settings(seed: seed)
        func draw(_ vectors: [SteeringVector], _ label: String) async throws -> [String] {
            try await SteeredCompletions.draw(
                generator, prompts: [ids], vectors: vectors, samples: samples, maxTokens: maxTokens,
                sampling: settings
            ) { console.show(label, done: $0, total: $1, unit: "texts") }.texts
        }
        answer.plain = try await draw([], "plain")
        answer.steered = try await draw(vectors, "steered")
    }
}
