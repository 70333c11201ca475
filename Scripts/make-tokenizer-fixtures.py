#!/usr/bin/env python3
"""Trains small tokenizers with each family's settings and writes what the reference libraries answer.

    python3 -m venv .venv-fixtures
    .venv-fixtures/bin/pip install tokenizers==0.23.3 gguf==0.19.0 llama-cpp-python==0.3.36 sentencepiece==0.2.3 protobuf
    .venv-fixtures/bin/python Scripts/make-tokenizer-fixtures.py [--train] [NAME ...]

Writes Tests/Golden/Tokenizers: for each family a folder with tokenizer.json (and vocab.json, merges.txt,
vocab.txt, tokenizer.model) and golden.json, of SentencePiece models also sentencepiece.json; gguf-vocabulary.json with the golden ids of llama.cpp for each pre-tokeniser name
and gguf-*.json for the other kinds of GGUF vocabularies. Tokenizers that are there already are kept unless
--train is given, since training does not define the order of equals; with names only those folders and files
are written. Each golden file says which library and version made it. Needs no network once the packages are
there.
"""

import io
import json
import os
import random
import sys
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
    "a" * 101 + " b",
    "unforgiven ##ing ## # watch##ing",
    "[CLS] the crow [SEP] [MASK]ed [UNK]",
    "İstanbul Ĳssel ǅ ΑΣ ÅÄÖ Σίσυφος ẞ",
    "ＡＢＣ ﬁsh ½ ㌀ ™ ﷺ ｶﾞ ℌ",
    "ﬁ\u0301 ①\u0308 \u1e9b\u0323 \u03d3",
    "soft\u00adhyphen zero\u200bwidth \u061c\u2066x\u2069",
    "<0x41> <0xE2><0x96><0x81>",
    "▁x ▁▁ y a▁b▁",
    "one, two; three: (four) [five] {six} <seven> 'eight' \"nine\" – ten… don't!",
    "can 't . stop , now ! he 's ?",
    "漢字かな交じり文とEnglish混在123テスト",
    "\u1112\u1161\u11ab\u1100\u1173\u11af 한글",
    "\U0001d165\U0001d16e\U0001d16d \u302e\u302f",
    "\u05d1\u05bc\u05b0 \u0652\u0651x",
    "\ud7ff\ue000\ufffe\uffff\U0001fffe",
]

