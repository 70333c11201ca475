#!/usr/bin/env python3
"""Trains small tokenizers with each family's settings and writes what the reference libraries answer.

    python3 -m venv .venv-fixtures
    .venv-fixtures/bin/pip install tokenizers==0.23.3 gguf==0.19.0 llama-cpp-python==0.3.36
    .venv-fixtures/bin/python Scripts/make-tokenizer-fixtures.py

Writes Tests/Golden/Tokenizers: for each family a folder with tokenizer.json (and vocab.json, merges.txt)
and golden.json; gguf-vocabulary.json with the golden ids of llama.cpp for each pre-tokeniser name. Each
golden file says which library and version made it. Needs no network once the packages are there.
"""

import json
import os
import random
import shutil
import tempfile
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"

import tokenizers
from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

FOLDER = Path(__file__).resolve().parent.parent / "Tests/Golden/Tokenizers"

# Text to learn from: written for this purpose, repeated words so that merges are worthwhile.
PROSE = """
The crow watched the harbour from the old roof. It isn't a large bird, but it's clever: it counts the boats,
it remembers faces, and it doesn't forgive. "We'll see," said the keeper, "whether they're coming back; I've
waited since 1987, and I'd wait 1234567890 more days." She'd seen 42 ships, 3.14 on average, in 2024-05-01.
Le corbeau observait le port; l'été, les élèves chantaient près de la forêt. Où êtes-vous allés hier soir?
Der Rabe saß über den Dächern und zählte große Schiffe, während die Möwen draußen über dem Fluss flogen.
Ворон смотрел на гавань со старой крыши. Он помнил лица людей и считал лодки каждый день до самого вечера.
港口的乌鸦看着船。它记得人们的脸。港は静かで、カラスは屋根の上にいた。까마귀는 항구를 바라보았다. 오래된 지붕 위에서.
कौआ बंदरगाह को देख रहा था। वह चेहरों को याद रखता है। नमस्ते दुनिया। الغراب يراقب الميناء من السطح القديم.
Con quạ nhìn bến cảng từ mái nhà cũ. Nó nhớ mặt người. Tiếng Việt có nhiều dấu: ắ, ằ, ẳ, ẵ, ặ.
def count(boats):
    total = 0
    for boat in boats:
        if boat.name != "crow" and boat.age >= 10:
            total += 1  # one more
\treturn {"total": total, "ok": True}
for (int i = 0; i < n; i++) { sum += x[i] * y[i]; }
😀😀 👍🏽 👩‍👩‍👧 ❤️ 🇩🇪 🏳️‍🌈 ½ ² Ⅳ ① ٣٤٥ १२३
"""
WORDS = (
    "counting watching remember forgive harbour keeper ships boats crow clever average days waiting".split()
)
CORPUS = [PROSE] * 3 + [" ".join(f"{a} {b}s the {a}" for a in WORDS for b in WORDS)]

