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
        arguments: ["bert-classifier", "roberta-classifier", "gptj-classifier", "gpt2-classifier"])
    func classify(name: String) async throws {
        let golden = try GoldenModel(name)
        let model = try golden.load()
        #expect(model.configuration.labels == ["bad", "fair", "good"])
        let expected = golden.outputs[0].rows[0]
        let sequence = TokenSequence(golden.ids, types: golden.types)
        func check(_ sequence: TokenSequence) async throws {
            let found = try await model.classify([sequence]).row(0)
            #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 2e-4 })
        }
        try await check(sequence)
        if model.configuration.output == .labelsAtLast {
            let padding = try #require(model.configuration.paddingToken)
            try await check(TokenSequence(golden.ids + [padding, padding], types: golden.types + [0, 0]))
            #expect(try await model.classify([TokenSequence([padding, padding])]).rowCount == 1)
        }
        await #expect(throws: PassError.empty(sequence: 1)) {
            try await model.classify([sequence, TokenSequence([])])
        }
        await #expect(throws: PassError.types(found: 1, expected: 2)) {
            try await model.classify([TokenSequence([4, 5], types: [0])])
        }
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
        let dense = #", {"type": "sentence_transformers.models.Dense", "path": "2_Dense"}"#
        let error = try #require(throws: ConfigurationError.self) {
            try pooling(modules: modules(dense), config: mean)
        }
        #expect(error.description.contains("Dense"))
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