PAIRS = [
    ("The crow", "watches the harbour."),
    ("", ""),
    ("x", ""),
    ("", " y "),
    ("Où êtes-vous?", "港は静か 123"),
    ("a <mask> b", "<|endoftext|>"),
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


def wordpiece(size, cased):
    """BERT, whose text handling makes letters small and takes accents away, or does neither."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=not cased)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(
        vocab_size=size, special_tokens=[special(name) for name in names], show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    cls, sep = (("[CLS]", tokenizer.token_to_id("[CLS]")), ("[SEP]", tokenizer.token_to_id("[SEP]")))
    tokenizer.post_processor = (
        processors.BertProcessing(sep, cls)
        if cased
        else processors.TemplateProcessing(
            single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[cls, sep]
        )
    )
    return tokenizer


def bert():
    return wordpiece(700, False)


def bert_cased():
    return wordpiece(500, True)


# MARK: SentencePiece

# Replacements as nmt_nfkc has them, a few of its thousands: the whole map would be a large file.
RULES = {
    "\u00a0": " ", "\u3000": " ", "\t": " ", "\n": " ", "\r": " ", "\u2003": " ", "\u2028": " ", "\u0085": " ",
    "\u200b": "", "\u00ad": "", "\u0001": "", "\ufeff": "",
    "\ufb01": "fi", "½": "1\u20442", "²": "2", "①": "1", "Ⅳ": "IV", "™": "TM", "…": "...", "ﷺ": "صلى الله",
    "e\u0301": "é", "a\u0308": "ä", "q\u0323\u0307": "q", "u\u0308": "ü", "\u212b": "Å", "\u1100\u1161\u11a8": "각",
    **{chr(0xFF21 + i): chr(0x41 + i) for i in range(26)},
}  # fmt: skip


def sentencepiece_model(name, size, **options):
    """The file of a model that is trained on the text above."""
    import sentencepiece

    lines = [line for text in CORPUS for line in text.split("\n") if line]
    file = io.BytesIO()
    with tempfile.NamedTemporaryFile("w", suffix=".tsv", encoding="utf-8") as rules:
        if options.pop("rules", False):
            for source, target in RULES.items():
                rules.write(" ".join(f"{ord(c):X}" for c in source) + "\t")
                rules.write(" ".join(f"{ord(c):X}" for c in target) + "\n")
            rules.flush()
            options["normalization_rule_tsv"] = rules.name
        else:
            options["normalization_rule_name"] = "identity"
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(lines), model_writer=file, vocab_size=size, minloglevel=2, num_threads=1, **options
        )
    return file.getvalue()


def model_proto(blob):
    from sentencepiece import sentencepiece_model_pb2

    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(blob)
    return proto


T5 = dict(
    rules=True, model_type="unigram", unk_id=2, bos_id=-1, eos_id=1, pad_id=0, user_defined_symbols=["<mask>", "Ａb"],
    hard_vocab_limit=False,
)  # fmt: skip
LLAMA = dict(
    model_type="bpe", byte_fallback=True, split_digits=True, add_dummy_prefix=True, remove_extra_whitespaces=False,
    allow_whitespace_only_pieces=True, user_defined_symbols=["<mask>", "  crow"], character_coverage=0.995,
)  # fmt: skip


XLM_ROBERTA = dict(rules=True, model_type="unigram", hard_vocab_limit=False)


def xlm_roberta(blob):
    """XLM-RoBERTa's tokenizer.json as transformers converts it: fairseq's ids are other than SentencePiece's."""
    proto = model_proto(blob)
    vocabulary = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    vocabulary += [(piece.piece, piece.score) for piece in proto.pieces[3:]] + [("<mask>", 0.0)]
    tokenizer = Tokenizer(models.Unigram(vocabulary, 3, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Precompiled(proto.normalizer_spec.precompiled_charsmap),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single=["<s>", "$A", "</s>"], pair=["<s>", "$A", "</s>", "</s>", "$B", "</s>"],
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )  # fmt: skip
    tokenizer.add_special_tokens([special("<s>"), special("<pad>"), special("</s>"), special("<unk>")])
    tokenizer.add_special_tokens([special("<mask>", lstrip=True)])
    return tokenizer


def t5(blob):
    """T5's tokenizer.json as transformers converts it."""
    proto = model_proto(blob)
    vocabulary = [(piece.piece, piece.score) for piece in proto.pieces]
    tokenizer = Tokenizer(models.Unigram(vocabulary, proto.trainer_spec.unk_id, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Precompiled(proto.normalizer_spec.precompiled_charsmap),
            normalizers.Strip(left=False, right=True),
            normalizers.Replace(Regex(" {2,}"), "▁"),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single=["$A", "</s>"], pair=["$A", "</s>", "$B", "</s>"], special_tokens=[("</s>", 1)]
    )
    tokenizer.add_special_tokens([special("<pad>"), special("</s>"), special("<unk>")])
    tokenizer.add_special_tokens([special(f"<extra_id_{i}>", lstrip=True, rstrip=True) for i in range(3, -1, -1)])
    return tokenizer


def llama(blob):
    """LLaMA's tokenizer.json as transformers converts it: a merge for each way to cut a piece in two."""
    proto = model_proto(blob)
    vocabulary = {piece.piece: index for index, piece in enumerate(proto.pieces)}
    merges = []
    for piece in proto.pieces:
        local = []
        for cut in range(1, len(piece.piece)):
            left, right = piece.piece[:cut], piece.piece[cut:]
            if piece.type == 1 and left in vocabulary and right in vocabulary:
                local.append((left, right, piece.score))
        merges += sorted(local, key=lambda pair: (vocabulary[pair[0]], vocabulary[pair[1]]))
    merges = [(left, right) for left, right, _ in sorted(merges, key=lambda merge: -merge[2])]
    tokenizer = Tokenizer(
        models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    )
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)]
    )
    tokenizer.add_special_tokens([special("<unk>"), special("<s>"), special("</s>")])
    return tokenizer


