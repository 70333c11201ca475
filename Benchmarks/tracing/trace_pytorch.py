"""Causal tracing the reference's way in PyTorch: one full forward for each cell, over a clean copy of the prompt
and the corrupted ones.

    python trace_pytorch.py [--tokens 9 --samples 10 --cells 30 --threads 2 --dtype f32]

Runs a model of SmolLM2-135M's shape with random weights, whose speed is that of the trained ones, and measures
some of the cells; prints seconds for one cell and for the whole grid. Compare with

    corvid trace --prompt "The Space Needle is in the city of" --subject "Space Needle"

on the same machine, with as many tokens and threads. Needs torch and transformers.
"""

import argparse
import time

import torch
import transformers


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tokens", type=int, default=9)
    parser.add_argument("--samples", type=int, default=10)
    parser.add_argument("--cells", type=int, default=30)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    torch.set_default_dtype({"f32": torch.float32, "bf16": torch.bfloat16}[options.dtype])
    config = transformers.LlamaConfig(
        vocab_size=49152, hidden_size=576, intermediate_size=1536, num_hidden_layers=30,
        num_attention_heads=9, num_key_value_heads=3, head_dim=64, tie_word_embeddings=True)
    model = transformers.LlamaForCausalLM(config).eval()
    prompt = torch.randint(0, 49152, (1, options.tokens)).repeat(1 + options.samples, 1)
    noise = 0.1 * torch.randn(options.samples, 2, 576)

    def corrupt(_, __, out):
        out = out.clone()
        out[1:, 1:3] += noise
        return out

    def restore(token):
        def hook(_, __, out):
            state = out[0] if isinstance(out, tuple) else out
            state[1:, token] = state[:1, token]
            return out
        return hook

    times = []
    model.model.embed_tokens.register_forward_hook(corrupt)
    with torch.inference_mode():
        for cell in range(options.cells + 1):
            layer, token = cell * 7 % 30, cell % options.tokens
            handle = model.model.layers[layer].register_forward_hook(restore(token))
            started = time.perf_counter()
            logits = model(prompt, use_cache=False).logits[:, -1]
            torch.softmax(logits.float(), -1)
            times.append(time.perf_counter() - started)
            handle.remove()
    times = sorted(times[1:])
    median, best = times[len(times) // 2], times[0]
    cells = options.tokens * 30
    print(f"torch {torch.__version__}, transformers {transformers.__version__}, {options.dtype}, "
          f"{options.threads} threads, {options.tokens} tokens, {options.samples} samples")
    print(f"one cell: median {median * 1e3:.0f} ms, best {best * 1e3:.0f} ms; "
          f"{cells} cells: {median * cells:.1f} s, best {best * cells:.1f} s")


if __name__ == "__main__":
    main()
