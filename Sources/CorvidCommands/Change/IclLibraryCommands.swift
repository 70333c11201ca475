import ArgumentParser
import CorvidEditing
import CorvidModels
import CorvidStore
import CorvidText
import Foundation

/// Adds, takes away and mixes state vectors.
struct IclCombineCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "combine",
        abstract: "Add, take away or mix state vectors.",
        discussion: """
            The sum of the vectors with their weights becomes a new patch. All must be of one model, with as many \
            layers. Patches are paths or names in the store.

            Example: corvid steer icl combine french.patch --weight 0.5 german.patch --weight 0.5 --output mixed.patch
            Example: corvid steer icl combine plural.patch past.patch --weight 1 --weight -1 --output difference.patch
            """)

    @Argument(help: "State vectors.")
    var patches: [String] = []

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Weight of a vector, once for each, in their order. (default: 1)", valueName: "number"))
    var weight: [Double] = []

    @Option(name: .customLong("output"), help: ArgumentHelp("Write the patch here.", valueName: "path"))
    var destination: String?

    @OptionGroup var output: OutputOptions

    func checkOptions() throws {
        if patches.isEmpty { throw ValidationError("name at least one patch with a state vector.") }
        if destination == nil { throw ValidationError("--output is missing; name the patch to write.") }
        guard weight.isEmpty || weight.count == patches.count else {
            throw ValidationError(
                "there are \(weight.count) weights for \(patches.count) patches; give one for each.")
        }
        if let wrong = weight.first(where: { !$0.isFinite }) {
            throw ValidationError("--weight is \(wrong); expected a finite number.")
        }
    }

    func report(to console: Console) async throws -> IclCombineReport {
        guard let destination else { throw CleanExit.helpRequest(self) }
        let store = try Store()
        let opened = try patches.map { try Patch(path: try store.resolvePatch($0)) }
        let weights = weight.isEmpty ? [Double](repeating: 1, count: opened.count) : weight
        let vector = try StateVector.combination(
            zip(weights, opened).map { ($0, try StateVector($1)) })
        let base = opened[0].header.base
        if let other = opened.first(where: { $0.header.base?.structure != base?.structure }) {
            throw CommandError.file(
                path: other.header.name,
                reason:
                    "was made on another model than \(opened[0].header.name); combine vectors of one model")
        }
        let names = opened.map(\.header.name)
        let header = PatchHeader(
            name: zip(weights, names).map { $0 == 1 ? $1 : "\($0) \($1)" }.joined(separator: " + "),
            method: "icl",
            settings: ["weights": .numbers(weights), "patches": .array(names.map { .string($0) })],
            base: base)
        try vector.patch(header).save(to: destination)
        return IclCombineReport(
            patches: names, weights: weights, layers: vector.layers.count, output: destination)
    }
}

struct IclCombineReport: Report {
    let patches: [String]
    let weights: [Double]
    let layers: Int
    let output: String

    var json: JSON {
        [
            "patches": .array(patches.map { .string($0) }), "weights": .numbers(weights),
            "layers": .count(layers), "output": .string(output),
        ]
    }

    var lines: String {
        "\(Figures.count(patches.count, "vector")) of \(layers) layers, written to \(output)"
    }
}

/// Says which tasks of a library a state vector is like.
struct IclNearestCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "nearest",
        abstract: "List which state vectors one is like.",
        discussion: """
            Likeness is the mean over layers of the cosine between vectors, -1 to 1. Without --among the patches in \
            the store are looked at; those that hold no state vector of this shape are left out.

            Example: corvid steer icl nearest unknown.patch --among plural.patch --among past.patch
            """)

    @Argument(help: "A state vector: a path, or a name in the store.")
    var patch: String

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("A vector to compare with; may be given again.", valueName: "patch"))
    var among: [String] = []

    @OptionGroup var output: OutputOptions

    func report(to console: Console) async throws -> IclNearestReport {
        let store = try Store()
        let subject = try StateVector(Patch(path: try store.resolvePatch(patch)))
        var found: [(String, Double)] = []
        if among.isEmpty {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: store.patches)) ?? []
            for name in names.sorted() {
                guard let other = try? StateVector(Patch(path: store.patches + "/" + name)),
                    let likeness = try? subject.similarity(to: other)
                else { continue }
                found.append((name, likeness))
            }
        } else {
            for name in among {
                let other = try StateVector(Patch(path: try store.resolvePatch(name)))
                found.append((name, try subject.similarity(to: other)))
            }
        }
        let ranked = found.enumerated().sorted {
            ($0.element.1, -$0.offset) > ($1.element.1, -$1.offset)
        }.map(\.element)
        return IclNearestReport(patch: patch, likeness: ranked.map { ($0.0, $0.1) })
    }
}

struct IclNearestReport: Report {
    let patch: String
    let likeness: [(name: String, cosine: Double)]

    var json: JSON {
        [
            "patch": .string(patch),
            "nearest": .array(
                likeness.map { ["patch": .string($0.name), "similarity": .number($0.cosine)] }),
        ]
    }

    var lines: String {
        guard !likeness.isEmpty else { return "there are no state vectors to compare with" }
        var table = TextTable(.right, .left)
        for (name, cosine) in likeness { table.add(Figures.cosine(cosine), name) }
        return table.lines
    }
}