TEXTS = [
    "",
    " ",
    "  ",
    "   x",
    "x   ",
    "\n",
    "\n\n",
    " \n",
    "\n ",
    "\t\tx",
    "a\u00a0b",
    "a\u00a0\u00a0 b",
    "\u3000x\u2003y",
    "Hello world",
    "hello",
    " hello",
    "  hello   world",
    "The crow isn't here.",
    "IT'S WE'LL I'VE YOU'RE I'D I'M 'T",
    "it’s we’ll I’ve",
    "'s 't 're 've 'm 'll 'd 'x",
    "''s '''ll",
    "a'\u017fb 'ſ",
    "don''t",
    "'S'Ll'vE'rE",
    "line\r\nbreak\r\n\r\n  end",
    "\r\r\n\n\r",
    "x \r\n y",
    "...\n\n...",
    "!?\r\n\r\nx",
    "end.\n",
    " \n\n x",
    "12345678901234567890",
    "1 22 333 4444",
    "a1b22c333",
    "3.14159",
    "1,234,567",
    "x 1",
    "x  1",
    "  1",
    "½²Ⅳ①",
    "٣٤٥ १२३ 12",
    "a" * 70,
    "ab" * 50,
    " " * 40,
    "\n" * 20,
    "0" * 33,
    "=" * 25,
    "-_-" * 9,
    "😀" * 9,
    "é" * 20,
    "e\u0301" * 20,
    "naïve café über",
    "nai\u0308ve cafe\u0301 u\u0308ber",
    "q\u0323\u0307 q\u0307\u0323 \u1e69 s\u0323\u0307 s\u0307\u0323",
    "\u212b \u2126 \ufb01 \uf900 \u0958 \u09c7\u09be \u1100\u1161\u11a8 각 \uac00\u11a8",
    "\u0301abc",
    "\u0344 \u0f73\u0f71",
    "Tiếng Việt có nhiều dấu",
    "T\u0069\u0302\u0301ng Vi\u0323\u0302t",
    "Ворон смотрел",
    "港口的乌鸦看着船。",
    "カラスは屋根",
    "까마귀는 항구를",
    "कौआ बंदरगाह नमस्ते",
    "الغراب يراقب الميناء",
    "ไม่รู้",
    "😀 👍🏽 👩‍👩‍👧 ❤️ 🇩🇪 🏳️‍🌈",
    "👩\u200d👩\u200d👧x",
    "a\u200bb\u200dc\ufeffd",
    "\u0000\u0001\u007f\u0080\u009f",
    "\u2028\u2029\u0085x",
    "\U0001d54f\U00020000\U0010ffff",
    "\ue000\ufffd",
    "def f(x):\n    if x >= 10:\n\t\treturn {'a': x[0]}\n",
    "for (int i=0;i<n;i++){s+=x[i];}",
    "https://a.b/c?d=e&f=g#h",
    "a_b__c--d",
    "$1,000 + 5% = €2; #tag @you ^~|<>",
    "foo<|endoftext|>bar",
    "<|endoftext|><|endoftext|>",
    " <|endoftext|> ",
    "<|endoftext|",
    "<|end<|endoftext|>",
    "<|im_start|>user\nHi 12<|im_end|>\n",
    "x <mask> y",
    "x  <mask>  y",
    "<mask><mask>",
    " <mask> <mask> ",
    "a<sep>b",
    "a <sep>  b",
    "<sep>  <sep> x",
    "word words sword word, word",
    "wordword",
    "éword word́",
    "_word_ word-word",
    "CAFÉ café cafe\u0301",
    "[norm]x [Norm] x",
    "x\u00c5y x\u212by xA\u030ay",
    "a  b   c    d     e",
    "        indented",
    "x                         y",
    "\n        y",
    " \t \t x",
    "<sep>\n\n<mask>x",
]


def base(**options):
    """A tokenizer with byte-level BPE whose steps are set by the caller before training."""
    tokenizer = Tokenizer(models.BPE(**options))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def train(tokenizer, size=800, special=()):
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(special),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def special(content, **options):
    return AddedToken(content, special=True, normalized=False, **options)


LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace("{1,3}", "")


def split(pattern):
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


def gpt2():
    tokenizer = train(base(), 800)
    tokenizer.add_special_tokens([special("<|endoftext|>")])
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer


def llama3():
    tokenizer = base(ignore_merges=True)
    tokenizer.pre_tokenizer = split(LLAMA3)
    train(tokenizer, 800)
    # Pieces that no merges lead to: only a whole part that is looked up first yields them.
    document = json.loads(tokenizer.to_str())
    vocabulary = document["model"]["vocab"]
    for piece in ["Ġhello", "hello", "Ġworld", "ĠTheĠ"]:
        vocabulary.setdefault(piece, len(vocabulary))
    tokenizer = Tokenizer.from_str(json.dumps(document))
    tokenizer.add_special_tokens(
        [special("<|begin_of_text|>"), special("<|endoftext|>"), special("<|eot_id|>")]
    )
    begin = tokenizer.token_to_id("<|begin_of_text|>")
    tokenizer.post_processor = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=False),
            processors.TemplateProcessing(
                single="<|begin_of_text|> $A",
                pair="<|begin_of_text|> $A <|begin_of_text|> $B",
                special_tokens=[("<|begin_of_text|>", begin)],
            ),
        ]
    )
    return tokenizer


