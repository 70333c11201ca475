import CorvidModels
import CorvidTensors
import CorvidText
import TestSupport

extension MutantFormats {
    /// Files of weights and their indexes.
    static let checkpoints: [MutantFormat] = [gguf, safetensors, pytorch, shardIndex]

    static let gguf = MutantFormat.gguf(
        name: "gguf",
        inputs: [
            GGUFBuilder(
                keys: [
                    ("general.architecture", .string("llama")), ("general.alignment", .u32(32)),
                    ("llama.block_count", .u32(1)), ("llama.context_length", .u64(64)),
                    ("llama.embedding_length", .u32(32)),
                    ("llama.feed_forward_length", .u32(64)), ("llama.attention.head_count", .u32(4)),
                    ("llama.attention.head_count_kv", .u32(2)), ("llama.rope.dimension_count", .u32(8)),
                    ("llama.rope.freq_base", .f32(10_000)),
                    ("llama.attention.layer_norm_rms_epsilon", .f32(1e-5)),
                    ("a", .u8(1)), ("b", .i8(-1)),
                    ("c", .u16(1)), ("d", .i16(-1)), ("e", .i32(-1)), ("f", .f32(1e-5)), ("g", .bool(1)),
                    ("h", .i64(-1)), ("i", .f64(0.5)),
                    ("tokenizer.ggml.tokens", .strings(["a", "b", "", "<0x0A>", "\u{120}the", "é"])),
                    ("tokenizer.ggml.scores", .floats([0, -1, 2])),
                    ("tokenizer.ggml.token_type", .integers([1, 1, 3, 6, 1, 1])),
                    ("flags", .array(7, [.bool(0), .bool(1)])), ("wide", .array(10, [.u64(1), .u64(.max)])),
                ],
                tensors: [
                    .init("token_embd.weight", dimensions: [32, 3], type: 8, data: pattern(34 * 3)),
                    .init("blk.0.attn_q.weight", dimensions: [8, 4], data: pattern(128)),
                    .init("blk.0.ffn_up.weight", dimensions: [256, 1], type: 14, data: pattern(210)),
                    .init("blk.0.ffn_norm.weight", dimensions: [5], type: 1, data: pattern(10)),
                    .init("other", dimensions: [2, 3, 1, 2], type: 30, data: pattern(24)),
                    .init("unsupported", dimensions: [256], type: 10, data: pattern(84)),
                ]),
            GGUFBuilder(
                keys: [("general.alignment", .u32(8)), ("split.no", .u16(0)), ("split.count", .u16(1))],
                tensors: [.init("x", dimensions: [64], type: 2, data: pattern(36))]),
            GGUFBuilder(keys: [("general.architecture", .string("gpt2"))]),
        ],
        read: { bytes in
            let file = try GGUFFile(bytes: Bytes(bytes), path: "mutant.gguf")
            _ = file.metadata
            for key in file.keys {
                _ = try? file.strings(key)
                _ = try? file.integers(key)
                _ = try? file.floats(key)
                _ = try? file.string(key)
                _ = try? file.integer(key)
                _ = try? file.float(key)
                _ = try? file.bool(key)
            }
            _ = try? ModelConfiguration(gguf: file)
            readTensors(of: file)
        })

    static let safetensors = MutantFormat.safetensors(
        name: "safetensors",
        inputs: [
            (
                header: """
                {"__metadata__":{"format":"pt","note":"é"},\
                "wte.weight":{"dtype":"F32","shape":[3,4],"data_offsets":[0,48]},\
                "h.0.bias":{"dtype":"BF16","shape":[8],"data_offsets":[48,64]},\
                "h.0.mask":{"dtype":"BOOL","shape":[1,2,2],"data_offsets":[64,68]},\
                "empty":{"dtype":"F16","shape":[0,7],"data_offsets":[68,68]},\
                "scalar":{"dtype":"F64","shape":[],"data_offsets":[68,76]},\
                "eights":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[76,80]}}
                """, data: pattern(80)
            ),
            (
                header: #"{"a":{"dtype":"I64","shape":[2],"data_offsets":[0,16],"extra":[1,{"x":null}]}}  "#,
                data: pattern(16)
            ),
            (header: "{}", data: []),
        ],
        read: { bytes in
            let file = try SafetensorsFile(bytes: Bytes(bytes), path: "mutant.safetensors")
            _ = file.metadata
            readTensors(of: file)
        })

