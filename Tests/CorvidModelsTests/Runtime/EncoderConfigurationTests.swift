import CorvidTensors
import CorvidText
import TestSupport
import Testing

@testable import CorvidModels

/// What the configs of encoders, encoder-decoders and classifiers say.
@Suite struct EncoderConfigurationTests {
    private func read(_ architecture: String, _ members: String = "") throws -> ModelConfiguration {
        let config = """
            {"architectures": ["\(architecture)"], "hidden_size": 8, "num_attention_heads": 2,
             "num_hidden_layers": 1, "vocab_size": 9, "d_model": 8, "d_kv": 4, "num_heads": 2, "num_layers": 3,
             "d_ff": 12, "n_embd": 20, "n_head": 2, "n_layer": 1 \(members)}
            """
        return try ModelConfiguration(huggingFace: try JSON.parse(Array(config.utf8)), file: "config.json")
    }

    @Test(
        "a config that asks for arithmetic which Corvid does not run is refused by its key",
        arguments: [
            ("BertModel", "position_embedding_type", #""relative_key""#), ("BertModel", "is_decoder", "true"),
            ("BertModel", "add_cross_attention", "true"), ("BertModel", "hidden_act", #""mish""#),
            ("RobertaModel", "position_embedding_type", #""relative_key_query""#),
            ("MPNetModel", "relative_attention_num_buckets", #""many""#),
            ("T5Model", "feed_forward_proj", #""gated-mish""#), ("T5Model", "scale_decoder_outputs", "1"),
            ("BertForSequenceClassification", "id2label", "{}"),
            ("BertForSequenceClassification", "id2label.1", #"{"0": "a", "2": "b"}"#),
            ("BertForSequenceClassification", "num_labels", "0"),
            ("T5Model", "decoder_start_token_id", "0.5"),
            ("BertForSequenceClassification", "problem_type", #""ranking""#),
        ])
    func refused(architecture: String, key: String, value: String) throws {
        let member = key.split(separator: ".")[0]
        let error = try #require(throws: ConfigurationError.self) {
            try read(architecture, ", \"\(member)\": \(value)")
        }
        guard case .setting(_, key, _, _) = error else {
            Issue.record("\(error)")
            return
        }
    }

    @Test("sizes that do not go together are refused")
    func relations() {
        #expect(throws: ConfigurationError.self) {
            try read("T5Model", #", "relative_attention_max_distance": 16"#)
        }
        #expect(throws: ConfigurationError.self) { try read("RobertaModel", #", "pad_token_id": 511"#) }
        #expect(throws: ConfigurationError.self) {
            try read("BackpackGPT2LMHeadModel", #", "num_senses": 3"#)
        }
    }

    @Test("positions behind the padding token's id are counted off the context")
    func positions() throws {
        let roberta = try read("RobertaModel", #", "max_position_embeddings": 514"#)
        #expect(roberta.context == 512)
        #expect(roberta.positionOffset == 2)
        let other = try read("RobertaModel", #", "max_position_embeddings": 514, "pad_token_id": 0"#)
        #expect(other.context == 513)
        #expect(other.positionOffset == 1)
    }

    @Test("one class is one end of a family")
    func ends() throws {
        #expect(try read("BertModel").output == .states)
        #expect(try read("BertForMaskedLM").output == .vocabulary)
        #expect(try read("BertForSequenceClassification").output == .labelsAtFirst)
        #expect(try read("GPT2ForSequenceClassification").output == .labelsAtLast)
        let encoder = try read("T5EncoderModel")
        #expect(encoder.sees == .wholeSequence && encoder.layers == 3 && encoder.encoderLayers == 0)
        let whole = try read("T5ForConditionalGeneration", #", "num_decoder_layers": 5"#)
        #expect(whole.sees == .earlier && whole.layers == 5 && whole.encoderLayers == 3)
        // The config calls itself GPT-2.
        #expect(try read("BackpackGPT2LMHeadModel", #", "model_type": "gpt2", "num_senses": 4"#).senses == 4)
        #expect(try read("T5ForSequenceClassification").output == .labelsAtLast)
        #expect(try read("MT5EncoderModel").mlp == .gated)
        for name in ["BertForQuestionAnswering", "T5ForTokenClassification", "GPT2DoubleHeadsModel"] {
            #expect(throws: ConfigurationError.self) { try read(name) }
        }
    }

    @Test("T5's config says whether its MLP is gated, and its logits scaled")
    func t5() throws {
        func t5(_ members: String) throws -> ModelConfiguration {
            try read("T5ForConditionalGeneration", members)
        }
        let first = try t5("")
        #expect(
            first.mlp == .plain && first.activation == .relu && first.logitScale == 1 / Float(8).squareRoot())
        let gated = #", "feed_forward_proj": "gated-gelu", "tie_word_embeddings": false"#
        let second = try t5(gated)
        #expect(second.mlp == .gated && second.activation == .geluTanh && second.logitScale == 1)
        // As transformers 5 writes it.
        let new = #", "tie_word_embeddings": true, "scale_decoder_outputs": false"#
        #expect(try t5(new).logitScale == 1)
        #expect(first.startToken == 0)
    }

    @Test("labels have the config's names, or are numbered")
    func labels() throws {
        func labels(_ members: String) throws -> [String] {
            try read("BertForSequenceClassification", members).labels
        }
        #expect(try labels(#", "id2label": {"1": "b", "0": "a"}"#) == ["a", "b"])
        #expect(try labels("") == ["LABEL_0", "LABEL_1"])
        #expect(try labels(#", "num_labels": 3"#) == ["LABEL_0", "LABEL_1", "LABEL_2"])
    }

    @Test("the config says what scores mean; else a single label holds or not")
    func scoring() throws {
        func scoring(_ members: String) throws -> LabelScoring {
            try read("BertForSequenceClassification", members).scoring
        }
        #expect(try scoring("") == .one && scoring(#", "problem_type": null"#) == .one)
        #expect(try scoring(#", "num_labels": 1"#) == .several)
        #expect(try scoring(#", "problem_type": "regression", "num_labels": 1"#) == .value)
        #expect(try scoring(#", "problem_type": "multi_label_classification""#) == .several)
        #expect(try scoring(#", "problem_type": "single_label_classification""#) == .one)
    }
}
