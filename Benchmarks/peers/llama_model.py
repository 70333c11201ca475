"""A GGUF file of LLaMA's sizes with random weights, for llama.cpp and its forks."""

from pathlib import Path

import numpy

FILE = "model.gguf"


def make(work: dict, folder: Path) -> None:
    import gguf

    kind = {"q4_0": gguf.GGMLQuantizationType.Q4_0, "q4_k": gguf.GGMLQuantizationType.Q4_K,
            "int8": gguf.GGMLQuantizationType.Q8_0, "bf16": gguf.GGMLQuantizationType.BF16,
            "f32": gguf.GGMLQuantizationType.F32}[work["dtype"]]
    width, hidden, vocabulary = work["width"], work["hidden"], work["vocabulary"]
    writer = gguf.GGUFWriter(folder / FILE, "llama")
    writer.add_context_length(2048)
    writer.add_embedding_length(width)
    writer.add_block_count(work["layers"])
    writer.add_feed_forward_length(hidden)
    writer.add_head_count(work["heads"])
    writer.add_head_count_kv(work["heads"])
    writer.add_rope_dimension_count(work["rotary"])
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(vocabulary)
    writer.add_tokenizer_model("none")
    random = numpy.random.default_rng(1)
    block, size = gguf.GGML_QUANT_SIZES[kind]
    matrices = {"token_embd.weight": (vocabulary, width), "output.weight": (vocabulary, width)}
    norms = ["output_norm.weight"]
    for layer in range(work["layers"]):
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            matrices[f"blk.{layer}.{name}.weight"] = (width, width)
        for name, rows in (("ffn_gate", hidden), ("ffn_up", hidden), ("ffn_down", width)):
            matrices[f"blk.{layer}.{name}.weight"] = (rows, width + hidden - rows)
        norms += [f"blk.{layer}.attn_norm.weight", f"blk.{layer}.ffn_norm.weight"]
    # All headings first, then one matrix after the other, so that no more than one is in memory.
    for name, (rows, columns) in matrices.items():
        width_stored, stored = (columns, "f4") if kind.name == "F32" else (columns // block * size, "u1")
        writer.add_tensor_info(
            name, [rows, width_stored], numpy.dtype(stored), rows * columns // block * size, raw_dtype=kind)
    for name in norms:
        writer.add_tensor_info(name, [width], numpy.dtype("f4"), 4 * width)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for rows, columns in matrices.values():
        writer.write_tensor_data(random_blocks(random, kind.name, rows * columns // block, size))
    for _ in norms:
        writer.write_tensor_data(numpy.ones(width, numpy.float32))
    writer.close()


def random_blocks(random: numpy.random.Generator, kind: str, count: int, size: int) -> numpy.ndarray:
    """Blocks of random bytes under scales which give weights of about 0.02."""
    if kind in ("F32", "BF16"):
        values = random.standard_normal(count, dtype=numpy.float32)
        values *= 0.02
        return values if kind == "F32" else (values.view(numpy.uint32) >> 16).astype(numpy.uint16)
    blocks = random.integers(0, 256, (count, size), dtype=numpy.uint8)
    scales = {"Q4_0": (0.004,), "Q8_0": (0.0003,), "Q4_K": (0.0001, 0.0007)}[kind]
    for index, scale in enumerate(scales):
        blocks[:, 2 * index:2 * index + 2] = numpy.frombuffer(numpy.float16(scale).tobytes(), numpy.uint8)
    return blocks
