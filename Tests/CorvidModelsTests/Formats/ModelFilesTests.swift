import CorvidTensors
import TestSupport
import Testing

@testable import CorvidModels

@Suite("Files of a model")
struct ModelFilesTests {
    @Test(
        "A folder that lacks something or holds something wrong is refused, and the message names it",
        arguments: BadFolders.all.indices)
    func badFolder(_ index: Int) throws {
        let example = BadFolders.all[index]
        let folder = try TemporaryFolder()
        let path = try example.make(folder)
        let error = try #require(throws: CheckpointError.self, "\(example.name)") {
            try ModelFiles(path: path)
        }
        #expect(error.kind == example.error, "\(example.name): \(error)")
        #expect(error.description.hasPrefix(folder.path))
        for mention in example.mentions {
            #expect(error.description.contains(mention), "\(example.name): \(error)")
        }
    }

    @Test("A folder with one safetensors file")
    func oneFile() throws {
        let folder = try TemporaryFolder()
        try folder.write(#"{"model_type": "gptj", "n_embd": 4, "n_embd": 8}"#, to: "config.json")
        try folder.write(#"{"eos_token_id": 7}"#, to: "generation_config.json")
        try folder.write(BadFolders.weights, to: "model.safetensors")
        // Other files that do not matter, a leftover among them.
        try folder.write("x", to: "pytorch_model.bin")
        try folder.write("x", to: "old.incomplete")
        let files = try ModelFiles(path: folder.path)
        #expect(files.layout == .huggingFace)
        #expect(files.config?["model_type"]?.string == "gptj")
        #expect(files.config?["n_embd"]?.int == 8, "of a repeated key the last counts")
        #expect(files.generationConfig?["eos_token_id"]?.int == 7)
        #expect(files.tensors.names == ["wte.weight"])
        #expect(files.tensorBytes == 16)
        #expect(files.weightFiles == [folder.path(of: "model.safetensors")])
        #expect(files.gguf == nil)
        #expect(try files.folder?.bytes(of: "old.incomplete") == Array("x".utf8))
        #expect(try files.folder?.bytes(of: "tokenizer.json") == nil)
        #expect(throws: Never.self) { try files.tensors.checkSize() }
    }

    @Test("A folder with shards gives each tensor from the shard that the index names")
    func shards() throws {
        let folder = try TemporaryFolder()
        try folder.write("{}", to: "config.json")
        try folder.write(BadFolders.index, to: "model.safetensors.index.json")
        try folder.write(
            SafetensorsBuilder.floats([("a", [3]), ("b", [1])]), to: "model-00001-of-00002.safetensors")
        try folder.write(SafetensorsBuilder.floats([("b", [2, 2])]), to: "model-00002-of-00002.safetensors")
        let files = try ModelFiles(path: folder.path + "/")
        #expect(files.tensors.names == ["a", "b"])
        #expect(try files.tensors.tensor(named: "b")?.shape == [2, 2])
        #expect(try files.tensors.tensor(named: "absent") == nil)
        #expect(files.weightFiles.count == 2)
        #expect(files.tensorBytes == 12 + 16)
        #expect(throws: Never.self) { try files.tensors.checkSize() }
    }

    @Test("A GGUF file, alone or as the only one in a folder without config.json")
    func gguf() throws {
        let folder = try TemporaryFolder()
        let builder = GGUFBuilder(tensors: [.init("a", dimensions: [1], data: [0, 0, 0, 0])])
        let path = try folder.write(builder.bytes(), to: "m.gguf")
        for place in [path, folder.path] {
            let files = try ModelFiles(path: place)
            #expect(files.layout == .gguf)
            #expect(files.path == place)
            #expect(files.tensors.names == ["a"])
            #expect(files.weightFiles == [path])
            #expect(files.config == nil && files.folder == nil)
        }
    }

    @Test("A file that became shorter after it was opened is noticed before it is used")
    func truncatedLater() throws {
        let folder = try TemporaryFolder()
        try folder.write("{}", to: "config.json")
        try folder.write(BadFolders.weights, to: "model.safetensors")
        let gguf = try folder.write(GGUFBuilder().bytes(), to: "m.gguf")
        let files = try ModelFiles(path: folder.path)
        let other = try GGUFFile(path: gguf)
        try folder.truncate("model.safetensors", to: 8)
        try folder.truncate("m.gguf", to: 8)
        #expect(throws: MemoryError.self) { try files.tensors.checkSize() }
        #expect(throws: MemoryError.self) { try other.checkSize() }
    }

    @Test("config.json that is a Git LFS pointer says so")
    func pointer() throws {
        let folder = try TemporaryFolder()
        let pointer = Array("version https://git-lfs.github.com/spec/v1\noid sha256:0\n".utf8)
        let config = try folder.write(pointer, to: "config.json")
        #expect(throws: FormatError.gitPointer(file: config)) { try ModelFiles(path: folder.path) }
    }
}
