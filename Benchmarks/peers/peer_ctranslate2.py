"""CTranslate2: the GPT-J shape with random weights, written through its own model specification."""

import os
import time
from pathlib import Path

import ctranslate2
import numpy
from ctranslate2.specs import common_spec, transformer_spec


def make(work: dict, folder: Path) -> None:
    spec = transformer_spec.TransformerDecoderModelSpec.from_config(
        work["layers"], work["heads"], activation=common_spec.Activation.GELUTanh,
        rotary_dim=work["rotary"], rotary_interleave=False, parallel_residual=True, shared_layer_norm=True)
    random = numpy.random.default_rng(1)
    width, hidden, vocabulary = work["width"], work["hidden"], work["vocabulary"]

    def matrix(rows: int, columns: int) -> numpy.ndarray:
        values = random.standard_normal((rows, columns), dtype=numpy.float32)
        values *= 0.02
        return values

    def linear(part, rows: int, columns: int, bias: bool) -> None:
        part.weight = matrix(rows, columns)
        if bias:
            part.bias = numpy.zeros(rows, numpy.float32)

    def norm(part) -> None:
        part.gamma, part.beta = numpy.ones(width, numpy.float32), numpy.zeros(width, numpy.float32)

    decoder = spec.decoder
    decoder.scale_embeddings = False
    decoder.embeddings.weight = matrix(vocabulary, width)
    norm(decoder.layer_norm)
    linear(decoder.projection, vocabulary, width, bias=True)
    for layer in decoder.layer:
        norm(layer.shared_layer_norm)
        linear(layer.self_attention.linear[0], 3 * width, width, bias=False)
        linear(layer.self_attention.linear[1], width, width, bias=False)
        linear(layer.ffn.linear_0, hidden, width, bias=True)
        linear(layer.ffn.linear_1, width, hidden, bias=True)
    spec.register_vocabulary([f"t{index}" for index in range(vocabulary)])
    spec.config.bos_token = spec.config.eos_token = spec.config.unk_token = "t0"
    spec.validate()
    spec.optimize(quantization={"int8": "int8", "f32": None}[work["dtype"]])
    spec.save(str(folder))


class Runner:
    def __init__(self, work: dict, folder: Path):
        self.generator = ctranslate2.Generator(
            str(folder), device="cpu", compute_type={"int8": "int8", "f32": "float32"}[work["dtype"]],
            inter_threads=1, intra_threads=work["threads"])
        self.versions = {"ctranslate2": ctranslate2.__version__}

    def measure(self, ids: list[int], generate: int) -> tuple[float, float]:
        """The first generated token belongs to the prompt: it is drawn from the prompt's logits."""
        prompt = [f"t{token}" for token in ids]
        first = self.run(prompt, 1)
        return first, self.run(prompt, 1 + generate) - first

    def run(self, prompt: list[str], length: int) -> float:
        started = time.perf_counter()
        result = self.generator.generate_batch(
            [prompt], max_length=length, min_length=length, sampling_topk=1, include_prompt_in_result=False)
        seconds = time.perf_counter() - started
        if len(result[0].sequences_ids[0]) != length:
            raise RuntimeError(f"expected {length} tokens, got {len(result[0].sequences_ids[0])}")
        return seconds
