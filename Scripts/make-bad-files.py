#!/usr/bin/env python3
"""Writes Tests/Golden/BadFiles: one small file per published bug shape of checkpoint readers.

    python3 Scripts/make-bad-files.py

Needs nothing but Python 3.9. The output is the same on every run. A file is named after the report that
describes its shape, or `case-` and the rule it breaks. `manifest.json` says of each which error a reader must
give, what its message must mention, and, where the file as a whole is right, what must be asked for to see the
error (`tensor` or `strings`). Files with `"error": null` are right and must be accepted by the reader; where
they have `tokenizer`, that is the error which making a tokenizer of their metadata must give.

Files are never removed from this list; new ones are added.
"""

import json
import struct
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "Tests" / "Golden" / "BadFiles"
manifest = []

U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 = range(13)
CODES = {U8: "B", I8: "b", U16: "H", I16: "h", U32: "I", I32: "i", F32: "f", BOOL: "B", U64: "Q", I64: "q", F64: "d"}
MOST = 2**64 - 1
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 98362432\n"


def save(name, content, reference, error, *mentions, **ask):
    (FOLDER / name).write_bytes(content)
    entry = {"file": name, "reference": reference, "error": error, "mentions": list(mentions)}
    manifest.append({**entry, **ask})


# ---------------------------------------------------------------------------------------------------- GGUF


def u32(value):
    return struct.pack("<I", value)


def u64(value):
    return struct.pack("<Q", value)


def text(value, length=None):
    raw = value if isinstance(value, bytes) else value.encode()
    return u64(len(raw) if length is None else length) + raw


def key(name, kind, value, length=None):
    return text(name, length) + u32(kind) + (text(value) if kind == STRING else struct.pack("<" + CODES[kind], value))


def array(name, element, count, payload):
    return text(name) + u32(ARRAY) + u32(element) + u64(count) + payload


def tensor(name, sizes, kind=0, offset=0, axes=None):
    return (
        text(name) + u32(len(sizes) if axes is None else axes) + b"".join(map(u64, sizes)) + u32(kind) + u64(offset)
    )


def gguf(keys=(), tensors=(), data=b"", magic=b"GGUF", version=3, n_tensors=None, n_keys=None, align=32):
    head = magic + u32(version)
    head += u64(len(tensors) if n_tensors is None else n_tensors) + u64(len(keys) if n_keys is None else n_keys)
    head += b"".join(keys) + b"".join(tensors)
    if tensors and align:
        head += b"\0" * (-len(head) % align)
    return head + data


ARCH = key("general.architecture", STRING, "llama")
W = "blk.0.attn_q.weight"


