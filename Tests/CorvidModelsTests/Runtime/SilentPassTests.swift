import CorvidTensors
import TestSupport
import Testing

@testable import CorvidModels

/// Passes that want no logits.
@Suite struct SilentPassTests {
    @Test(
        "A pass that wants no logits stores keys and values as any other",
        arguments: ["gptj", "gpt2", "llama"])
    func sameKeysAndValues(name: String) throws {
        let golden = try GoldenModel(name)
        let model = try golden.load()
        let cache = try model.makeCache()
        let rows = golden.ids.enumerated().map { index, id in
            Batch<KeyValueCache>.Row(
                token: id, sequence: 0, position: index, wantsLogits: index == golden.ids.count - 1)
        }
        let silent = try model.logitsBlocking(for: Batch(rows: rows.dropLast(), caches: [cache]))
        #expect(silent.rowCount == 0)
        #expect(cache.count == golden.ids.count - 1)
        let last = try model.logitsBlocking(for: Batch(rows: rows.suffix(1), caches: [cache]))
        #expect(Array(last.row(0)) == (try Schedule(threads: 2).logits(model, golden.ids)).last)
    }

    @Test("In the last block it computes keys and values, but neither queries nor attention")
    func stopsEarly() throws {
        let width = 64
        let rows = 2048
        var tensors = ModelBuilder()
        tensors.add("wte.weight", [5, width])
        for part in ["q", "k", "v", "out"] { tensors.add("h.0.attn.\(part)_proj.weight", [width, width]) }
        for norm in ["h.0.ln_1", "ln_f"] { tensors.add(norm + ".weight", [width]) }
        tensors.add("h.0.mlp.fc_in.weight", [1, width])
        tensors.add("h.0.mlp.fc_out.weight", [width, 1])
        let folder = try TemporaryFolder()
        try folder.write(
            """
            {"architectures": ["GPTJForCausalLM"], "n_embd": \(width), "n_head": 4, "n_layer": 1, "n_inner": 1,
             "n_positions": \(rows), "rotary_dim": 4, "vocab_size": 5, "tie_word_embeddings": true}
            """, to: "config.json")
        try folder.write(tensors.safetensors(), to: "model.safetensors")
        let files = try ModelFiles(path: folder.path)
        let configuration = try files.modelConfiguration()
        let loader = WeightLoader(
            source: files.tensors, configuration: configuration, computeType: .f32, file: folder.path,
            isGGUF: false)
        let transformer = try Transformer(loader, cacheType: .f32)
        let shape = KeyValueShape(layers: 1, heads: 4, headWidth: width / 4, type: .f32)
        let pool = try WorkerPool(threads: 2)

        func bytes(wantingLast: Bool) throws -> Int {
            let batch = Batch(
                rows: (0..<rows).map {
                    .init(
                        token: Int32($0 % 5), sequence: 0, position: $0,
                        wantsLogits: wantingLast && $0 == rows - 1)
                },
                caches: [KeyValueCache(shape: shape)])
            return try pool.runBlocking { workers in
                let pass = try Pass(batch, vocabulary: 5, contextLength: rows)
                let arena = Arena()
                let run = PassRun(
                    pass: pass, workers: workers, arena: arena, sites: nil, isCancelled: { false })
                _ = try transformer.run(run, for: .logits)
                return arena.byteCount
            }
        }
        // The matrices of queries and of the heads' values are what the rest of the block needs for all rows.
        let matrix = rows * width * MemoryLayout<Float>.stride
        #expect(try bytes(wantingLast: true) - bytes(wantingLast: false) >= 2 * matrix)
    }
}
