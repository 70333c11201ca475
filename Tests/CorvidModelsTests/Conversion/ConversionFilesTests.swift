import CorvidTensors
import CorvidText
import Foundation
import TestSupport
import Testing

@testable import CorvidModels

/// What stands beside the weights of a converted model, and what is refused.
@Suite struct ConversionFilesTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func convert(
        _ path: String, to type: DType, at place: String, replacing: Bool = false
    ) throws -> ModelConversion.Result {
        let target = place.hasPrefix("/") ? place : folder.path(of: place)
        let files = try ModelFiles(path: path)
        return try ModelConversion(files, to: type, at: target, replacing: replacing)
            .write(pool: WorkerPool(threads: 1))
    }

    private func golden(_ name: String) -> String { Fixtures.path("Models/\(name)") }

    // MARK: Metadata and tokenizers

    @Test("keys of a GGUF source are carried over as they are, but those that describe its bytes")
    func keys() throws {
        let source = try #require(try ModelFiles(path: golden("gguf-k")).gguf)
        let result = try convert(golden("gguf-k"), to: .q8_0, at: "model.gguf")
        let copy = try GGUFFile(path: result.path)
        for key in source.keys where key != "general.file_type" && key != "general.quantization_version" {
            #expect(copy.storedValue(key) == source.storedValue(key), "\(key)")
        }
        #expect(try copy.integer("general.file_type") == 7)
        #expect(copy.version == 3)
        #expect(copy.entry(named: "rope_freqs.weight") != nil)
        #expect(result.bytes == (try Fixtures.size(result.path)))
    }

    @Test(
        "a tokenizer gives the same ids in GGUF, and in tokenizer.json made from that",
        arguments: ["gpt2", "smollm2", "llama3"])
    func tokenizers(name: String) throws {
        for file in ["config.json", "model.safetensors"] {
            try folder.write(try Fixtures.bytes("Models/llama/\(file)"), to: file)
        }
        let json = try Fixtures.bytes("Tokenizers/\(name)/tokenizer.json")
        try folder.write(json, to: "tokenizer.json")
        let template = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
        try folder.write(template, to: "chat_template.jinja")
        let original = try ModelFiles(path: folder.path).tokenizer()
        let gguf = try convert(folder.path, to: .f32, at: "model.gguf").path
        let inFile = try ModelFiles(path: gguf)
        let back = try convert(gguf, to: .f32, at: "back").path
        let inFolder = try ModelFiles(path: back)
        let texts = [
            "In 1911, the cat's  naïve\t\tway", "12345 67", "def f(x):\n    return x\r\n", "你好 🙂", "", " ",
            "a<|endoftext|>b<|im_start|>",
        ]
        for text in texts {
            let expected = original.encode(text)
            #expect(try inFile.tokenizer().encode(text) == expected, "\(text)")
            #expect(try inFolder.tokenizer().encode(text) == expected, "\(text)")
        }
        #expect(try inFile.tokenizer().endOfSequence == original.endOfSequence)
        #expect(try inFolder.tokenizer().endOfSequence == original.endOfSequence)
        #expect(try inFile.chatTemplateSource() == template)
        #expect(try inFolder.chatTemplateSource() == template)
    }

    @Test("rows without a token get unused tokens, which stand for no text")
    func padding() throws {
        let files = try ModelFiles(path: golden("gptj"))
        let original = try files.tokenizer()
        let copy = try ModelFiles(path: try convert(golden("gptj"), to: .f32, at: "model.gguf").path)
        let rows = try files.modelConfiguration().vocabulary
        #expect(try copy.gguf?.strings("tokenizer.ggml.tokens")?.count == rows)
        for id in Int32(original.vocabularySize)..<Int32(rows) {
            #expect(try copy.tokenizer().bytes(of: id).isEmpty)
        }
        #expect(try copy.tokenizer().encode("the cat") == original.encode("the cat"))
    }

    @Test(
        "a tokenizer that GGUF cannot describe is refused, and nothing is written",
        arguments: ["neox", "qwen2"])
    func refusedTokenizer(name: String) throws {
        for file in ["config.json", "model.safetensors"] {
            try folder.write(try Fixtures.bytes("Models/llama/\(file)"), to: file)
        }
        try folder.write(try Fixtures.bytes("Tokenizers/\(name)/tokenizer.json"), to: "tokenizer.json")
        #expect(throws: TokenizerError.self) { try convert(folder.path, to: .f32, at: "model.gguf") }
        #expect(!(try folder.names().contains("model.gguf")))
    }

    @Test("config.json says the new type, and only int8 names a method of quantisation")
    func config() throws {
        let f16 = try ModelFiles(path: try convert(golden("gptj-f16"), to: .bf16, at: "a").path)
        let config = try #require(f16.config)
        #expect((config["dtype"] ?? config["torch_dtype"])?.string == "bfloat16")
        #expect(config["quantization_config"] == nil)
        let int8 = try ModelFiles(path: try convert(golden("gptj-f16"), to: .i8, at: "b").path)
        #expect(int8.config?["quantization_config"]?["quant_method"]?.string == "corvid-int8")
        let again = try ModelFiles(path: try convert(int8.path, to: .f32, at: "c").path)
        #expect(again.config?["quantization_config"] == nil)
    }

    // MARK: Refusals

    @Test("types that a format does not hold are refused")
    func types() throws {
        #expect(throws: ConversionError.self) { try convert(golden("gptj"), to: .i8, at: "model.gguf") }
        #expect(throws: ConversionError.self) { try convert(golden("gptj"), to: .q4_0, at: "model") }
        #expect(throws: ConversionError.self) { try convert(golden("gptj"), to: .i32, at: "model") }
        #expect(try folder.names().isEmpty)
    }

    @Test(
        "what GGUF cannot say of a model is refused",
        arguments: [
            "gpt-neox", "gpt-neo", "opt", "bloom", "mpt", "codegen", "cerebras", "gpt2-inverse-layer",
            "gpt2-unscaled", "llama-rope-dynamic", "bert", "t5", "gptj-classifier", "backpack",
        ])
    func unsayable(name: String) throws {
        #expect(throws: ConversionError.self) { try convert(golden(name), to: .f32, at: "model.gguf") }
        #expect(try folder.names().isEmpty)
    }

    @Test("divisors of frequencies cannot go into config.json")
    func divisors() throws {
        #expect(throws: ConversionError.self) { try convert(golden("gguf-k"), to: .f32, at: "model") }
        #expect(try folder.names().isEmpty)
    }

    @Test("neither the source nor a folder around it is written over, also by another name")
    func source() throws {
        let model = try convert(golden("gptj"), to: .f32, at: "model").path
        let file = try convert(golden("gptj"), to: .f32, at: "model.gguf").path
        try folder.link("alias.gguf", to: file)
        try folder.link("alias", to: model)
        let before = try Data(contentsOf: URL(fileURLWithPath: file))
        for (source, target) in [
            (file, file), (file, folder.path(of: "alias.gguf")), (model, model), (model, model + "/"),
            (model, folder.path(of: "alias")), (model, folder.path),
        ] {
            #expect(throws: ConversionError.self, "\(target)") {
                try convert(source, to: .f32, at: target, replacing: true)
            }
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == before)
        #expect(try ModelFiles(path: model).tensors.names.count > 10)
    }

    @Test("a model that stands there is replaced only on demand; other things never")
    func replacing() throws {
        let file = try convert(golden("gptj"), to: .f32, at: "model.gguf").path
        #expect(throws: ConversionError.exists(path: file)) {
            try convert(golden("gptj"), to: .q8_0, at: "model.gguf")
        }
        _ = try convert(golden("gptj"), to: .bf16, at: "model.gguf", replacing: true)
        #expect(try GGUFFile(path: file).entry(named: "output.weight")?.type == .bf16)

        let model = try convert(golden("gptj"), to: .f32, at: "model").path
        #expect(throws: ConversionError.exists(path: model)) {
            try convert(golden("gptj"), to: .f16, at: "model")
        }
        _ = try convert(golden("gptj"), to: .f16, at: "model", replacing: true)
        #expect(try ModelFiles(path: model).tensors.entry(named: "lm_head.weight")?.type == .f16)

        let other = folder.path(of: "other")
        try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: false)
        _ = try convert(golden("gptj"), to: .f16, at: "other")  // empty: taken
        try FileManager.default.removeItem(atPath: other + "/config.json")
        #expect(throws: ConversionError.self) {
            try convert(golden("gptj"), to: .f16, at: "other", replacing: true)
        }
        try folder.write("text", to: "note")
        #expect(throws: ConversionError.self) {
            try convert(golden("gptj"), to: .f16, at: "note", replacing: true)
        }
        #expect(try folder.names() == ["model", "model.gguf", "note", "other"])
    }

    @Test("a conversion that fails leaves what stood there, and nothing else")
    func failure() throws {
        var model = try ModelBuilder(
            SafetensorsFile(path: golden("gptj") + "/model.safetensors").named())
        let name = "transformer.h.1.mlp.fc_out.weight"
        model.tensors[name]?.values[7] = .nan
        let source = try TemporaryFolder()
        try source.write(try Fixtures.bytes("Models/gptj/config.json"), to: "config.json")
        try source.write(model.safetensors(), to: "model.safetensors")
        for place in ["model", "model.gguf"] {
            let type: DType = place == "model" ? .i8 : .q8_0
            let path = try convert(golden("gptj"), to: .f32, at: place).path
            let before = try ModelFiles(path: path).tensorBytes
            let error = #expect(throws: WeightError.self) {
                try convert(source.path, to: type, at: place, replacing: true)
            }
            #expect("\(try #require(error))".contains(name))
            #expect(try ModelFiles(path: path).tensorBytes == before)
        }
        #expect(try folder.names() == ["model", "model.gguf"])
    }
}

extension SafetensorsFile {
    /// All tensors with their names.
    fileprivate func named() throws -> [(name: String, tensor: Tensor)] {
        try names.map { name in (name, try #require(try tensor(named: name))) }
    }
}

extension Fixtures {
    fileprivate static func size(_ path: String) throws -> Int {
        try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? -1
    }
}
