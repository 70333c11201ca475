#!/usr/bin/env python3
"""Writes the Unicode tables of the pre-tokenisers and of NFC.

The tables are taken from what Hugging Face `tokenizers` itself answers, since its results are the
reference: the classes from its regular expressions, the compositions from its normalisers.

    python3 -m venv /tmp/tables && /tmp/tables/bin/pip install tokenizers==0.23.3
    /tmp/tables/bin/python Scripts/make-unicode-tables.py

Rewrites ScalarClassData.swift and CompositionData.swift in Sources/CorvidText/Tokenizers.
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
        word = f" {number:#x}," if number > 9 else f" {number},"
        if len(line) + len(word) > 108:
            lines.append(line)
            line = "       "
        line += word
    lines.append(line)
    return f"    /// {comment}\n    static let {name}: [{kind}] = [\n" + "\n".join(lines) + "\n    ]\n"


def write_classes():
    numbers = []
    for bit, pattern in [(1, r"\p{L}"), (2, r"\p{N}"), (4, r"\s"), (8, r"\p{P}")]:
        for first, count in ranges(matching(pattern)):
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


write_classes()
write_compositions()
