import CorvidTensors
import CorvidText
import Synchronization
import TestSupport
import Testing

@testable import CorvidModels

/// A patch goes only over the model that it was made on.
@Suite struct PatchBaseTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A copy of a golden folder with one of its tensors changed in one value.
    private func copy(
        _ name: String, changing tensor: String, config: (String, String)? = nil
    ) throws -> Model {
        var builder = try ModelBuilder(
            SafetensorsFile(path: Fixtures.path("Models/\(name)/model.safetensors")).named)
        if !tensor.isEmpty {
            let old = try #require(builder.tensors[tensor])
            var values = old.values
            values[1] += 0.5
            builder.tensors[tensor] = (old.shape, values)
        }
        // A mapped file stays readable when its name is gone.
        let place = try TemporaryFolder()
        try place.write(builder.safetensors(), to: "model.safetensors")
        var text = String(decoding: try Fixtures.bytes("Models/\(name)/config.json"), as: UTF8.self)
        if let config {
            #expect(text.contains(config.0))
            text = text.replacing(config.0, with: config.1)
        }
        try place.write(text, to: "config.json")
        return try Model.load(path: place.path, options: LoadOptions(threads: 1))
    }

    @Test(
        "a touched weight that differs is refused for every kind, with both fingerprints and the weight",
        arguments: Patch.Kind.allCases)
    func touched(kind: Patch.Kind) throws {
        let subject = try PatchSubject("gptj")
        var samples = subject.samples
        let patch = try #require(try samples.patch(kind)).bound(to: subject.model)
        let target = try #require(patch.touchedWeights.last)
        let names: [WeightRole: String] = [
            .down: "transformer.h.1.mlp.fc_out", .up: "transformer.h.1.mlp.fc_in",
            .attentionOutput: "transformer.h.1.attn.out_proj", .tokenEmbedding: "transformer.wte",
            .attentionNorm: "transformer.h.1.ln_1",
        ]
        let name = try #require(names[target.role])
        let other = try copy("gptj", changing: name + ".weight")
        let error = try #require(throws: PatchError.self) { try other.applying([.init(patch)]) }
        guard case .base(_, let expected, let found, let weight) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(weight == target)
        #expect(expected != found)
        #expect(error.description.contains("\(expected)") && error.description.contains("\(found)"))
        // It is laid on all the same if that is asked for.
        _ = try other.applying([.init(patch)], acceptsAnyBase: true)
        // A weight that the patch does not touch may differ.
        let like = try copy("gptj", changing: "transformer.h.0.mlp.fc_in.weight")
        _ = try like.applying([.init(patch)])
    }

    @Test(
        "another configuration is another base",
        arguments: [
            ("\"layer_norm_epsilon\": 1e-05", "\"layer_norm_epsilon\": 1e-06"),
            ("\"n_positions\": 64", "\"n_positions\": 32"),
        ])
    func configuration(old: String, new: String) throws {
        let subject = try PatchSubject("gptj")
        var samples = subject.samples
        let patch = try #require(try samples.patch(.lowRank)).bound(to: subject.model)
        let other = try copy("gptj", changing: "", config: (old, new))
        let error = try #require(throws: PatchError.self) { try other.applying([.init(patch)]) }
        guard case .base(_, _, _, nil) = error else {
            Issue.record("\(error)")
            return
        }
    }

    @Test(
        "another family, another type or another size is refused",
        arguments: [
            "gpt2", "llama", "gpt-neox", "bloom", "codegen", "gptj-f16", "gptj-tied", "opt", "gpt-neo",
        ])
    func otherModels(name: String) throws {
        let subject = try PatchSubject("gptj")
        var samples = subject.samples
        let patch = try #require(try samples.patch(.dense)).bound(to: subject.model)
        let other = try PatchSubject(name).model
        #expect(throws: PatchError.self) { try other.applying([.init(patch)]) }
    }

    @Test("sizes are checked for patches that do not say what they were made on, and with any base")
    func sizes() throws {
        let subject = try PatchSubject("gptj")
        let c = subject.model.configuration
        func refused(_ change: Patch.Change, _ word: String) throws {
            let patch = try Patch(PatchHeader(name: "p", method: "sample"), [change])
            for any in [true, false] {
                let error = try #require(throws: PatchError.self, "\(word)") {
                    try subject.model.applying([.init(patch)], acceptsAnyBase: any)
                }
                #expect(error.description.contains(word), "\(error)")
            }
        }
        let small = try Tensor([1, 2, 3, 4], shape: [2, 2])
        let four = try Tensor([1, 2, 3, 4], shape: [4])
        try refused(.dense(DenseDelta(.init(.up, layer: 0), small)), "0.up")
        try refused(.dense(DenseDelta(.init(.up, layer: c.layers), small)), "there is no weight")
        try refused(.dense(DenseDelta(.init(.gate, layer: 0), small)), "there is no weight 0.gate")
        try refused(.lowRank(LowRankDelta(.init(.down, layer: 0), down: small, up: small)), "0.down")
        try refused(
            .rows(RowDelta(.init(.up, layer: 0), outputs: 9, indices: [1, 2], values: small)), "0.up")
        try refused(
            .columns(ColumnDelta(.init(.up, layer: 0), inputs: 9, indices: [1, 2], values: small)), "0.up")
        try refused(.bias(BiasDelta(.init(.up, layer: 0), four)), "0.up")
        try refused(.norm(NormDeltaChange(.init(.finalNorm), weight: four)), "finalNorm")
        try refused(.norm(NormDeltaChange(.init(.mlpNorm, layer: 0), weight: four)), "mlpNorm")
        try refused(
            .tableRows(TableRows(.init(.tokenEmbedding), rows: 9, indices: [1, 2], values: small)),
            "tokenEmbedding")
        try refused(
            .tableRows(TableRows(.init(.positionEmbedding), rows: 9, indices: [1, 2], values: small)),
            "positionEmbedding")
        try refused(.addition(SiteAddition([1, 2], at: .output(of: 0))), "0.output")
        try refused(.addition(SiteAddition([1, 2], at: .output(of: 99))), "layers 0 to")
        try refused(.addition(SiteAddition([1, 2], at: .senses)), "senses")
        try refused(.mask(SiteMask.heads([1, 2, 3], at: Site(.heads, layer: 0))), "heads")
        try refused(.mask(SiteMask.columns([1, 2], at: Site(.mlpHidden, layer: 0))), "0.mlp.hidden")
        try refused(
            .operation(SiteOperation(.scale(0), at: Site(.heads, layer: 0), part: .heads([77]))), "77")
        try refused(
            .adapter(AdapterChange(at: .output(of: 0), down: small, up: small, activation: .relu)), "0.output"
        )
        let cube = try Tensor([Float](repeating: 1, count: 8), shape: [2, 2, 2])
        try refused(.prefix(PrefixChange(keys: cube, values: cube)), "prefix")
        try refused(
            .logitBias(LogitBiasChange(tokens: [1], values: Tensor([1], shape: [1]), vocabulary: 5)), "logits"
        )
    }

    @Test("a patch that does not say what it was made on is laid on with a warning") func unbound() throws {
        let subject = try PatchSubject("gptj")
        var samples = subject.samples
        let patch = try #require(try samples.patch(.bias))
        #expect(try subject.model.applying([.init(patch)]).warnings == [.unbound(patch: "bias")])
        let bound = try patch.bound(to: subject.model)
        #expect(try subject.model.applying([.init(bound)]).warnings.isEmpty)
    }

    @Test("what a patch was made over must be there, before it, in its order, once") func requirements()
        throws
    {
        let subject = try PatchSubject("gptj")
        var samples = subject.samples
        let first = try #require(try samples.patch(.bias, name: "first")).bound(to: subject.model)
        let second = try #require(try samples.patch(.dense, name: "second")).bound(to: subject.model)
        let (over, _) = try subject.model.applying([.init(first, scale: 0.5), .init(second)])
        let third = try #require(try samples.patch(.lowRank, name: "third")).bound(to: over)
        #expect(third.header.base?.requires.map(\.name) == ["first", "second"])
        func apply(_ patches: [(Patch, Float)]) throws -> [PatchStack.Warning] {
            try subject.model.applying(patches.map { .init($0.0, scale: $0.1) }).warnings
        }
        #expect(try apply([(first, 0.5), (second, 1), (third, 1)]).isEmpty)
        #expect(
            try apply([(first, 1), (second, 1), (third, 1)]) == [
                .scale(patch: "third", needs: "first", made: 0.5, found: 1)
            ])
        let digests = (first.fingerprint, second.fingerprint, third.fingerprint)
        let cases: [([(Patch, Float)], PatchError)] = [
            ([(third, 1)], .missing(patch: "third", needs: "first", fingerprint: digests.0)),
            ([(first, 1), (third, 1)], .missing(patch: "third", needs: "second", fingerprint: digests.1)),
            ([(second, 1), (third, 1)], .missing(patch: "third", needs: "first", fingerprint: digests.0)),
            (
                [(first, 0), (second, 1), (third, 1)],
                .missing(patch: "third", needs: "first", fingerprint: digests.0)
            ),
            (
                [(third, 1), (first, 0.5), (second, 1)],
                .order(patch: "third", needs: "first", fingerprint: digests.0)
            ),
            (
                [(first, 0.5), (third, 1), (second, 1)],
                .order(patch: "third", needs: "second", fingerprint: digests.1)
            ),
            (
                [(second, 1), (first, 0.5), (third, 1)],
                .order(patch: "third", needs: "second", fingerprint: digests.1)
            ),
            ([(first, 1), (first, 1)], .twice(patch: "first", fingerprint: digests.0)),
            ([(first, 1), (second, 1), (first, -1)], .twice(patch: "first", fingerprint: digests.0)),
        ]
        for (patches, expected) in cases { #expect(throws: expected) { try apply(patches) } }
        // A file of a stack keeps what it was made over.
        let path = folder.path(of: "third.patch")
        try third.save(to: path)
        #expect(throws: PatchError.missing(patch: "third", needs: "first", fingerprint: digests.0)) {
            try apply([(Patch(path: path), 1)])
        }
        _ = try subject.model.applying([.init(third)], acceptsAnyBase: true)
    }

    @Test("digests are asked of the cache before a weight is read") func cache() throws {
        let subject = try PatchSubject("gptj")
        let cache = CountingCache()
        var samples = subject.samples
        let patch = try #require(try samples.patch(.addition)).bound(to: subject.model, cache: cache)
        #expect(cache.made == 2)
        _ = try subject.model.applying([.init(patch)], cache: cache)
        #expect(cache.made == 2)
        #expect(cache.hits == 2)
    }
}

private final class CountingCache: DigestCache {
    private let state = Mutex<([String: Digest], hits: Int)>(([:], 0))
    var made: Int { state.withLock { $0.0.count } }
    var hits: Int { state.withLock { $0.hits } }

    func digest(of tensor: String, in file: FileIdentity) -> Digest? {
        state.withLock { state in
            guard let found = state.0[tensor] else { return nil }
            state.hits += 1
            return found
        }
    }

    func remember(_ digest: Digest, of tensor: String, in file: FileIdentity) {
        state.withLock { $0.0[tensor] = digest }
    }
}

extension SafetensorsFile {
    /// All tensors with their names.
    fileprivate var named: [(name: String, tensor: Tensor)] {
        get throws {
            try names.compactMap { name in try tensor(named: name).map { (name, $0) } }
        }
    }
}