def gguf_reports():
    r = "CVE-2024-23496 (TALOS-2024-1913)"
    save("CVE-2024-23496-text-length.gguf", gguf([ARCH, text("k", MOST)], n_keys=2), r, "limit", "key 1", str(MOST))
    save(
        "CVE-2024-23496-value-length.gguf", gguf([text("general.name") + u32(STRING) + u64(MOST) + b"x"]), r,
        "truncated", "general.name", str(MOST))
    r = "CVE-2024-21802 (TALOS-2024-1914)"
    save("CVE-2024-21802-axes.gguf", gguf([ARCH], [tensor(W, [4] * 200)], bytes(64)), r, "limit", W, "200", "4")
    r = "CVE-2024-21836 (TALOS-2024-1915)"
    save("CVE-2024-21836-tensor-count.gguf", gguf([ARCH], n_tensors=2**61 + 1), r, "limit", "tensors", "100000")
    r = "CVE-2024-23605 (TALOS-2024-1916)"
    save("CVE-2024-23605-key-count.gguf", gguf([ARCH], n_keys=2**60 + 1), r, "limit", "keys", "100000")
    r = "CVE-2024-21825 (TALOS-2024-1912)"
    save(
        "CVE-2024-21825-array-of-texts.gguf",
        gguf([array("tokenizer.ggml.tokens", STRING, 2**60 + 1, text("a"))]), r, "truncated", "tokenizer.ggml.tokens")
    r = "ggml#709"
    save("ggml-709-size-product.gguf", gguf([ARCH], [tensor(W, [2**32, 2**32, 2])], bytes(64)), r, "shape", W)
    save("ggml-709-type.gguf", gguf([ARCH], [tensor(W, [4], kind=MOST >> 32)], bytes(64)), r, "elementType", W)
    r = "llama.cpp#18674"
    save(
        "llama.cpp-18674-bytes-product.gguf", gguf([ARCH], [tensor(W, [2**61 + 4])], bytes(64)), r, "shape", W,
        "2^63")

    r = "CVE-2025-53630 (GHSA-vgg9-87g3-85w8)"
    big = [tensor(f"t{i}", [2**60], offset=0 if i == 0 else 2**62 * i) for i in range(4)]
    save("CVE-2025-53630-sum-of-sizes.gguf", gguf([ARCH], big, bytes(64)), r, "range", "t0", str(2**62))
    r = "CVE-2026-27940 (GHSA-3p4r-fq3f-q74v)"
    near = [tensor("a", [8]), tensor("b", [2**63 - 16], kind=24, offset=32)]
    save("CVE-2026-27940-padded-sum.gguf", gguf([ARCH], near, bytes(64)), r, "range", "tensor b", str(2**63 - 16))
    save(
        "CVE-2026-27940-offset-near-end.gguf", gguf([ARCH], [tensor("a", [8], offset=2**64 - 32)], bytes(64)), r,
        "range", "tensor a", str(2**64 - 32), "64")

    r = "llama.cpp#26318"
    A = "general.alignment"
    save("llama.cpp-26318-alignment-0.gguf", gguf([key(A, U32, 0)], [tensor("a", [8])], bytes(32)), r, "value", A, "0")
    save("llama.cpp-26318-alignment-3.gguf", gguf([key(A, U32, 3)], [tensor("a", [8])], bytes(32)), r, "value", A, "3")
    save(
        "llama.cpp-26318-alignment-2-31.gguf", gguf([key(A, U32, 2**31)], [tensor("a", [8])], bytes(32)), r,
        "truncated", "padding")
    save(
        "llama.cpp-26318-alignment-u64.gguf", gguf([key(A, U64, 32)], [tensor("a", [8])], bytes(32)), r, "type", A,
        "u64", "u32")
    save("llama.cpp-26318-alignment-text.gguf", gguf([key(A, STRING, "32")]), r, "type", A, "string", "u32")
    save("llama.cpp-26318-alignment-array.gguf", gguf([array(A, U32, 1, u32(32))]), r, "type", A, "array of u32")

    r = "whisper.cpp#3864"
    save("whisper.cpp-3864-size-0.gguf", gguf([ARCH], [tensor(W, [0, 4])], bytes(64)), r, "shape", W, "0")
    r = "llama.cpp#24263"
    save("llama.cpp-24263-row-of-0.gguf", gguf([ARCH], [tensor(W, [4, 0], kind=2)], bytes(64)), r, "shape", W)
    r = "gguf-tools#25"
    save("gguf-tools-25-axes-9.gguf", gguf([ARCH], [tensor(W, [1] * 9)], bytes(64)), r, "limit", W, "9", "4")
    r = "llama.cpp#14595"
    save("llama.cpp-14595-axes-5.gguf", gguf([ARCH], [tensor(W, [1] * 5)], bytes(64)), r, "limit", W, "5", "4")
    save("llama.cpp-14595-type-4.gguf", gguf([ARCH], [tensor(W, [32], kind=4)], bytes(64)), r, "elementType", W, "4")
    r = "llama.cpp#15711"
    save(
        "llama.cpp-15711-blocks.gguf", gguf([ARCH], [tensor(W, [33], kind=8)], bytes(64)), r, "shape", W, "33", "32",
        "Q8_0")
    save(
        "llama.cpp-15711-superblocks.gguf", gguf([ARCH], [tensor(W, [576, 2], kind=12)], bytes(1024)), r, "shape", W,
        "576", "256", "Q4_K")

    r = "ollama CVE-2026-7482"
    save("CVE-2026-7482-size.gguf", gguf([ARCH], [tensor(W, [1000, 1000])], bytes(64)), r, "range", W, "4000000", "64")
    save(
        "CVE-2026-7482-offset.gguf", gguf([ARCH], [tensor(W, [8], offset=4096)], bytes(64)), r, "range", W, "4096", "64")
    save("CVE-2026-7482-one-byte.gguf", gguf([ARCH], [tensor(W, [8])], bytes(31)), r, "range", W, "32", "31")

    r = "CVE-2025-49847 (GHSA-8wwf-w4qm-gpqr)"
    tokens = text("a") + text("b", 2**31 + 5)
    save(
        "CVE-2025-49847-token-length.gguf", gguf([array("tokenizer.ggml.tokens", STRING, 2, tokens)]), r, "truncated",
        "tokenizer.ggml.tokens", str(2**31 + 5))
    r = "zackshen/gguf#15"
    save(
        "zackshen-gguf-15-array-product.gguf", gguf([array("k", U64, 2**61 + 1, u64(7))]), r, "truncated", "key k")
    save("zackshen-gguf-15-array-of-bytes.gguf", gguf([array("k", U8, MOST, b"1234")]), r, "truncated", "key k")


