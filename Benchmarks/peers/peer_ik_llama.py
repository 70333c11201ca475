"""ik_llama.cpp, llama.cpp's fastest fork on CPUs: the same graph and file; it interleaves rows as it loads."""

import time
from pathlib import Path

import ik_llama_cpp
from ik_llama_cpp import _ctypes_api as llama

from llama_model import FILE, make

__all__ = ["Runner", "make"]


class Runner:
    def __init__(self, work: dict, folder: Path):
        llama.llama_backend_init()
        path = folder / FILE
        settings = llama.llama_model_default_params()
        settings.repack_tensors = True
        self.model = llama.llama_model_load_from_file(str(path).encode(), settings)
        if not self.model:
            raise RuntimeError(f"ik_llama.cpp cannot load {path}")
        settings = llama.llama_context_default_params()
        settings.n_ctx = work["prompt_tokens"] + work["generate_tokens"]
        settings.n_batch = settings.n_ubatch = 512
        settings.n_threads = settings.n_threads_batch = work["threads"]
        self.context = llama.llama_init_from_model(self.model, settings)
        if not self.context:
            raise RuntimeError("ik_llama.cpp cannot make a context")
        self.batch = llama.llama_batch_init(512, 0, 1)
        self.versions = {"ik-llama-cpp-python": ik_llama_cpp.__version__}

    def measure(self, ids: list[int], generate: int) -> tuple[float, float]:
        llama.llama_kv_cache_clear(self.context)
        started = time.perf_counter()
        for start in range(0, len(ids), 512):
            self.decode(ids[start:start + 512], start)
        prefill = time.perf_counter() - started
        started = time.perf_counter()
        for step in range(generate):
            self.decode([ids[step % len(ids)]], len(ids) + step)
        return prefill, time.perf_counter() - started

    def decode(self, ids: list[int], position: int) -> None:
        batch = self.batch
        batch.n_tokens = len(ids)
        for index, token in enumerate(ids):
            batch.token[index] = token
            batch.pos[index] = position + index
            batch.n_seq_id[index] = 1
            batch.seq_id[index][0] = 0
            batch.logits[index] = index == len(ids) - 1
        if llama.llama_decode(self.context, batch) != 0:
            raise RuntimeError("ik_llama.cpp failed to decode")
