#!/usr/bin/env python3
"""Writes the Unicode tables of the pre-tokenisers and normalisers.

The tables are taken from what Hugging Face `tokenizers` itself answers, since its results are the
reference: the classes from its regular expressions and normalisers, letter case and compositions from its
normalisers.

    python3 -m venv .venv-tables && .venv-tables/bin/pip install tokenizers==0.23.3
    .venv-tables/bin/python Scripts/make-unicode-tables.py

Rewrites ScalarClassData.swift, CompositionData.swift, CompatibilityData.swift and LowercaseData.swift in
Sources/CorvidText/Tokenizers.
"""

import unicodedata
from pathlib import Path

import tokenizers
from tokenizers import Regex, normalizers, pre_tokenizers

FOLDER = Path(__file__).resolve().parent.parent / "Sources/CorvidText/Tokenizers"
SCALARS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
HEADER = f"// Written by Scripts/make-unicode-tables.py with tokenizers {tokenizers.__version__}; not edited by hand.\n"


def matching(pattern):
    """The code points that a regular expression matches, in order."""
    split = pre_tokenizers.Split(Regex(pattern), "removed")
    found = set(SCALARS)
    for first in range(0, len(SCALARS), 4096):
        text = "".join(map(chr, SCALARS[first : first + 4096]))
        for piece, _ in split.pre_tokenize_str(text):
            found.difference_update(map(ord, piece))
    return sorted(found)


def cut_by(step, count):
    """The code points at which a pre-tokeniser cuts a word into so many parts."""
    return [c for c in SCALARS if len(step.pre_tokenize_str(f"a{chr(c)}b")) == count]


def removed_by(step):
    """The code points that a normaliser removes."""
    return [c for c in SCALARS if step.normalize_str(chr(c)) == ""]


def ranges(points):
    result = []
    for point in points:
        if result and result[-1][0] + result[-1][1] == point:
            result[-1][1] += 1
        else:
            result.append([point, 1])
    return result


def literal(name, comment, numbers, kind):
    lines, line = [], "       "
    for number in numbers:
        word = f" {number:#x}," if abs(number) > 9 else f" {number},"
        if len(line) + len(word) > 108:
            lines.append(line)
            line = "       "
        line += word
    lines.append(line)
    return f"    /// {comment}\n    static let {name}: [{kind}] = [\n" + "\n".join(lines) + "\n    ]\n"


def write_classes():
    numbers = []
    whitespace = matching(r"\s")
    assert whitespace == cut_by(pre_tokenizers.WhitespaceSplit(), 2)
    assert cut_by(pre_tokenizers.BertPreTokenizer(), 3) == cut_by(pre_tokenizers.Punctuation(), 3)
    bert = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    classes = [
        (1, matching(r"\p{L}")),
        (2, matching(r"\p{N}")),
        (4, whitespace),
        (8, matching(r"\p{P}")),
        (16, cut_by(pre_tokenizers.BertPreTokenizer(), 3)),
        (32, removed_by(normalizers.BertNormalizer(**bert | {"strip_accents": True}))),
        (64, removed_by(normalizers.BertNormalizer(**bert | {"clean_text": True}))),
        (128, removed_by(normalizers.StripAccents())),
    ]
    for bit, points in classes:
        for first, count in ranges(points):
            numbers += [first, count, bit]
    body = literal(
        "ranges", "First code point, number of code points, class bit; in triples.", numbers, "UInt32"
    )
    text = HEADER + "enum ScalarClassData {\n" + body + "}\n"
    (FOLDER / "ScalarClassData.swift").write_text(text, encoding="utf-8")


def write_compositions():
    nfc, nfd = normalizers.NFC().normalize_str, normalizers.NFD().normalize_str
    pairs, others = [], []
    for point in SCALARS:
        if 0xAC00 <= point < 0xD7A4:
            continue  # Hangul syllables are computed
        whole = nfd(chr(point))
        if whole == chr(point):
            continue
        if nfc(chr(point)) == chr(point):
            left = nfc(whole[:-1])
            assert len(left) == 1, hex(point)
            pairs += [point, ord(left), ord(whole[-1])]
        else:
            others += [point, len(whole), *map(ord, whole)]
    body = literal("pairs", "Composed, first, second: canonical compositions, in triples.", pairs, "UInt32")
    body += "\n" + literal(
        "decompositions",
        "Code points that NFC replaces: the point, a length, that many points.",
        others,
        "UInt32",
    )
    # A mark is reordered by the library only when its tables know it; its class never changes in Unicode.
    marks = []
    for point in SCALARS:
        order, mark = unicodedata.combining(chr(point)), chr(point)
        other = "\u0345" if order < 240 else "\u0301"  # of class 240 and 230
        known = order < 240 and nfd("a" + other + mark) == "a" + mark + other
        known = known or order == 240 and nfd("a" + mark + other) == "a" + other + mark
        if order == 0 or not known:
            continue
        if marks and marks[-1][0] + marks[-1][1] == point and marks[-1][2] == order:
            marks[-1][1] += 1
        else:
            marks.append([point, 1, order])
    body += "\n" + literal(
        "marks",
        "First code point, number of code points, combining class; in triples.",
        sum(marks, []),
        "UInt32",
    )
    text = HEADER + "enum CompositionData {\n" + body + "}\n"
    (FOLDER / "CompositionData.swift").write_text(text, encoding="utf-8")


def write_compatibility():
    """What NFKD makes of a code point beyond what NFD does."""
    kd, nfd = normalizers.NFKD().normalize_str, normalizers.NFD().normalize_str
    numbers = []
    for point in SCALARS:
        whole = kd(chr(point))
        if whole != nfd(chr(point)):
            numbers += [point, len(whole), *map(ord, whole)]
    body = literal(
        "decompositions", "Code points that NFKD replaces: the point, a length, that many points.", numbers, "UInt32"
    )
    text = HEADER + "enum CompatibilityData {\n" + body + "}\n"
    (FOLDER / "CompatibilityData.swift").write_text(text, encoding="utf-8")


def write_lowercase():
    """Runs of code points at equal steps whose lower case lies equally far from each."""
    lower = normalizers.Lowercase().normalize_str
    runs = []
    for point in SCALARS:
        small = lower(chr(point))
        if small == chr(point):
            continue
        if len(small) > 1:
            assert (point, small) == (0x130, "i\u0307")  # the only one that becomes two
            continue
        first, count, step, delta = runs[-1] if runs else (0, 0, 0, 0)
        distance = point - (first + (count - 1) * step)
        if ord(small) - point == delta and distance in ((1, 2) if count == 1 else (step,)):
            runs[-1] = (first, count + 1, distance, delta)
        else:
            runs.append((point, 1, 1, ord(small) - point))
    body = literal(
        "runs",
        "First code point, number of code points, step, distance to the lower case; in fours.",
        [number for run in runs for number in run],
        "Int32",
    )
    text = HEADER + "enum LowercaseData {\n" + body + "}\n"
    (FOLDER / "LowercaseData.swift").write_text(text, encoding="utf-8")


write_classes()
write_compositions()
write_compatibility()
write_lowercase()
