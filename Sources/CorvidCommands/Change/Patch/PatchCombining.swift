import ArgumentParser
import CorvidModels
import CorvidStore
import CorvidText

/// Puts patches together into one file.
struct PatchStackCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "stack",
        abstract: "Put patches together into one file.",
        discussion: """
            The file does what the patches do together, to the bit, and 'corvid patch revert' takes one of them out \
            again. With --flat low-rank changes of one weight become one, and the parts are forgotten.

            Example: corvid patch stack polite.patch paris.patch@0.5 --output both.patch
            """)

    @Argument(help: ArgumentHelp("Patch files or names in the store.", valueName: "patch[@scale]"))
    var patches: [PatchArgument] = []

    @Option(name: .customLong("output"), help: ArgumentHelp("The file to write.", valueName: "path"))
    var path: String?

    @Flag(help: "Join low-rank changes of one weight.")
    var flat = false

    @OptionGroup var output: OutputOptions

    func checkOptions() throws {
        if patches.isEmpty { throw ValidationError("name the patches to put together.") }
        if path == nil { throw ValidationError("--output is missing; name the file to write.") }
    }

    func report(to console: Console) async throws -> PatchWrittenReport {
        guard let path else { throw CleanExit.helpRequest(self) }
        let stack = PatchStack(
            try patches.map { argument in
                let (patch, scale) = try PatchFiles.read(argument)
                return .init(patch, scale: scale)
            })
        let combined = try stack.combined(PatchHeader(name: PatchFiles.name(of: path), method: "stack"))
        let patch = flat ? try combined.flattened() : combined
        try patch.save(to: path)
        return PatchWrittenReport(path: path, patch: patch)
    }
}

/// Multiplies what a patch does.
struct PatchScaleCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "scale",
        abstract: "Write a patch that does more or less of the same.",
        discussion: """
            What is added is multiplied by the factor; a mask m becomes 1 + factor (m - 1).

            Example: corvid patch scale polite.patch --by 0.5 --output milder.patch
            """)

    @Argument(help: "A patch file, or a name in the store.")
    var patch: String

    @Option(help: ArgumentHelp("The factor; -1 does the opposite.", valueName: "factor"))
    var by: Float?

    @Option(name: .customLong("output"), help: ArgumentHelp("The file to write.", valueName: "path"))
    var path: String?

    @OptionGroup var output: OutputOptions

    func checkOptions() throws {
        guard let by, by.isFinite else {
            throw ValidationError("--by is missing; give a number such as 0.5.")
        }
        if path == nil { throw ValidationError("--output is missing; name the file to write.") }
    }

    func report(to console: Console) async throws -> PatchWrittenReport {
        guard let path, let by else { throw CleanExit.helpRequest(self) }
        var scaled = try Patch(path: Store().resolvePatch(patch)).scaled(by: by)
        scaled.header.name = PatchFiles.name(of: path)
        try scaled.save(to: path)
        return PatchWrittenReport(path: path, patch: scaled)
    }
}

