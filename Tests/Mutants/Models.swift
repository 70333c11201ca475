import CorvidModels
import CorvidTensors
import CorvidText
import TestSupport

extension MutantFormats {
    /// A whole model of one block, which is loaded and run.
    static let models: [MutantFormat] = [
        .gguf(
            name: "gguf model", inputs: [tiny],
            read: { bytes in
                let file = try GGUFFile(bytes: Bytes(bytes), path: "mutant.gguf")
                let model = try Model.load(ModelFiles(gguf: file), options: LoadOptions(threads: 1))
                let cache = try model.makeCache()
                let rows = (0..<3).map { position in
                    Batch<KeyValueCache>.Row(
                        token: Int32(position), sequence: 0, position: position, wantsLogits: position == 2)
                }
                _ = try model.logitsBlocking(for: Batch(rows: rows, caches: [cache]))
            })
    ]

    private static let tiny = GGUFBuilder(
        keys: [
            ("general.architecture", .string("llama")), ("llama.block_count", .u32(1)),
            ("llama.context_length", .u32(64)), ("llama.embedding_length", .u32(32)),
            ("llama.feed_forward_length", .u32(64)), ("llama.attention.head_count", .u32(4)),
            ("llama.attention.head_count_kv", .u32(2)), ("llama.rope.dimension_count", .u32(8)),
            ("llama.rope.freq_base", .f32(10_000)), ("llama.attention.layer_norm_rms_epsilon", .f32(1e-5)),
        ],
        tensors: [
            quantised("token_embd.weight", [32, 8]), floats("output_norm.weight", [32]),
            floats("blk.0.attn_norm.weight", [32]), quantised("blk.0.attn_q.weight", [32, 32]),
            quantised("blk.0.attn_k.weight", [32, 16]), quantised("blk.0.attn_v.weight", [32, 16]),
            quantised("blk.0.attn_output.weight", [32, 32]), floats("blk.0.ffn_norm.weight", [32]),
            quantised("blk.0.ffn_gate.weight", [32, 64]), floats("blk.0.ffn_up.weight", [32, 64]),
            quantised("blk.0.ffn_down.weight", [64, 32]),
        ])

    private static func floats(_ name: String, _ dimensions: [UInt64]) -> GGUFBuilder.Entry {
        var data = ByteWriter()
        let count = Int(dimensions.reduce(1, *))
        for index in 0..<count {
            let value = Float(index * 7 % 13 - 6)
            data.integer(value.bitPattern, "weight")
        }
        return .init(name, dimensions: dimensions, data: data.bytes)
    }

    /// Q8_0: a scale of 2⁻⁷ in f16, then 32 signed bytes.
    private static func quantised(_ name: String, _ dimensions: [UInt64]) -> GGUFBuilder.Entry {
        let blocks = Int(dimensions.reduce(1, *)) / 32
        var data: [UInt8] = []
        for block in 0..<blocks {
            data += [0x00, 0x20]
            for index in 0..<32 { data.append(UInt8((block * 32 + index) * 37 % 251)) }
        }
        return .init(name, dimensions: dimensions, type: 8, data: data)
    }
}
