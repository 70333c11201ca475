"""llama.cpp: its LLaMA graph with random weights, since it has none for GPT-J."""

import ctypes
import time
from pathlib import Path

import llama_cpp as llama
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


class Runner:
    def __init__(self, work: dict, folder: Path):
        self.quiet = llama.llama_log_callback(lambda level, text, data: None)
        llama.llama_log_set(self.quiet, ctypes.c_void_p())
        llama.llama_backend_init()
        path = folder / FILE
        self.model = llama.llama_model_load_from_file(
            str(path).encode(), llama.llama_model_default_params())
        if not self.model:
            raise RuntimeError(f"llama.cpp cannot load {path}")
        settings = llama.llama_context_default_params()
        settings.n_ctx = work["prompt_tokens"] + work["generate_tokens"]
        settings.n_batch = settings.n_ubatch = 512
        settings.n_threads = settings.n_threads_batch = work["threads"]
        self.context = llama.llama_init_from_model(self.model, settings)
        self.versions = {"llama-cpp-python": llama.__version__}

    def measure(self, ids: list[int], generate: int) -> tuple[float, float]:
        llama.llama_memory_clear(llama.llama_get_memory(self.context), True)
        started = time.perf_counter()
        for start in range(0, len(ids), 512):
            self.decode(ids[start:start + 512])
        prefill = time.perf_counter() - started
        started = time.perf_counter()
        for step in range(generate):
            self.decode([ids[step % len(ids)]])
        return prefill, time.perf_counter() - started

    def decode(self, ids: list[int]) -> None:
        array = (llama.llama_token * len(ids))(*ids)
        if llama.llama_decode(self.context, llama.llama_batch_get_one(array, len(ids))) != 0:
            raise RuntimeError("llama.cpp failed to decode")
        llama.llama_synchronize(self.context)