/// What one patch or model has more than another.
struct PatchDiffCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Write the difference of two patches, or of two models, as a patch.",
        discussion: """
            The result, laid over OLD, gives NEW. Of two models each matrix's difference is kept as a product of two \
            small ones where it is one (up to rounding), else as rows or as a whole; --rank 0 keeps all exactly.

            Example: corvid patch diff models/base models/tuned --output tuning.patch
            """)

    @Argument(help: "A patch, or a model.")
    var old: String

    @Argument(help: "A patch, or a model.")
    var new: String

    @Option(name: .customLong("output"), help: ArgumentHelp("The file to write.", valueName: "path"))
    var path: String?

    @Option(help: ArgumentHelp("Greatest rank that is looked for.", valueName: "N"))
    var rank = ModelDifference.Settings().rank

    @OptionGroup var output: OutputOptions

    func checkOptions() throws {
        if path == nil { throw ValidationError("--output is missing; name the file to write.") }
        if !(0...4096).contains(rank) { throw ValidationError("--rank is \(rank); expected 0 to 4096.") }
    }

    func report(to console: Console) async throws -> PatchWrittenReport {
        guard let path else { throw CleanExit.helpRequest(self) }
        let header = PatchHeader(
            name: PatchFiles.name(of: path), method: "diff", settings: ["rank": .count(rank)])
        let store = try Store()
        let patch: Patch
        if let first = try? store.resolvePatch(old), let second = try? store.resolvePatch(new),
            let before = try? Patch(path: first), let after = try? Patch(path: second)
        {
            patch = try after.difference(from: before, header)
        } else {
            let (before, after) = (try PatchFiles.model(old), try PatchFiles.model(new))
            var settings = ModelDifference.Settings()
            settings.rank = rank
            let difference = try ModelDifference(from: before, to: after, settings)
            let made = try difference.patch(header) { done, total in
                console.show("diff", done: done, total: total, unit: "weights")
            }
            let digests = DigestStore(store)
            patch = try made.bound(to: Model.load(before, options: LoadOptions(threads: 1)), cache: digests)
            digests.save()
        }
        try patch.save(to: path)
        return PatchWrittenReport(path: path, patch: patch)
    }
}

/// Takes a patch out of a stack, or says which model a merged one was made of.
struct PatchRevertCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "revert",
        abstract: "Take a patch out of a stack again, or find the base of a merged model.",
        discussion: """
            Of a stack file: --remove names the patch, --output the file without it. Of a merged model: says which \
            model it was made of; with --base that model is checked.

            Example: corvid patch revert both.patch --remove paris --output polite.patch
            Example: corvid patch revert models/merged --base models/gpt-j-6b
            """)

    @Argument(help: "A stack file, or a merged model.")
    var source: String

    @Option(help: ArgumentHelp("The patch to take out, by name or fingerprint.", valueName: "patch"))
    var remove: String?

    @Option(name: .customLong("output"), help: ArgumentHelp("The file to write.", valueName: "path"))
    var path: String?

    @Option(help: ArgumentHelp("The model to go back to.", valueName: "model"))
    var base: String?

    @OptionGroup var output: OutputOptions

    func checkOptions() throws {
        if (remove == nil) != (path == nil) {
            throw ValidationError("--remove and --output go together, for a stack file.")
        }
        if remove != nil, base != nil { throw ValidationError("--base is for a merged model.") }
    }

    func report(to console: Console) async throws -> PatchRevertReport {
        if let remove, let path {
            let patch = try Patch(path: Store().resolvePatch(source)).removing(remove)
            try patch.save(to: path)
            return PatchRevertReport(written: PatchWrittenReport(path: path, patch: patch))
        }
        let files = try PatchFiles.model(source)
        guard let record = try files.mergeRecord() else {
            throw PatchError.nothing("\(source): no patches were merged into this model")
        }
        guard let base else { return PatchRevertReport(record: record) }
        let digests = DigestStore(try Store())
        let candidate = try PatchFiles.model(base)
        try record.check(candidate, cache: digests)
        digests.save()
        return PatchRevertReport(record: record, base: candidate.path)
    }
}

struct PatchRevertReport: Report {
    var written: PatchWrittenReport?
    var record: MergeRecord?
    var base: String?

    var json: JSON {
        if let written { return written.json }
        return [
            "base": record.map { .string($0.baseName) } ?? .null,
            "structure": record.map { .string("\($0.base)") } ?? .null,
            "patches": .array((record?.patches ?? []).map { .string($0.name) }),
            "checked": base.map { .string($0) } ?? .null,
        ]
    }

    var lines: String {
        if let written { return written.lines }
        guard let record else { return "" }
        let patches = record.patches.map { "\($0.name)@\($0.scale)" }.joined(separator: ", ")
        let way = base.map { "\($0) is that model: use it instead" } ?? "Check a model with --base MODEL"
        return "made of \(record.baseName) with \(patches)\n\(way)"
    }
}
