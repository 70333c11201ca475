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


# ------------------------------------------------------------------------------------------------- PyTorch


def u16(value):
    return struct.pack("<H", value)


def zip_entry(name, data=b"", **change):
    """An entry for `zip_file`. `change` sets fields of the directory, or with `local_` those of the header."""
    raw = name if isinstance(name, bytes) else name.encode()
    both = {"name": raw, "flags": 0, "method": 0, "packed": len(data), "size": len(data), "extra": b""}
    local = both | {key[6:]: value for key, value in change.items() if key.startswith("local_")}
    directory = both | {"offset": None, "disk": 0} | {k: v for k, v in change.items() if not k.startswith("local_")}
    return local, directory, data


def zip_fields(entry):
    return (
        u16(entry["flags"]) + u16(entry["method"]) + bytes(8) + u32(entry["packed"]) + u32(entry["size"])
        + u16(len(entry["name"])) + u16(len(entry["extra"]))
    )


def zip_file(*entries, comment=b"", wide=None, between=b"", **change):
    """A ZIP archive. `change` sets fields of the end record, `wide` those of a 64-bit one."""
    body, directory = b"", b""
    for local, entry, data in entries:
        offset = len(body) if entry["offset"] is None else entry["offset"]
        body += b"PK\3\4" + u16(0) + zip_fields(local) + local["name"] + local["extra"] + data
        directory += b"PK\1\2" + u16(0) * 2 + zip_fields(entry) + u16(0) + u16(entry["disk"]) + bytes(6) + u32(offset)
        directory += entry["name"] + entry["extra"]
    true = {"disk": 0, "here": len(entries), "count": len(entries), "size": len(directory), "offset": len(body)}
    result = body + directory + between
    if wide is not None:
        w = true | {"length": 44, "place": len(result), "locator": 0} | wide
        result += b"PK\6\6" + u64(w["length"]) + u16(45) * 2 + u32(w["disk"]) * 2 + u64(w["here"]) + u64(w["count"])
        result += u64(w["size"]) + u64(w["offset"]) + b"PK\6\7" + u32(w["locator"]) + u64(w["place"]) + u32(1)
    end = true | change
    result += b"PK\5\6" + u16(end["disk"]) * 2 + u16(end["here"]) + u16(end["count"]) + u32(end["size"])
    return result + u32(end["offset"]) + u16(len(comment)) + comment


def p_text(value):
    raw = value if isinstance(value, bytes) else value.encode()
    return b"X" + u32(len(raw)) + raw


def p_int(value):
    if 0 <= value < 256:
        return b"K" + bytes([value])
    size = value.bit_length() // 8 + 1
    return b"\x8a" + bytes([size]) + value.to_bytes(size, "little", signed=True)


def p_global(module, name):
    return b"c" + module.encode() + b"\n" + name.encode() + b"\n"


def p_tuple(*values):
    return b"(" + b"".join(v if isinstance(v, bytes) else p_int(v) for v in values) + b"t"


def p_dict(*pairs):
    return b"}(" + b"".join(p_text(k) + v if isinstance(k, str) else k + v for k, v in pairs) + b"u"


ORDERED = p_global("collections", "OrderedDict") + b")R"
FLOATS = p_global("torch", "FloatStorage")
BYTES = p_global("torch.storage", "UntypedStorage")
BUILD_TENSOR = p_global("torch._utils", "_rebuild_tensor_v2")
BUILD_TYPED = p_global("torch._utils", "_rebuild_tensor_v3")


def p_storage(key="0", kind=FLOATS, count=4, more=b""):
    return b"(" + p_text("storage") + kind + p_text(key) + p_text("cpu") + p_int(count) + more + b"tQ"


def p_tensor(storage=None, offset=0, shape=(2, 2), strides=(2, 1), hooks=ORDERED, more=b"", call=BUILD_TENSOR):
    storage = p_storage() if storage is None else storage
    arguments = [storage, offset, p_tuple(*shape), p_tuple(*strides), b"\x89", hooks]
    return call + p_tuple(*arguments, *([more] if more else [])) + b"R"


def p_pickle(body, protocol=2):
    return b"\x80" + bytes([protocol]) + body + b"."


