import ArgumentParser
import CorvidEditing
import CorvidText
import Foundation

/// How a language model is made to classify.
struct FewShotOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The task: a JSON file, or the name of a built-in one such as sst2.", valueName: "card"))
    var task: String?

    @Option(help: ArgumentHelp("The names of the classes.", valueName: "a,b"))
    var labels: String?

    @Option(
        help: ArgumentHelp(
            "Examples to show, lines of {\"text\": ..., \"label\": ...}.", valueName: "path"))
    var examples: String?

    @Option(
        help: ArgumentHelp(
            "Examples that the prompt shows. (default: \(Self.usualShots) with --examples)", valueName: "K"))
    var shots: Int?

    @Option(help: "What probabilities are divided by: nothing, texts without content, random texts.")
    var calibrate: Calibrate = .auto

    @Option(
        help: ArgumentHelp(
            "Texts of the task without labels, whose words make random texts. (default: the examples)",
            valueName: "path"))
    var corpus: String?

    @Option(
        help: ArgumentHelp(
            "Draw the examples so many times. (default: \(Self.usualSeeds) if the labels are known, else 1)",
            valueName: "N"))
    var seeds: Int?

    @Option(help: ArgumentHelp("Random texts of each kind.", valueName: "T"))
    var randomTexts: Int = CalibrationSettings().randomTexts

    @Option(
        help: ArgumentHelp(
            "Add random texts until no class's standard error is above this.", valueName: "e"))
    var tolerance: Double?

    @Option(help: ArgumentHelp("Words of no domain. (default: a list of common ones)", valueName: "path"))
    var words: String?

    @Option(help: ArgumentHelp("Take only so many texts, always the same.", valueName: "N"))
    var limit: Int?

    @Option(
        name: .customLong("output"),
        help: ArgumentHelp("Write the calibration of the first seed as a patch.", valueName: "path"))
    var destination: String?

    private static let usualShots = 8
    private static let usualSeeds = 5

    /// What the user asks for; `auto` decides by the biases that are found.
    enum Calibrate: String, ExpressibleByArgument, CaseIterable, Sendable {
        case none, cc, dc, auto

        /// nil: to be chosen.
        var method: CalibrationMethod? {
            switch self {
            case .none: .plain
            case .cc: .contextual
            case .dc: .domain
            case .auto: nil
            }
        }
    }

    /// Whether anything is asked for that only language models do.
    var isUsed: Bool {
        task != nil || labels != nil || examples != nil || shots != nil || corpus != nil || seeds != nil
            || tolerance != nil || words != nil || calibrate != .auto || destination != nil
    }

    /// Whether biases are to be measured although a patch holds some.
    var isMeasured: Bool { calibrate != .auto || destination != nil || seeds != nil || corpus != nil }

    func validate() throws {
        if let shots, shots < 0 { throw ValidationError("--shots is \(shots); expected 0 or more.") }
        if let shots, shots > 0, examples == nil {
            throw ValidationError("--shots \(shots) needs --examples with texts and their labels.")
        }
        if let seeds, !(1...1000).contains(seeds) {
            throw ValidationError("--seeds is \(seeds); expected 1 to 1000.")
        }
        if !(1...100_000).contains(randomTexts) {
            throw ValidationError("--random-texts is \(randomTexts); expected 1 to 100000.")
        }
        if let tolerance, !(tolerance > 0) {
            throw ValidationError("--tolerance is \(tolerance); expected more than 0.")
        }
        if let limit, limit < 1 { throw ValidationError("--limit is \(limit); expected 1 or more.") }
    }

    /// The task, or nil if none is named.
    /// - Throws: ``CommandError``, `CalibrationError`.
    func card() throws -> TaskCard? {
        let names = labels.map { text in
            text.split(separator: ",", omittingEmptySubsequences: false)
                .map { $0.trimmingCharacters(in: .whitespaces) }
        }
        guard let task else {
            guard let names else { return nil }
            let card = TaskCard(labels: names)
            try card.validate()
            return card
        }
        var card = try Self.card(task)
        if let names {
            card.labels = names.map { [$0] }
            card.labelsInContext = nil
            try card.validate()
        }
        return card
    }

    private static func card(_ name: String) throws -> TaskCard {
        if let card = TaskCard.named(name) { return card }
        guard FileManager.default.fileExists(atPath: name) else {
            throw CalibrationError.unknownTask(name: name, known: TaskCard.builtIn.map(\.name))
        }
        let json: JSON
        do {
            json = try JSON.parse(try TextSource.bytes(of: name))
        } catch let error as JSONError {
            throw CommandError.file(path: name, reason: error.description)
        }
        return try TaskCard(json, file: name)
    }

    /// The examples to choose from.
    func pool(_ card: TaskCard) throws -> [TaskExample] {
        guard let examples else { return [] }
        return try TaskExample.lines(try TextSource.file(examples), file: examples, card: card)
    }

    /// How many of them are shown.
    func shots(of pool: [TaskExample]) -> Int { shots ?? min(Self.usualShots, pool.count) }

    /// Without examples to draw, every seed would give the same.
    func seedCount(shots: Int, isLabelled: Bool) -> Int {
        shots == 0 ? 1 : seeds ?? (isLabelled ? Self.usualSeeds : 1)
    }

    func settings() throws -> CalibrationSettings {
        var settings = CalibrationSettings()
        settings.randomTexts = randomTexts
        settings.tolerance = tolerance
        if let words {
            settings.english = try TextSource.file(words).split(whereSeparator: \.isWhitespace)
                .map(String.init)
        }
        return settings
    }
}
