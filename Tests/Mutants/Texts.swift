import CorvidModels
import CorvidTensors
import CorvidText
import Foundation
import TestSupport

extension MutantFormats {
    /// What else comes with a model: its settings, its tokenizer, its chat template.
    static let texts: [MutantFormat] = [
        configuration, tokenizerJSON, vocabularyAndMerges, tokenizerGGUF, chatTemplate,
    ]

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
        ].map { Array($0.utf8) },
        read: { bytes in
            let json = try JSON.parse(bytes, duplicateKeys: .keepLast)
            let configuration = try ModelConfiguration(huggingFace: json, file: "config.json")
            for layer in [0, 1, configuration.layers - 1] { _ = configuration.attentionScale(layer: layer) }
        })

    // MARK: Tokenizers

    private static let pieces =
        ["<|end|>", "!", "'", ",", ".", "0", "1", "A", "a", "b", "c", "d", "e", "h", "l", "o", "r", "t", "w"]
        + [
            "\u{120}", "\u{10A}", "\u{C3}", "\u{A9}", "he", "ll", "hell", "hello", "\u{120}w", "\u{120}t",
            "\u{120}the", "the", "th",
        ]
    private static let merges = [
        "h e", "l l", "he ll", "hell o", "\u{120} w", "\u{120} t", "t h", "th e", "\u{120}t he",
    ]
    private static let sample = "hello the\n wo\u{E9}rld <|end|> 100!  A"

    private static func use(_ tokenizer: any Tokenizer) {
        let ids = tokenizer.encode(sample)
        _ = tokenizer.decode(ids)
        for id in ids + [0, Int32(tokenizer.vocabularySize), -1, .max] {
            _ = tokenizer.piece(of: id)
            _ = tokenizer.bytes(of: id)
        }
        var decoder = StreamingDecoder(tokenizer)
        for id in ids { _ = decoder.append(id) }
        _ = decoder.finish()
    }

    static let tokenizerJSON: MutantFormat = {
        let vocabulary = pieces.enumerated().map { "\(JSON.string($1).encoded()): \($0)" }.joined(
            separator: ", ")
        let lines = merges.map { JSON.string($0).encoded() }.joined(separator: ", ")
        let pairs = merges.map { merge in
            "["
                + merge.split(separator: " ").map { JSON.string(String($0)).encoded() }.joined(
                    separator: ", ") + "]"
        }.joined(separator: ", ")
        let end =
            #"{"id": 0, "content": "<|end|>", "special": true, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false}"#
        let gpt2 = """
            {"version": "1.0", "truncation": null, "padding": null, "added_tokens": [\(end)], "normalizer": null,
             "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
             "post_processor": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": false},
             "decoder": {"type": "ByteLevel"}, "model": {"type": "BPE", "dropout": null, "unk_token": null,
             "continuing_subword_prefix": "", "end_of_word_suffix": "", "fuse_unk": false,
             "vocab": {\(vocabulary)}, "merges": [\(lines)]}}
            """
        let digits = """
            {"version": "1.0", "added_tokens": [\(end)], "normalizer": {"type": "NFC"},
             "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": true},
               {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}]},
             "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<|end|>", "type_id": 0}},
               {"Sequence": {"id": "A", "type_id": 0}}], "pair": [],
               "special_tokens": {"<|end|>": {"id": "<|end|>", "ids": [0], "tokens": ["<|end|>"]}}},
             "decoder": {"type": "ByteLevel"}, "model": {"type": "BPE", "ignore_merges": true,
             "vocab": {\(vocabulary)}, "merges": [\(pairs)]}}
            """
        return .json(name: "tokenizer.json", inputs: [gpt2, digits].map { Array($0.utf8) }) { bytes in
            use(try ByteLevelBPE(tokenizerJSON: bytes))
        }
    }()

    /// vocab.json, a zero byte, merges.txt.
    static let vocabularyAndMerges: MutantFormat = {
        let vocabulary = pieces.enumerated().map { "\(JSON.string($1).encoded()): \($0)" }.joined(
            separator: ", ")
        let both = "{\(vocabulary)}\u{0}#version: 0.2\n" + merges.joined(separator: "\n") + "\n"
        return .json(name: "vocab.json", inputs: [Array(both.utf8)]) { bytes in
            let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
            let tokenizer = try ByteLevelBPE.load { name in
                switch name {
                case "vocab.json": Array(parts[0])
                case "merges.txt": parts.count > 1 ? Array(parts[1]) : nil
                default: nil
                }
            }
            use(tokenizer)
        }
    }()

    static let tokenizerGGUF = MutantFormat.gguf(
        name: "gguf tokenizer",
        inputs: ["gpt-2", "smollm", "llama-bpe"].map { pre in
            GGUFBuilder(keys: [
                ("tokenizer.ggml.model", .string("gpt2")), ("tokenizer.ggml.pre", .string(pre)),
                ("tokenizer.ggml.tokens", .strings(pieces)),
                ("tokenizer.ggml.token_type", .integers(pieces.map { $0 == "<|end|>" ? 3 : 1 })),
                ("tokenizer.ggml.merges", .strings(merges)), ("tokenizer.ggml.bos_token_id", .u32(0)),
                ("tokenizer.ggml.eos_token_id", .u32(0)), ("tokenizer.ggml.add_bos_token", .bool(1)),
            ])
        },
        read: { bytes in
            let file = try GGUFFile(bytes: Bytes(bytes), path: "mutant.gguf")
            use(try ModelFiles(gguf: file).tokenizer())
        })

    // MARK: Templates

    static let chatTemplate = MutantFormat.template(
        name: "chat template",
        inputs: [
            """
            {% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system
            Be brief.<|im_end|>
            ' }}{% endif %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}\
            {% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}
            """,
            """
            {%- if messages[0].role == "system" %}{% set system = messages[0].content | trim %}{% set rest = messages[1:] %}
            {%- else %}{% set system = "" %}{% set rest = messages %}{% endif -%}
            {% set ns = namespace(turns=0, last='user') %}
            {%- for m in rest if m.content is defined %}
              {%- if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}
              {%- if m.role == 'user' %}[INST] {{ (system ~ '\n\n' ~ m.content) if loop.first and system else m.content }} [/INST]
              {%- elif m.role == 'assistant' %}{{ ' ' ~ m.content.strip() ~ eos_token }}{% else %}{{ m | tojson(indent=2) }}
              {%- endif %}{% set ns.turns = ns.turns + 1 %}{% set ns.last = m.role %}
            {%- endfor %}{# the number of turns #}{{ ns.turns }}{{ strftime_now('%d %b %Y') }}
            """,
            """
            {%- macro line(name, text, width=8) -%}{{ name | upper | replace('A', 'B') }}: {{ text.split(' ')[::-1] | join(', ') }}
            {%- endmacro -%}
            {% for key, value in {'a': 1, 'b': [1, 2.5, none]}.items() %}{{ line(key, value | string) }}{% endfor %}
            {% for i in range(3) %}{% for j in range(i, 5, 2) %}{{ i * j + i // 2 - 7 % 3 }}{{ loop.index }}{% endfor %}{% endfor %}
            {{ messages | map(attribute='role') | unique | list | length }}{{ 'x' * 3 }}{{ "%s" | default('none', true) }}
            {{ (messages | selectattr('role', 'equalto', 'user') | list | last).content[0:3] }}{{ 1 if true and not false or none }}
            {{ [3, 1, 2] | sort | first }}{{ {'k': 'v'} | dictsort }}{{ 'a,b'.split(',') | tojson }}{{ 'é' in 'né' }}{{ 2 ** 10 }}
            """,
        ].map { Array($0.utf8) },
        read: { bytes in
            guard let source = String(validating: bytes, as: UTF8.self) else {
                throw CocoaError(.fileReadInapplicableStringEncoding)
            }
            let template = try ChatTemplate(source: source, beginningOfSequence: "<s>", endOfSequence: "</s>")
            let messages = [
                ChatMessage(role: "system", content: " Be kind. "),
                ChatMessage(role: "user", content: "Hello"),
                ChatMessage(role: "assistant", content: "Hi!"),
                ChatMessage(role: "user", content: "Tell me more"),
            ]
            _ = try template.render(
                messages: messages, clock: .fixed(Date(timeIntervalSince1970: 1_700_000_000)))
        })
}
