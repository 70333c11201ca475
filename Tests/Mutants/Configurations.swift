import CorvidModels
import CorvidTensors
import CorvidText
import Foundation
import TestSupport

extension MutantFormats {
    /// Settings of a model.
    static let configuration = MutantFormat.json(
        name: "config.json",
        inputs: [
            """
            {"architectures": ["GPTJForCausalLM"], "model_type": "gptj", "n_embd": 32, "n_layer": 2, "n_head": 4,
             "n_inner": null, "n_positions": 64, "rotary_dim": 4, "vocab_size": 50, "layer_norm_epsilon": 1e-05,
             "activation_function": "gelu_new", "tie_word_embeddings": false, "torch_dtype": "float32"}
            """,
            """
            {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "n_embd": 32, "n_layer": 2, "n_head": 4,
             "n_inner": 64, "n_positions": 64, "n_ctx": 64, "vocab_size": 50, "layer_norm_epsilon": 1e-05,
             "activation_function": "gelu_new", "scale_attn_by_inverse_layer_idx": true, "scale_attn_weights": true}
            """,
            """
            {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 32, "num_hidden_layers": 2,
             "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "intermediate_size": 48,
             "max_position_embeddings": 64, "vocab_size": 50, "rms_norm_eps": 1e-05, "hidden_act": "silu",
             "tie_word_embeddings": true, "rope_theta": 10000.0, "attention_bias": false, "mlp_bias": false,
             "rope_scaling": {"rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                              "original_max_position_embeddings": 32}}
            """,
            """
            {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 32, "num_hidden_layers": 2,
             "num_attention_heads": 4, "intermediate_size": 48, "max_position_embeddings": 64, "vocab_size": 50,
             "rms_norm_eps": 1e-05, "hidden_act": "silu",
             "rope_parameters": {"rope_type": "linear", "rope_theta": 10000.0, "factor": 2.0}}
            """,
            """
            {"architectures": ["GPTNeoForCausalLM"], "model_type": "gpt_neo", "hidden_size": 32, "num_layers": 4,
             "num_heads": 4, "intermediate_size": null, "attention_types": [[["global", "local"], 2]],
             "window_size": 5, "max_position_embeddings": 64, "vocab_size": 50, "activation_function": "gelu_new"}
            """,
            """
            {"architectures": ["MPTForCausalLM"], "model_type": "mpt", "d_model": 32, "n_layers": 2, "n_heads": 4,
             "expansion_ratio": 4, "max_seq_len": 64, "vocab_size": 50, "logit_scale": "inv_sqrt_d_model",
             "attn_config": {"alibi": true, "alibi_bias_max": 8, "clip_qkv": 2.5, "qk_ln": true, "softmax_scale": 0.5,
                             "attn_type": "multihead_attention", "prefix_lm": false}}
            """,
            """
            {"architectures": ["BertForSequenceClassification"], "model_type": "bert", "hidden_size": 32,
             "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48, "type_vocab_size": 2,
             "max_position_embeddings": 64, "vocab_size": 50, "hidden_act": "gelu", "pruned_heads": {},
             "id2label": {"0": "a", "1": "b", "2": "c"}, "problem_type": "multi_label_classification"}
            """,
            """
            {"architectures": ["T5ForConditionalGeneration"], "model_type": "t5", "d_model": 32, "d_kv": 8, "d_ff": 48,
             "num_layers": 2, "num_decoder_layers": 3, "num_heads": 4, "relative_attention_num_buckets": 8,
             "relative_attention_max_distance": 20, "feed_forward_proj": "gated-gelu", "vocab_size": 50,
             "tie_word_embeddings": false, "decoder_start_token_id": 0, "eos_token_id": 1, "pad_token_id": 0}
            """,
            """
            {"architectures": ["BackpackGPT2LMHeadModel"], "model_type": "gpt2", "n_embd": 32, "n_layer": 2, "n_head": 4,
             "n_positions": 64, "vocab_size": 50, "num_senses": 4, "sense_intermediate_scale": 3}
            """,
            """
            {"architectures": ["RobertaModel"], "model_type": "roberta", "hidden_size": 32, "num_hidden_layers": 2,
             "num_attention_heads": 4, "intermediate_size": 48, "type_vocab_size": 1, "max_position_embeddings": 66,
             "vocab_size": 50, "pad_token_id": 1, "layer_norm_eps": 1e-05}
            """,
        ].map { Array($0.utf8) },
        read: { bytes in
            let json = try JSON.parse(bytes, duplicateKeys: .keepLast)
            let configuration = try ModelConfiguration(huggingFace: json, file: "config.json")
            for layer in [0, 1, configuration.layers - 1] { _ = configuration.attentionScale(layer: layer) }
        })

    /// What sentence-transformers writes beside a model, a zero byte after each file: modules.json, the pooling's
    /// config.json, a layer's.
    static let sentenceModules: MutantFormat = {
        let modules = """
            [{"idx": 0, "type": "sentence_transformers.models.Transformer", "path": ""},
             {"idx": 1, "type": "sentence_transformers.models.Pooling", "path": "1_Pooling"},
             {"idx": 2, "type": "sentence_transformers.models.Dense", "path": "2_Dense"},
             {"idx": 3, "type": "sentence_transformers.models.Normalize", "path": "3_Normalize"}]
            """
        let pooling = """
            {"word_embedding_dimension": 3, "pooling_mode_cls_token": false, "pooling_mode_mean_tokens": true,
             "pooling_mode_max_tokens": false}
            """
        let layer = """
            {"in_features": 3, "out_features": 2, "bias": true,
             "activation_function": "torch.nn.modules.activation.Tanh"}
            """
        let input = [modules, pooling, layer].joined(separator: "\u{0}")
        var tensors = ModelBuilder()
        tensors.add("linear.weight", [2, 3])
        tensors.add("linear.bias", [2])
        let weights = tensors.safetensors()
        return .json(name: "modules.json", inputs: [Array(input.utf8)]) { bytes in
            let parts = bytes.split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
            let names = ["modules.json", "1_Pooling/config.json", "2_Dense/config.json"]
            let files = Dictionary(uniqueKeysWithValues: zip(names, parts.map(Array.init)))
            let pooling = try SentencePooling(
                in: "mutant", files: { files[$0] },
                weights: { folder in
                    let path = folder + "/model.safetensors"
                    return (try SafetensorsFile(bytes: Bytes(weights), path: path), path)
                })
            for count in [0, 1, 2] {
                let states = RowValues(
                    rowCount: count, columns: 3, values: (0..<3 * count).map { Float($0) - 2 })
                _ = pooling.vector(of: states)
            }
        }
    }()
}