def vocabulary(model, tokens, types, **ids):
    payload = b"".join(map(text, tokens))
    keys = [
        key("tokenizer.ggml.model", STRING, model),
        key("tokenizer.ggml.pre", STRING, "gpt-2"),
        array("tokenizer.ggml.tokens", STRING, len(tokens), payload),
        array("tokenizer.ggml.token_type", I32, len(types), struct.pack(f"<{len(types)}i", *types)),
        array("tokenizer.ggml.merges", STRING, 0, b""),
    ]
    return gguf(keys + [key(f"tokenizer.ggml.{name}", U32, value) for name, value in ids.items()])


def gguf_vocabularies():
    r = "CVE-2025-49847 (GHSA-8wwf-w4qm-gpqr)"
    save(
        "CVE-2025-49847-token-of-65537-bytes.gguf", vocabulary("gpt2", ["a", "b" * 65537], [1, 1]), r, None,
        "tokenizer.ggml.tokens", "65537", "65536", tokenizer="limit")
    byte = ["<0x-1>", "<0x100>", "<0xZZ>", "<0x>", "a"]
    r = "llama.cpp#25969, #26511, #27226"
    save(
        "llama.cpp-25969-byte-token.gguf", vocabulary("llama", byte, [6, 6, 6, 6, 1]), r, None,
        "tokenizer.ggml.scores", tokenizer="missing")
    save("llama.cpp-26511-byte-token-of-bpe.gguf", vocabulary("gpt2", byte, [6, 6, 6, 6, 1]), r, None, tokenizer=None)
    r = "the rules of the format"
    two = (["a", "b"], [1, 1])
    save(
        "case-end-token-out-of-range.gguf", vocabulary("gpt2", *two, eos_token_id=2), r, None, "eos_token_id", "2",
        tokenizer="limit")
    # Converters write -1 for "none", which an unsigned field shows as this: accepted, as no token.
    save(
        "case-begin-token-max.gguf", vocabulary("gpt2", *two, bos_token_id=2**32 - 1), r, None,
        tokenizer=None)
    save(
        "case-token-types-too-few.gguf", vocabulary("gpt2", ["a", "b"], [1]), r, None, "token_type", "2",
        tokenizer="unexpected")
    save("case-token-twice.gguf", vocabulary("gpt2", ["a", "a"], [1, 1]), r, None, "a", tokenizer="duplicate")


