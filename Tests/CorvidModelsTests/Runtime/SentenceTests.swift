import CorvidTensors
import CorvidText
import Foundation
import TestSupport
import Testing

@testable import CorvidModels

/// Vectors and labels of whole texts.
@Suite struct SentenceTests {
    @Test("a sentence's vector is pooled as the files beside the model say")
    func embed() async throws {
        let golden = try GoldenModel("bert-sentence")
        let model = try golden.load()
        let pooling = try model.sentencePooling
        #expect(pooling == SentencePooling(mode: .mean, normalises: true, tokenLimit: 32))
        let states = try #require(golden.outputs.first { $0.output == .states }).rows
        let mean = states[0].indices.map { column in
            states.reduce(0.0) { $0 + Double($1[column]) } / Double(states.count)
        }
        let length = mean.reduce(0) { $0 + $1 * $1 }.squareRoot()
        let vector = try #require(try await model.embed([TokenSequence(golden.ids)]).first)
        #expect(vector.count == mean.count)
        #expect(zip(vector, mean).allSatisfy { abs(Double($0) - $1 / length) < 1e-5 })
    }

    @Test("every way of pooling is what its name says")
    func modes() throws {
        let states = RowValues(rowCount: 3, columns: 2, values: [1, -4, 2, 5, 6, -1])
        func pooled(_ mode: SentencePooling.Mode) -> [Float] {
            SentencePooling(mode: mode).vector(of: states)
        }
        #expect(pooled(.first) == [1, -4])
        #expect(pooled(.last) == [6, -1])
        #expect(pooled(.mean) == [3, 0])
        #expect(pooled(.maximum) == [6, 5])
        #expect(pooled(.weightedMean) == [23.0 / 6, 0.5])
        #expect(pooled(.meanByRoot) == [Float(9 / 3.0.squareRoot()), 0])
        #expect(
            SentencePooling(mode: .first, normalises: true).vector(of: states)[0]
                == Float(1 / 17.0.squareRoot()))
    }

    @Test("a vector or a score does not depend on the texts beside it")
    func alone() async throws {
        let golden = try GoldenModel("bert-sentence")
        let model = try golden.load()
        // More rows than one pass has.
        let sequences = (0..<70).map { TokenSequence(Array(golden.ids[..<(1 + $0 % 41)])) }
        let together = try await model.embed(sequences)
        #expect(together.count == 70)
        for index in [0, 1, 40, 69] {
            #expect(together[index] == (try await model.embed([sequences[index]]))[0])
        }
        let classifier = try GoldenModel("bert-classifier").load()
        let others = sequences.map { TokenSequence($0.ids.map { $0 % 57 }) }
        let scores = try await classifier.classify(others)
        #expect(scores.rowCount == 70)
        for index in [0, 40, 69] {
            #expect(scores.row(index) == (try await classifier.classify([others[index]])).row(0))
        }
    }

    @Test(
        "labels are scored at an encoder's first token and a decoder's last one, without padding",
        arguments: GoldenModel.all.filter { $0.hasSuffix("-classifier") })
    func classify(name: String) async throws {
        let golden = try GoldenModel(name)
        let model = try golden.load()
        #expect(model.configuration.labels == ["bad", "fair", "good"])
        let expected = golden.outputs[0].rows[0]
        // What an encoder-decoder classifies is its source.
        let sequence =
            golden.source.map { TokenSequence($0) } ?? TokenSequence(golden.ids, types: golden.types)
        func check(_ sequence: TokenSequence) async throws {
            let found = try await model.classify([sequence]).row(0)
            #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 2e-4 })
        }
        try await check(sequence)
        await #expect(throws: PassError.empty(sequence: 1)) {
            try await model.classify([sequence, TokenSequence([])])
        }
        if model.configuration.output == .labelsAtLast {
            let padding = try #require(model.configuration.paddingToken)
            try await check(TokenSequence(sequence.ids + [padding, padding]))
            guard golden.source == nil else {
                await #expect(throws: PassError.noEnd(sequence: 0, token: 1)) {
                    try await model.classify([TokenSequence([5, padding])])
                }
                return
            }
            #expect(try await model.classify([TokenSequence([padding, padding])]).rowCount == 1)
        }
        await #expect(throws: PassError.types(found: 1, expected: 2)) {
            try await model.classify([TokenSequence([4, 5], types: [0])])
        }
    }

    @Test(
        "every family that has a head for labels has a golden classifier, and each is scored where it should be"
    )
    func everyClassifier() throws {
        let models = try GoldenModel.all.filter { $0.hasSuffix("-classifier") }.map {
            try GoldenModel($0).load().configuration
        }
        let declared = Family.all.filter { $0.architectures.contains { $0.output.isLabels } }
        // mT5's head is T5's.
        #expect(Set(models.map(\.family.name)) == Set(declared.map(\.name)).subtracting(["mt5"]))
        #expect(Set(Family.all.map(\.name)).subtracting(declared.map(\.name)) == ["backpack"])
        for model in models {
            #expect(
                (model.output == .labelsAtFirst) == (model.sees == .wholeSequence), "\(model.family.name)")
        }
    }

    @Test("probabilities are a softmax, a sigmoid for each label, or the scores themselves")
    func probabilities() throws {
        let two = LabelScoring.one.probabilities(of: [1, 1000, 1000])
        #expect(two[0] == 0 && abs(two[1] - 0.5) < 1e-12 && abs(two[2] - 0.5) < 1e-12)
        // 1 / (1 + e^-x)
        let each = LabelScoring.several.probabilities(of: [0, 2, -1000])
        #expect(abs(each[0] - 0.5) < 1e-12 && abs(each[1] - 0.880_797_077_977_882) < 1e-12 && each[2] == 0)
        #expect(LabelScoring.value.probabilities(of: [3, -4]) == [3, -4])
    }

    @Test(
        "two texts have the types that their tokenizer gives them, and a text that is too long keeps its ends"
    )
    func tokens() throws {
        let model = try Model.load(path: Fixtures.path("Models/bert-sentence"))
        let tokenizer = try model.tokenizer
        let pair = tokenizer.encode(
            bytes: Array("the sea".utf8), pair: Array("on".utf8), addSpecialTokens: true, parseSpecial: true)
        let sequence = TokenSequence(pair)
        #expect(sequence.ids == tokenizer.encode("the sea") + tokenizer.encode("on"))
        #expect(sequence.types.count == sequence.ids.count)
        #expect(sequence.types.first == 0 && sequence.types.last == 1)
        let long = String(repeating: "the sea ", count: 40)
        #expect(try model.sentence(long).ids == Array(tokenizer.encode(long).prefix(32)))
        #expect(try model.sentence("on").ids == tokenizer.encode("on"))
    }

    /// A sentence encoder with further modules behind its pooling.
    private func encoder(
        _ modules: [String], dense: String? = nil, tensors: ModelBuilder = ModelBuilder(),
        isPickle: Bool = false
    ) throws -> (model: Model, folder: TemporaryFolder) {
        let folder = try TemporaryFolder()
        for file in ["config.json", "model.safetensors", "tokenizer.json", "1_Pooling"] {
            try folder.link(file, to: Fixtures.path("Models/bert-sentence") + "/" + file)
        }
        if let dense {
            try FileManager.default.createDirectory(
                atPath: folder.path(of: "2_Dense"), withIntermediateDirectories: false)
            try folder.write(dense, to: "2_Dense/config.json")
            if !tensors.tensors.isEmpty {
                let (bytes, file) =
                    isPickle
                    ? (tensors.pytorch(), "pytorch_model.bin") : (tensors.safetensors(), "model.safetensors")
                try folder.write(bytes, to: "2_Dense/" + file)
            }
        }
        let paths = ["Pooling": "1_Pooling", "Dense": "2_Dense"]
        let entries = (["Transformer", "Pooling"] + modules).map {
            #"{"type": "sentence_transformers.models.\#($0)", "path": "\#(paths[$0] ?? "")"}"#
        }
        try folder.write("[" + entries.joined(separator: ",") + "]", to: "modules.json")
        return (try Model.load(path: folder.path, options: LoadOptions(computeType: .f32)), folder)
    }

    private static let dense = #"""
        {"in_features": 20, "out_features": 3, "bias": true, "activation_function": "torch.nn.modules.activation.Tanh"}
        """#

    @Test(
        "a layer behind the pooling is f(W x + b), from safetensors and from PyTorch's file, and its output is normalised after that",
        arguments: [false, true])
    func layers(isPickle: Bool) async throws {
        var tensors = ModelBuilder()
        tensors.add("linear.weight", [3, 20])
        tensors.add("linear.bias", [3])
        let golden = try GoldenModel("bert-sentence")
        let states = try #require(golden.outputs.first { $0.output == .states }).rows
        let mean = states[0].indices.map { column in
            states.reduce(0.0) { $0 + Double($1[column]) } / Double(states.count)
        }
        let weights = try #require(tensors.tensors["linear.weight"]).values
        let bias = try #require(tensors.tensors["linear.bias"]).values
        let sums = (0..<3).map { row in
            mean.indices.reduce(Double(bias[row])) { $0 + Double(weights[row * 20 + $1]) * mean[$1] }
        }
        let (model, _) = try encoder(
            ["Dense", "Normalize"], dense: Self.dense, tensors: tensors, isPickle: isPickle)
        let vector = try #require(try await model.embed([TokenSequence(golden.ids)]).first)
        let expected = sums.map { tanh($0) }
        let length = expected.reduce(0) { $0 + $1 * $1 }.squareRoot()
        #expect(vector.count == 3)
        #expect(zip(vector, expected).allSatisfy { abs(Double($0) - $1 / length) < 1e-5 })
        let plain = Self.dense.replacing("activation.Tanh", with: "linear.Identity")
        let (linear, _) = try encoder(["Dense"], dense: plain, tensors: tensors, isPickle: isPickle)
        let other = try #require(try await linear.embed([TokenSequence(golden.ids)]).first)
        #expect(zip(other, sums).allSatisfy { abs(Double($0) - $1) < 1e-4 })
    }

    @Test(
        "a layer behind the pooling that does not fit or is not understood is refused when vectors are asked for"
    )
    func badLayers() throws {
        var tensors = ModelBuilder()
        tensors.add("linear.weight", [3, 20])
        func refuse(
            _ modules: [String], _ dense: String?, _ tensors: ModelBuilder, naming word: String
        ) throws {
            let (model, folder) = try encoder(modules, dense: dense, tensors: tensors)
            let error = try #require(throws: (any Error).self, "\(word)") { try model.sentencePooling }
            #expect("\(error)".contains(word), "\(error)")
            _ = folder
        }
        try refuse(["Dense"], Self.dense, tensors, naming: "linear.bias")
        tensors.add("linear.bias", [3])
        try refuse(["Dense"], nil, tensors, naming: "2_Dense")
        try refuse(["Dense"], Self.dense, ModelBuilder(), naming: "2_Dense")
        try refuse(["Normalize", "Dense"], Self.dense, tensors, naming: "Dense")
        for (found, wanted, word) in [
            ("activation.Tanh", "activation.Mish", "Mish"), ("3", "4", "linear.weight"),
            ("20", "19", "linear.weight"),
            ("20", "0", "in_features"), ("20", "99999999999", "in_features"),
        ] {
            try refuse(["Dense"], Self.dense.replacing(found, with: wanted), tensors, naming: word)
        }
        var narrow = ModelBuilder()
        narrow.add("linear.weight", [3, 19])
        narrow.add("linear.bias", [3])
        try refuse(["Dense"], Self.dense.replacing("20", with: "19"), narrow, naming: "19 values")
        narrow = tensors
        narrow.tensors["linear.bias"] = ([3], [0, .nan, 0])
        try refuse(["Dense"], Self.dense, narrow, naming: "NaN")
    }

    @Test("what sentence-transformers may write and Corvid does not run is refused by name")
    func refusals() throws {
        func pooling(modules: String, config: String) throws -> SentencePooling {
            let folder = try TemporaryFolder()
            try folder.write(modules, to: "modules.json")
            try FileManager.default.createDirectory(
                atPath: folder.path(of: "1_Pooling"), withIntermediateDirectories: false)
            try folder.write(config, to: "1_Pooling/config.json")
            return try SentencePooling(folder: try ModelFolder(path: folder.path))
        }
        func modules(_ third: String, path: String = "1_Pooling") -> String {
            """
            [{"type": "sentence_transformers.models.Transformer", "path": ""},
             {"type": "sentence_transformers.models.Pooling", "path": "\(path)"}\(third)]
            """
        }
        let mean = #"{"pooling_mode_mean_tokens": true, "pooling_mode_cls_token": false}"#
        #expect(try pooling(modules: modules(""), config: mean) == SentencePooling(mode: .mean))
        for type in ["CNN", "LSTM", "LayerNorm", "WeightedLayerPooling"] {
            let other = #", {"type": "sentence_transformers.models.\#(type)", "path": ""}"#
            let error = try #require(throws: ConfigurationError.self) {
                try pooling(modules: modules(other), config: mean)
            }
            #expect(error.description.contains(type))
        }
        #expect(throws: ConfigurationError.self) {
            try pooling(modules: modules("", path: "../1_Pooling"), config: mean)
        }
        let both = #"{"pooling_mode_mean_tokens": true, "pooling_mode_cls_token": true}"#
        for config in [both, "{}"] {
            #expect(throws: ConfigurationError.self) { try pooling(modules: modules(""), config: config) }
        }
        #expect(throws: CheckpointError.self) { try pooling(modules: "{}", config: mean) }
        let file = try GoldenModel("gguf-bert").load()
        #expect(try file.sentencePooling == SentencePooling(mode: .first, normalises: true))
        let ranked = GGUFBuilder(
            keys: [("general.architecture", .string("bert")), ("bert.pooling_type", .u32(4))], tensors: [])
        let empty = try TemporaryFolder()
        let path = try empty.write(ranked.bytes(), to: "ranked.gguf")
        #expect(throws: ConfigurationError.self) { try SentencePooling(gguf: try GGUFFile(path: path)) }
        #expect(try SentencePooling(folder: try ModelFolder(path: empty.path)) == SentencePooling())
    }
}
