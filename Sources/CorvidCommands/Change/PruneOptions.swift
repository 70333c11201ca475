import ArgumentParser
import CorvidEditing
import CorvidModels
import CorvidStore
import CorvidText

extension PruningMethod: ExpressibleByArgument {}

/// Where prompts about groups come from.
struct GroupPromptOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Prompts: {\"axis\": {\"prompts\": [...]}}.", valueName: "path"))
    var prompts: String?

    @Option(
        help: ArgumentHelp(
            "Their buckets: {\"axis\": [...], \"bucket\": [...]}; not needed if the prompts' file has \"buckets\" beside \"prompts\".",
            valueName: "path"))
    var buckets: String?

    @Option(
        help: ArgumentHelp(
            "A folder with descriptors.json, nouns.json and sentence_templates.json of HolisticBias, to make prompts of.",
            valueName: "folder"))
    var holisticBias: String?

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "Axis whose bias counts, such as gender_and_sex; =WEIGHT says how much. May be given again.",
            valueName: "axis[=weight]"))
    var axis: [String] = []

    @Flag(help: "Of several axes count the worst one, not their sum.")
    var worstAxis = false

    @Option(
        help: ArgumentHelp("At most this many prompts of an axis for each of its two parts.", valueName: "N"))
    var promptsLimit = 200

    @Option(
        help: ArgumentHelp(
            "Share of the prompts that heads are chosen with; the result is reported on the others.",
            valueName: "share"))
    var validation = 0.2

    func check() throws {
        if prompts != nil, holisticBias != nil {
            throw ValidationError("--prompts and --holistic-bias both give prompts; choose one.")
        }
        if promptsLimit < 2 {
            throw ValidationError("--prompts-limit is \(promptsLimit); expected 2 or more.")
        }
        guard validation > 0, validation < 1 else {
            throw ValidationError("--validation is \(validation); expected a share between 0 and 1.")
        }
        _ = try combination()
    }

    var isGiven: Bool { prompts != nil || holisticBias != nil }

    /// The axes and what they weigh; nil without any.
    func combination() throws -> AxisCombination? {
        let parsed = try axis.map { text -> (axis: String, weight: Double) in
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard let name = parts.first else { throw ValidationError("--axis is empty.") }
            guard let weight = parts.count == 2 ? Double(parts[1]) : 1, weight.isFinite, weight > 0 else {
                throw ValidationError("--axis '\(text)': the weight must be a number above 0.")
            }
            return (name, weight)
        }
        if parsed.count < 2 { return parsed.first.map { .axis($0.axis) } }
        return worstAxis ? .maximum(parsed.map(\.axis)) : .sum(parsed)
    }

    /// All prompts, or nil if none were named.
    func load(axes: [String]) throws -> BiasPrompts? {
        if let prompts {
            let labels = try buckets.map { (bytes: try TextSource.bytes(of: $0), file: $0) }
            return try BiasPrompts(prompts: try TextSource.bytes(of: prompts), file: prompts, buckets: labels)
        }
        guard let holisticBias else { return nil }
        func part(_ name: String) throws -> (bytes: [UInt8], file: String) {
            let path = holisticBias + "/" + name
            return (try TextSource.bytes(of: path), path)
        }
        return try HolisticBias(
            descriptors: part("descriptors.json"), nouns: part("nouns.json"),
            templates: part("sentence_templates.json")
        ).prompts(axes: axes)
    }
}

/// Who says what is toxic.
struct ScorerOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Toxicity scorer: a sequence classifier (folder, or name in the store), or a file of lines TERM<TAB>WEIGHT.",
            valueName: "scorer"))
    var scorer: String?

    @Option(help: ArgumentHelp("Label of the classifier. (default: toxic or toxicity)", valueName: "label"))
    var label: String?

    /// - Throws: ``PruningError``, and what loading throws.
    func load(threads: Int?) throws -> (any ToxicityScorer)? {
        guard let scorer else { return nil }
        if let list = try WordFile.text(of: scorer) { return try WordListScorer(list, path: scorer) }
        let model = try Model.load(
            path: try Store().resolve(scorer).path, options: LoadOptions(threads: threads))
        return try ModelScorer(model, label: label)
    }
}