    static let pytorch = MutantFormat.pytorch(
        name: "pytorch",
        inputs: [
            PyTorchBuilder(
                dictionary { pickle in
                    pickle.text("wte.weight")
                    pickle.tensor("0", type: "FloatStorage", elements: 12, shape: [3, 4], strides: [4, 1])
                    pickle.text("transposed")
                    pickle.tensor("0", type: "FloatStorage", elements: 12, shape: [4, 3], strides: [1, 4])
                    pickle.text("h.0.bias")
                    pickle.tensor(
                        "1", type: "BFloat16Storage", elements: 8, offset: 2, shape: [2, 1, 3],
                        strides: [3, 9, 1])
                    pickle.text("scalar")
                    pickle.tensor("2", type: "DoubleStorage", elements: 1, shape: [], strides: [])
                    pickle.text("empty")
                    pickle.tensor("3", type: "HalfStorage", elements: 0, shape: [0, 7], strides: [7, 1])
                },
                storages: [("0", 12, pattern(48)), ("1", 8, pattern(16)), ("2", 1, pattern(8)), ("3", 0, [])]),
            PyTorchBuilder(wrapped(), storages: [("0", 4, pattern(4))]),
            PyTorchBuilder(
                dictionary { pickle in
                    pickle.text("a")
                    pickle.tensor(
                        "94", type: "LongStorage", elements: 3, shape: [3], strides: [1], isOld: true)
                    pickle.text("b")
                    pickle.tensor(
                        "95", type: "HalfStorage", elements: 6, shape: [3, 2], strides: [1, 3], isOld: true)
                }, storages: [("94", 3, pattern(24)), ("95", 6, pattern(12))], isOld: true),
        ],
        read: { bytes in
            let file = try PyTorchFile(bytes: Bytes(bytes), path: "mutant.bin")
            readTensors(of: file)
        })

    /// `{...}` of what `body` puts on the stack, with attributes as a module's state dict has them.
    private static func dictionary(_ body: (inout PickleBuilder) -> Void) -> PickleBuilder {
        var pickle = PickleBuilder()
        pickle.global("collections", "OrderedDict")
        pickle.add(")R")
        pickle.add(UInt8(ascii: "q"), [1])
        pickle.add("(")
        body(&pickle)
        pickle.add("u}")
        pickle.text("_metadata")
        pickle.add(UInt8(ascii: "h"), [1])
        pickle.add("sb")
        return pickle
    }

    /// Weights beside settings, in protocol 4: memo, lists, names from the stack, a parameter, bytes with a type.
    private static func wrapped() -> PickleBuilder {
        var pickle = PickleBuilder(protocol: 4)
        pickle.add("}")
        pickle.add(0x94)
        pickle.add("(")
        pickle.text("epoch")
        pickle.integer(70_000)
        pickle.text("seed")
        pickle.add(0x8A, [9] + [UInt8](repeating: 255, count: 9))
        pickle.text("rates")
        pickle.add("](")
        pickle.add(UInt8(ascii: "G"), [UInt8](repeating: 0, count: 8))
        pickle.add("Ne")
        pickle.text("state_dict")
        pickle.add("}")
        pickle.text("w")
        pickle.text("torch._utils")
        pickle.text("_rebuild_parameter")
        pickle.add(0x93)
        pickle.add("(")
        pickle.tensor("0", type: "ByteStorage", elements: 4, shape: [2, 2], strides: [2, 1])
        pickle.add(0x88)
        pickle.add("NtRsu")
        return pickle
    }

    static let shardIndex = MutantFormat.json(
        name: "safetensors.index.json",
        inputs: [
            Array(
                """
                {"metadata": {"total_size": 96}, "weight_map": {
                  "wte.weight": "model-00001-of-00002.safetensors", "h.0.bias": "model-00002-of-00002.safetensors"}}
                """.utf8)
        ],
        read: { bytes in try ShardedCheckpoint.check(index: bytes, file: "model.safetensors.index.json") })

    /// Reads every tensor to its last byte, and checks that the sizes of the list agree with the tensors.
    private static func readTensors(of source: some TensorSource) {
        for entry in source.entries {
            guard let tensor = try? source.tensor(named: entry.name) else { continue }
            precondition(tensor.count == entry.count && tensor.bytes.count == entry.byteCount)
            _ = tensor.rows
            _ = try? tensor.floats()
            _ = tensor.bytes.array
        }
    }

    private static func pattern(_ count: Int) -> [UInt8] { (0..<count).map { UInt8($0 * 37 % 251) } }
}
