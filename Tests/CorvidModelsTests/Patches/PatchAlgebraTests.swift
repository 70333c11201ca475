import CorvidTensors
import CorvidText
import Foundation
import TestSupport
import Testing

@testable import CorvidModels

/// Stacks, differences and merges of patches.
@Suite struct PatchAlgebraTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func expectClose(
        _ found: [Float], _ expected: [Float], _ bound: Float = 1e-5,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let range = (expected.max() ?? 0) - (expected.min() ?? 0)
        let difference = zip(found, expected).map { abs($0 - $1) }.max() ?? .infinity
        #expect(found.count == expected.count, sourceLocation: sourceLocation)
        #expect(difference <= bound * range, "\(difference) of \(range)", sourceLocation: sourceLocation)
    }

    private func logits(_ subject: PatchSubject, _ patch: Patch) throws -> [Float] {
        try subject.logits(subject.model.applying([.init(patch)]).model)
    }

    @Test("a stack file has the bits of its patches, and gives each of them back") func stack() throws {
        let subject = try PatchSubject("gptj")
        var samples = subject.samples
        let kinds: [Patch.Kind] = [.lowRank, .dense, .bias, .addition, .mask, .adapter]
        let patches = try kinds.compactMap { try samples.patch($0)?.bound(to: subject.model) }
        let layers = patches.enumerated().map { PatchStack.Layer($1, scale: [1, 0.5, -1, 2, 1, 1][$0]) }
        let live = try subject.bits(subject.model.applying(layers).model)
        let path = folder.path(of: "stack.patch")
        try PatchStack(layers).combined(PatchHeader(name: "stack", method: "stack")).save(to: path)
        let stack = try Patch(path: path)
        #expect(stack.parts.map(\.header.name) == kinds.map(\.rawValue))
        #expect(try subject.bits([(stack, 1)]) == live)
        for (index, kind) in kinds.enumerated() {
            let less = try stack.removing(kind.rawValue)
            var rest = layers
            rest.remove(at: index)
            #expect(
                try subject.bits([(less, 1)]) == subject.bits(subject.model.applying(rest).model), "\(kind)")
        }
        #expect(throws: PatchError.self) { try stack.removing("nobody") }
        #expect(throws: PatchError.self) { try patches[0].removing("low-rank") }
        // A patch in a stack counts as given.
        #expect(throws: PatchError.twice(patch: "low-rank", fingerprint: patches[0].fingerprint)) {
            try subject.bits([(stack, 1), (patches[0], 1)])
        }
        let whole = try PatchStack([.init(patches[0])]).combined(PatchHeader(name: "one", method: "stack"))
        #expect(throws: PatchError.self) { try whole.removing("low-rank") }
    }

    @Test("joined low-rank changes do what they do together") func flat() throws {
        let subject = try PatchSubject("llama", as: .f32)
        var samples = subject.samples
        let a = try #require(try samples.patch(.lowRank, name: "a"))
        let b = try #require(try samples.patch(.lowRank, name: "b"))
        let stack = try PatchStack([.init(a, scale: 0.5), .init(b)]).combined(
            PatchHeader(name: "s", method: "stack"))
        let flat = try stack.flattened()
        #expect(flat.changes.count == 1)
        expectClose(try logits(subject, flat), try logits(subject, stack))
    }

    @Test("a difference of patches leads from one to the other") func difference() throws {
        let subject = try PatchSubject("gptj", as: .f32)
        var samples = subject.samples
        let shared = try #require(try samples.change(.dense))
        let (first, second) = (
            try #require(try samples.change(.lowRank)), try #require(try samples.change(.lowRank))
        )
        let a = try Patch(PatchHeader(name: "a", method: "m"), [shared, first])
        let b = try Patch(PatchHeader(name: "b", method: "m"), [shared, second])
        let way = try b.difference(from: a, PatchHeader(name: "way", method: "diff"))
        #expect(way.changes.count == 1)
        let both = try subject.logits(subject.model.applying([.init(a), .init(way)]).model)
        expectClose(both, try logits(subject, b))
        #expect(throws: PatchError.self) { try a.difference(from: a, PatchHeader(name: "n", method: "diff")) }
        let mask = try #require(try samples.patch(.mask))
        #expect(throws: PatchError.self) {
            try a.difference(from: mask, PatchHeader(name: "n", method: "diff"))
        }
    }

    // MARK: Merges

    private static let mergeable: [Patch.Kind] = [
        .lowRank, .dense, .rows, .columns, .bias, .norm, .tableRows, .tableLowRank, .mask,
    ]

    private func merge(
        _ subject: PatchSubject, _ layers: [PatchStack.Layer], at place: String, to type: DType? = nil
    ) throws -> String {
        let path = folder.path(of: place)
        let merge = try PatchMerge(
            PatchStack(layers), into: subject.model, ModelFiles(path: subject.model.path), name: "base",
            to: type, at: path)
        _ = try merge.write(pool: WorkerPool(threads: 1))
        return path
    }

    @Test(
        "a merged model gives what the patches give live, up to rounding",
        arguments: ["gptj", "gpt2-untied", "llama", "gpt-neox", "gguf-f32"])
    func merged(name: String) throws {
        let subject = try PatchSubject(name, as: .f32)
        let plain = try subject.logits(subject.model)
        var samples = subject.samples
        for kind in Self.mergeable {
            guard let patch = try samples.patch(kind) else { continue }
            let place = name.hasPrefix("gguf") ? "\(kind.rawValue).gguf" : kind.rawValue
            let path: String
            do {
                path = try merge(subject, [.init(patch, scale: 0.5)], at: place)
            } catch PatchError.merge {
                // A bias that the files do not have, a matrix with two uses.
                #expect([.bias, .tableRows, .tableLowRank].contains(kind), "\(kind)")
                continue
            }
            let model = try Model.load(
                path: path, options: LoadOptions(threads: 1, computeType: .f32))
            let live = try subject.logits(subject.model.applying([.init(patch, scale: 0.5)]).model)
            #expect(live != plain)
            expectClose(try subject.logits(model), live)
        }
    }

    @Test(
        "queries and keys are merged in the order of the file's rows",
        arguments: ["gptj", "gpt2", "llama", "gpt-neox", "gguf-f32"])
    func queries(name: String) throws {
        let subject = try PatchSubject(name, as: .f32)
        let c = subject.model.configuration
        var samples = subject.samples
        var changes: [Patch.Change] = []
        for (role, rows) in [(WeightRole.query, c.heads), (.key, c.keyValueHeads), (.value, c.keyValueHeads)]
        {
            let (a, b) = (try samples.numbers([2, c.width]), try samples.numbers([rows * c.headWidth, 2]))
            changes.append(.lowRank(try LowRankDelta(.init(role, layer: 1), down: a, up: b)))
        }
        let patch = try Patch(PatchHeader(name: "qkv", method: "m"), changes)
        let path = try merge(subject, [.init(patch)], at: name.hasPrefix("gguf") ? "m.gguf" : "m")
        let model = try Model.load(path: path, options: LoadOptions(threads: 1, computeType: .f32))
        expectClose(try subject.logits(model), try logits(subject, patch))
        if name == "llama" {
            let file = try merge(subject, [.init(patch)], at: "other.gguf", to: .f32)
            let other = try Model.load(path: file, options: LoadOptions(threads: 1, computeType: .f32))
            expectClose(try subject.logits(other), try logits(subject, patch))
        }
    }

    @Test("additions at all positions become biases, the logits' too; what depends on positions is refused")
    func sites() throws {
        let subject = try PatchSubject("gptj", as: .f32)
        var samples = subject.samples
        let c = subject.model.configuration
        for site in [Site.output(of: 0), Site(.mlpOutput, layer: 1), Site(.attentionOutput, layer: 1)] {
            let patch = try Patch(
                PatchHeader(name: "v", method: "m"),
                [.addition(SiteAddition(samples.numbers([1, c.width]), at: site, scale: 2))])
            let path = try merge(subject, [.init(patch)], at: "\(site)")
            let model = try Model.load(path: path, options: LoadOptions(threads: 1, computeType: .f32))
            expectClose(try subject.logits(model), try logits(subject, patch))
        }
        let bias = try #require(try samples.patch(.logitBias))
        let path = try merge(subject, [.init(bias)], at: "logits")
        let model = try Model.load(path: path, options: LoadOptions(threads: 1, computeType: .f32))
        expectClose(try subject.logits(model), try logits(subject, bias))
        for kind in [Patch.Kind.addition, .operation, .adapter, .prefix, .labelPrior] {
            let patch = try #require(try samples.patch(kind))
            #expect(throws: PatchError.self, "\(kind)") { try merge(subject, [.init(patch)], at: "refused") }
        }
        #expect(try !folder.names().contains("refused"))
    }

    @Test(
        "a merged model names its base and its patches, refuses them, and finds its base again",
        arguments: ["gptj", "gguf-q8_0"])
    func record(name: String) throws {
        let subject = try PatchSubject(name)
        var samples = subject.samples
        let patch = try #require(try samples.patch(.lowRank)).bound(to: subject.model)
        let isGGUF = name.hasPrefix("gguf")
        let path = try merge(subject, [.init(patch)], at: isGGUF ? "m.gguf" : "m")
        let files = try ModelFiles(path: path)
        let record = try #require(try files.mergeRecord())
        #expect(record.baseName == "base" && record.patches.map(\.name) == ["low-rank"])
        // Each tensor kept its type.
        for entry in try ModelFiles(path: subject.model.path).tensors.entries {
            #expect(files.tensors.entry(named: entry.name)?.type == entry.type)
        }
        let model = try Model.load(path: path, options: LoadOptions(threads: 1))
        #expect(
            throws: PatchError.merged(patch: "low-rank", fingerprint: patch.fingerprint, base: record.base)
        ) {
            try model.applying([.init(patch)])
        }
        try record.check(ModelFiles(path: subject.model.path))
        #expect(throws: PatchError.self) { try record.check(files) }
        #expect(throws: PatchError.self) { try record.check(ModelFiles(path: Fixtures.path("Models/gpt2"))) }
    }

    @Test("the difference of a merged model and its base is the patch again") func modelDifference() throws {
        let subject = try PatchSubject("gptj", as: .f32)
        var samples = subject.samples
        let kinds: [Patch.Kind] = [.lowRank, .rows, .bias, .norm, .dense]
        let layers = try kinds.map { PatchStack.Layer(try #require(try samples.patch($0))) }
        let path = try merge(subject, layers, at: "m")
        let difference = try ModelDifference(
            from: ModelFiles(path: subject.model.path), to: ModelFiles(path: path))
        let patch = try difference.patch(PatchHeader(name: "d", method: "diff"))
        #expect(Set(patch.changes.map(\.kind)).isSuperset(of: [.lowRank, .bias, .norm]))
        let live = try subject.logits(subject.model.applying(layers).model)
        expectClose(try logits(subject, patch), live)
        let same = try ModelDifference(from: ModelFiles(path: path), to: ModelFiles(path: path))
        #expect(throws: PatchError.self) { try same.patch(PatchHeader(name: "d", method: "diff")) }
    }
}