def entries(body, count=16, whole=False):
    return zip_entry("m/data.pkl", body if whole else p_pickle(body)), zip_entry("m/data/0", bytes(range(count)))


def stream(body, keys=None, data=None, magic=None, version=1001, little=b"\x88"):
    magic = p_int(0x1950A86A20F9469CFC6C) if magic is None else magic
    keys = b"](" + p_text("0") + b"e" if keys is None else keys
    data = u64(4) + bytes(range(16)) if data is None else data
    machine = p_dict(("protocol_version", p_int(1001)), ("little_endian", little))
    return b"".join(map(p_pickle, [magic, p_int(version), machine, body, keys])) + data


WEIGHTS = p_dict(("w", p_tensor()))


def pytorch_reports():
    def pt(name, body, *expected):
        save(name + ".bin", zip_file(*entries(body)), *expected)

    r = "CVE-2026-24747"
    pt("CVE-2026-24747-setitem-on-list", b"]" + p_text("w") + p_tensor() + b"s", r, "operand", "SETITEM", "a list")
    pt("CVE-2026-24747-setitem-on-tensor", p_tensor() + p_int(0) + p_int(1) + b"s", r, "operand", "SETITEM", "a tensor")
    pt("CVE-2026-24747-setitems-on-storage", p_storage() + b"(" + p_int(0) * 2 + b"u", r, "operand", "SETITEMS",
       "a storage")
    pt("CVE-2026-24747-setitems-on-tuple", b"K\1\x85(" + p_int(0) * 2 + b"u", r, "operand", "SETITEMS", "a tuple")
    pt("CVE-2026-24747-append-on-dict", b"}" + p_int(1) + b"a", r, "operand", "APPEND", "a dict", "a list")
    pt("CVE-2026-24747-storage-count", p_dict(("w", p_tensor(p_storage(count=1000)))), r, "archive", "storage '0'",
       "4000", "16 bytes")
    pt("CVE-2026-24747-storage-type", p_dict(("w", p_tensor(p_storage(kind=p_global("torch", "DoubleStorage"))))), r,
       "archive", "storage '0'", "16 bytes", "32")
    pt("CVE-2026-24747-storage-retyped",
       p_dict(("a", p_tensor()), ("b", p_tensor(p_storage(kind=p_global("torch", "HalfStorage"))))), r, "operand",
       "BINPERSID", "F16", "F32")
    save("CVE-2026-24747-old-storage-count.bin", stream(WEIGHTS, data=u64(2**61) + bytes(16)), r, "archive", str(2**61))
    tar = b"storages".ljust(257, b"\0") + b"ustar\0" + bytes(256)
    save("CVE-2025-32434-tar.bin", tar, "CVE-2025-32434", "signature", "PyTorch")
    seven = b"7z\xbc\xaf\x27\x1c\0\4" + p_pickle(WEIGHTS)
    save("nullifAI-7z.bin", seven, "nullifAI (ReversingLabs, 2025)", "signature", "7z")

    r = "pickles that call something"
    for module, name in [
        ("os", "system"), ("posix", "system"), ("builtins", "eval"), ("builtins", "exec"), ("builtins", "getattr"),
        ("__builtin__", "eval"), ("subprocess", "Popen"), ("torch.storage", "_load_from_bytes"),
        ("torch.hub", "load"), ("torch._utils", "_rebuild_sparse_tensor"), ("torch", "load"), ("runpy", "run_path"),
        ("numpy.core.multiarray", "_reconstruct"), ("torch.nn.modules.linear", "Linear"),
        ("transformers.training_args", "TrainingArguments"), ("torch", "QInt8Storage"), ("collections", "Counter"),
        ("torch._utils", "_rebuild_parameter_with_state"), ("webbrowser", "open"), ("argparse", "Namespace"),
    ]:
        call = p_global(module, name) + p_tuple(p_text("touch /tmp/owned")) + b"R"
        pt(f"call-{module}.{name}", p_dict(("w", call)), r, "global", f"{module}.{name}", "byte")
    for name, body in [
        ("INST", b"(" + p_text("id") + b"ios\nsystem\n"), ("OBJ", b"(" + ORDERED[:-2] + p_text("id") + b"o"),
        ("PERSID", b"Pos.system\n"), ("EXT1", b"\x82\1"), ("EXT4", b"\x84" + u32(1)),
        ("LONG4", b"\x8b" + u32(MOST >> 33)),
        ("NEWOBJ", p_global("collections", "OrderedDict") + b")\x81"), ("NEWOBJ_EX", ORDERED[:-2] + b")}\x92"),
        ("BINUNICODE8", b"\x8d" + u64(MOST)), ("BINBYTES8", b"\x8e" + u64(MOST)), ("BYTEARRAY8", b"\x96" + u64(2**62)),
        ("NEXT_BUFFER", b"\x97"), ("POP", b"N0"), ("DUP", b"N2" * 9), ("FROZENSET", b"(\x91"), ("STRING", b"S'id'\n"),
    ]:
        pt(f"instruction-{name}", p_dict(("w", body)), r, "instruction", f" {name} at byte")
    stack = b"\x80\4}\x8c\1w\x8c\2os\x8c\6system\x93\x8c\2id\x85Rs."
    save("call-by-stack.bin", zip_file(*entries(stack, whole=True)), r, "global", "os.system")
    call = p_global("os", "system") + p_text("id") + b"\x85R"
    pt("call-before-weights", call + b"0" + WEIGHTS, r, "global", "os.system")
    save("call-old.bin", p_pickle(call), r, "global", "os.system")