SENTENCEPIECE = {
    "t5": ("spiece.model", 420, T5, t5),
    "llama": ("tokenizer.model", 700, LLAMA, llama),
    "xlm-roberta": ("sentencepiece.bpe.model", 380, XLM_ROBERTA, xlm_roberta),
}


def fairseq_golden(blob):
    """Ids as XLM-RoBERTa has them: one more than SentencePiece's, 3 for what is unknown."""
    import sentencepiece

    processor = sentencepiece.SentencePieceProcessor(model_proto=blob)
    return {
        "madeWith": f"sentencepiece {sentencepiece.__version__}",
        "rows": [
            {"text": text, "ids": [id + 1 if id else 3 for id in processor.encode(text)]} for text in TEXTS
        ],
    }


def sentencepiece_golden(blob):
    import sentencepiece

    processor = sentencepiece.SentencePieceProcessor(model_proto=blob)
    generator = random.Random(2)
    decoded = [processor.encode(text) for text in ["The crow isn't here.", "  two  blanks ", "港口 😀 e\u0301"]]
    proto = model_proto(blob)
    plain = [index for index, piece in enumerate(proto.pieces) if piece.type in (1, 4)]
    decoded += [[generator.choice(plain) for _ in range(length)] for length in [1, 1, 1, 2, 3, 5, 8, 13]]
    return {
        "madeWith": f"sentencepiece {sentencepiece.__version__}",
        "rows": [{"text": text, "ids": processor.encode(text)} for text in TEXTS],
        "decoded": [{"ids": ids, "text": processor.decode(ids)} for ids in decoded],
    }


# MARK: Other pipelines