def qwen2():
    tokenizer = base()
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = split(QWEN2)
    train(tokenizer, 600)
    tokenizer.add_special_tokens([special("<|endoftext|>"), special("<|im_start|>"), special("<|im_end|>")])
    return tokenizer


def smollm2():
    tokenizer = base()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    return train(tokenizer, 800, [special("<|endoftext|>"), special("<|im_start|>"), special("<|im_end|>")])


def neox():
    tokenizer = base()
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC()])
    train(tokenizer, 800, [special("<|endoftext|>"), special("<|padding|>")])
    tokenizer.add_tokens([AddedToken(" " * count, normalized=True) for count in range(24, 1, -1)])
    return tokenizer


def prefixed():
    tokenizer = base()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=False), pre_tokenizers.ByteLevel(add_prefix_space=True)]
    )
    train(tokenizer, 600, [special("<s>"), special("</s>"), special("<mask>", lstrip=True)])
    tokenizer.add_special_tokens([special("<|endoftext|>")])
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", tokenizer.token_to_id("</s>")), ("<s>", tokenizer.token_to_id("<s>")), add_prefix_space=True
    )
    return tokenizer


def added():
    """Every option of added tokens, with and without normalisation."""
    tokenizer = base()
    tokenizer.normalizer = normalizers.NFC()
    train(tokenizer, 600, [special("<|endoftext|>")])
    tokenizer.add_special_tokens([special("<mask>", lstrip=True), special("<sep>", rstrip=True)])
    tokenizer.add_tokens(
        [
            AddedToken("word", single_word=True, normalized=False),
            AddedToken("  ", normalized=False),
            AddedToken("cafe\u0301", normalized=True),
            AddedToken("[norm]", normalized=True, lstrip=True, rstrip=True),
            AddedToken("\u212b", normalized=False),
            AddedToken("crow", normalized=True),
            AddedToken("<|end", normalized=True),
        ]
    )
    return tokenizer


def unknown():
    """A vocabulary that lacks bytes and has an unknown token, fused where several follow each other."""
    document = json.loads(gpt2().to_str())
    vocabulary = document["model"]["vocab"]
    kept = {
        piece: id
        for piece, id in vocabulary.items()
        if all(c in "Ġabcdefghijklmnopqrstuvwxyz" for c in piece)
    }
    kept["<unk>"] = max(vocabulary.values()) + 5
    document["model"]["merges"] = [
        pair
        for pair in document["model"]["merges"]
        if pair[0] in kept and pair[1] in kept and pair[0] + pair[1] in kept
    ]
    document["model"].update(vocab=kept, unk_token="<unk>", fuse_unk=True)
    document["added_tokens"] = []
    return Tokenizer.from_str(json.dumps(document))


FAMILIES = {
    "gpt2": gpt2,
    "llama3": llama3,
    "qwen2": qwen2,
    "smollm2": smollm2,
    "neox": neox,
    "prefixed": prefixed,
    "added": added,
    "unknown": unknown,
}


def golden(tokenizer):
    rows = []
    for text in TEXTS:
        row = {"text": text, "ids": tokenizer.encode(text).ids}
        plain = tokenizer.encode(text, add_special_tokens=False).ids
        if plain != row["ids"]:
            row["withoutAdded"] = plain
        tokenizer.encode_special_tokens = True
        spelled = tokenizer.encode(text, add_special_tokens=False).ids
        tokenizer.encode_special_tokens = False
        if spelled != plain:
            row["withoutParsing"] = spelled
        rows.append(row)
    # Ids in any order: their bytes are often no valid UTF-8.
    generator = random.Random(1)
    decoded = []
    for length in [1, 1, 1, 2, 3, 5, 8, 13, 21, 34] * 2:
        ids = [generator.randrange(tokenizer.get_vocab_size() + 2) for _ in range(length)]
        decoded.append(
            {
                "ids": ids,
                "text": tokenizer.decode(ids, skip_special_tokens=False),
                "withoutSpecial": tokenizer.decode(ids, skip_special_tokens=True),
            }
        )
    return {"madeWith": f"tokenizers {tokenizers.__version__}", "rows": rows, "decoded": decoded}