def gguf_cases():
    r = "the rules of the format"
    one = [tensor("a", [8])]
    save("case-magic.gguf", gguf([ARCH], magic=b"GGUX"), r, "signature", "GGUF", "47 47 55 58")
    save("case-magic-big-endian.gguf", b"FUGG" + struct.pack(">IQQ", 3, 0, 0), r, "signature", "big-endian")
    save("case-magic-ggml.gguf", b"tjgg" + bytes(60), r, "signature", "older than GGUF")
    save("case-magic-3-bytes.gguf", b"GGU", r, "signature", "GGUF")
    save("case-html.gguf", b"<!DOCTYPE html><html><body>404</body></html>", r, "signature", "HTML")
    save("case-zeros.gguf", bytes(256), r, "signature", "did not finish")
    save("case-git-lfs-pointer.gguf", POINTER, r, "gitPointer", "git lfs pull")
    save("case-version-0.gguf", gguf([ARCH], version=0), r, "version", "0")
    save("case-version-1.gguf", gguf([ARCH], version=1), r, "version", "1")
    save("case-version-4.gguf", gguf([ARCH], version=4), r, "version", "4")
    save("case-version-big-endian.gguf", b"GGUF" + struct.pack(">IQQ", 3, 0, 0), r, "version", "big-endian")
    save("case-ends-in-version.gguf", b"GGUF\3\0", r, "truncated", "version")
    save("case-ends-in-counts.gguf", gguf()[:12], r, "truncated", "number of tensors")
    save("case-ends-in-key-count.gguf", gguf()[:20], r, "truncated", "number of keys")
    save("case-more-keys-than-there-are.gguf", gguf([ARCH], n_keys=2), r, "truncated", "key 1")
    save("case-more-tensors-than-there-are.gguf", gguf([ARCH], n_tensors=1), r, "truncated", "tensor 0")
    save("case-key-longer-than-file.gguf", gguf([key("k", U8, 1, length=4096)]), r, "truncated", "key 0", "4096")
    save("case-key-not-utf8.gguf", gguf([key(b"k\xff\xfe", U8, 1)]), r, "text", "key 0")
    save("case-key-too-long.gguf", gguf([key("k" * 65536, U8, 1)]), r, "limit", "key 0", "65535")
    save("case-value-type-13.gguf", gguf([text("k") + u32(13) + bytes(8)]), r, "value", "key k", "13")
    save("case-value-type-max.gguf", gguf([text("k") + u32(2**32 - 1)]), r, "value", "key k", "4294967295")
    save("case-value-ends.gguf", gguf([text("k") + u32(U64) + bytes(4)]), r, "truncated", "key k")
    save("case-bool-2.gguf", gguf([key("k", BOOL, 2)]), r, "value", "key k", "0 or 1")
    save("case-key-twice.gguf", gguf([key("k", U8, 1), key("k", U16, 2)]), r, "duplicate", "key k")
    save("case-array-of-arrays.gguf", gguf([array("k", ARRAY, 1, u32(U8) + u64(1) + b"1")]), r, "type", "key k")
    save("case-array-element-type-99.gguf", gguf([array("k", 99, 1, b"1")]), r, "value", "key k", "99")
    save("case-array-ends.gguf", gguf([array("k", U32, 4, bytes(15))]), r, "truncated", "key k")
    save("case-array-of-texts-ends.gguf", gguf([array("k", STRING, 2, text("a") + b"\1\0\0")]), r, "truncated", "key k")
    save(
        "case-text-not-utf8.gguf", gguf([array("tokenizer.ggml.tokens", STRING, 2, text("a") + text(b"\xc3("))]), r,
        "text", "tokenizer.ggml.tokens", strings="tokenizer.ggml.tokens")
    save(
        "case-tokens-of-integers.gguf", gguf([array("tokenizer.ggml.tokens", I32, 2, bytes(8))]), r, "type",
        "tokenizer.ggml.tokens", "array of i32", strings="tokenizer.ggml.tokens")
    save("case-tensor-name-65.gguf", gguf([ARCH], [tensor("n" * 65, [8])], bytes(32)), r, "limit", "65", "64")
    save("case-tensor-name-max.gguf", gguf([ARCH], [u64(MOST)], bytes(32)), r, "limit", str(MOST), "64")
    save("case-tensor-name-not-utf8.gguf", gguf([ARCH], [tensor(b"\xff", [8])], bytes(32)), r, "text", "tensor 0")
    save("case-tensor-twice.gguf", gguf([ARCH], one + [tensor("a", [8], offset=32)], bytes(64)), r, "duplicate", "a")
    save("case-size-2-63.gguf", gguf([ARCH], [tensor("a", [2**63])], bytes(64)), r, "shape", "tensor a")
    save("case-type-42.gguf", gguf([ARCH], [tensor("a", [8], kind=42)], bytes(32)), r, "elementType", "tensor a", "42")
    save("case-offset-odd.gguf", gguf([ARCH], [tensor("a", [8], offset=1)], bytes(64)), r, "misaligned", "a", "32")
    save(
        "case-offset-of-other-alignment.gguf",
        gguf([key("general.alignment", U32, 64)], [tensor("a", [8]), tensor("b", [8], offset=32)], bytes(128), align=64),
        r, "misaligned", "tensor b", "32", "64")
    save("case-no-data.gguf", gguf([ARCH], one, b""), r, "range", "tensor a", "32", "0")
    save("case-no-padding.gguf", gguf([ARCH], one, b"", align=0), r, "truncated", "padding")
    save("case-overlap.gguf", gguf([ARCH], one + [tensor("b", [8])], bytes(64)), r, "overlap", "tensor b", "tensor a")
    save(
        "case-overlap-in-part.gguf", gguf([ARCH], [tensor("a", [16]), tensor("b", [8], offset=32)], bytes(64)), r,
        "overlap", "tensor b", "tensor a", "32")
    save(
        "case-type-without-kernel.gguf", gguf([ARCH], [tensor(W, [256], kind=10)], bytes(96)), r, "elementType", W,
        "Q2_K", tensor=W)
    save("case-split-count-without-name.gguf", gguf([key("split.count", U16, 2)]), r, "split", "split.count", "00002")
    save("case-split-00001-of-00002.gguf", gguf([ARCH]), r, "split", "split.count", "2")
    save("case-split-type-00001-of-00002.gguf", gguf([key("split.count", STRING, "2")]), r, "type", "split.count")
    save("case-split-number-00003-of-00002.gguf", gguf([key("split.count", U16, 2)]), r, "split", "3")
    save("right-empty.gguf", gguf(), r, None)
    save("right-keys-only.gguf", gguf([ARCH, key("k", F64, 0.5)]), r, None)
    save("right-two-tensors.gguf", gguf([ARCH], one + [tensor("b", [2, 3], offset=32)], bytes(56)), r, None)
    save(
        "right-alignment-64.gguf",
        gguf([key("general.alignment", U32, 64)], one + [tensor("b", [8], offset=64)], bytes(96), align=64), r, None)
    save("right-version-2.gguf", gguf([ARCH], one, bytes(32), version=2), r, None)


