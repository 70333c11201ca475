import ArgumentParser
import CorvidEditing
import CorvidModels
import CorvidPlots
import CorvidStore
import CorvidTensors
import CorvidText
import Foundation

/// Chooses heads and writes what does without them.
struct PruneHeadsCommand: RecordedCommand {
    static let configuration = CommandConfiguration(
        commandName: "heads",
        abstract: "Take attention heads out that add to a model's bias, and keep those that it needs.",
        discussion: """
            Each head is tried by itself: what is the perplexity of --text without it, and what the bias of \
            continuations of the prompts. FASP protects the heads without which the perplexity is highest, and \
            takes out those of the others without which the bias is least. The result is a patch, which --with \
            lays over the model. --export writes a model that has the remaining heads only; its config.json \
            names the others in pruned_heads. Corvid runs it; transformers 4 reads such folders of GPT-2 and \
            BERT, transformers 5 and other programs none. Where heads share keys and values, and these \
            cannot go, heads stay in the written model with zeros.

            Methods: fasp; bias and perplexity (one of the two alone); magnitude (smallest weights); \
            sensitivity (finite differences of the loss by a head's mask, in place of its gradient); random.

            Example: corvid prune heads --holistic-bias holistic_bias/v1.0 --axis gender_and_sex \
            --scorer words.tsv --text prose.txt --ratio 0.1 --protect 0.3 --scores scores.json --output fair.patch
            Example: corvid prune heads models/gpt-j --method perplexity --text prose.txt --ratio 0.05 \
            --export models/gpt-j-small
            """)

    @Option(help: "fasp, bias, perplexity, magnitude, sensitivity or random.")
    var method = PruningMethod.fasp

    @Option(help: ArgumentHelp("Share of all heads that goes, 0 to 1.", valueName: "share"))
    var ratio = 0.1

    @Option(
        help: ArgumentHelp("Share of all heads that stays for the perplexity, with fasp.", valueName: "share")
    )
    var protect = 0.3

    @Option(
        help: ArgumentHelp(
            "What is left of a chosen head in the patch: 0 nothing, 1 all of it.", valueName: "S"))
    var scale: Float = 0

    @OptionGroup var groups: GroupPromptOptions
    @OptionGroup var scoring: ScorerOptions

    @Option(help: ArgumentHelp("A text to measure perplexity on.", valueName: "path"))
    var text: String?

    @Option(help: ArgumentHelp("Read at most this many tokens of it.", valueName: "N"))
    var textTokens = 2_048

    @Option(
        help: ArgumentHelp(
            "Tokens of a window, 'context' for all that fit, or 'reference' for the windows of FASP's own code. (default: 512, or the context if that is less)",
            valueName: "N"))
    var window: String?

    @Option(
        help: ArgumentHelp(
            "Keep the scores of heads in this file, and go on with those that are there.", valueName: "path"))
    var scores: String?

    @Option(name: .customLong("output"), help: ArgumentHelp("The patch to write.", valueName: "path"))
    var patch: String?

    @Option(help: ArgumentHelp("Write the model without the heads into this folder.", valueName: "folder"))
    var export: String?

    @Option(
        help: ArgumentHelp(
            "Type of its weights: f32, f16, bf16 or int8. (default: the file's own, f16 for blocks)",
            valueName: "type"))
    var exportDtype: ComputeType?

    @Flag(help: "Replace a model that stands there.")
    var force = false

    @OptionGroup var plot: PlotOptions
    @OptionGroup var model: ModelOptions
    @OptionGroup var output: OutputOptions

