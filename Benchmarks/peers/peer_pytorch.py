"""PyTorch with transformers: GPT-J of the shape, with random weights made in memory."""

import time
from pathlib import Path

import torch
import transformers


def make(work: dict, folder: Path) -> None:
    """Nothing to write: weights are drawn while the model is set up."""


class Runner:
    def __init__(self, work: dict, folder: Path):
        torch.set_num_threads(work["threads"])
        torch.manual_seed(1)
        config = transformers.GPTJConfig(
            vocab_size=work["vocabulary"], n_positions=2048, n_embd=work["width"], n_layer=work["layers"],
            n_head=work["heads"], rotary_dim=work["rotary"], n_inner=work["hidden"])
        self.type = {"bf16": torch.bfloat16, "f32": torch.float32}[work["dtype"]]
        previous = torch.get_default_dtype()
        torch.set_default_dtype(self.type)
        self.model = transformers.GPTJForCausalLM(config).eval()
        torch.set_default_dtype(previous)
        self.versions = {"torch": torch.__version__, "transformers": transformers.__version__}

    @torch.inference_mode()
    def measure(self, ids: list[int], generate: int) -> tuple[float, float]:
        started = time.perf_counter()
        prompt = torch.tensor([ids])
        output = self.model(prompt, use_cache=True, logits_to_keep=1)
        token = output.logits[:, -1].argmax(-1, keepdim=True)
        prefill = time.perf_counter() - started
        started = time.perf_counter()
        for _ in range(generate):
            output = self.model(token, past_key_values=output.past_key_values, use_cache=True)
            token = output.logits[:, -1].argmax(-1, keepdim=True)
        return prefill, time.perf_counter() - started
