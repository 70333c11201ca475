"""llama.cpp: its LLaMA graph with random weights, since it has none for GPT-J."""

import ctypes
import time
from pathlib import Path

import llama_cpp as llama

from llama_model import FILE, make

__all__ = ["Runner", "make"]


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