    func checkOptions() throws {
        for (name, value) in [("ratio", ratio), ("protect", protect)] where !(0...1).contains(value) {
            throw ValidationError("--\(name) is \(value); expected 0 to 1.")
        }
        guard scale.isFinite, (0...1).contains(scale) else {
            throw ValidationError("--scale is \(scale); expected 0 to 1.")
        }
        if textTokens < 2 { throw ValidationError("--text-tokens is \(textTokens); expected 2 or more.") }
        _ = try cut(context: .max)
        try groups.check()
        if patch == nil, export == nil, scores == nil {
            throw ValidationError("nothing is to be written; give --output, --export or --scores.")
        }
        if export != nil, scale != 0 {
            throw ValidationError("--export takes heads out; leave --scale out, or write a patch only.")
        }
        if [.fasp, .bias].contains(method) {
            guard groups.isGiven else {
                throw ValidationError("--method \(method.rawValue) needs --prompts or --holistic-bias.")
            }
            guard !groups.axis.isEmpty else {
                throw ValidationError("--axis is missing; name the axis whose bias counts.")
            }
            guard scoring.scorer != nil else {
                throw ValidationError(
                    "--scorer is missing; give a classifier, or a file of lines TERM<TAB>WEIGHT.")
            }
        }
        let needsText = method == .fasp && protect > 0 || [.perplexity, .sensitivity].contains(method)
        if needsText, text == nil {
            throw ValidationError("--text is missing; --method \(method.rawValue) needs one for perplexity.")
        }
    }

    /// - Parameter context: most tokens that the model reads.
    private func cut(context: Int) throws -> TextWindows.Cut {
        switch window {
        case nil: return .tokens(min(512, context))
        case "context": return .context
        case "reference": return .reference
        default:
            guard let window, let tokens = Int(window), tokens > 0 else {
                throw ValidationError(
                    "--window is '\(window ?? "")'; expected a number, context or reference.")
            }
            return .tokens(tokens)
        }
    }

    var recorded: RunDeclaration {
        RunDeclaration(
            model: model, seed: model.run.chosenSeed(),
            reads: [text, groups.prompts, groups.buckets, groups.holisticBias, scoring.scorer],
            writes: [patch, export, scores, plot.path])
    }

    func report(to console: Console) async throws -> PruneHeadsReport {
        let seed = model.run.chosenSeed()
        let loaded = try model.load(console)
        if export != nil, !loaded.patches.isEmpty {
            throw ValidationError(
                "--export writes the model of the files; leave --with out, or merge it first.")
        }
        let configuration = loaded.model.configuration
        let subject = try subject(loaded.model, seed: seed)
        let origin = try origin(loaded, seed: seed)
        var known = HeadScores(configuration)
        if let scores, FileManager.default.fileExists(atPath: scores) {
            known = try HeadScores(
                TextSource.bytes(of: scores), file: scores, origin: origin, heads: configuration.headIndices)
        }
        let show: HeadEffects.Progress = { stage, done, total, unit in
            console.show(stage, done: done, total: total, unit: unit)
        }
        let combination = try groups.combination()
        try await subject.complete(
            &known, for: method, protects: protect > 0, norms: { try loaded.files.headNorms() },
            save: { if let scores { try $0.write(to: scores, origin: origin) } }, progress: show)
        let selection = try HeadSelection(
            known, method: method, ratio: ratio, protection: method == .fasp ? protect : 0,
            combination: combination, seed: seed)
        let before = try await subject.measure(stage: "before", progress: show)
        let after = try await subject.measure(
            changes: selection.heads.scaled(by: scale), stage: "after", progress: show)
        var report = PruneHeadsReport(
            model: loaded.name, selection: selection, total: known.heads.count, scale: scale,
            critical: known.critical, before: before, after: after, seed: seed)
        if method == .fasp, protect > 0, let combination {
            let shares = (0...10).map { Double($0) / 50 }
            report.points = try known.paretoPoints(
                ratios: shares, protections: [0.2, 0.3, 0.4, 0.5, 0.6, 0.7], combination: combination)
        }
        if let export { report.export = try await write(selection, to: export, loaded, console) }
        if let patch { try write(selection, report, to: patch, loaded, seed: seed) }
        report.patch = patch
        try plot.write(report.heatMap(known, configuration, axis: combination?.axes.first))
        return report
    }

