import CorvidTensors
import CorvidText
import TestSupport
import Testing

@testable import CorvidModels

@Suite struct RandomCheckpointTests {
    /// Tiny models with the biases which the published models of their family have.
    static let folders = [
        "gptj", "gpt2", "gpt-neo", "gpt-neox", "gpt-neox-sequential", "llama-tied", "llama-rope-linear",
        "opt",
        "opt-350m",
        "bloom", "bloom-post-norm", "mpt", "mpt-options", "codegen", "cerebras",
    ]

    @Test("a random checkpoint has the tensors which a file of the same config has", arguments: folders)
    func sameTensors(folder: String) throws {
        let files = try ModelFiles(path: Fixtures.path("Models/\(folder)"))
        let configuration = try files.modelConfiguration()
        let checkpoint = try RandomCheckpoint(
            configuration, type: .f32, name: folder, pool: try WorkerPool(threads: 1))
        let prefix = configuration.family.optionalPrefix
        func shapes(_ source: any TensorSource) -> [String: [Int]] {
            let ignored = configuration.family.ignored
            return source.entries.reduce(into: [:]) { shapes, entry in
                guard !ignored.contains(where: entry.name.hasSuffix) else { return }
                // A tied output matrix may stand in a file a second time.
                if configuration.tiedHead == true, entry.name == "lm_head.weight" { return }
                let name =
                    entry.name.hasPrefix(prefix) ? String(entry.name.dropFirst(prefix.count)) : entry.name
                shapes[name] = entry.shape
            }
        }
        #expect(shapes(checkpoint) == shapes(files.tensors))
        #expect(checkpoint.byteCount == checkpoint.entries.reduce(0) { $0 + $1.byteCount })
    }

    /// One small model of each family.
    static let names = [
        "gpt-j-6b", "gpt2", "smollm2-135m", "pythia-70m", "gpt-neo-125m", "opt-125m", "opt-350m",
        "bloom-560m",
        "mpt-7b", "codegen-350m",
    ]

    @Test("each family runs on random blocks, and its logits are finite", arguments: names)
    func runs(name: String) throws {
        let shape = try #require(ModelShape.named(name))
        let pool = try WorkerPool(threads: 2)
        let checkpoint = try RandomCheckpoint(
            try shape.configuration(layers: 1), type: .q4_0, name: name, pool: pool)
        let model = try Model.random(checkpoint, pool: pool)
        let rows = (0..<3).map {
            Batch<KeyValueCache>.Row(
                token: Int32(100 * $0), sequence: 0, position: $0, wantsLogits: $0 == 2)
        }
        let logits = try model.logitsBlocking(for: Batch(rows: rows, caches: [try model.makeCache()])).row(0)
        #expect(logits.count == model.vocabularySize && logits.allSatisfy { $0.isFinite })
        #expect(Set(logits).count > 100, "the logits are all alike")
        #expect(try model.firstNonFiniteTensor() == nil)
        #expect(throws: TokenizerError.self) { try model.tokenizer }
    }

    @Test("every type gives a model that runs", arguments: RandomCheckpoint.types)
    func types(type: DType) throws {
        let shape = try #require(ModelShape.named("pythia-70m"))
        let pool = try WorkerPool(threads: 2)
        let checkpoint = try RandomCheckpoint(
            try shape.configuration(layers: 1), type: type, name: "p", pool: pool)
        let model = try Model.random(checkpoint, pool: pool)
        let row = Batch<KeyValueCache>.Row(token: 1, sequence: 0, position: 0, wantsLogits: true)
        let logits = try model.logitsBlocking(for: Batch(rows: [row], caches: [try model.makeCache()])).row(0)
        #expect(logits.allSatisfy { $0.isFinite })
        #expect(checkpoint.entries.contains { $0.type == type })
    }

    @Test("rows that blocks of 256 do not divide get the next larger blocks of 32")
    func smallerBlocks() throws {
        let shape = try #require(ModelShape.named("smollm2-135m"))
        let pool = try WorkerPool(threads: 1)
        for (type, smaller) in [(DType.q4_K, DType.q5_0), (.q5_K, .q5_1), (.q6_K, .q8_0)] {
            let checkpoint = try RandomCheckpoint(
                try shape.configuration(layers: 1), type: type, name: "s", pool: pool)
            // 576 columns and 1536.
            #expect(checkpoint.entry(named: "model.layers.0.self_attn.q_proj.weight")?.type == smaller)
            #expect(checkpoint.entry(named: "model.layers.0.mlp.down_proj.weight")?.type == type)
        }
    }

    @Test("types that hold no weights are refused", arguments: [DType.i32, .bool, .f64])
    func otherTypes(type: DType) throws {
        let configuration = try #require(ModelShape.named("gpt2")).configuration(layers: 1)
        #expect(throws: TensorError.self) {
            try RandomCheckpoint(configuration, type: type, name: "g", pool: try WorkerPool(threads: 1))
        }
    }

    @Test("a tensor is made once, and is nil where there is none") func madeOnce() throws {
        let configuration = try #require(ModelShape.named("gpt2")).configuration(layers: 1)
        let checkpoint = try RandomCheckpoint(
            configuration, type: .q8_0, name: "g", pool: try WorkerPool(threads: 2))
        let first = try #require(try checkpoint.tensor(named: "blk.0.attn_qkv.weight"))
        let second = try #require(try checkpoint.tensor(named: "blk.0.attn_qkv.weight"))
        #expect(first.shape == [3 * 768, 768])
        #expect(try first.rows(0..<1).floats() == second.rows(0..<1).floats())
        #expect(try checkpoint.tensor(named: "blk.1.attn_qkv.weight") == nil)
    }
}
