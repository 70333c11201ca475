import CorvidModels
import CorvidTensors
import CorvidText
import Foundation
import TestSupport

extension MutantFormats {
    /// What else comes with a model: its settings, its tokenizer, its chat template.
    static let texts: [MutantFormat] = [
        configuration, sentenceModules, tokenizerJSON, wordPieceJSON, vocabularyAndMerges,
        wordPieceVocabulary, unigramJSON,
        sentencePiece, tokenizerGGUF, chatTemplate,
    ]

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
        _ = tokenizer.encode(sample, pair: "\u{4E2D}\u{C4}. a")
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
            use(try PipelineTokenizer(tokenizerJSON: bytes))
        }
    }()

    private static let wordPieces =
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "!", ".", "1", "a", "h", "w"]
        + [
            "he", "##ll", "##llo", "##o", "the", "wo", "##r", "##ld", "##e", "##0", "\u{4E2D}", "##h", "end",
            "<", "|",
        ]

    static let wordPieceJSON: MutantFormat = {
        let vocabulary = wordPieces.enumerated().map { "\(JSON.string($1).encoded()): \($0)" }.joined(
            separator: ", ")
        let bert = """
            {"added_tokens": [{"id": 4, "content": "[MASK]", "special": true, "lstrip": true}],
             "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
               "strip_accents": null, "lowercase": true}, "pre_tokenizer": {"type": "BertPreTokenizer"},
             "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}},
               {"Sequence": {"id": "A", "type_id": 0}}], "pair": [{"Sequence": {"id": "A", "type_id": 0}},
               {"Sequence": {"id": "B", "type_id": 1}}],
               "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]}}},
             "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
             "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
               "max_input_chars_per_word": 100, "vocab": {\(vocabulary)}}}
            """
        let words = """
            {"normalizer": {"type": "Sequence", "normalizers": [{"type": "NFKD"}, {"type": "StripAccents"},
               {"type": "Lowercase"}, {"type": "Strip", "strip_left": true, "strip_right": true},
               {"type": "Replace", "pattern": {"String": "l"}, "content": "ll"}]},
             "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Whitespace"},
               {"type": "Punctuation", "behavior": "MergedWithNext"}, {"type": "Split", "pattern": {"String": "o"},
                "behavior": "MergedWithPrevious", "invert": false}, {"type": "Digits", "individual_digits": true}]},
             "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
             "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "##"}, "content": ""},
               {"type": "Strip", "content": " ", "start": 1, "stop": 1}, {"type": "Fuse"}]},
             "model": {"max_input_chars_per_word": 8, "vocab": {\(vocabulary)}, "unk_token": "[UNK]"}}
            """
        return .json(name: "tokenizer.json of WordPiece", inputs: [bert, words].map { Array($0.utf8) }) {
            bytes in
            use(try PipelineTokenizer(tokenizerJSON: bytes))
        }
    }()

    static let wordPieceVocabulary = MutantFormat(
        name: "vocab.txt", inputs: [Array((wordPieces.joined(separator: "\n") + "\n").utf8)], structured: [],
        read: { bytes in use(try PipelineTokenizer(wordPieceVocabulary: bytes)) })

    // MARK: SentencePiece

    private static let mark = "\u{2581}"
    private static let unigramPieces: [(piece: String, score: Float, type: UInt8)] =
        [("<unk>", 0, 2), ("<s>", 0, 3), ("</s>", 0, 3), ("<|end|>", 0, 4), ("<0x0A>", -9, 6)]
        + [
            (mark, -2, 1), ("h", -5, 1), ("e", -5, 1), ("l", -5, 1), ("o", -5, 1), ("he", -3, 1),
            ("ll", -3, 1),
            ("hell", -2.5, 1), ("hello", -1, 1), (mark + "the", -1.5, 1), (mark + "t", -3, 1), ("wo", -4, 1),
            ("\u{E9}", -6, 1), ("rld", -4.25, 1), ("0", -7, 1), ("1", -7, 1), ("unused", -1, 5),
        ]

    /// A map of characters whose one rule makes "A" an "a", as darts-clone lays it out: the label's unit, its
    /// leaf, the strings.
    private static let characterMap: [UInt8] = {
        var units = [UInt32](repeating: 0, count: 256)
        units[0] = 1 << 10  // children lie at 1 ^ label
        units[1 ^ 0x41] = 0x41 | 1 << 8 | 2 << 10  // the leaf lies at 2 ^ (1 ^ 0x41)
        units[2 ^ 1 ^ 0x41] = 1 << 31
        let array = units.flatMap { unit in (0..<4).map { UInt8(truncatingIfNeeded: unit >> UInt32(8 * $0)) }
        }
        return [0, 4, 0, 0] + array + Array("a".utf8) + [0]
    }()

    /// A field of Protocol Buffers that holds bytes.
    private static func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
        var length = bytes.count
        var result = [number << 3 | 2]
        while length >= 0x80 {
            result.append(UInt8(length & 0x7F | 0x80))
            length >>= 7
        }
        return result + [UInt8(length)] + bytes
    }

    private static func sentencePieceFile(kind: UInt8, map: [UInt8]) -> [UInt8] {
        var file: [UInt8] = []
        for (piece, score, type) in unigramPieces where kind == 1 || type != 5 {
            let bits = score.bitPattern
            let word = (0..<4).map { UInt8(truncatingIfNeeded: bits >> UInt32(8 * $0)) }
            file += field(1, field(1, Array(piece.utf8)) + [2 << 3 | 5] + word + [3 << 3, type])
        }
        file += field(2, [3 << 3, kind, 0xC0, 0x02, 0, 0xC8, 0x02, 1, 0xD0, 0x02, 2])  // ids 0, 1 and 2
        return file + field(3, field(2, map) + [3 << 3, 1, 4 << 3, kind == 1 ? 1 : 0])
    }

    static let sentencePiece = MutantFormat(
        name: "tokenizer.model",
        inputs: [sentencePieceFile(kind: 1, map: characterMap), sentencePieceFile(kind: 2, map: [])],
        structured: [],
        read: { bytes in
            use(try PipelineTokenizer(sentencePiece: bytes))
            use(
                try PipelineTokenizer(
                    sentencePiece: bytes, modelType: "xlm-roberta", file: "sentencepiece.bpe.model"))
        })

    static let unigramJSON: MutantFormat = {
        let vocabulary = unigramPieces.map { "[\(JSON.string($0.piece).encoded()), \($0.score)]" }.joined(
            separator: ", ")
        let map = Data(characterMap).base64EncodedString()
        let t5 = """
            {"added_tokens": [{"id": 2, "content": "</s>", "special": true}],
             "normalizer": {"type": "Sequence", "normalizers": [{"type": "Precompiled", "precompiled_charsmap": "\(map)"},
               {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}]},
             "pre_tokenizer": {"type": "Metaspace", "replacement": "\(mark)", "prepend_scheme": "always", "split": true},
             "post_processor": {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}},
               {"SpecialToken": {"id": "</s>", "type_id": 0}}], "pair": [],
               "special_tokens": {"</s>": {"id": "</s>", "ids": [2], "tokens": ["</s>"]}}},
             "decoder": {"type": "Metaspace", "replacement": "\(mark)", "prepend_scheme": "first"},
             "model": {"type": "Unigram", "unk_id": 0, "byte_fallback": true, "vocab": [\(vocabulary)]}}
            """
        let pieces = unigramPieces.enumerated().map { "\(JSON.string($1.piece).encoded()): \($0)" }
        let llama = """
            {"normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "\(mark)"},
               {"type": "Replace", "pattern": {"String": " "}, "content": "\(mark)"}]}, "pre_tokenizer": null,
             "post_processor": null, "decoder": {"type": "Sequence", "decoders": [
               {"type": "Replace", "pattern": {"String": "\(mark)"}, "content": " "}, {"type": "ByteFallback"},
               {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
             "model": {"type": "BPE", "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": true,
               "vocab": {\(pieces.joined(separator: ", "))}, "merges": ["h e", "l l", "he ll", "hell o"]}}
            """
        return .json(name: "tokenizer.json of Unigram", inputs: [t5, llama].map { Array($0.utf8) }) { bytes in
            use(try PipelineTokenizer(tokenizerJSON: bytes))
        }
    }()

    /// vocab.json, a zero byte, merges.txt.
    static let vocabularyAndMerges: MutantFormat = {
        let vocabulary = pieces.enumerated().map { "\(JSON.string($1).encoded()): \($0)" }.joined(
            separator: ", ")
        let both = "{\(vocabulary)}\u{0}#version: 0.2\n" + merges.joined(separator: "\n") + "\n"
        return .json(name: "vocab.json", inputs: [Array(both.utf8)]) { bytes in
            let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
            let tokenizer = try PipelineTokenizer.load { name in
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
        inputs: [
            GGUFBuilder(keys: [
                ("tokenizer.ggml.model", .string("bert")),
                (
                    "tokenizer.ggml.tokens",
                    .strings(
                        wordPieces.map { $0.hasPrefix("##") ? String($0.dropFirst(2)) : "\u{2581}" + $0 })
                ),
                ("tokenizer.ggml.token_type", .integers(wordPieces.indices.map { $0 < 5 ? 3 : 1 })),
                ("tokenizer.ggml.cls_token_id", .u32(2)), ("tokenizer.ggml.seperator_token_id", .u32(3)),
                ("tokenizer.ggml.unknown_token_id", .u32(1)),
            ])
        ]
            + ["llama", "t5"].map { model in
                GGUFBuilder(keys: [
                    ("tokenizer.ggml.model", .string(model)),
                    ("tokenizer.ggml.tokens", .strings(unigramPieces.map(\.piece))),
                    ("tokenizer.ggml.scores", .floats(unigramPieces.map(\.score))),
                    ("tokenizer.ggml.token_type", .integers(unigramPieces.map { Int32($0.type) })),
                    ("tokenizer.ggml.precompiled_charsmap", .array(0, characterMap.map { .u8($0) })),
                    ("tokenizer.ggml.bos_token_id", .u32(1)), ("tokenizer.ggml.eos_token_id", .u32(2)),
                    ("tokenizer.ggml.unknown_token_id", .u32(0)),
                    ("tokenizer.ggml.add_space_prefix", .bool(1)),
                ])
            }

            + ["gpt-2", "smollm", "llama-bpe"].map { pre in
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