    /// What heads are measured on.
    private func subject(_ model: Model, seed: UInt64) throws -> HeadEffects {
        let perplexity = try text.map { path -> HeadPerplexity in
            let ids = Array(try model.tokenizer.encode(TextSource.file(path)).prefix(textTokens))
            return try HeadPerplexity(
                model,
                windows: TextWindows(
                    ids, cut: try cut(context: model.contextLength), model: model))
        }
        let axes = try groups.combination()?.axes ?? []
        var parts: [HeadEffects.Axis] = []
        if let scorer = try scoring.load(threads: self.model.run.threads),
            let prompts = try groups.load(axes: axes)
        {
            var settings = BiasSamplingSettings()
            settings.seed = seed
            let (first, second) = prompts.split(share: groups.validation, seed: seed)
            let validation = first.sample(atMost: groups.promptsLimit, seed: seed)
            let test = second.sample(atMost: groups.promptsLimit, seed: seed)
            parts = try axes.map { axis in
                func continuations(_ prompts: BiasPrompts) throws -> Continuations {
                    try Continuations(
                        model, prompts: prompts.prompts(axis), scorer: scorer, settings: settings)
                }
                return try HeadEffects.Axis(
                    name: axis, validation: continuations(validation), test: continuations(test))
            }
        }
        return HeadEffects(model, perplexity: perplexity, axes: parts)
    }

    /// What makes scores what they are.
    private func origin(_ loaded: LoadedModel, seed: UInt64) throws -> HeadScores.Origin {
        guard scores != nil else { return .init([:]) }
        var facts = [
            "model": loaded.model.configuration.family.name + " \(loaded.files.tensorBytes) " + loaded.name,
            "window": window ?? "512",
            "patches": loaded.patches.layers.map { "\($0.patch.fingerprint)@\($0.scale)" }
                .joined(separator: " "),
        ]
        if let text { facts["text"] = "\(try Digest(of: TextSource.bytes(of: text))) \(textTokens)" }
        if groups.isGiven {
            let file = try groups.prompts.map { "\(try Digest(of: TextSource.bytes(of: $0)))" }
            facts["prompts"] =
                "\(file ?? groups.holisticBias ?? "") \(groups.promptsLimit) \(groups.validation) \(seed)"
            facts["scorer"] = "\(scoring.scorer ?? "") \(scoring.label ?? "")"
        }
        return .init(facts)
    }

    private func write(
        _ selection: HeadSelection, _ report: PruneHeadsReport, to path: String, _ loaded: LoadedModel,
        seed: UInt64
    ) throws {
        let settings: JSON = [
            "method": .string(method.rawValue), "ratio": .number(ratio), "protect": .number(protect),
            "scale": .number(Double(scale)), "axes": .array(groups.axis.map { .string($0) }),
        ]
        let data = try [text, groups.prompts, groups.buckets].compactMap { $0 }.filter { $0 != "-" }.map {
            PatchHeader.Source(name: $0, digest: try Digest(fileAt: $0))
        }
        let digests = DigestStore(try Store())
        let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
        try selection.patch(
            name: name, scale: scale, configuration: loaded.model.configuration, settings: settings,
            seed: seed, data: data, report: report.json
        ).bound(to: loaded.model, cache: digests).save(to: path)
        digests.save()
    }

    private func write(
        _ selection: HeadSelection, to path: String, _ loaded: LoadedModel, _ console: Console
    ) async throws -> PrunedModel {
        let configuration = loaded.base.configuration
        let removal = try HeadRemoval(selection.heads.byLayer, of: configuration)
        let types = loaded.files.tensors.entries.filter { $0.shape.count == 2 }.compactMap(\.type)
        let type = exportDtype?.type ?? (types.contains(where: \.isBlock) ? .f16 : types.first ?? .f32)
        let conversion = try ModelConversion(
            loaded.files, to: type, at: path, replacing: force, removing: removal)
        let total = conversion.sourceBytes
        let result = try conversion.write(pool: loaded.model.pool) { done in
            console.show("export", done: done / 1_000_000, total: total / 1_000_000, unit: "MB")
        }
        return try await PrunedModel.measure(
            result, removal: removal, base: loaded, type: type, removedOf: configuration)
    }
}
