import ArgumentParser
import CorvidEditing
import CorvidModels
import CorvidText

/// Which task is shown in a prompt, and how the prompt is written.
struct InContextOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Pairs of the task: a JSON list of {input, output}, {input: output}, or {demon, dummy_test, test, valid}; - reads standard input.",
            valueName: "path"))
    var task: String?

    @Option(help: ArgumentHelp("Demonstrations in a prompt.", valueName: "N"))
    var shots: Int = 10

    @Option(help: ArgumentHelp("Dummy queries that states are averaged over.", valueName: "N"))
    var dummies: Int = 5

    @Option(help: ArgumentHelp("Pairs by which layers are chosen.", valueName: "N"))
    var validation: Int = 15

    @Option(help: ArgumentHelp("Groups of demonstrations that are aggregated.", valueName: "N"))
    var groups: Int = 0

    @Option(help: ArgumentHelp("Between input and output; \\n is a line break.", valueName: "text"))
    var arrow: String = "→"

    @Option(help: ArgumentHelp("Behind a demonstration. (default: \\n\\n)", valueName: "text"))
    var separator: String?

    @Option(help: ArgumentHelp("Before an input. (default: nothing)", valueName: "text"))
    var before: String = ""

    @Option(
        help: ArgumentHelp(
            "How the prompt becomes tokens: whole, or pieces as the method's authors do it.", valueName: "way"
        ))
    var tokenise: PromptTokenisation = .whole

    @Option(
        help: ArgumentHelp(
            "The token before the text, which attention falls back to: auto, none, or its spelling.",
            valueName: "token"))
    var sink: String = "auto"

    func check() throws {
        if task == nil {
            throw ValidationError("--task is missing; name a file of pairs of input and output.")
        }
        for (name, value, range) in [
            ("--shots", shots, 1...100_000), ("--dummies", dummies, 1...10_000),
            ("--validation", validation, 1...1_000_000), ("--groups", groups, 0...10_000),
        ] where !range.contains(value) {
            throw ValidationError("\(name) is \(value); expected \(range.lowerBound) to \(range.upperBound).")
        }
        if arrow.isEmpty { throw ValidationError("--arrow is empty; give at least one character.") }
    }

    /// The pairs.
    /// - Throws: ``CommandError``, `InContextError`.
    func data() throws -> InContextData {
        let path = task ?? "-"
        return try InContextData(parsing: try TextSource.bytes(of: path), file: path)
    }

    func extractor(_ model: Model) throws -> StateExtractor {
        let builder = try InContextPromptBuilder(
            model.tokenizer,
            template: InContextTemplate(
                beforeInput: Self.unescaped(before), arrow: Self.unescaped(arrow),
                separator: Self.unescaped(separator ?? "\\n\\n")),
            tokenisation: tokenise == .whole ? .whole : .pieces,
            sink: sink == "auto" ? .automatic : sink == "none" ? .none : .token(sink),
            contextLength: model.contextLength)
        return try StateExtractor(model, builder)
    }

    var division: InContextDivision {
        InContextDivision(shots: shots, dummies: dummies, validation: validation)
    }

    /// What a patch says of how its vector was made.
    var settings: JSONObject {
        [
            "shots": .count(shots), "dummies": .count(dummies), "before": .string(before),
            "arrow": .string(arrow), "separator": .string(separator ?? "\\n\\n"),
            "tokenise": .string(tokenise.rawValue), "sink": .string(sink), "groups": .count(groups),
        ]
    }

    private static func unescaped(_ text: String) -> String {
        text.replacing("\\n", with: "\n").replacing("\\t", with: "\t")
    }
}

enum PromptTokenisation: String, ExpressibleByArgument, CaseIterable, Sendable { case whole, pieces }

/// How one vector is made of the states along a prompt.
enum OptimiserChoice: String, ExpressibleByArgument, CaseIterable, Sendable {
    case none, inner, momentum, adagrad, rmsprop, adam

    var method: StateOptimizer.Method { StateOptimizer.Method(rawValue: rawValue) ?? .momentum }
}

/// How the vectors of groups become one.
enum AggregationChoice: String, ExpressibleByArgument, CaseIterable, Sendable {
    case divideAndConquer = "divide-and-conquer"
    case average

    var method: StateAggregator.Method { self == .average ? .average : .divideAndConquer }
}

/// A layer, or the one that does best.
struct LayerChoice: ExpressibleByArgument, Sendable {
    /// nil for the best one.
    let layer: Int?

    init?(argument: String) {
        if argument == "auto" {
            layer = nil
        } else if let layer = Int(argument), layer >= 0 {
            self.layer = layer
        } else {
            return nil
        }
    }

    init(_ layer: Int?) { self.layer = layer }
}