def dump(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")


def write_families():
    for name, make in FAMILIES.items():
        folder = FOLDER / name
        folder.mkdir(parents=True)
        tokenizer = make()
        document = json.loads(tokenizer.to_str())
        if name == "gpt2":  # merges as strings, as older versions of the library write them
            document["model"]["merges"] = [" ".join(pair) for pair in document["model"]["merges"]]
            tokenizer.model.save(str(folder))
        dump(folder / "tokenizer.json", document)
        dump(folder / "golden.json", golden(Tokenizer.from_file(str(folder / "tokenizer.json"))))


# MARK: GGUF, whose reference is llama.cpp

PRE = ["default", "gpt-2", "roberta-bpe", "mpt", "olmo", "smollm", "starcoder", "llama-bpe", "dbrx", "qwen2"]


def write_gguf():
    import gguf
    import llama_cpp

    document = json.loads((FOLDER / "llama3/tokenizer.json").read_text(encoding="utf-8"))
    pieces = {id: piece for piece, id in document["model"]["vocab"].items()}
    types = {id: gguf.TokenType.NORMAL for id in pieces}
    for token in document["added_tokens"]:
        pieces[token["id"]] = token["content"]
        types[token["id"]] = gguf.TokenType.CONTROL
    for content, kind in [
        ("  ", gguf.TokenType.USER_DEFINED),
        ("   ", gguf.TokenType.USER_DEFINED),
        ("[tool]", gguf.TokenType.USER_DEFINED),
        ("<|im_start|>", gguf.TokenType.CONTROL),
        ("<|im_end|>", gguf.TokenType.CONTROL),
        ("<mask>", gguf.TokenType.CONTROL),
        ("é→", gguf.TokenType.USER_DEFINED),
        ("k>x", gguf.TokenType.USER_DEFINED),
        ("<unk>", gguf.TokenType.UNKNOWN),
        ("[PAD1]", gguf.TokenType.UNUSED),
    ]:
        id = max(pieces) + 1
        pieces[id], types[id] = content, kind
    tokens = [pieces[id] for id in range(len(pieces))]
    kinds = [int(types[id]) for id in range(len(pieces))]
    merges = [" ".join(pair) for pair in document["model"]["merges"]]
    bos, eos = tokens.index("<|begin_of_text|>"), tokens.index("<|eot_id|>")
    texts = [t for t in TEXTS if t and "\0" not in t] + [
        "[tool][tool]x",
        "x<mask>x  y",
        "cafééé→é→",
        "<unk>a<|eot_id|>",
        "[PAD1]",
    ]

    golden = {}
    with tempfile.TemporaryDirectory() as folder:
        for pre in PRE:
            path = f"{folder}/{pre}.gguf"
            writer = gguf.GGUFWriter(path, "llama")
            writer.add_tokenizer_model("gpt2")
            writer.add_tokenizer_pre(pre)
            writer.add_token_list(tokens)
            writer.add_token_types(kinds)
            writer.add_token_merges(merges)
            writer.add_bos_token_id(bos)
            writer.add_eos_token_id(eos)
            for key, value in [
                ("context_length", 8),
                ("embedding_length", 8),
                ("block_count", 1),
                ("feed_forward_length", 8),
                ("attention.head_count", 1),
            ]:
                writer.add_uint32(f"llama.{key}", value)
            writer.add_float32("llama.attention.layer_norm_rms_epsilon", 1e-5)
            writer.write_header_to_file()
            writer.write_kv_data_to_file()
            writer.write_tensors_to_file()
            writer.close()
            model = llama_cpp.Llama(path, vocab_only=True, verbose=False)
            golden[pre] = [
                [
                    model.tokenize(text.encode(), add_bos=True, special=True),
                    model.tokenize(text.encode(), add_bos=False, special=False),
                ]
                for text in texts
            ]
    dump(
        FOLDER / "gguf-vocabulary.json",
        {
            "madeWith": f"llama-cpp-python {llama_cpp.__version__}",
            "tokens": tokens,
            "types": kinds,
            "merges": merges,
            "bos": bos,
            "eos": eos,
            "texts": texts,
            "golden": golden,
        },
    )


shutil.rmtree(FOLDER, ignore_errors=True)
write_families()
write_gguf()