def pytorch_pickles():
    r = "instructions and their operands"

    def pt(name, body, *expected, whole=False):
        save(f"case-pickle-{name}.bin", zip_file(*entries(body, whole=whole)), r, *expected)

    def value(name, body, *expected):
        pt(name, p_dict(("w", body)), "operand", *expected)

    pt("build-on-dict", WEIGHTS + p_dict(("x", b"N")) + b"b", "operand", "BUILD", "OrderedDict")
    pt("build-on-tensor", p_tensor() + p_dict(("x", b"N")) + b"b", "operand", "BUILD", "a tensor")
    pt("build-with-text", ORDERED + p_text("x") + b"b", "operand", "BUILD", "a text")
    value("call-of-type", FLOATS + p_tuple(4) + b"R", "REDUCE", "a storage type")
    value("call-with-list", ORDERED[:-2] + b"]R", "REDUCE", "a list", "a tuple")
    value("call-of-text", p_text("system") + b")R", "REDUCE", "a text")
    value("ordered-dict-of-list", ORDERED[:-2] + b"]\x85R", "REDUCE", "OrderedDict()")
    value("tensor-of-integer", p_tensor(p_int(7)), "REDUCE", "an integer")
    value("tensor-negative-offset", p_tensor(offset=-1), "REDUCE", "offset")
    value("tensor-negative-size", p_tensor(shape=(2, -2)), "REDUCE", "shape")
    value("tensor-negative-stride", p_tensor(strides=(-2, 1)), "REDUCE", "strides")
    value("tensor-fewer-strides", p_tensor(strides=(1,)), "REDUCE", "as many strides")
    value("tensor-size-is-float", p_tensor(shape=(b"G" + bytes(8), 2)), "REDUCE", "shape")
    of_lists = BUILD_TENSOR + b"(" + p_storage() + b"K\0]]\x89" + ORDERED + b"tR"
    value("tensor-shape-is-list", of_lists, "REDUCE", "a list")
    value("tensor-65-axes", p_tensor(shape=(1,) * 65, strides=(1,) * 65), "REDUCE", "shape")
    value("tensor-with-hooks", p_tensor(hooks=p_dict(("h", b"N"))), "REDUCE", "no hooks")
    value("tensor-conjugated", p_tensor(more=p_dict(("conj", b"\x88"))), "REDUCE", "_rebuild_tensor_v2")
    value("tensor-of-huge-integer", p_tensor(offset=2**2000), "REDUCE", "offset")
    value("tensor-of-bytes", p_tensor(p_storage(kind=BYTES)), "REDUCE", "typed storage")
    of_floats = p_tensor(more=p_global("torch", "float32"), call=BUILD_TYPED)
    value("typed-tensor-of-floats", of_floats, "REDUCE", "storage of bytes")
    value("parameter-of-integer", p_global("torch._utils", "_rebuild_parameter") + p_tuple(1, b"\x88", ORDERED) + b"R",
          "REDUCE", "_rebuild_parameter")
    value("size-of-integer", p_global("torch", "Size") + p_tuple(1) + b"R", "REDUCE", "torch.Size")
    value("storage-is-text", p_text("0") + b"Q", "BINPERSID", "a text")
    other = p_tuple(p_text("module"), FLOATS, p_text("0"), p_text("cpu"), 4) + b"Q"
    value("storage-word", other, "BINPERSID", "'storage'")
    value("storage-of-dtype", p_storage(kind=p_global("torch", "float32")), "BINPERSID", "a storage type")
    value("storage-negative", p_storage(count=-4), "BINPERSID", "number of elements")
    value("storage-with-view", p_storage(more=p_int(1)), "BINPERSID", "an integer")
    value("memo-absent", b"h\7", "BINGET", "place 7")
    value("long-memo-absent", b"j" + u32(2**32 - 1), "LONG_BINGET", str(2**32 - 1))
    value("tuple-without-values", b"(K\1\x87", "TUPLE3", "1 values")
    pt("tuple-without-mark", b"t", "operand", "TUPLE", "no mark")
    pt("put-of-nothing", b"q\0", "operand", "BINPUT", "nothing")
    pt("append-to-nothing", b"(K\1e", "operand", "APPENDS", "nothing")
    pt("append-across-mark", b"](K\1a", "operand", "APPEND", "nothing")
    pt("setitems-odd", b"}(K\1u", "operand", "SETITEMS", "1 values")
    pt("key-is-list", b"}(]K\1u", "operand", "SETITEMS", "a list as a key")
    pt("stack-global-of-integers", b"K\1K\2\x93", "operand", "STACK_GLOBAL", "two texts")
    pt("stop-with-two", WEIGHTS * 2, "operand", "STOP", "2 values")
    pt("stop-with-none", b"", "operand", "STOP", "0 values")
    pt("stop-with-mark", WEIGHTS + b"(", "operand", "STOP")
    pt("no-stop", b"\x80\2" + WEIGHTS, "truncated", "the pickle", whole=True)
    pt("ends-in-text", b"\x80\2X" + u32(100) + b"abc", "truncated", "a text", whole=True)
    pt("ends-in-global", b"\x80\2ctorch", "truncated", "a name", whole=True)
    pt("ends-in-integer", b"\x80\2\x8a\xff\1", "truncated", "an integer", whole=True)
    pt("text-of-4-gib", b"X" + u32(2**32 - 1), "limit", "text", str(2**32 - 1))
    pt("text-not-utf8", b"X" + u32(2) + b"\xff\xfe", "text", "text of the pickle")
    pt("global-not-utf8", b"c\xff\n\xfe\n", "text", "name of the pickle")
    pt("global-too-long", b"c" + b"x" * 300 + b"\nsystem\n", "limit", "255")
    pt("protocol-1", p_pickle(WEIGHTS, 1), "operand", "PROTO", "protocol 1", whole=True)
    pt("protocol-6", p_pickle(WEIGHTS, 6), "operand", "PROTO", "protocol 6", whole=True)
    pt("protocol-twice", b"\x80\2" + WEIGHTS, "operand", "PROTO", "once")
    pt("frame-beyond-end", b"\x95" + u64(MOST) + WEIGHTS, "truncated", "frame")
    pt("bytes-behind-stop", p_pickle(WEIGHTS) + b"cos\nsystem\n", "archive", "behind the pickle's end", whole=True)
    pt("deep-lists", b"]" * 101 + b"a" * 100, "limit", "nesting", "100")
    pt("deep-tuples", b")" + b"K\1\x86" * 101, "limit", "nesting", "100")
    pt("deep-marks", b"(" * 101, "limit", "marks", "100")
    pt("list-in-itself", b"]q\0" + b"h\0a" * 100, "limit", "nesting", "100")
    r = "views and storages"
    pt("storage-without-entry", p_dict(("w", p_tensor(p_storage(key="1")))), "archive", "storage '1'", "no entry")
    pt("storage-outside", p_dict(("w", p_tensor(p_storage(key="../../secret")))), "archive", "secret", "no entry")
    pt("storage-2-62", p_dict(("w", p_tensor(p_storage(count=2**62)))), "archive", str(2**62), "too many")
    pt("view-offset", p_dict(("w", p_tensor(offset=1))), "view", "tensor w", "4 elements")
    pt("view-offset-max", p_dict(("w", p_tensor(offset=2**63 - 1))), "view", "tensor w")
    pt("view-shape", p_dict(("w", p_tensor(shape=(2, 3), strides=(3, 1)))), "view", "tensor w")
    pt("view-stride", p_dict(("w", p_tensor(strides=(3, 1)))), "view", "tensor w")
    pt("view-stride-max", p_dict(("w", p_tensor(strides=(2**63 - 1, 2**63 - 1)))), "view", "tensor w")
    pt("view-wraps", p_dict(("w", p_tensor(shape=(3, 1), strides=(2**63 - 1, 1)))), "view", "tensor w")
    pt("view-empty-offset", p_dict(("w", p_tensor(offset=5, shape=(0,), strides=(1,)))), "view", "tensor w")
    pt("shape-product-wraps", p_dict(("w", p_tensor(shape=(2**32, 2**32), strides=(0, 0)))), "shape", "tensor w")
    hidden = p_tensor(shape=(0, 2**62, 2**62), strides=(0, 0, 0))
    pt("shape-zero-hides-overflow", p_dict(("w", hidden)), "shape", "tensor w")
    pt("expanded-to-4-gib", p_dict(("w", p_tensor(shape=(2**30,), strides=(0,)))), "limit", "tensor w", str(2**32))
    r = "which tensors are weights"
    pt("weights-list", b"](" + p_tensor() + b"e", "weights", "a list")
    pt("weights-tensor", p_tensor(), "weights", "a tensor")
    pt("weights-none", b"}", "weights", "without tensors")
    pt("weights-only-settings", p_dict(("epoch", p_int(3)), ("state_dict", p_int(1))), "weights", "without tensors")
    pt("weights-empty-model", p_dict(("model", b"}")), "weights", "key model", "without tensors")
    pt("weights-two", p_dict(("state_dict", WEIGHTS), ("model", WEIGHTS)), "weights", "key model", "another")
    pt("weights-in-list", p_dict(("w", p_tensor()), ("v", b"](" + p_tensor() + b"e")), "weights", "key v", "a list")
    below = p_dict(("w", p_tensor()), ("v", WEIGHTS))
    pt("weights-below", p_dict(("state_dict", below)), "weights", "key state_dict.v")
    pt("weights-of-optimizer", p_dict(("model", WEIGHTS), ("optimizer", p_dict(("state", WEIGHTS)))), "weights",
       "key optimizer")
    pt("weights-number", p_dict((p_int(0), p_tensor())), "weights", "an integer")
    pt("weights-twice", p_dict(("w", p_tensor()), ("w", p_tensor())), "duplicate", "tensor w")