# --------------------------------------------------------------------------------------------- safetensors


def safetensors(header, data=b"", length=None):
    raw = header if isinstance(header, bytes) else header.encode()
    return u64(len(raw) if length is None else length) + raw + data


def item(dtype="F32", shape=(2,), offsets=(0, 8), **more):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets), **more}


def st(name, items, data, error, *mentions, reference="the rules of the format", **ask):
    header = items if isinstance(items, (str, bytes)) else json.dumps(items, separators=(",", ":"))
    save(name, safetensors(header, data), reference, error, *mentions, **ask)


def safetensors_cases():
    r = "safetensors' own tests"
    save("safetensors-7-bytes.safetensors", bytes(7), r, "truncated", "length of the header")
    save("safetensors-header-of-0.safetensors", bytes(8), r, "json", "header")
    save("safetensors-header-too-long.safetensors", safetensors("{}", length=100_000_001), r, "limit", "100000000")
    save("safetensors-header-max.safetensors", safetensors("{}", length=MOST), r, "limit", str(MOST))
    save("safetensors-header-2-63.safetensors", safetensors("{}", length=2**63), r, "limit", str(2**63))
    save("safetensors-header-beyond-file.safetensors", safetensors("{}", length=60), r, "truncated", "header", "60")
    st("safetensors-start-is-no-brace.safetensors", "[]", b"", "signature", "safetensors", reference=r)
    st("safetensors-start-is-blank.safetensors", " {}", b"", "signature", "safetensors", reference=r)
    st("safetensors-not-utf8.safetensors", b'{"\xff":1}', b"", "json", "header", "UTF-8", reference=r)
    st("safetensors-not-json.safetensors", "{not json}", b"", "json", "header", reference=r)
    st("safetensors-ends.safetensors", '{"a":{"dtype":"F32"', b"", "json", "header", reference=r)
    st("safetensors-two-values.safetensors", "{}{}", b"", "json", "header", reference=r)
    st("safetensors-zeros-behind.safetensors", "{}\0\0", b"", "json", "header", reference=r)
    st("safetensors-deep.safetensors", '{"a":' + "[" * 2000, b"", "json", "header", reference=r)
    st(
        "safetensors-shape-and-bytes.safetensors", {"a": item(shape=(3,))}, bytes(8), "size", "tensor a", "8", "12",
        reference=r)
    st("safetensors-product-wraps.safetensors", {"a": item(shape=(2**32, 2**32, 4), offsets=(0, 0))}, b"", "shape",
       "tensor a", reference=r)
    st("safetensors-bytes-wrap.safetensors", {"a": item(shape=(2**61 + 2,))}, bytes(8), "shape", "tensor a",
       reference=r)
    st("safetensors-size-max.safetensors", {"a": item("U8", (MOST,), (0, 0))}, b"", "value", "tensor a", reference=r)
    st("safetensors-offsets-reversed.safetensors", {"a": item(offsets=(8, 0))}, bytes(8), "value", "tensor a",
       "data_offsets", reference=r)
    st("safetensors-offset-max.safetensors", {"a": item(offsets=(MOST - 7, MOST))}, bytes(8), "value", "tensor a",
       reference=r)
    st("safetensors-offsets-2-62.safetensors", {"a": item(offsets=(2**62, 2**62 + 8))}, bytes(8), "truncated",
       "tensor a", reference=r)
    st("safetensors-beyond-file.safetensors", {"a": item()}, bytes(7), "truncated", "tensor a", "8", "7", reference=r)
    st("safetensors-bytes-behind.safetensors", {"a": item()}, bytes(9), "hole", "8..<9", reference=r)
    st("safetensors-bytes-without-tensor.safetensors", "{}", bytes(1), "hole", "0..<1", reference=r)
    st("safetensors-hole-before.safetensors", {"a": item(offsets=(4, 12))}, bytes(12), "hole", "0..<4", reference=r)
    st("safetensors-hole-between.safetensors", {"a": item(), "b": item(offsets=(12, 20))}, bytes(20), "hole",
       "8..<12", reference=r)

    r = "safetensors attacks/ (abuse attempt 1)"
    st("safetensors-attempt-1-overlap.safetensors", {f"t{i}": item() for i in range(40)}, bytes(8), "overlap", "t1",
       "t0", reference=r)
    st("safetensors-overlap-in-part.safetensors", {"a": item(), "b": item(offsets=(4, 12))}, bytes(12), "overlap",
       "tensor b", "tensor a", reference=r)
    r = "safetensors attacks/ (abuse attempt 2)"
    save("safetensors-attempt-2-header.safetensors", safetensors("{}", length=2**40), r, "limit", str(2**40))
    r = "safetensors attacks/ (abuse attempt 3)"
    st("safetensors-attempt-3-offset.safetensors", {"a": item(shape=(2,), offsets=(0, 2**63 - 1))}, bytes(8), "size",
       "tensor a", str(2**63 - 1), reference=r)
    r = "Trail of Bits audit (polyglot files)"
    st("safetensors-polyglot-zip.safetensors", {"a": item()}, bytes(8) + b"PK\5\6" + bytes(18), "hole", "8..<30",
       reference=r)
    r = "Trail of Bits audit (repeated keys)"
    twice = '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'
    st("safetensors-tensor-twice.safetensors", twice, bytes(8), "duplicate", "tensor a", reference=r)
    st("safetensors-field-twice.safetensors",
       '{"a":{"dtype":"F32","dtype":"I32","shape":[2],"data_offsets":[0,8]}}', bytes(8), "duplicate", "dtype",
       "tensor a", reference=r)
    st("safetensors-metadata-key-twice.safetensors", '{"__metadata__":{"k":"1","k":"2"}}', b"", "duplicate", "k",
       reference=r)
    st("safetensors-metadata-twice.safetensors", '{"__metadata__":{},"__metadata__":{}}', b"", "duplicate",
       "__metadata__", reference=r)

    st("case-metadata-of-numbers.safetensors", {"__metadata__": {"k": 1}}, b"", "json", "header")
    st("case-metadata-array.safetensors", {"__metadata__": []}, b"", "json", "header")
    st("case-no-dtype.safetensors", '{"a":{"shape":[2],"data_offsets":[0,8]}}', bytes(8), "value", "dtype", "tensor a")
    st("case-no-shape.safetensors", '{"a":{"dtype":"F32","data_offsets":[0,8]}}', bytes(8), "value", "shape")
    st("case-no-offsets.safetensors", '{"a":{"dtype":"F32","shape":[2]}}', bytes(8), "value", "data_offsets")
    st("case-one-offset.safetensors", {"a": item(offsets=(0,))}, bytes(8), "value", "data_offsets")
    st("case-three-offsets.safetensors", {"a": item(offsets=(0, 8, 8))}, bytes(8), "limit", "data_offsets")
    st("case-65-axes.safetensors", {"a": item(shape=[1] * 64 + [2])}, bytes(8), "limit", "shape", "64")
    st("case-negative-size.safetensors", {"a": item(shape=(-2,))}, bytes(8), "value", "shape", "tensor a")
    st("case-size-with-fraction.safetensors", {"a": item(shape=(2.0,))}, bytes(8), "value", "shape", "tensor a")
    st("case-size-is-text.safetensors", {"a": item(shape=("2",))}, bytes(8), "json", "header")
    st("case-tensor-is-number.safetensors", {"a": 1}, b"", "json", "header")
    st("case-dtype-unknown.safetensors", {"a": item("Q4_0")}, bytes(8), "elementType", "tensor a", "Q4_0")
    st("case-dtype-half-byte.safetensors", {"a": item("F4", (3,), (0, 2))}, bytes(2), "shape", "tensor a", "bytes")
    st("case-dtype-without-kernel.safetensors", {"a": item("F8_E4M3", (8,))}, bytes(8), "elementType", "tensor a",
       "F8_E4M3", tensor="a")
    st("case-zero-hides-overflow.safetensors", {"a": item(shape=(0, 2**62, 2**62), offsets=(0, 0))}, b"", "shape",
       "tensor a")
    r = "the rules of the format"
    save("case-git-lfs-pointer.safetensors", POINTER, r, "gitPointer", "git lfs pull")
    save("case-zip.safetensors", b"PK\3\4" + bytes(60), r, "signature", "ZIP")
    st("right-empty.safetensors", "{}", b"", None)
    st("right-blanks-behind.safetensors", "{}      ", b"", None)
    st("right-no-axes.safetensors", {"a": item(shape=(), offsets=(0, 4))}, bytes(4), None)
    st("right-size-0.safetensors", {"a": item(shape=(0, 7), offsets=(0, 0)), "b": item()}, bytes(8), None)
    st("right-any-order.safetensors", {"b": item(offsets=(8, 16)), "a": item()}, bytes(16), None)
    st("right-more-fields.safetensors", {"a": item(extra={"x": [1, None]})}, bytes(8), None)
    st("right-metadata-null.safetensors", {"__metadata__": None}, b"", None)


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    gguf_reports()
    gguf_vocabularies()
    gguf_cases()
    safetensors_cases()
    (FOLDER / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    print(f"{len(manifest)} files in {FOLDER.relative_to(FOLDER.parent.parent.parent)}")


if __name__ == "__main__":
    main()
