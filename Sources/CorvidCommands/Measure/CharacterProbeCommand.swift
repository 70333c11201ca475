import ArgumentParser
import CorvidEvaluation
import CorvidModels
import CorvidTensors
import CorvidText

/// Asks the vectors of tokens which letters their tokens have.
struct CharacterProbeCommand: RecordedCommand {
    static let configuration = CommandConfiguration(
        commandName: "characters",
        abstract: "Measure how well the vectors of tokens know their letters.",
        discussion: """
            A model never sees the letters of a token. A probe learns from the vectors of most tokens whether \
            they have a letter, and is asked about the others. Scores are macro-F1 in points: 50 is chance. \
            'random' are vectors of normal numbers of deviation 0.01 in place of the model's, 'scaled' of the \
            model's own deviation, 'permuted' the model's vectors, each at another token.

            ridge is linear and takes seconds; mlp is a network for each letter and takes minutes. Both are \
            repeated with --repeats seeds, and the interval beside a mean is that of 95 %.

            Tokens of one lemma stay on one side of the split. Lemmas come from rules for English plurals; a \
            file of --lemmas, lines of a word, a tab and its lemma, goes before them.

            Example: corvid probe characters --letters aeiou
            Example: corvid probe characters --probe mlp --repeats 1 --json
            """)

    @Option(help: ArgumentHelp("Letters to probe. (default: a to z, or the script's)", valueName: "letters"))
    var letters: String?

    @Option(help: "What learns: \(Self.list(CharacterProbeSettings.Probe.self)).")
    var probe: CharacterProbeSettings.Probe = .ridge

    @Option(help: "Whose rows are the vectors: \(Self.list(Model.TokenMatrix.self)).")
    var matrix: Model.TokenMatrix = .input

    @Option(
        help: ArgumentHelp(
            "Probe the letters of a script: \(Self.list(TokenScript.self)). (default: English)",
            valueName: "script"))
    var script: TokenScript?

    @Option(
        help: "How tokens without a letter are chosen: \(Self.list(CharacterProbeSettings.Selection.self)).")
    var selection: CharacterProbeSettings.Selection = .clean

    @Flag(help: "Tell upper from lower case.")
    var caseSensitive = false

    @Option(
        help: ArgumentHelp(
            "Controls, separated by commas: \(Self.list(CharacterProbeSettings.Control.self)), or none.",
            valueName: "list"))
    var controls: ControlList = ControlList(controls: CharacterProbeSettings.Control.allCases)

    @Option(help: ArgumentHelp("Lemmas of tokens, which go before the rules.", valueName: "path"))
    var lemmas: String?

    @Option(
        help: ArgumentHelp("Seeds to repeat everything with. (default: 5; 1 with mlp)", valueName: "N"))
    var repeats: Int?

    @OptionGroup var network: CharacterNetworkOptions
    @OptionGroup var model: ModelOptions
    @OptionGroup var output: OutputOptions

    var recorded: RunDeclaration {
        RunDeclaration(model: model, seed: settings.seed, reads: [lemmas])
    }

    func checkOptions() throws {
        if let letters, letters.isEmpty { throw ValidationError("--letters is empty; name one or more.") }
        if let repeats, repeats < 1 {
            throw ValidationError("--repeats is \(repeats); expected 1 or more.")
        }
    }

    func report(to console: Console) async throws -> CharacterProbeReport {
        let table = try lemmas.map { try NounLemmas.table(TextSource.file($0), file: $0) } ?? [:]
        let loaded = try model.load(console)
        let tokenizer = try loaded.model.tokenizer
        let vocabulary =
            try script.map { try ProbeVocabulary.written(in: $0, tokenizer) }
            ?? ProbeVocabulary.english(tokenizer)
        let probe = try CharacterProbe(
            vocabulary, letters: letters.map(Array.init), script: script, lemmas: table, settings: settings)
        let vectors = try TokenVectors(loaded.model, matrix, of: vocabulary)
        let result = try await probe.run(on: vectors, pool: loaded.model.pool) { done, total in
            console.show("probe", done: done, total: total, unit: "probes")
        }
        return CharacterProbeReport(model: loaded.name, matrix: matrix, script: script, result: result)
    }

    private var settings: CharacterProbeSettings {
        var settings = CharacterProbeSettings()
        settings.probe = probe
        settings.selection = selection
        settings.isCaseSensitive = caseSensitive
        settings.controls = controls.controls
        settings.repeats = repeats ?? (probe == .mlp ? 1 : settings.repeats)
        settings.seed = model.run.seed ?? settings.seed
        network.apply(to: &settings)
        return settings
    }

    private static func list<Choice: CaseIterable & RawRepresentable<String>>(_: Choice.Type) -> String {
        Choice.allCases.map(\.rawValue).joined(separator: ", ")
    }
}

/// How tokens are split and networks are trained.
struct CharacterNetworkOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Share of the lemmas whose tokens are tested.", valueName: "share"))
    var testShare = CharacterProbeSettings().testShare

    @Option(help: ArgumentHelp("Letters in fewer tokens are skipped.", valueName: "N"))
    var fewestPositives: Int?

    @Option(help: ArgumentHelp("Of the network's Adam.", valueName: "rate"))
    var learningRate = CharacterProbeSettings().learningRate

    @Option(help: ArgumentHelp("Tokens in a step of the network.", valueName: "N"))
    var batch = CharacterProbeSettings().batch

    @Option(help: ArgumentHelp("Rounds of the network over its tokens.", valueName: "N"))
    var epochs = CharacterProbeSettings().epochs

    @Option(
        help: ArgumentHelp("Share of the network's last inputs left out in training.", valueName: "share"))
    var dropout = CharacterProbeSettings().dropout

    @Option(help: ArgumentHelp("Width of the network's layers. (default: the vectors')", valueName: "N"))
    var hidden: Int?

    @Flag(help: "Give each column mean 0 and deviation 1 first.")
    var standardise = false

    func apply(to settings: inout CharacterProbeSettings) {
        settings.testShare = testShare
        settings.learningRate = learningRate
        settings.batch = batch
        settings.epochs = epochs
        settings.dropout = dropout
        settings.hiddenWidth = hidden
        settings.isStandardised = standardise
        if let fewestPositives { settings.fewestPositives = fewestPositives }
    }
}

/// `random,permuted`, or `none`.
struct ControlList: ExpressibleByArgument, Sendable {
    let controls: [CharacterProbeSettings.Control]

    init(controls: [CharacterProbeSettings.Control]) { self.controls = controls }

    init?(argument: String) {
        if argument == "none" {
            controls = []
            return
        }
        let words = argument.split(separator: ",")
        controls = words.compactMap { CharacterProbeSettings.Control(rawValue: String($0)) }
        guard !words.isEmpty, controls.count == words.count, Set(controls).count == words.count else {
            return nil
        }
    }

    var defaultValueDescription: String { controls.map(\.rawValue).joined(separator: ",") }
}

extension CharacterProbeSettings.Probe: ExpressibleByArgument {}
extension CharacterProbeSettings.Selection: ExpressibleByArgument {}
extension TokenScript: ExpressibleByArgument {}
extension Model.TokenMatrix: ExpressibleByArgument {}