def pytorch_containers():
    r = "the rules of archives"
    first, second = entries(WEIGHTS)
    pickle, data = p_pickle(WEIGHTS), bytes(range(16))

    def zp(name, *items, error="archive", mentions=(), **change):
        save(f"case-zip-{name}.bin", zip_file(*items, **change), r, error, *mentions)

    def one(name, *mentions, error="archive", **change):
        zp(name, first, zip_entry("m/data/0", data, **change), error=error, mentions=mentions)

    one("compressed", "m/data/0", "compressed", "method 8", method=8, local_method=8)
    one("encrypted", "m/data/0", "encrypted", flags=1, local_flags=1)
    one("packed-size", "m/data/0", "8 bytes", packed=8)
    one("local-name", "m/data/0", "another name", local_name=b"m/data/1")
    one("local-size", "m/data/0", "17 bytes", local_size=17)
    one("local-size-0", "m/data/0", "0 bytes", local_size=0, local_packed=0)
    one("local-method", "m/data/0", "another way", local_method=8)
    one("local-flags", "m/data/0", "another way", local_flags=8)
    one("no-local-header", "m/data/0", "no header", offset=1)
    one("header-beyond", "m/data/0", "no header", offset=2**31)
    one("size-beyond", "m/data/0", "beyond", size=2**31, packed=2**31, local_size=2**31, local_packed=2**31)
    one("64-bit-size-absent", "m/data/0", "64-bit", size=2**32 - 1, packed=2**32 - 1)
    one("64-bit-size-max", "m/data/0", str(MOST), size=2**32 - 1, packed=2**32 - 1,
        extra=u16(1) + u16(16) + u64(MOST) * 2)
    sizes_follow = {"flags": 8, "local_flags": 8, "local_size": 0, "local_packed": 0}
    one("64-bit-size-2-63", "m/data/0", "beyond", size=2**32 - 1, packed=2**32 - 1, **sizes_follow,
        extra=u16(1) + u16(16) + u64(2**63 - 64) * 2)
    one("other-disk", "m/data/0", "disk", disk=1)
    for name, path in [("outside", "../../etc/passwd"), ("absolute", "/etc/passwd"), ("dot", "m/./data/0"),
                       ("backslash", "m\\data\\0"), ("nothing", ""), ("folder", "m/data/"), ("zero-byte", "m/\0/0")]:
        zp(f"name-{name}", first, second, zip_entry(path, b"x"), mentions=("plain path",))
    zp("name-not-utf8", first, second, zip_entry(b"m/\xff", b"x"), error="text", mentions=("name of entry 2",))
    zp("name-too-long", first, second, zip_entry("m/" + "x" * 1023, b"x"), error="limit", mentions=("1024", "1025"))
    zp("name-twice", first, second, second, error="duplicate", mentions=("m/data/0",))
    zp("pickle-twice", first, first, second, error="duplicate", mentions=("m/data.pkl",))
    zp("two-pickles", first, second, zip_entry("n/data.pkl", pickle), mentions=("2 entries",))
    zp("no-pickle", zip_entry("m/model.bin", pickle), mentions=("0 entries", "checkpoint?"))
    zp("big-endian", first, second, zip_entry("m/byteorder", b"big"), mentions=("byteorder", "'big'"))
    inner = zip_file(zip_entry("m/data/1", b"x"))[:39]
    place = 30 + len("m/data.pkl") + len(pickle) + 30 + len("m/data/0") + 8
    zp("overlap", first, zip_entry("m/data/0", bytes(8) + inner), zip_entry("m/data/1", b"x", offset=place),
       mentions=("m/data/1", "overlaps"))
    zp("same-place", first, second, zip_entry("m/data/0", data, offset=len(pickle) + 40), mentions=("overlaps",))
    zp("more-entries", first, second, here=3, count=3, mentions=("does not begin",))
    zp("fewer-entries", first, second, here=1, count=1, mentions=("behind its last entry",))
    zp("several-disks", first, second, here=1, mentions=("several disks",))
    zp("disk-1", first, second, disk=1, mentions=("several disks",))
    zp("directory-offset", first, second, offset=3, mentions=("at offset 3",))
    zp("directory-size", first, second, size=2**32 - 1, mentions=(str(2**32 - 1),))
    zp("bytes-between", first, second, between=b"hidden", mentions=("the directory",))
    zp("wide-count-max", first, second, wide={"here": MOST, "count": MOST}, here=0xFFFF, count=0xFFFF, error="limit",
       mentions=(str(MOST), "100000"))
    zp("wide-size-max", first, second, wide={"size": MOST}, size=2**32 - 1, mentions=(str(MOST),))
    zp("wide-offset-wraps", first, second, wide={"offset": MOST - 100}, offset=2**32 - 1, mentions=(str(MOST - 100),))
    zp("wide-length-max", first, second, wide={"length": MOST}, mentions=("64-bit end record", str(MOST)))
    zp("wide-place-max", first, second, wide={"place": MOST}, mentions=("64-bit end record", str(MOST)))
    zp("wide-differs", first, second, wide={}, count=1, here=1, mentions=("differs",))
    zp("wide-locator-disk", first, second, wide={"locator": 1}, mentions=("another disk",))
    zp("wide-disk", first, second, wide={"disk": 1}, mentions=("several disks",))
    whole = zip_file(first, second)
    save("case-zip-bytes-behind.bin", whole + b"\0", r, "truncated", "directory")
    save("case-zip-no-directory.bin", whole[:200], r, "truncated", "directory")
    save("right-archive.bin", whole, r, None)
    save("right-archive-comment.bin", zip_file(first, second, comment=b"a comment"), r, None)
    save("right-archive-64-bit.bin", zip_file(first, second, wide={}), r, None)
    wide_size = {"size": 2**32 - 1, "packed": 2**32 - 1, "extra": u16(1) + u16(16) + u64(16) * 2}
    save("right-archive-64-bit-sizes.bin", zip_file(first, zip_entry("m/data/0", data, **wide_size)), r, None)

    r = "the old format"

    def old(name, content, error, *mentions):
        save(f"case-old-{name}.bin", content, r, error, *mentions)

    old("magic", stream(WEIGHTS, magic=p_int(0x1950A86A20F9469CFC6D)), "signature", "PyTorch")
    old("a-pickle-of-weights", p_pickle(WEIGHTS), "signature", "something else")
    old("version", stream(WEIGHTS, version=1002), "version", "1002", "1001")
    old("big-endian", stream(WEIGHTS, little=b"\x89"), "archive", "little_endian")
    old("keys-are-text", stream(WEIGHTS, keys=p_text("0")), "archive", "list of storages", "a text")
    old("key-is-number", stream(WEIGHTS, keys=b"](K\0e"), "archive", "list of storages", "an integer")
    old("key-unknown", stream(WEIGHTS, keys=b"](" + p_text("1") + b"e"), "archive", "'1'")
    old("key-twice", stream(WEIGHTS, keys=b"](" + p_text("0") * 2 + b"e"), "archive", "'0'", "once")
    old("key-absent", stream(WEIGHTS, keys=b"]", data=b""), "archive", "storage '0'", "list of storages")
    old("count", stream(WEIGHTS, data=u64(5) + bytes(20)), "archive", "storage '0'", "5 elements")
    old("ends-in-count", stream(WEIGHTS, data=b"\4\0\0"), "truncated", "size of storage '0'")
    old("ends-in-storage", stream(WEIGHTS, data=u64(4) + bytes(15)), "truncated", "storage '0'", "16")
    old("bytes-behind", stream(WEIGHTS, data=u64(4) + bytes(17)), "archive", "1 bytes behind")
    old("setitems-on-list", stream(b"](" + p_text("w") + p_tensor() + b"u"), "operand", "SETITEMS", "a list")
    save("right-old.bin", stream(WEIGHTS), r, None)
    save("right-old-none-behind-storage.bin", stream(p_dict(("w", p_tensor(p_storage(more=b"N"))))), r, None)
    r = "what else such a file turns out to be"
    save("case-git-lfs-pointer.bin", POINTER, r, "gitPointer", "git lfs pull")
    save("case-html.bin", b"<!DOCTYPE html><html></html>", r, "signature", "HTML")
    save("case-gzip.bin", b"\x1f\x8b" + bytes(30), r, "signature", "gzip")
    save("case-zeros.bin", bytes(64), r, "signature", "zeros")
    eights = p_tensor(p_storage(kind=BYTES, count=16), shape=(16,), strides=(1,), call=BUILD_TYPED,
                      more=p_global("torch", "float8_e4m3fn"))
    save("case-type-without-kernel.bin", zip_file(*entries(p_dict(("w", eights)))), r, "elementType", "tensor w",
         "F8_E4M3", tensor="w")


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    gguf_reports()
    gguf_vocabularies()
    gguf_cases()
    safetensors_cases()
    pytorch_reports()
    pytorch_pickles()
    pytorch_containers()
    (FOLDER / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    print(f"{len(manifest)} files in {FOLDER.relative_to(FOLDER.parent.parent.parent)}")


if __name__ == "__main__":
    main()