def metaspace():
    """Byte-pair encoding over code points with blanks as marks, which go before the first word only."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=False))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="first")
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="first")
    trainer = trainers.BpeTrainer(
        vocab_size=500, special_tokens=[special("<unk>"), special("<|endoftext|>")], limit_alphabet=120, show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def suffixed():
    """Byte-pair encoding whose pieces know the end of a word."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>", fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFD(), normalizers.Lowercase(), normalizers.StripAccents(), normalizers.Strip()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Whitespace(), pre_tokenizers.Digits(individual_digits=True)]
    )
    tokenizer.decoder = decoders.BPEDecoder(suffix="</w>")
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=[special("<unk>"), special("<|endoftext|>")], limit_alphabet=80,
        end_of_word_suffix="</w>", show_progress=False,
    )  # fmt: skip
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def words():
    """WordPiece without BERT's text handling, cut in every way that strings can be split."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=12))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKD(), normalizers.StripAccents(), normalizers.Replace("crow", "raven")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.WhitespaceSplit(),
            pre_tokenizers.Punctuation("merged_with_previous"),
            pre_tokenizers.Split("e", "merged_with_next"),
            pre_tokenizers.Split("th", "removed"),
            pre_tokenizers.Split(Regex(r"\p{N}"), "contiguous"),
        ]
    )
    tokenizer.decoder = None
    trainer = trainers.WordPieceTrainer(vocab_size=300, special_tokens=[special("[UNK]")], show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def nmt():
    """Unigram with the steps of the library's own imitation of SentencePiece."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " "), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    trainer = trainers.UnigramTrainer(vocab_size=300, unk_token="<unk>", special_tokens=["<unk>"], show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def bytes_unigram():
    """Unigram that falls back to bytes, after a split into words."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKD()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")]
    )
    tokenizer.decoder = decoders.Sequence(
        [decoders.ByteFallback(), decoders.Metaspace(replacement="▁", prepend_scheme="always")]
    )
    trainer = trainers.UnigramTrainer(vocab_size=300, unk_token="<unk>", special_tokens=["<unk>"], show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    document = json.loads(tokenizer.to_str())
    kept = [entry for entry in document["model"]["vocab"] if len(entry[0]) > 1 or entry[0].isascii() or entry[0] == "▁"]
    document["model"]["vocab"] = kept + [[f"<0x{byte:02X}>", -20.0] for byte in range(256)]
    document["model"]["byte_fallback"] = True
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
    "bert": bert,
    "bert-cased": bert_cased,
    "metaspace": metaspace,
    "suffixed": suffixed,
    "words": words,
    "bytes-unigram": bytes_unigram,
    "nmt": nmt,
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
    # What was encoded, and what a model might continue it with.
    for text in ["The crow isn't here.", "  two  blanks , 3.5 !", "港口 😀 e\u0301", "Où êtes-vous? <mask> x"]:
        ids = tokenizer.encode(text).ids
        decoded.append(
            {
                "ids": ids,
                "text": tokenizer.decode(ids, skip_special_tokens=False),
                "withoutSpecial": tokenizer.decode(ids, skip_special_tokens=True),
            }
        )
    pairs = []
    for first, second in PAIRS:
        both = tokenizer.encode(first, second)
        plain = tokenizer.encode(first, second, add_special_tokens=False)
        pairs.append(
            {
                "first": first,
                "second": second,
                "ids": both.ids,
                "types": both.type_ids,
                "plainIds": plain.ids,
                "plainTypes": plain.type_ids,
            }
        )
    version = f"tokenizers {tokenizers.__version__}"
    return {"madeWith": version, "rows": rows, "decoded": decoded, "pairs": pairs}


def dump(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")


def write_family(name, trains):
    folder = FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    if trains or not (folder / "tokenizer.json").exists():
        tokenizer = FAMILIES[name]()
        document = json.loads(tokenizer.to_str())
        if name == "gpt2":  # merges as strings, as older versions of the library write them
            document["model"]["merges"] = [" ".join(pair) for pair in document["model"]["merges"]]
        if name in ["gpt2", "bert"]:
            tokenizer.model.save(str(folder))
        dump(folder / "tokenizer.json", document)
    dump(folder / "golden.json", golden(Tokenizer.from_file(str(folder / "tokenizer.json"))))


def write_sentencepiece(name, trains):
    file, size, options, convert = SENTENCEPIECE[name]
    folder = FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    if trains or not (folder / file).exists():
        (folder / file).write_bytes(sentencepiece_model(name, size, **dict(options)))
    blob = (folder / file).read_bytes()
    dump(folder / "tokenizer.json", json.loads(convert(blob).to_str()))
    dump(folder / "golden.json", golden(Tokenizer.from_file(str(folder / "tokenizer.json"))))
    dump(folder / "sentencepiece.json", (fairseq_golden if name == "xlm-roberta" else sentencepiece_golden)(blob))


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


def write_gguf_bert():
    """WordPiece as converters write it: pieces that begin a word are marked, others lose their "##"."""
    import gguf
    import llama_cpp

    document = json.loads((FOLDER / "bert/tokenizer.json").read_text(encoding="utf-8"))
    pieces = {id: piece for piece, id in document["model"]["vocab"].items()}
    tokens, kinds = [], []
    for id in range(len(pieces)):
        piece = pieces[id]
        control = piece.startswith("[") and piece.endswith("]") and len(piece) > 2
        kinds.append(int(gguf.TokenType.CONTROL if control else gguf.TokenType.NORMAL))
        tokens.append(piece if control else piece[2:] if piece.startswith("##") else "\u2581" + piece)
    cls, sep = tokens.index("[CLS]"), tokens.index("[SEP]")
    texts = [t for t in TEXTS if t and "\0" not in t]
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/bert.gguf"
        writer = gguf.GGUFWriter(path, "bert")
        writer.add_tokenizer_model("bert")
        writer.add_token_list(tokens)
        writer.add_token_types(kinds)
        writer.add_bos_token_id(cls)
        writer.add_sep_token_id(sep)
        writer.add_unk_token_id(tokens.index("[UNK]"))
        writer.add_pad_token_id(tokens.index("[PAD]"))
        for key in ["context_length", "embedding_length", "block_count", "feed_forward_length"]:
            writer.add_uint32(f"bert.{key}", 8)
        writer.add_uint32("bert.attention.head_count", 1)
        writer.add_float32("bert.attention.layer_norm_epsilon", 1e-5)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        model = llama_cpp.Llama(path, vocab_only=True, verbose=False)
        golden = [model.tokenize(text.encode(), add_bos=True, special=True) for text in texts]
    dump(
        FOLDER / "gguf-bert.json",
        {
            "madeWith": f"llama-cpp-python {llama_cpp.__version__}",
            "tokens": tokens,
            "types": kinds,
            "cls": cls,
            "sep": sep,
            "unknown": tokens.index("[UNK]"),
            "texts": texts,
            "golden": golden,
        },
    )


def write_gguf_sentencepiece(kind):
    import gguf
    import llama_cpp

    file = SENTENCEPIECE[kind][0]
    proto = model_proto((FOLDER / kind / file).read_bytes())
    spec = proto.normalizer_spec
    tokens = [piece.piece for piece in proto.pieces]
    scores = [piece.score for piece in proto.pieces]
    types = [int(piece.type) for piece in proto.pieces]
    texts = [t for t in TEXTS if t and "\0" not in t]
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/{kind}.gguf"
        writer = gguf.GGUFWriter(path, kind)
        writer.add_tokenizer_model(kind)
        writer.add_tokenizer_pre("default")
        writer.add_token_list(tokens)
        writer.add_token_scores(scores)
        writer.add_token_types(types)
        writer.add_unk_token_id(proto.trainer_spec.unk_id)
        writer.add_eos_token_id(proto.trainer_spec.eos_id)
        writer.add_add_space_prefix(spec.add_dummy_prefix)
        if kind == "t5":
            writer.add_pad_token_id(proto.trainer_spec.pad_id)
            writer.add_remove_extra_whitespaces(spec.remove_extra_whitespaces)
            writer.add_precompiled_charsmap(spec.precompiled_charsmap)
        else:
            writer.add_bos_token_id(proto.trainer_spec.bos_id)
        for key in ["context_length", "embedding_length", "block_count", "feed_forward_length"]:
            writer.add_uint32(f"{kind}.{key}", 8)
        writer.add_uint32(f"{kind}.attention.head_count", 1)
        writer.add_uint32(f"{kind}.attention.relative_buckets_count", 8)
        writer.add_float32(f"{kind}.attention.layer_norm_epsilon", 1e-5)
        writer.add_float32(f"{kind}.attention.layer_norm_rms_epsilon", 1e-5)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        model = llama_cpp.Llama(path, vocab_only=True, verbose=False)
        golden = [
            [
                model.tokenize(text.encode(), add_bos=True, special=True),
                model.tokenize(text.encode(), add_bos=False, special=False),
            ]
            for text in texts
        ]
    dump(
        FOLDER / f"gguf-{kind}.json",
        {"madeWith": f"llama-cpp-python {llama_cpp.__version__}", "texts": texts, "golden": golden},
    )


def write_training():
    """The merges that Hugging Face tokenizers learns from a small text, in which many pairs are equally frequent."""
    text = FOLDER.parent / "prose.txt"
    tokenizer = base()
    trainer = trainers.BpeTrainer(
        vocab_size=900,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train([str(text)], trainer)
    model = json.loads(tokenizer.to_str())["model"]
    dump(
        FOLDER / "training.json",
        {"madeWith": f"tokenizers {tokenizers.__version__}", "vocab": model["vocab"], "merges": model["merges"]},
    )


GGUF = {
    "training": write_training,
    "gguf-vocabulary": write_gguf,
    "gguf-bert": write_gguf_bert,
    "gguf-llama": lambda: write_gguf_sentencepiece("llama"),
    "gguf-t5": lambda: write_gguf_sentencepiece("t5"),
}

names = [name for name in sys.argv[1:] if name != "--train"] or [*FAMILIES, *SENTENCEPIECE, *GGUF]
for name in names:
    if name in FAMILIES:
        write_family(name, "--train" in sys.argv)
    elif name in SENTENCEPIECE:
        write_sentencepiece(name, "--train" in sys.argv)
    else:
        GGUF[name]()
