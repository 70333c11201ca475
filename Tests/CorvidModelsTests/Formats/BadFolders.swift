import CorvidModels
import TestSupport

/// Model folders with something wrong, made on the fly.
enum BadFolders {
    struct Case: Sendable {
        let name: String
        let error: CheckpointError.Kind
        /// What the message must mention.
        let mentions: [String]
        /// Fills the folder and returns the path to open.
        let make: @Sendable (TemporaryFolder) throws -> String
    }

    static let weights = SafetensorsBuilder.floats([("wte.weight", [2, 2])])
    static let index = """
        {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
        """

    static let all: [Case] = [
        Case(name: "no such path", error: .notFound, mentions: ["absent"]) { $0.path(of: "absent") },
        Case(name: "a single safetensors file", error: .notModel, mentions: ["m.safetensors", "config.json"])
        {
            try $0.write(weights, to: "m.safetensors")
        },
        Case(name: "an empty folder", error: .missingConfig, mentions: ["config.json"]) { $0.path },
        Case(name: "config without weights", error: .noWeights, mentions: ["model.safetensors"]) {
            try $0.write("{}", to: "config.json")
            return $0.path
        },
        Case(name: "a single PyTorch file", error: .notModel, mentions: ["m.bin", "PyTorch", "config.json"]) {
            try $0.write("PK", to: "m.bin")
        },
        withoutIndex("pytorch_model-00001-of-00002.bin", index: "pytorch_model.bin.index.json"),
        withoutIndex("model-00001-of-00002.safetensors", index: "model.safetensors.index.json"),
        Case(
            name: "an index of pickles without weight_map", error: .json,
            mentions: ["pytorch_model.bin.index.json", "weight_map"]
        ) {
            try $0.write("{}", to: "config.json")
            try $0.write("{}", to: "pytorch_model.bin.index.json")
            return $0.path
        },
        Case(
            name: "a missing shard of pickles", error: .missingShard,
            mentions: ["pytorch_model.bin.index.json", "pytorch_model-00001-of-00001.bin"]
        ) {
            try $0.write("{}", to: "config.json")
            try $0.write(
                #"{"weight_map": {"a": "pytorch_model-00001-of-00001.bin"}}"#,
                to: "pytorch_model.bin.index.json")
            return $0.path
        },
        Case(name: "empty pickles", error: .incomplete, mentions: ["pytorch_model.bin", "empty"]) {
            try $0.write("{}", to: "config.json")
            try $0.write("", to: "pytorch_model.bin")
            return $0.path
        },
        Case(
            name: "a leftover of a download instead of weights", error: .incomplete,
            mentions: ["abc.incomplete"]
        ) {
            try $0.write("{}", to: "config.json")
            try $0.write("x", to: "abc.incomplete")
            return $0.path
        },
        Case(
            name: "a leftover of a download instead of config.json", error: .incomplete,
            mentions: ["config.json"]
        ) {
            try $0.write("x", to: "config.json.incomplete")
            return $0.path
        },
        Case(name: "empty weights", error: .incomplete, mentions: ["model.safetensors", "empty"]) {
            try $0.write("{}", to: "config.json")
            try $0.write("", to: "model.safetensors")
            return $0.path
        },
        Case(
            name: "an empty shard", error: .incomplete,
            mentions: ["model-00002-of-00002.safetensors", "empty"]
        ) {
            try $0.write("{}", to: "config.json")
            try $0.write(index, to: "model.safetensors.index.json")
            try $0.write(SafetensorsBuilder.floats([("a", [1])]), to: "model-00001-of-00002.safetensors")
            try $0.write("", to: "model-00002-of-00002.safetensors")
            return $0.path
        },
        Case(name: "a link that leads nowhere", error: .incomplete, mentions: ["model.safetensors", "link"]) {
            try $0.write("{}", to: "config.json")
            try $0.link("model.safetensors", to: "../blobs/absent")
            return $0.path
        },
        Case(name: "an empty GGUF file", error: .incomplete, mentions: ["m.gguf", "empty"]) {
            try $0.write("", to: "m.gguf")
        },
        Case(name: "two GGUF files", error: .several, mentions: ["a.gguf", "b.gguf"]) {
            try $0.write("GGUF", to: "a.gguf")
            try $0.write("GGUF", to: "b.gguf")
            return $0.path
        },
        Case(name: "a missing shard", error: .missingShard, mentions: ["index.json", "model-00002-of-00002"])
        {
            try $0.write("{}", to: "config.json")
            try $0.write(index, to: "model.safetensors.index.json")
            try $0.write(SafetensorsBuilder.floats([("a", [1])]), to: "model-00001-of-00002.safetensors")
            return $0.path
        },
        Case(
            name: "a shard without its tensor", error: .missingTensor,
            mentions: ["00002-of-00002", "tensor b"]
        ) {
            try $0.write("{}", to: "config.json")
            try $0.write(index, to: "model.safetensors.index.json")
            try $0.write(SafetensorsBuilder.floats([("a", [1])]), to: "model-00001-of-00002.safetensors")
            try $0.write(SafetensorsBuilder.floats([("c", [1])]), to: "model-00002-of-00002.safetensors")
            return $0.path
        },
        outside("../secret.safetensors"), outside("/etc/passwd"), outside(".."), outside(""),
        outside("a\\u0000b"),
        outside("sub/model.safetensors"),
        Case(
            name: "an index without weight_map", error: .json,
            mentions: ["index.json", "weight_map", "absent"]
        ) {
            try $0.write("{}", to: "config.json")
            try $0.write("{}", to: "model.safetensors.index.json")
            return $0.path
        },
        Case(name: "an empty weight_map", error: .json, mentions: ["weight_map", "empty"]) {
            try $0.write("{}", to: "config.json")
            try $0.write(#"{"weight_map":{}}"#, to: "model.safetensors.index.json")
            return $0.path
        },
        Case(name: "a weight_map of numbers", error: .json, mentions: ["weight_map.a", "integer"]) {
            try $0.write("{}", to: "config.json")
            try $0.write(#"{"weight_map":{"a":1}}"#, to: "model.safetensors.index.json")
            return $0.path
        },
        Case(name: "config.json is no JSON", error: .json, mentions: ["config.json", "line 1"]) {
            try $0.write("{", to: "config.json")
            return $0.path
        },
        Case(
            name: "config.json is an array", error: .json, mentions: ["config.json", "an array", "an object"]
        ) {
            try $0.write("[]", to: "config.json")
            return $0.path
        },
        Case(name: "config.json is enormous", error: .tooLarge, mentions: ["config.json", "16777216"]) {
            try $0.write([UInt8](repeating: 0x20, count: (16 << 20) + 1), to: "config.json")
            return $0.path
        },
    ]

    private static func withoutIndex(_ shard: String, index: String) -> Case {
        Case(name: "\(shard) without its index", error: .missingIndex, mentions: [shard, index]) {
            try $0.write("{}", to: "config.json")
            try $0.write("x", to: shard)
            return $0.path
        }
    }

    private static func outside(_ shard: String) -> Case {
        Case(name: "a shard named '\(shard)'", error: .shardName, mentions: ["index.json", "tensor a"]) {
            try $0.write("{}", to: "config.json")
            try $0.write("{\"weight_map\": {\"a\": \"\(shard)\"}}", to: "model.safetensors.index.json")
            return $0.path
        }
    }
}
