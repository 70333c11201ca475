"""Makes the golden files of models and quantised blocks under Tests/Golden.

Usage, from the repository's root (any folder outside it will do for the environment):

    python3 -m venv .venv-fixtures
    .venv-fixtures/bin/pip install torch==2.13.0 transformers==5.23.0 gguf==0.19.0 safetensors numpy
    .venv-fixtures/bin/python Scripts/make-fixtures.py [--smollm2 SmolLM2-135M-Instruct.Q4_1.gguf] [NAME ...]

Without names everything is made; `dequantise` and the names of the models below make only those.
SmolLM2's logits need the model file, and are left alone without it.

What is written:

- Models/NAME/: a tiny random model as a Hugging Face folder (config.json, model.safetensors), or as
  model.gguf; beside it golden.safetensors with `ids` [T] (int32) and what the model gives (float32):
  `logits` [T, V], `states` [T, E], `pooled` [1, E] or `labels` [1, N]; for an encoder `types` [T] may stand
  beside the ids, for an encoder-decoder the `source` [S] does.
- dequantise.safetensors: for each block type, `TYPE.bytes` [blocks, bytes] and `TYPE.values`
  [blocks, weights], the values as the gguf package decodes them.
- configurations.json: the config that transformers writes by default for each class.
- smollm2-logits.json: rows and columns picked from the logits of SmolLM2's file.

The logits come from transformers, which loads the written folder and computes in float64; the weights
are rounded to the file's type first. Weights come from numpy's PCG64 with a fixed seed for each model.
"""

import argparse
import contextlib
import json
import shutil
import tempfile
import zlib
from pathlib import Path

import gguf
import numpy as np
import torch
import transformers
from gguf import GGMLQuantizationType as Block
from safetensors.torch import load_file, save_file

GOLDEN = Path(__file__).resolve().parent.parent / "Tests" / "Golden"
MODELS = GOLDEN / "Models"
TOKENS = 41  # of each golden sequence; odd, and no multiple of any block or chunk


# MARK: Reference

@contextlib.contextmanager
def float64_everywhere():
    """Makes the reference's own casts to float32 (norms, rotary, softmax) casts to float64."""
    kept = torch.float32, torch.float, torch.Tensor.float, torch.get_default_dtype()
    torch.float32 = torch.float = torch.float64
    torch.Tensor.float = torch.Tensor.double
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.float32, torch.float, torch.Tensor.float = kept[:3]
        torch.set_default_dtype(kept[3])


def reference_logits(folder: Path, ids: np.ndarray, stepwise: bool = False) -> np.ndarray:
    """Logits [T, V] of a Hugging Face folder, in float64; all tokens in one pass, or one after another."""
    model, loading = transformers.AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float64, attn_implementation="eager", output_loading_info=True)
    assert not loading["missing_keys"], loading["missing_keys"]
    assert not loading["mismatched_keys"], loading["mismatched_keys"]
    model.eval()
    file = {}
    if model.config.model_type == "mpt":
        file = {name: tensor.double() for name, tensor in load_file(folder / "model.safetensors").items()}
        # transformers leaves out the config's greatest exponent, which published models have at 8.
        build, maximum = model.transformer.build_mpt_alibi_tensor, model.config.attn_config.alibi_bias_max
        model.transformer.build_mpt_alibi_tensor = lambda *sizes, device: build(
            *sizes, alibi_bias_max=maximum, device=device)
    with torch.no_grad(), float64_everywhere():
        for module in model.modules():
            # Tables of angles were made in float32 while loading; make them again.
            if type(module).__name__ in ("LlamaRotaryEmbedding", "GPTNeoXRotaryEmbedding"):
                module.__init__(module.config)
            if type(module).__name__ in ("GPTJAttention", "CodeGenAttention"):
                from transformers.models.gptj.modeling_gptj import create_sinusoidal_positions
                module.embed_positions = create_sinusoidal_positions(
                    module.max_positions, module.pos_embd_dim)
            if type(module).__name__ == "MptAttention" and model.config.attn_config.qk_ln:
                add_query_key_norms(module, {
                    part: file[f"transformer.blocks.{module.layer_idx}.attn.{part}_ln.weight"]
                    for part in ("q", "k")})
        tokens = torch.tensor(ids[None].astype(np.int64))
        if stepwise:
            rows, cache = [], None
            for position in range(len(ids)):
                output = model(tokens[:, position:position + 1], past_key_values=cache, use_cache=True)
                rows.append(output.logits[0])
                cache = output.past_key_values
            logits = torch.cat(rows)
        else:
            logits = model(tokens, use_cache=False).logits[0]
    assert logits.dtype == torch.float64
    if getattr(model.config, "logit_scale", None) is not None:  # which transformers' MPT leaves out
        scale = model.config.logit_scale
        logits = logits * (model.config.d_model ** -0.5 if scale == "inv_sqrt_d_model" else scale)
    return logits.numpy()


def add_query_key_norms(module: torch.nn.Module, weights: dict[str, torch.Tensor]) -> None:
    """MPT's qk_ln, which transformers leaves out: norms over all heads, after the clipping."""
    limit, width = module.clip_qkv, module.hidden_size
    module.clip_qkv = None

    def hook(_, __, output):
        query, key, value = output.clamp(-limit, limit).split(width, dim=-1)
        query = torch.nn.functional.layer_norm(query, [width], weights["q"])
        key = torch.nn.functional.layer_norm(key, [width], weights["k"])
        return torch.cat([query, key, value], dim=-1)

    module.Wqkv.register_forward_hook(hook)


def save_golden(folder: Path, ids: np.ndarray, logits: np.ndarray) -> None:
    spread = logits.max() - logits.min()
    assert np.isfinite(logits).all() and 2 < spread < 400, spread
    save_file(
        {"ids": torch.tensor(ids.astype(np.int32)), "logits": torch.tensor(logits.astype(np.float32))},
        folder / "golden.safetensors")
    size = sum(file.stat().st_size for file in folder.iterdir())
    print(f"{folder.name:24} logits {logits.shape}, from {logits.min():.2f} to {logits.max():.2f}, "
          f"{size // 1024} KiB")


def generator(name: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(name.encode()))


# MARK: Weights

def random_weights(shapes: dict[str, list[int]], random: np.random.Generator) -> dict[str, np.ndarray]:
    """Weights large enough that attention is not uniform and the logits spread over several units."""
    weights = {}
    for name, shape in shapes.items():
        values = random.standard_normal(shape)
        if "ln_" in name or "norm" in name.lower() or "_ln." in name:
            values = values * 0.2 + (1.0 if name.endswith(("weight", "gamma")) else 0.0)
        elif name.endswith("bias"):
            values = values * 0.3
        elif "wte" in name or "wpe" in name or "embed" in name:
            values = values * 0.5
        else:
            values = values * 0.4
        weights[name] = values.astype(np.float32)
    return weights


def gptj_shapes(vocabulary: int, width: int, layers: int, inner: int) -> dict[str, list[int]]:
    shapes = {"transformer.wte.weight": [vocabulary, width]}
    for layer in range(layers):
        block = f"transformer.h.{layer}."
        shapes |= {block + "ln_1.weight": [width], block + "ln_1.bias": [width]}
        shapes |= {block + f"attn.{part}_proj.weight": [width, width] for part in ("q", "k", "v", "out")}
        shapes |= {
            block + "mlp.fc_in.weight": [inner, width], block + "mlp.fc_in.bias": [inner],
            block + "mlp.fc_out.weight": [width, inner], block + "mlp.fc_out.bias": [width]}
    return shapes | {
        "transformer.ln_f.weight": [width], "transformer.ln_f.bias": [width],
        "lm_head.weight": [vocabulary, width], "lm_head.bias": [vocabulary]}


def gpt2_shapes(
    vocabulary: int, width: int, layers: int, inner: int, positions: int, prefix: str = "transformer."
) -> dict[str, list[int]]:
    shapes = {prefix + "wte.weight": [vocabulary, width], prefix + "wpe.weight": [positions, width]}
    for layer in range(layers):
        block = f"{prefix}h.{layer}."
        for part, size_in, size_out in [
            ("attn.c_attn", width, 3 * width), ("attn.c_proj", width, width),
            ("mlp.c_fc", width, inner), ("mlp.c_proj", inner, width),
        ]:
            shapes |= {block + part + ".weight": [size_in, size_out], block + part + ".bias": [size_out]}
        for part in ("ln_1", "ln_2"):
            shapes |= {block + part + ".weight": [width], block + part + ".bias": [width]}
    return shapes | {prefix + "ln_f.weight": [width], prefix + "ln_f.bias": [width]}


def llama_shapes(config: dict) -> dict[str, list[int]]:
    width, inner, head = config["hidden_size"], config["intermediate_size"], config["head_dim"]
    heads, groups = config["num_attention_heads"], config["num_key_value_heads"]
    shapes = {"model.embed_tokens.weight": [config["vocab_size"], width]}
    for layer in range(config["num_hidden_layers"]):
        block = f"model.layers.{layer}."
        for part, size_in, size_out in [
            ("q", width, heads * head), ("k", width, groups * head), ("v", width, groups * head),
            ("o", heads * head, width),
        ]:
            shapes[block + f"self_attn.{part}_proj.weight"] = [size_out, size_in]
            if config["attention_bias"]:
                shapes[block + f"self_attn.{part}_proj.bias"] = [size_out]
        shapes |= {
            block + "mlp.gate_proj.weight": [inner, width], block + "mlp.up_proj.weight": [inner, width],
            block + "mlp.down_proj.weight": [width, inner],
            block + "input_layernorm.weight": [width], block + "post_attention_layernorm.weight": [width]}
    shapes["model.norm.weight"] = [width]
    if not config["tie_word_embeddings"]:
        shapes["lm_head.weight"] = [config["vocab_size"], width]
    return shapes


# MARK: Configurations

def gptj_config(vocabulary: int, width: int, heads: int, rotary: int, layers: int, **more) -> dict:
    return {
        "activation_function": "gelu_new", "architectures": ["GPTJForCausalLM"],
        "attn_pdrop": 0.0, "bos_token_id": 0, "embd_pdrop": 0.0, "eos_token_id": 0,
        "layer_norm_epsilon": 1e-05, "model_type": "gptj", "n_embd": width, "n_head": heads,
        "n_inner": None, "n_layer": layers, "n_positions": 64, "resid_pdrop": 0.0, "rotary_dim": rotary,
        "tie_word_embeddings": False, "vocab_size": vocabulary} | more


def gpt2_config(vocabulary: int, width: int, heads: int, layers: int, positions: int, **more) -> dict:
    return {
        "activation_function": "gelu_new", "architectures": ["GPT2LMHeadModel"], "attn_pdrop": 0.0,
        "bos_token_id": 0, "embd_pdrop": 0.0, "eos_token_id": 0, "layer_norm_epsilon": 1e-05,
        "model_type": "gpt2", "n_embd": width, "n_head": heads, "n_inner": None, "n_layer": layers,
        "n_positions": positions, "resid_pdrop": 0.0, "vocab_size": vocabulary} | more


def llama_config(
    vocabulary: int, width: int, heads: int, groups: int, head: int, inner: int, layers: int, **more
) -> dict:
    return {
        "architectures": ["LlamaForCausalLM"], "attention_bias": False, "attention_dropout": 0.0,
        "bos_token_id": 1, "eos_token_id": 2, "head_dim": head, "hidden_act": "silu",
        "hidden_size": width, "initializer_range": 0.02, "intermediate_size": inner,
        "max_position_embeddings": 64, "mlp_bias": False, "model_type": "llama",
        "num_attention_heads": heads, "num_hidden_layers": layers, "num_key_value_heads": groups,
        "rms_norm_eps": 1e-05, "tie_word_embeddings": False, "use_cache": True,
        "vocab_size": vocabulary} | more


# MARK: Tokenizer

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
MERGES = ["Ġ t", "h e", "i n", "r e", "o n", "Ġt he", "e r", "Ġ a", "a n", "Ġ s", "n d", "Ġa nd", "1 9"]


def byte_characters() -> list[str]:
    """The characters by which byte-level BPE writes the bytes 0...255 (GPT-2's table)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(byte if byte in printable else next(others)) for byte in range(256)]


def tiny_vocabulary() -> list[str]:
    """272 tokens: three special ones, the bytes, the merges."""
    return SPECIAL + sorted(byte_characters()) + ["".join(merge.split(" ")) for merge in MERGES]


def write_tokenizer(folder: Path, old: bool) -> None:
    """tokenizer.json, or the older pair vocab.json and merges.txt."""
    vocabulary = {token: index for index, token in enumerate(tiny_vocabulary())}
    if old:
        write_json(folder / "vocab.json", vocabulary)
        (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *MERGES]) + "\n", encoding="utf-8")
        special = {name: SPECIAL[0] for name in ("bos_token", "eos_token", "unk_token")}
        write_json(folder / "special_tokens_map.json", special)
        write_json(folder / "tokenizer_config.json", special | {"tokenizer_class": "GPT2Tokenizer"})
        return
    import tokenizers
    merges = [tuple(merge.split(" ")) for merge in MERGES]
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE(vocabulary, merges))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.save(str(folder / "tokenizer.json"))


def write_json(path: Path, value) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


# MARK: Hugging Face folders

def write_model(
    name: str, config: dict, shapes: dict[str, list[int]], dtype: torch.dtype = torch.float32,
    tokenizer: str | None = None, shards: int = 1, extra: dict[str, torch.Tensor] | None = None,
    tokens: int = TOKENS, stepwise: bool = False,
) -> None:
    folder = MODELS / name
    fresh(folder)
    random = generator(name)
    weights = {key: torch.tensor(value).to(dtype) for key, value in random_weights(shapes, random).items()}
    ids = random.integers(0, len(tiny_vocabulary()) if tokenizer else config["vocab_size"], tokens)
    write_json(folder / "config.json", dict(sorted(config.items())))
    if tokenizer:
        write_tokenizer(folder, old=tokenizer == "old")
    weights |= extra or {}
    if shards == 1:
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    else:
        write_shards(folder, weights, shards)
    save_golden(folder, ids, reference_logits(folder, ids, stepwise))


def write_shards(folder: Path, weights: dict[str, torch.Tensor], count: int) -> None:
    names = sorted(weights)
    places = {}
    for shard in range(count):
        file = f"model-{shard + 1:05}-of-{count:05}.safetensors"
        part = names[shard * len(names) // count:(shard + 1) * len(names) // count]
        save_file({name: weights[name] for name in part}, folder / file, metadata={"format": "pt"})
        places |= {name: file for name in part}
    total = sum(weight.numel() * weight.element_size() for weight in weights.values())
    write_json(
        folder / "model.safetensors.index.json", {"metadata": {"total_size": total}, "weight_map": places})


def fresh(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def gptj() -> None:
    # 272 tokens and 11 rows beyond them, as GPT-J has 50,400 rows for 50,257 tokens.
    config = gptj_config(283, width=20, heads=2, rotary=4, layers=2, dtype="float32")
    write_model("gptj", config, gptj_shapes(283, 20, 2, 80), tokenizer="new")


def gptj_f16() -> None:
    config = gptj_config(53, width=21, heads=3, rotary=6, layers=3, n_inner=37, torch_dtype="float16")
    write_model("gptj-f16", config, gptj_shapes(53, 21, 3, 37), dtype=torch.float16)


def gpt2() -> None:
    config = gpt2_config(61, width=18, heads=3, layers=2, positions=47, dtype="float32")
    write_model("gpt2", config, gpt2_shapes(61, 18, 2, 72, 47))


def gpt2_old() -> None:
    """As the first published files: names without prefix, and the causal mask stored as a tensor."""
    config = gpt2_config(272, width=15, heads=3, layers=2, positions=45, n_ctx=45)
    mask = torch.tril(torch.ones(45, 45)).view(1, 1, 45, 45)
    extra = {f"h.{layer}.attn.bias": mask.clone() for layer in range(2)}
    extra |= {f"h.{layer}.attn.masked_bias": torch.tensor(-10000.0) for layer in range(2)}
    shapes = gpt2_shapes(272, 15, 2, 60, 45, prefix="")
    write_model("gpt2-old", config, shapes, tokenizer="old", extra=extra)


def cerebras() -> None:
    config = gpt2_config(
        59, width=22, heads=2, layers=2, positions=50, activation_function="gelu", n_inner=45,
        torch_dtype="float32", scale_attn_weights=True)
    write_model("cerebras", config, gpt2_shapes(59, 22, 2, 45, 50))


def gpt2_inverse_layer() -> None:
    config = gpt2_config(
        57, width=14, heads=2, layers=3, positions=43, scale_attn_by_inverse_layer_idx=True, n_inner=31)
    write_model("gpt2-inverse-layer", config, gpt2_shapes(57, 14, 3, 31, 43))


def gpt2_unscaled() -> None:
    config = gpt2_config(55, width=10, heads=2, layers=2, positions=42, scale_attn_weights=False)
    write_model("gpt2-unscaled", config, gpt2_shapes(55, 10, 2, 40, 42))


def llama() -> None:
    config = llama_config(
        67, width=24, heads=3, groups=1, head=10, inner=35, layers=2, attention_bias=True,
        rope_theta=10000.0, rope_scaling=None, torch_dtype="float32", pretraining_tp=1)
    write_model("llama", config, llama_shapes(config))


def llama_tied() -> None:
    config = llama_config(
        71, width=28, heads=4, groups=2, head=6, inner=41, layers=2, tie_word_embeddings=True,
        dtype="float32", rope_parameters={"rope_type": "default", "rope_theta": 100000.0},
        rms_norm_eps=1e-06)
    write_model("llama-tied", config, llama_shapes(config))


LLAMA3_SCALING = {
    "factor": 8.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
    "original_max_position_embeddings": 32, "rope_type": "llama3"}


def llama_rope_llama3() -> None:
    # 16 dimensions and base 100 put wavelengths into all three zones of the rule (8 and 32 part them).
    config = llama_config(
        63, width=24, heads=2, groups=1, head=16, inner=33, layers=2, rope_theta=100.0,
        rope_scaling=LLAMA3_SCALING, torch_dtype="float32")
    write_model("llama-rope-llama3", config, llama_shapes(config))


def llama_rope_linear() -> None:
    config = llama_config(
        65, width=20, heads=2, groups=2, head=10, inner=29, layers=2, rope_theta=10000.0,
        rope_scaling={"type": "linear", "factor": 2.5}, torch_dtype="float32")
    write_model("llama-rope-linear", config, llama_shapes(config))


def llama_rope_dynamic() -> None:
    """Twice: longer than the trained length, where the base changes, and shorter, where it must not.

    The reference rotates a whole prompt by its final length, but a token that follows by the length it
    has then; only token by token is a token's rotation independent of what comes later.
    """
    for name, tokens in (("llama-rope-dynamic", TOKENS), ("llama-rope-dynamic-short", 23)):
        config = llama_config(
            62, width=20, heads=2, groups=1, head=8, inner=30, layers=2, dtype="float32",
            max_position_embeddings=24,
            rope_parameters={"rope_type": "dynamic", "rope_theta": 1000.0, "factor": 3.0})
        write_model(name, config, llama_shapes(config), tokens=tokens, stepwise=True)


def llama_sharded() -> None:
    config = llama_config(
        69, width=18, heads=3, groups=3, head=6, inner=25, layers=3, dtype="float32",
        rope_parameters={"rope_type": "default", "rope_theta": 500000.0})
    write_model("llama-sharded", config, llama_shapes(config), shards=2)


def llama_bf16() -> None:
    config = llama_config(
        73, width=30, heads=5, groups=1, head=8, inner=51, layers=2, rope_theta=10000.0,
        torch_dtype="bfloat16")
    write_model("llama-bf16", config, llama_shapes(config), dtype=torch.bfloat16)


# MARK: Families with other blocks, positions and fused matrices

def linear_shapes(name: str, size_in: int, size_out: int, bias: bool = True) -> dict[str, list[int]]:
    return {name + ".weight": [size_out, size_in]} | ({name + ".bias": [size_out]} if bias else {})


def norm_shapes(name: str, width: int, bias: bool = True) -> dict[str, list[int]]:
    return {name + ".weight": [width]} | ({name + ".bias": [width]} if bias else {})


def gpt_neox_shapes(config: dict) -> dict[str, list[int]]:
    width, inner = config["hidden_size"], config["intermediate_size"]
    shapes = {"gpt_neox.embed_in.weight": [config["vocab_size"], width]}
    for layer in range(config["num_hidden_layers"]):
        block = f"gpt_neox.layers.{layer}."
        shapes |= norm_shapes(block + "input_layernorm", width)
        shapes |= norm_shapes(block + "post_attention_layernorm", width)
        shapes |= linear_shapes(block + "attention.query_key_value", width, 3 * width)
        shapes |= linear_shapes(block + "attention.dense", width, width)
        shapes |= linear_shapes(block + "mlp.dense_h_to_4h", width, inner)
        shapes |= linear_shapes(block + "mlp.dense_4h_to_h", inner, width)
    return shapes | norm_shapes("gpt_neox.final_layer_norm", width) | {
        "embed_out.weight": [config["vocab_size"], width]}


def gpt_neox_config(**more) -> dict:
    return {
        "architectures": ["GPTNeoXForCausalLM"], "bos_token_id": 0, "eos_token_id": 0, "hidden_act": "gelu",
        "layer_norm_eps": 1e-05, "max_position_embeddings": 64, "model_type": "gpt_neox",
        "rotary_emb_base": 10000, "tie_word_embeddings": False, "use_parallel_residual": True} | more


def gpt_neox() -> None:
    """As Pythia: two norms side by side, a quarter of each head rotated. The mask is stored, too."""
    config = gpt_neox_config(
        vocab_size=61, hidden_size=24, num_attention_heads=3, num_hidden_layers=2, intermediate_size=53,
        rotary_pct=0.25)
    extra = {f"gpt_neox.layers.{layer}.attention.bias": torch.ones(1, 1, 8, 8) for layer in range(2)}
    write_model("gpt-neox", config, gpt_neox_shapes(config), extra=extra)


def gpt_neox_sequential() -> None:
    config = gpt_neox_config(
        vocab_size=57, hidden_size=22, num_attention_heads=1, num_hidden_layers=2, intermediate_size=35,
        rotary_pct=0.4, use_parallel_residual=False, hidden_act="gelu_fast", rotary_emb_base=1000)
    write_model("gpt-neox-sequential", config, gpt_neox_shapes(config))


Parts = tuple[dict, dict[str, list[int]]]  # a config, and the shapes of its weights


def gpt_neo_parts() -> Parts:
    width, layers, inner, vocabulary, positions = 18, 3, 41, 58, 49
    config = {
        "activation_function": "gelu_new", "architectures": ["GPTNeoForCausalLM"],
        "attention_types": [[["global", "local"], 1], [["local"], 1]],
        "attention_layers": ["global", "local", "local"], "bos_token_id": 0, "eos_token_id": 0,
        "hidden_size": width, "intermediate_size": inner, "layer_norm_epsilon": 1e-05,
        "max_position_embeddings": positions, "model_type": "gpt_neo", "num_heads": 3, "num_layers": layers,
        "vocab_size": vocabulary, "window_size": 5}
    shapes = {"transformer.wte.weight": [vocabulary, width], "transformer.wpe.weight": [positions, width]}
    for layer in range(layers):
        block = f"transformer.h.{layer}."
        shapes |= norm_shapes(block + "ln_1", width) | norm_shapes(block + "ln_2", width)
        for part in ("q", "k", "v"):
            shapes |= linear_shapes(block + f"attn.attention.{part}_proj", width, width, bias=False)
        shapes |= linear_shapes(block + "attn.attention.out_proj", width, width)
        shapes |= linear_shapes(block + "mlp.c_fc", width, inner)
        shapes |= linear_shapes(block + "mlp.c_proj", inner, width)
    return config, shapes | norm_shapes("transformer.ln_f", width)


def gpt_neo() -> None:
    """Layers that see everything and layers that see their last 5 positions; scores without a factor."""
    write_model("gpt-neo", *gpt_neo_parts())


def opt_parts(norm_before: bool, embedding: int, vocabulary: int, **more) -> Parts:
    width, layers, inner, positions = 20, 2, 37, 45
    config = {
        "activation_function": "relu", "architectures": ["OPTForCausalLM"], "bos_token_id": 2,
        "do_layer_norm_before": norm_before, "eos_token_id": 2, "ffn_dim": inner, "hidden_size": width,
        "max_position_embeddings": positions, "model_type": "opt", "num_attention_heads": 2,
        "num_hidden_layers": layers, "pad_token_id": 1, "vocab_size": vocabulary,
        "word_embed_proj_dim": embedding} | more
    shapes = {
        "model.decoder.embed_tokens.weight": [vocabulary, embedding],
        "model.decoder.embed_positions.weight": [positions + 2, width]}
    for layer in range(layers):
        block = f"model.decoder.layers.{layer}."
        for part in ("q", "k", "v", "out"):
            shapes |= linear_shapes(block + f"self_attn.{part}_proj", width, width)
        shapes |= linear_shapes(block + "fc1", width, inner) | linear_shapes(block + "fc2", inner, width)
        shapes |= norm_shapes(block + "self_attn_layer_norm", width)
        shapes |= norm_shapes(block + "final_layer_norm", width)
    if norm_before:
        shapes |= norm_shapes("model.decoder.final_layer_norm", width)
    if embedding != width:
        shapes |= linear_shapes("model.decoder.project_in", embedding, width, bias=False)
        shapes |= linear_shapes("model.decoder.project_out", width, embedding, bias=False)
    return config, shapes


def opt() -> None:
    write_model("opt", *opt_parts(norm_before=True, embedding=20, vocabulary=56))


def opt_350m() -> None:
    """As OPT-350m: norms after the residual, a narrow embedding, no last norm."""
    write_model("opt-350m", *opt_parts(norm_before=False, embedding=11, vocabulary=54))


def bloom_parts(heads: int, width: int, vocabulary: int, prefix: str, **more) -> Parts:
    config = {
        "architectures": ["BloomForCausalLM"], "bos_token_id": 1, "eos_token_id": 2, "hidden_size": width,
        "layer_norm_epsilon": 1e-05, "model_type": "bloom", "n_head": heads, "n_layer": 2,
        "vocab_size": vocabulary} | more
    shapes = {prefix + "word_embeddings.weight": [vocabulary, width]}
    shapes |= norm_shapes(prefix + "word_embeddings_layernorm", width)
    for layer in range(2):
        block = f"{prefix}h.{layer}."
        shapes |= norm_shapes(block + "input_layernorm", width)
        shapes |= norm_shapes(block + "post_attention_layernorm", width)
        shapes |= linear_shapes(block + "self_attention.query_key_value", width, 3 * width)
        shapes |= linear_shapes(block + "self_attention.dense", width, width)
        shapes |= linear_shapes(block + "mlp.dense_h_to_4h", width, 4 * width)
        shapes |= linear_shapes(block + "mlp.dense_4h_to_h", 4 * width, width)
    return config, shapes | norm_shapes(prefix + "ln_f", width)


def bloom() -> None:
    """Six heads: the slopes of no power of two."""
    write_model("bloom", *bloom_parts(heads=6, width=18, vocabulary=63, prefix="transformer."))


def bloom_post_norm() -> None:
    """The residual is the norm's output; names without prefix, as in the published files."""
    write_model("bloom-post-norm", *bloom_parts(
        heads=4, width=20, vocabulary=55, prefix="", apply_residual_connection_post_layernorm=True))


def mpt_parts(heads: int, width: int, vocabulary: int, attention: dict, **more) -> Parts:
    config = {
        "architectures": ["MPTForCausalLM"], "attn_config": {
            "alibi": True, "alibi_bias_max": 8, "attn_impl": "torch", "attn_pdrop": 0,
            "attn_type": "multihead_attention", "attn_uses_sequence_id": False, "clip_qkv": None,
            "prefix_lm": False, "qk_ln": False, "softmax_scale": None} | attention,
        "d_model": width, "expansion_ratio": 4, "learned_pos_emb": True, "logit_scale": None,
        "max_seq_len": 48, "model_type": "mpt", "n_heads": heads, "n_layers": 2, "no_bias": True,
        "norm_type": "low_precision_layernorm", "vocab_size": vocabulary} | more
    shapes = {"transformer.wte.weight": [vocabulary, width]}
    for layer in range(2):
        block = f"transformer.blocks.{layer}."
        shapes |= norm_shapes(block + "norm_1", width, bias=False)
        shapes |= norm_shapes(block + "norm_2", width, bias=False)
        shapes |= linear_shapes(block + "attn.Wqkv", width, 3 * width, bias=False)
        shapes |= linear_shapes(block + "attn.out_proj", width, width, bias=False)
        shapes |= linear_shapes(block + "ffn.up_proj", width, 4 * width, bias=False)
        shapes |= linear_shapes(block + "ffn.down_proj", 4 * width, width, bias=False)
        if config["attn_config"]["qk_ln"]:
            shapes |= {block + f"attn.{part}_ln.weight": [width] for part in ("q", "k")}
    return config, shapes | norm_shapes("transformer.norm_f", width, bias=False)


def mpt() -> None:
    write_model("mpt", *mpt_parts(heads=4, width=20, vocabulary=60, attention={}))


def mpt_options() -> None:
    """All that the family's config may ask for: clipping, norms of queries and keys, factors."""
    write_model("mpt-options", *mpt_parts(
        heads=2, width=18, vocabulary=52, logit_scale="inv_sqrt_d_model",
        attention={"clip_qkv": 1.5, "qk_ln": True, "softmax_scale": 0.4, "alibi_bias_max": 4}))


def codegen_parts() -> Parts:
    width, layers, inner, vocabulary = 24, 2, 43, 64
    config = {
        "activation_function": "gelu_new", "architectures": ["CodeGenForCausalLM"], "bos_token_id": 0,
        "eos_token_id": 0, "layer_norm_epsilon": 1e-05, "model_type": "codegen", "n_ctx": 64, "n_embd": width,
        "n_head": 4, "n_inner": inner, "n_layer": layers, "n_positions": 64, "rotary_dim": 4,
        "tie_word_embeddings": False, "vocab_size": vocabulary}
    shapes = {"transformer.wte.weight": [vocabulary, width]}
    for layer in range(layers):
        block = f"transformer.h.{layer}."
        shapes |= norm_shapes(block + "ln_1", width)
        shapes |= linear_shapes(block + "attn.qkv_proj", width, 3 * width, bias=False)
        shapes |= linear_shapes(block + "attn.out_proj", width, width, bias=False)
        shapes |= linear_shapes(block + "mlp.fc_in", width, inner)
        shapes |= linear_shapes(block + "mlp.fc_out", inner, width)
    shapes |= norm_shapes("transformer.ln_f", width) | linear_shapes("lm_head", width, vocabulary)
    return config, shapes


def codegen() -> None:
    config, shapes = codegen_parts()
    extra = {
        f"transformer.h.{layer}.attn.causal_mask": torch.ones(1, 1, 4, 4) for layer in range(config["n_layer"])}
    write_model("codegen", config, shapes, extra=extra)


# MARK: The other choice of a head, and the other keys

def untied(name: str, parts: Parts, head: str, **more) -> None:
    """An output matrix of its own where the family mostly has none."""
    config, shapes = parts
    vocabulary = config["vocab_size"]
    width = next(size[-1] for key, size in shapes.items() if size[0] == vocabulary)
    config |= {"tie_word_embeddings": False} | more
    write_model(name, config, shapes | {head + ".weight": [vocabulary, width]})


def tied(name: str, parts: Parts, head: str, **more) -> None:
    """The embedding as output matrix where the family mostly has another; a bias stays."""
    config, shapes = parts
    config |= {"tie_word_embeddings": True} | more
    write_model(name, config, {key: size for key, size in shapes.items() if key != head + ".weight"})


def other_heads() -> None:
    """With the keys of transformers 5 where the family's first model has those of 4."""
    untied("gpt2-untied", (
        gpt2_config(52, width=12, heads=2, layers=2, positions=44), gpt2_shapes(52, 12, 2, 48, 44)), "lm_head")
    untied("gpt-neo-untied", gpt_neo_parts(), "lm_head")
    untied("opt-untied", opt_parts(True, embedding=20, vocabulary=49), "lm_head")
    untied("bloom-untied", bloom_parts(3, width=12, vocabulary=48, prefix="transformer."), "lm_head")
    untied("mpt-untied", mpt_parts(2, width=12, vocabulary=46, attention={}), "lm_head")
    tied("gptj-tied", (
        gptj_config(50, width=16, heads=2, rotary=4, layers=2), gptj_shapes(50, 16, 2, 64)), "lm_head")
    tied("codegen-tied", codegen_parts(), "lm_head")
    config = gpt_neox_config(
        vocab_size=47, hidden_size=20, num_attention_heads=2, num_hidden_layers=2, intermediate_size=33,
        attention_bias=False, rope_parameters={
            "rope_type": "default", "rope_theta": 5000.0, "partial_rotary_factor": 0.6})
    del config["rotary_emb_base"]
    shapes = {
        key: size for key, size in gpt_neox_shapes(config).items()
        if not (key.endswith("bias") and ".attention." in key)}
    tied("gpt-neox-tied", (config, shapes), "embed_out")


def untied_encoders() -> None:
    """An output matrix of its own with a bias of its own; the other bias counts where the matrix is tied."""
    for name, model, prefix, head in [
        ("bert-untied", "BertForMaskedLM", "bert.", "cls.predictions"),
        ("roberta-untied", "RobertaForMaskedLM", "roberta.", "lm_head"),
    ]:
        config = (bert_config(model, "bert") if name == "bert-untied" else roberta_config(model)) | {
            "tie_word_embeddings": False, "hidden_size": 12, "vocab_size": 43}
        shapes = bert_shapes(config, prefix, pooler=False)
        if name == "bert-untied":
            shapes |= linear_shapes(head + ".transform.dense", 12, 12)
            shapes |= norm_shapes(head + ".transform.LayerNorm", 12)
        else:
            shapes |= linear_shapes(head + ".dense", 12, 12) | norm_shapes(head + ".layer_norm", 12)
        shapes |= linear_shapes(head + ".decoder", 12, 43) | {head + ".bias": [43]}
        write_other(name, config, shapes)


def opt_without_biases() -> None:
    config, shapes = opt_parts(True, embedding=20, vocabulary=51, enable_bias=False)
    write_model("opt-without-biases", config, {
        key: size for key, size in shapes.items() if "norm" in key or not key.endswith("bias")})


def llama_mlp_biases() -> None:
    config = llama_config(
        58, width=20, heads=2, groups=1, head=8, inner=27, layers=2, mlp_bias=True, dtype="float32",
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0})
    shapes = llama_shapes(config)
    shapes |= {
        key.replace(".weight", ".bias"): [size[0]] for key, size in shapes.items() if ".mlp." in key}
    write_model("llama-mlp-biases", config, shapes)


# MARK: Encoders, encoder-decoders and classifiers

def reference_outputs(
    folder: Path, ids: np.ndarray, types: np.ndarray | None = None, source: np.ndarray | None = None,
    missing: str | None = None,
) -> dict[str, np.ndarray]:
    """What the class that the config names gives for one sequence, in float64."""
    name = json.loads((folder / "config.json").read_text())["architectures"][0]
    if name == "CodeGenForSequenceClassification":
        return codegen_scores(folder, ids)
    model, loading = getattr(transformers, name).from_pretrained(
        folder, dtype=torch.float64, attn_implementation="eager", output_loading_info=True)
    lost = [key for key in loading["missing_keys"] if missing is None or missing not in key]
    assert not lost, lost
    assert not loading["mismatched_keys"], loading["mismatched_keys"]
    model.eval()

    def row(values: np.ndarray) -> torch.Tensor:
        return torch.tensor(values[None].astype(np.int64))

    inputs = {"input_ids": row(ids)}
    if types is not None:
        inputs["token_type_ids"] = row(types)
    if source is not None:
        inputs = {"input_ids": row(source), "decoder_input_ids": row(ids)}
    with torch.no_grad(), float64_everywhere():
        output = model(**inputs)
        if source is not None:
            check_stepwise(model, output.logits, **inputs)
    if name.endswith("ForSequenceClassification"):
        return {"labels": output.logits.numpy()}
    if hasattr(output, "prediction_logits"):
        return {"logits": output.prediction_logits[0].numpy()}
    if hasattr(output, "logits"):
        return {"logits": output.logits[0].numpy()}
    found = {"states": output.last_hidden_state[0].numpy()}
    if getattr(output, "pooler_output", None) is not None:
        found["pooled"] = output.pooler_output.numpy()
    return found


def codegen_scores(folder: Path, ids: np.ndarray) -> dict[str, np.ndarray]:
    """transformers has no such class: the states, and the matrix by hand."""
    model = transformers.CodeGenModel.from_pretrained(
        folder, dtype=torch.float64, attn_implementation="eager").eval()
    score = load_file(folder / "model.safetensors")["score.weight"].double()
    with torch.no_grad(), float64_everywhere():
        states = model(torch.tensor(ids[None].astype(np.int64))).last_hidden_state
    return {"labels": (states[:, -1] @ score.T).numpy()}


def check_stepwise(
    model: torch.nn.Module, logits: torch.Tensor, input_ids: torch.Tensor, decoder_input_ids: torch.Tensor
) -> None:
    """The reference itself must not depend on its cache."""
    cache = None
    for position in range(decoder_input_ids.shape[1]):
        output = model(
            input_ids=input_ids, decoder_input_ids=decoder_input_ids[:, position:position + 1],
            past_key_values=cache, use_cache=True)
        cache = output.past_key_values
        assert (output.logits[:, 0] - logits[:, position]).abs().max() < 1e-9


def write_other(
    name: str, config: dict, shapes: dict[str, list[int]], types: bool = False, source: int = 0,
    tokens: int = TOKENS, extra: dict[str, torch.Tensor] | None = None,
) -> None:
    """As `write_model`, for classes that are no causal language models."""
    folder = MODELS / name
    fresh(folder)
    random = generator(name)
    weights = {key: torch.tensor(value) for key, value in random_weights(shapes, random).items()}
    # Ids 0...3 are left to special tokens: the reference skips padding where it counts positions.
    given = {"ids": random.integers(4, config["vocab_size"], tokens)}
    if types:
        given["types"] = np.arange(tokens) // 17 % 2
    if source:
        given["source"] = random.integers(4, config["vocab_size"], source)
        given["ids"][0] = config["decoder_start_token_id"]
    write_json(folder / "config.json", dict(sorted(config.items())))
    save_file(weights | (extra or {}), folder / "model.safetensors", metadata={"format": "pt"})
    save_outputs(name, given, reference_outputs(folder, **given))


def save_outputs(name: str, given: dict[str, np.ndarray], found: dict[str, np.ndarray]) -> None:
    folder = MODELS / name
    for key, values in found.items():
        assert np.isfinite(values).all() and values.max() - values.min() > 0.3, key
    save_file(
        {key: torch.tensor(values.astype(np.int32)) for key, values in given.items()}
        | {key: torch.tensor(values.astype(np.float32)) for key, values in found.items()},
        folder / "golden.safetensors")
    size = sum(file.stat().st_size for file in folder.iterdir())
    shown = ", ".join(f"{key} {values.shape}" for key, values in found.items())
    print(f"{name:24} {shown}, {size // 1024} KiB")


def bert_config(architecture: str, model_type: str, **more) -> dict:
    return {
        "architectures": [architecture], "attention_probs_dropout_prob": 0.0, "hidden_act": "gelu",
        "hidden_dropout_prob": 0.0, "hidden_size": 18, "intermediate_size": 35, "layer_norm_eps": 1e-12,
        "max_position_embeddings": 47, "model_type": model_type, "num_attention_heads": 3,
        "num_hidden_layers": 2, "pad_token_id": 0, "type_vocab_size": 2, "vocab_size": 57} | more


def bert_shapes(config: dict, prefix: str, pooler: bool = True) -> dict[str, list[int]]:
    """The body of BERT and RoBERTa."""
    width, inner = config["hidden_size"], config["intermediate_size"]
    shapes = {
        prefix + "embeddings.word_embeddings.weight": [config["vocab_size"], width],
        prefix + "embeddings.position_embeddings.weight": [config["max_position_embeddings"], width],
        prefix + "embeddings.token_type_embeddings.weight": [config["type_vocab_size"], width]}
    shapes |= norm_shapes(prefix + "embeddings.LayerNorm", width)
    for layer in range(config["num_hidden_layers"]):
        block = f"{prefix}encoder.layer.{layer}."
        for part in ("query", "key", "value"):
            shapes |= linear_shapes(block + f"attention.self.{part}", width, width)
        shapes |= linear_shapes(block + "attention.output.dense", width, width)
        shapes |= norm_shapes(block + "attention.output.LayerNorm", width)
        shapes |= linear_shapes(block + "intermediate.dense", width, inner)
        shapes |= linear_shapes(block + "output.dense", inner, width)
        shapes |= norm_shapes(block + "output.LayerNorm", width)
    return shapes | (linear_shapes(prefix + "pooler.dense", width, width) if pooler else {})


def lm_head_shapes(config: dict) -> dict[str, list[int]]:
    width = config["hidden_size"]
    return linear_shapes("lm_head.dense", width, width) | norm_shapes("lm_head.layer_norm", width) | {
        "lm_head.bias": [config["vocab_size"]]}


def bert() -> None:
    """As the published files: a pooler and another task's head beside the masked one, two texts."""
    config = bert_config("BertForMaskedLM", "bert", position_embedding_type="absolute")
    width, vocabulary = config["hidden_size"], config["vocab_size"]
    shapes = bert_shapes(config, "bert.") | {"cls.predictions.bias": [vocabulary]}
    shapes |= linear_shapes("cls.predictions.transform.dense", width, width)
    shapes |= norm_shapes("cls.predictions.transform.LayerNorm", width)
    shapes |= linear_shapes("cls.seq_relationship", width, 2)
    extra = {"bert.embeddings.position_ids": torch.arange(47)[None]}
    write_other("bert", config, shapes, types=True, extra=extra)


def bert_sentence() -> None:
    """As the sentence encoders: names without prefix, norms with their old names, a folder of poolings."""
    name = "bert-sentence"
    config = bert_config(
        "BertModel", "bert", hidden_size=20, num_attention_heads=2, hidden_act="gelu_new", vocab_size=272)
    shapes = {
        key.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): size
        for key, size in bert_shapes(config, "").items()}
    write_other(name, config, shapes)
    write_tokenizer(MODELS / name, old=False)
    modules = [("0", "", "Transformer"), ("1", "1_Pooling", "Pooling"), ("2", "2_Normalize", "Normalize")]
    write_json(MODELS / name / "modules.json", [
        {"idx": int(index), "name": index, "path": path, "type": f"sentence_transformers.models.{kind}"}
        for index, path, kind in modules])
    (MODELS / name / "1_Pooling").mkdir()
    write_json(MODELS / name / "1_Pooling" / "config.json", {
        "word_embedding_dimension": 20, "pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True,
        "pooling_mode_max_tokens": False, "pooling_mode_mean_sqrt_len_tokens": False})
    write_json(MODELS / name / "sentence_bert_config.json", {"do_lower_case": False, "max_seq_length": 32})


LABELS = {"id2label": {"0": "bad", "1": "fair", "2": "good"}, "label2id": {"bad": 0, "fair": 1, "good": 2}}


def bert_classifier() -> None:
    config = bert_config("BertForSequenceClassification", "bert", **LABELS)
    shapes = bert_shapes(config, "bert.") | linear_shapes("classifier", config["hidden_size"], 3)
    write_other("bert-classifier", config, shapes, types=True)


def roberta_config(architecture: str, **more) -> dict:
    return bert_config(
        architecture, "roberta", layer_norm_eps=1e-05, max_position_embeddings=51, pad_token_id=1,
        type_vocab_size=1, vocab_size=59) | more


def roberta() -> None:
    config = roberta_config("RobertaForMaskedLM", hidden_size=21)
    shapes = bert_shapes(config, "roberta.", pooler=False) | lm_head_shapes(config)
    write_other("roberta", config, shapes)


def roberta_classifier() -> None:
    config = roberta_config("RobertaForSequenceClassification", **LABELS)
    width = config["hidden_size"]
    shapes = bert_shapes(config, "roberta.", pooler=False)
    shapes |= linear_shapes("classifier.dense", width, width) | linear_shapes("classifier.out_proj", width, 3)
    write_other("roberta-classifier", config, shapes)


def mpnet_shapes(config: dict, prefix: str, pooler: bool) -> dict[str, list[int]]:
    shapes = {
        key.replace("attention.self.query", "attention.attn.q").replace("attention.self.key", "attention.attn.k")
        .replace("attention.self.value", "attention.attn.v")
        .replace("attention.output.dense", "attention.attn.o")
        .replace("attention.output.LayerNorm", "attention.LayerNorm"): size
        for key, size in bert_shapes(config, prefix, pooler).items() if "token_type" not in key}
    return shapes | {
        prefix + "encoder.relative_attention_bias.weight": [
            config["relative_attention_num_buckets"], config["num_attention_heads"]]}


def mpnet_config(architecture: str, **more) -> dict:
    # Longer than the distance from which on there is only one bucket.
    return bert_config(
        architecture, "mpnet", max_position_embeddings=163, pad_token_id=1,
        relative_attention_num_buckets=32) | more


def mpnet() -> None:
    config = mpnet_config("MPNetForMaskedLM", hidden_size=15)
    write_other("mpnet", config, mpnet_shapes(config, "mpnet.", False) | lm_head_shapes(config), tokens=150)


def mpnet_sentence() -> None:
    config = mpnet_config("MPNetModel")
    write_other("mpnet-sentence", config, mpnet_shapes(config, "", True))


def mpnet_classifier() -> None:
    config = mpnet_config("MPNetForSequenceClassification", **LABELS)
    width = config["hidden_size"]
    shapes = mpnet_shapes(config, "mpnet.", False) | linear_shapes("classifier.dense", width, width)
    write_other("mpnet-classifier", config, shapes | linear_shapes("classifier.out_proj", width, 3))


def roberta_relatives() -> None:
    """The same weights under the names of RoBERTa's relatives."""
    config = roberta_config("XLMRobertaForMaskedLM", model_type="xlm-roberta", hidden_size=12, vocab_size=49)
    write_other("xlm-roberta", config, bert_shapes(config, "roberta.", pooler=False) | lm_head_shapes(config))
    config = roberta_config(
        "CamembertForSequenceClassification", model_type="camembert", hidden_size=12, vocab_size=47, **LABELS)
    shapes = bert_shapes(config, "roberta.", pooler=False) | linear_shapes("classifier.dense", 12, 12)
    write_other("camembert-classifier", config, shapes | linear_shapes("classifier.out_proj", 12, 3))


def distilbert_config(architecture: str, **more) -> dict:
    return {
        "activation": "gelu", "architectures": [architecture], "attention_dropout": 0.0, "dim": 18,
        "dropout": 0.0, "hidden_dim": 35, "max_position_embeddings": 47, "model_type": "distilbert",
        "n_heads": 3, "n_layers": 2, "pad_token_id": 0, "sinusoidal_pos_embds": False, "tie_weights_": True,
        "vocab_size": 55} | more


def distilbert_shapes(config: dict, prefix: str = "distilbert.") -> dict[str, list[int]]:
    width, inner = config["dim"], config["hidden_dim"]
    shapes = {
        prefix + "embeddings.word_embeddings.weight": [config["vocab_size"], width],
        prefix + "embeddings.position_embeddings.weight": [config["max_position_embeddings"], width]}
    shapes |= norm_shapes(prefix + "embeddings.LayerNorm", width)
    for layer in range(config["n_layers"]):
        block = f"{prefix}transformer.layer.{layer}."
        for part in "qkv":
            shapes |= linear_shapes(block + f"attention.{part}_lin", width, width)
        shapes |= linear_shapes(block + "attention.out_lin", width, width)
        shapes |= norm_shapes(block + "sa_layer_norm", width) | norm_shapes(block + "output_layer_norm", width)
        shapes |= linear_shapes(block + "ffn.lin1", width, inner) | linear_shapes(block + "ffn.lin2", inner, width)
    return shapes


def distilbert() -> None:
    config = distilbert_config("DistilBertForMaskedLM")
    shapes = distilbert_shapes(config) | linear_shapes("vocab_transform", 18, 18)
    shapes |= norm_shapes("vocab_layer_norm", 18) | {"vocab_projector.bias": [config["vocab_size"]]}
    write_other("distilbert", config, shapes)


def distilbert_classifier() -> None:
    """A head with ReLU where its relatives have tanh."""
    config = distilbert_config("DistilBertForSequenceClassification", activation="relu", **LABELS)
    shapes = distilbert_shapes(config) | linear_shapes("pre_classifier", 18, 18)
    write_other("distilbert-classifier", config, shapes | linear_shapes("classifier", 18, 3))


def distilbert_sentence() -> None:
    config = distilbert_config("DistilBertModel", dim=15)
    write_other("distilbert-sentence", config, distilbert_shapes(config, ""))


def t5_config(**more) -> dict:
    return {
        "architectures": ["T5ForConditionalGeneration"], "d_ff": 37, "d_kv": 6, "d_model": 20,
        "decoder_start_token_id": 0, "dropout_rate": 0.0, "eos_token_id": 1, "feed_forward_proj": "relu",
        "is_encoder_decoder": True, "layer_norm_epsilon": 1e-06, "model_type": "t5", "num_decoder_layers": 3,
        "num_heads": 3, "num_layers": 2, "pad_token_id": 0, "relative_attention_max_distance": 20,
        "relative_attention_num_buckets": 8, "vocab_size": 57} | more


def t5_shapes(config: dict) -> dict[str, list[int]]:
    width, inner = config["d_model"], config["d_ff"]
    heads = config["num_heads"] * config["d_kv"]
    shapes = {"shared.weight": [config["vocab_size"], width]}

    def attention(name: str) -> dict[str, list[int]]:
        names = [(f"{name}.{part}", width, heads) for part in "qkv"] + [(name + ".o", heads, width)]
        return {key: size for row in names for key, size in linear_shapes(*row, bias=False).items()}

    encoder_only = config["architectures"] == ["T5EncoderModel"]
    for stack, layers in [("encoder", config["num_layers"]), ("decoder", config["num_decoder_layers"])]:
        if encoder_only and stack == "decoder":
            continue
        for layer in range(layers):
            block = f"{stack}.block.{layer}.layer."
            shapes |= attention(block + "0.SelfAttention")
            if layer == 0:
                shapes[block + "0.SelfAttention.relative_attention_bias.weight"] = [
                    config["relative_attention_num_buckets"], config["num_heads"]]
            last = 1
            if stack == "decoder":
                shapes |= attention(block + "1.EncDecAttention")
                last = 2
            matrices = ["wi_0", "wi_1"] if config["feed_forward_proj"].startswith("gated") else ["wi"]
            for matrix in matrices:
                shapes |= linear_shapes(f"{block}{last}.DenseReluDense.{matrix}", width, inner, bias=False)
            shapes |= linear_shapes(f"{block}{last}.DenseReluDense.wo", inner, width, bias=False)
            for part in range(last + 1):
                shapes |= norm_shapes(f"{block}{part}.layer_norm", width, bias=False)
        shapes |= norm_shapes(f"{stack}.final_layer_norm", width, bias=False)
    return shapes


def t5() -> None:
    """The first T5: ReLU, and the embedding as output matrix."""
    config = t5_config(vocab_size=272)
    write_other("t5", config, t5_shapes(config), source=33)
    write_tokenizer(MODELS / "t5", old=False)


def t5_gated() -> None:
    """T5 1.1: a gated MLP and an output matrix of its own. Another number of buckets, odd in each direction."""
    config = t5_config(
        feed_forward_proj="gated-gelu", tie_word_embeddings=False, relative_attention_num_buckets=10,
        relative_attention_max_distance=14, num_heads=2, num_decoder_layers=2)
    shapes = t5_shapes(config) | {"lm_head.weight": [config["vocab_size"], config["d_model"]]}
    write_other("t5-gated", config, shapes, source=50)


def mt5() -> None:
    """T5 1.1 under another name. transformers 5 says that the head is tied, whatever the file has."""
    for name, is_tied in (("mt5", False), ("mt5-tied", True)):
        config = t5_config(
            architectures=["MT5ForConditionalGeneration"], model_type="mt5", feed_forward_proj="gated-gelu",
            tie_word_embeddings=is_tied, num_decoder_layers=2, num_heads=2)
        shapes = t5_shapes(config)
        if not is_tied:
            shapes["lm_head.weight"] = [config["vocab_size"], config["d_model"]]
        write_other(name, config, shapes, source=31)


def t5_encoder() -> None:
    config = t5_config(architectures=["T5EncoderModel"], relative_attention_num_buckets=32)
    write_other("t5-encoder", config, t5_shapes(config))


def backpack() -> None:
    """GPT-2 says how much each sense of each earlier token counts; transformers has no such class."""
    name, vocabulary, width, senses, inner, positions = "backpack", 51, 20, 5, 60, 47
    config = gpt2_config(
        vocabulary, width, heads=2, layers=2, positions=positions, scale_attn_by_inverse_layer_idx=True,
        architectures=["BackpackGPT2LMHeadModel"], num_senses=senses, sense_intermediate_scale=3)
    trunk, network = "backpack.gpt2_model.", "backpack.sense_network."
    shapes = gpt2_shapes(vocabulary, width, 2, 4 * width, positions, prefix=trunk)
    for part in ("ln", "block.ln_1", "block.ln_2"):
        shapes |= norm_shapes(network + part, width)
    for part, size_in, size_out in [
        ("block.mlp.c_fc", width, 4 * width), ("block.mlp.c_proj", 4 * width, width),
        ("final_mlp.c_fc", width, inner), ("final_mlp.c_proj", inner, senses * width),
    ]:
        shapes |= {
            f"{network}{part}.weight": [size_in, size_out], f"{network}{part}.bias": [size_out]}
    shapes |= linear_shapes("backpack.sense_weight_net.c_attn", width, 2 * width)
    folder = MODELS / name
    fresh(folder)
    random = generator(name)
    weights = {
        key.replace("sense_network.norm.", "sense_network.ln."): torch.tensor(value)
        for key, value in random_weights(
            {key.replace("sense_network.ln.", "sense_network.norm."): size for key, size in shapes.items()},
            random).items()}
    ids = random.integers(0, vocabulary, TOKENS)
    write_json(folder / "config.json", dict(sorted(config.items())))
    copies = {
        "backpack.word_embeddings.weight": weights[trunk + "wte.weight"].clone(),
        "backpack.position_embeddings.weight": weights[trunk + "wpe.weight"].clone()}
    save_file(weights | copies, folder / "model.safetensors", metadata={"format": "pt"})
    states = backpack_states(config, weights, ids)
    save_golden(folder, ids, (states @ weights[trunk + "wte.weight"].double().T).numpy())


def backpack_states(config: dict, weights: dict[str, torch.Tensor], ids: np.ndarray) -> torch.Tensor:
    """The sum over earlier positions and senses, written out."""
    w = {key.removeprefix("backpack."): value.double() for key, value in weights.items()}
    width, senses = config["n_embd"], config["num_senses"]
    with tempfile.TemporaryDirectory() as scratch:
        write_json(Path(scratch) / "config.json", config | {"architectures": ["GPT2Model"]})
        part = {
            key.removeprefix("backpack.gpt2_model."): value for key, value in weights.items()
            if "gpt2_model" in key}
        save_file(part, Path(scratch) / "model.safetensors", metadata={"format": "pt"})
        trunk = transformers.GPT2Model.from_pretrained(
            scratch, dtype=torch.float64, attn_implementation="eager").eval()
        with torch.no_grad(), float64_everywhere():
            states = trunk(torch.tensor(ids[None].astype(np.int64))).last_hidden_state[0]

    def norm(x: torch.Tensor, name: str) -> torch.Tensor:
        name = "sense_network." + name
        return torch.nn.functional.layer_norm(x, [width], w[name + ".weight"], w[name + ".bias"], 1e-5)

    def mlp(x: torch.Tensor, name: str) -> torch.Tensor:
        name = "sense_network." + name
        x = x @ w[name + ".c_fc.weight"] + w[name + ".c_fc.bias"]
        x = torch.nn.functional.gelu(x, approximate="tanh")
        return x @ w[name + ".c_proj.weight"] + w[name + ".c_proj.bias"]

    embedding = w["gpt2_model.wte.weight"][ids]
    residual = embedding + norm(embedding, "ln")
    residual = residual + mlp(norm(residual, "block.ln_1"), "block.mlp")
    vectors = mlp(norm(residual, "block.ln_2"), "final_mlp").reshape(len(ids), senses, width)
    pairs = states @ w["sense_weight_net.c_attn.weight"].T + w["sense_weight_net.c_attn.bias"]
    query, key = pairs.reshape(len(ids), 2, senses, width // senses).unbind(1)
    sums = torch.zeros(len(ids), width, dtype=torch.float64)
    for position in range(len(ids)):
        for sense in range(senses):
            scores = key[:position + 1, sense] @ query[position, sense] / (width // senses) ** 0.5
            for other, weight in enumerate(torch.softmax(scores, 0)):
                sums[position] += weight * vectors[other, sense]
    return sums


def decoder_classifiers() -> None:
    """A score for each label from the last token's state."""
    config = gpt_neox_config(
        vocab_size=52, hidden_size=16, num_attention_heads=2, num_hidden_layers=2, intermediate_size=29,
        rotary_pct=0.5)
    llama = llama_config(
        51, width=16, heads=2, groups=1, head=8, inner=27, layers=2, tie_word_embeddings=True,
        rope_theta=10000.0)
    bases = {
        "gptj": (gptj_config(53, width=18, heads=3, rotary=4, layers=2), gptj_shapes(53, 18, 2, 72), "GPTJ"),
        "gpt2": (gpt2_config(55, width=14, heads=2, layers=2, positions=45), gpt2_shapes(55, 14, 2, 56, 45), "GPT2"),
        "llama": (llama, llama_shapes(llama), "Llama"),
        "gpt-neox": (config, gpt_neox_shapes(config), "GPTNeoX"), "gpt-neo": (*gpt_neo_parts(), "GPTNeo"),
        "opt": (*opt_parts(False, embedding=11, vocabulary=50), "OPT"),
        "bloom": (*bloom_parts(3, width=15, vocabulary=47, prefix="transformer."), "Bloom"),
        "mpt": (*mpt_parts(2, width=14, vocabulary=45, attention={}), "Mpt"),
        "codegen": (*codegen_parts(), "CodeGen"),
    }
    for family, (config, shapes, name) in bases.items():
        config |= LABELS | {"architectures": [name + "ForSequenceClassification"], "pad_token_id": 2}
        shapes = {key: size for key, size in shapes.items() if not key.startswith(("lm_head", "embed_out"))}
        # The score is made of what the head of a language model would read.
        width = next(size[-1] for size in shapes.values() if size[0] == config["vocab_size"])
        write_other(f"{family}-classifier", config, shapes | linear_shapes("score", width, 3, bias=False))


def t5_classifier() -> None:
    """The decoder reads the source behind its first token; the last end of the source is scored."""
    name = "t5-classifier"
    config = t5_config(architectures=["T5ForSequenceClassification"], **LABELS)
    width = config["d_model"]
    shapes = {"transformer." + key: size for key, size in t5_shapes(config).items()}
    shapes |= linear_shapes("classification_head.dense", width, width)
    shapes |= linear_shapes("classification_head.out_proj", width, 3)
    folder = MODELS / name
    fresh(folder)
    random = generator(name)
    weights = {key: torch.tensor(value) for key, value in random_weights(shapes, random).items()}
    source = random.integers(4, config["vocab_size"], 29)
    source[[11, 25]] = config["eos_token_id"]
    write_json(folder / "config.json", dict(sorted(config.items())))
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    ids = np.concatenate([[config["decoder_start_token_id"]], source[:25]])
    save_outputs(name, {"ids": ids, "source": source}, reference_outputs(folder, source))


# MARK: Configurations of transformers

def configurations() -> None:
    """What transformers writes by default for each class: every field that its models may have."""
    classes = {
        "GPTJ": "ForCausalLM", "GPT2": "LMHeadModel", "Llama": "ForCausalLM", "GPTNeoX": "ForCausalLM",
        "GPTNeo": "ForCausalLM", "OPT": "ForCausalLM", "Bloom": "ForCausalLM", "Mpt": "ForCausalLM",
        "CodeGen": "ForCausalLM", "Bert": "ForMaskedLM", "Roberta": "ForMaskedLM", "XLMRoberta": "ForMaskedLM",
        "Camembert": "ForMaskedLM", "MPNet": "ForMaskedLM", "DistilBert": "ForMaskedLM",
        "T5": "ForConditionalGeneration", "MT5": "ForConditionalGeneration"}
    written = {}
    for name, end in classes.items():
        config = getattr(transformers, name + "Config")()
        config.architectures = [name + end]
        fields = json.loads(config.to_json_string(use_diff=False))
        fields.pop("transformers_version")
        written[name + end] = fields
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(fields)}" for name, fields in written.items())
    (GOLDEN / "configurations.json").write_text("{\n" + lines + "\n}\n", encoding="utf-8")
    print(f"configurations           {len(written)} classes")


# MARK: GGUF files

def permuted(weight: np.ndarray, heads: int) -> np.ndarray:
    """Rows of q or k as GGUF keeps them: row 2i + j of a head is row j * D/2 + i."""
    half = weight.shape[0] // heads // 2
    return weight.reshape(heads, 2, half, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


def unpermuted(weight: np.ndarray, heads: int) -> np.ndarray:
    half = weight.shape[0] // heads // 2
    return weight.reshape(heads, half, 2, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


GGUF_PARTS = {
    "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj", "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm"}


def gguf_names(config: dict) -> dict[str, str]:
    """GGUF name to Hugging Face name."""
    names = {"token_embd.weight": "model.embed_tokens.weight"}
    for layer in range(config["num_hidden_layers"]):
        names |= {
            f"blk.{layer}.{part}.weight": f"model.layers.{layer}.{other}.weight"
            for part, other in GGUF_PARTS.items()}
    names["output_norm.weight"] = "model.norm.weight"
    if not config["tie_word_embeddings"]:
        names["output.weight"] = "lm_head.weight"
    return names


def llama3_factors(head: int, theta: float, scaling: dict) -> np.ndarray:
    """What GGUF keeps as rope_freqs.weight: the divisor of each frequency, [head / 2]."""
    wavelength = 2 * np.pi * theta ** (np.arange(0, head, 2) / head)
    original = scaling["original_max_position_embeddings"]
    low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
    smooth = (original / wavelength - low) / (high - low)
    between = 1 / ((1 - smooth) / scaling["factor"] + smooth)
    factors = np.where(wavelength < original / high, 1, between)
    return np.where(wavelength > original / low, scaling["factor"], factors).astype(np.float32)


def random_blocks(kind: Block, rows: int, columns: int, random: np.random.Generator) -> np.ndarray:
    """Rows of a K type with random quants and scales; the block's two floats make the mean about zero."""
    weights, size = gguf.GGML_QUANT_SIZES[kind]
    blocks = random.integers(0, 256, (rows * columns // weights, size), dtype=np.uint8)
    scale = random.uniform(0.0003, 0.0006, len(blocks))
    if kind == Block.Q6_K:
        # int8 scales of mixed sign and quants around zero: only the size has to be set.
        blocks[:, -2:] = (scale * 0.15).astype(np.float16).view(np.uint8).reshape(-1, 2)
    else:
        # The mean quant is 7.5 or 15.5, the mean scale and the mean minimum are both 31.5.
        middle = 7.5 if kind == Block.Q4_K else 15.5
        scale *= 7.5 / middle
        blocks[:, :2] = scale.astype(np.float16).view(np.uint8).reshape(-1, 2)
        blocks[:, 2:4] = (scale * middle).astype(np.float16).view(np.uint8).reshape(-1, 2)
    return blocks.reshape(rows, columns // weights * size)


def write_gguf_model(name: str, config: dict, kinds: dict[str, Block], pre: str, template: bool) -> None:
    """`kinds` gives the type of each tensor by the part of its name; what is absent is F32."""
    folder = MODELS / name
    fresh(folder)
    random = generator(name)
    heads = {"attn_q": config["num_attention_heads"], "attn_k": config["num_key_value_heads"]}
    shapes = llama_shapes(config)
    weights = random_weights(shapes, random)
    decoded = {}
    writer = gguf.GGUFWriter(folder / "model.gguf", "llama")
    for gguf_name, hf_name in gguf_names(config).items():
        part = gguf_name.split(".")[-2]
        kind = kinds.get(part, Block.F32)
        weight = weights[hf_name]
        if part in heads:
            weight = permuted(weight, heads[part])
        if kind in (Block.Q4_K, Block.Q5_K, Block.Q6_K):
            stored = random_blocks(kind, *weight.shape, random)
        elif kind == Block.F32:
            stored = weight
        else:
            stored = gguf.quants.quantize(weight, kind)
        writer.add_tensor(gguf_name, stored, raw_dtype=kind)
        weight = gguf.quants.dequantize(stored, kind).reshape(shapes[hf_name]).astype(np.float32)
        decoded[hf_name] = unpermuted(weight, heads[part]) if part in heads else weight
    rope = config["rope_parameters"]
    if rope["rope_type"] == "llama3":
        factors = llama3_factors(config["head_dim"], rope["rope_theta"], rope)
        writer.add_tensor("rope_freqs.weight", factors, raw_dtype=Block.F32)
    write_gguf_metadata(writer, name, config, pre, template)
    close_gguf(writer)
    save_gguf_golden(folder, config, decoded, random)


def gguf_gpt2() -> None:
    """Conv1D matrices are transposed to rows, and the output matrix is a copy of the embedding."""
    name = "gguf-gpt2"
    folder = MODELS / name
    fresh(folder)
    random = generator(name)
    config = gpt2_config(272, width=32, heads=2, layers=1, positions=44, dtype="float32")
    weights = random_weights(gpt2_shapes(272, 32, 1, 128, 44), random)
    parts = {
        "attn_norm": "ln_1", "attn_qkv": "attn.c_attn", "attn_output": "attn.c_proj", "ffn_norm": "ln_2",
        "ffn_up": "mlp.c_fc", "ffn_down": "mlp.c_proj"}
    names = {"token_embd.weight": "wte.weight", "position_embd.weight": "wpe.weight"}
    for end in ("weight", "bias"):
        names |= {f"blk.0.{part}.{end}": f"h.0.{other}.{end}" for part, other in parts.items()}
        names[f"output_norm.{end}"] = f"ln_f.{end}"
    names["output.weight"] = "wte.weight"
    decoded = {}
    writer = gguf.GGUFWriter(folder / "model.gguf", "gpt2")
    for gguf_name, hf_name in names.items():
        weight = weights["transformer." + hf_name]
        is_matrix = ".c_" in hf_name and weight.ndim == 2
        kind = Block.Q8_0 if is_matrix else Block.F32
        weight = np.ascontiguousarray(weight.T) if is_matrix else weight
        stored = gguf.quants.quantize(weight, kind)
        writer.add_tensor(gguf_name, stored, raw_dtype=kind)
        weight = gguf.quants.dequantize(stored, kind).reshape(weight.shape).astype(np.float32)
        decoded["transformer." + hf_name] = np.ascontiguousarray(weight.T) if is_matrix else weight
    writer.add_name(name)
    writer.add_context_length(44)
    writer.add_embedding_length(32)
    writer.add_block_count(1)
    writer.add_feed_forward_length(128)
    writer.add_head_count(2)
    writer.add_layer_norm_eps(config["layer_norm_epsilon"])
    write_gguf_vocabulary(writer, "gpt-2")
    close_gguf(writer)
    save_gguf_golden(folder, config, decoded, random)


def gguf_of_decoder(
    name: str, architecture: str, parts: Parts, names: dict[str, str], kinds: dict[str, Block], keys: dict,
    heads: int, per_head: bool,
) -> None:
    """A decoder with the common names; queries, keys and values of all heads lie one after another."""
    config, shapes = parts
    random = generator(name)
    weights = random_weights(shapes, random)
    layers = 2
    all_names = {
        other.replace("{layer}", str(layer)): part.replace("{layer}", str(layer))
        for part, other in names.items() for layer in range(layers)}
    writer = gguf.GGUFWriter(start_gguf(name), architecture)
    decoded = {}
    for key, weight in weights.items():
        stem, end = key.rsplit(".", 1)
        part = all_names[stem]
        is_fused = per_head and part.endswith("attn_qkv")
        if is_fused:
            weight = weight.reshape(heads, 3, -1, *weight.shape[1:]).swapaxes(0, 1).reshape(weight.shape)
        kind = kinds.get(part.split(".")[-1], Block.F32) if weight.ndim == 2 else Block.F32
        stored = gguf.quants.quantize(weight, kind)
        writer.add_tensor(f"{part}.{end}", stored, raw_dtype=kind)
        weight = gguf.quants.dequantize(stored, kind).reshape(weight.shape).astype(np.float32)
        if is_fused:
            weight = weight.reshape(3, heads, -1, *weight.shape[1:]).swapaxes(0, 1).reshape(weight.shape)
        decoded[key] = np.ascontiguousarray(weight)
    writer.add_name(name)
    writer.add_block_count(layers)
    writer.add_head_count(heads)
    for key, value in keys.items():
        kind = {bool: writer.add_bool, int: writer.add_uint32, float: writer.add_float32}[type(value)]
        kind(f"{architecture}.{key}", value)
    write_gguf_vocabulary(writer, "gpt-2")
    close_gguf(writer)
    save_gguf_golden(MODELS / name, config, decoded, random)


def gguf_decoders() -> None:
    """Families whose fused matrices GGUF has in another order, or that have keys of their own."""
    common = {
        "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm", "ffn_up": "mlp.dense_h_to_4h",
        "ffn_down": "mlp.dense_4h_to_h"}

    def blocks(parts: dict[str, str], block: str) -> dict[str, str]:
        return {f"blk.{{layer}}.{part}": f"{block}{other}" for part, other in parts.items()}

    for name, parallel in (("gguf-gpt-neox", True), ("gguf-gpt-neox-sequential", False)):
        config = gpt_neox_config(
            vocab_size=272, hidden_size=32, num_attention_heads=2, num_hidden_layers=2, intermediate_size=64,
            rotary_pct=0.25, use_parallel_residual=parallel)
        block = "gpt_neox.layers.{layer}."
        names = blocks(common | {"attn_qkv": "attention.query_key_value", "attn_output": "attention.dense"}, block)
        names |= {
            "token_embd": "gpt_neox.embed_in", "output_norm": "gpt_neox.final_layer_norm", "output": "embed_out"}
        keys = {
            "context_length": 64, "embedding_length": 32, "feed_forward_length": 64, "rope.dimension_count": 4,
            "use_parallel_residual": parallel, "attention.layer_norm_epsilon": 1e-5}
        gguf_of_decoder(
            name, "gptneox", (config, gpt_neox_shapes(config)), names,
            {"attn_qkv": Block.Q8_0, "ffn_up": Block.Q4_0}, keys, heads=2, per_head=True)
    config, shapes = bloom_parts(heads=2, width=32, vocabulary=272, prefix="transformer.")
    block = "transformer.h.{layer}."
    names = blocks(
        common | {"attn_qkv": "self_attention.query_key_value", "attn_output": "self_attention.dense"}, block)
    names |= {
        "token_embd": "transformer.word_embeddings", "token_embd_norm": "transformer.word_embeddings_layernorm",
        "output_norm": "transformer.ln_f"}
    keys = {
        "context_length": 64, "embedding_length": 32, "feed_forward_length": 128,
        "attention.layer_norm_epsilon": 1e-5}
    gguf_of_decoder(
        "gguf-bloom", "bloom", (config, shapes), names, {"attn_qkv": Block.Q4_1}, keys, heads=2,
        per_head=True)
    parts = mpt_parts(2, width=32, vocabulary=272, attention={"clip_qkv": 2.0, "alibi_bias_max": 4})
    block = "transformer.blocks.{layer}."
    names = blocks({
        "attn_norm": "norm_1", "ffn_norm": "norm_2", "attn_qkv": "attn.Wqkv", "attn_output": "attn.out_proj",
        "ffn_up": "ffn.up_proj", "ffn_down": "ffn.down_proj"}, block)
    names |= {"token_embd": "transformer.wte", "output_norm": "transformer.norm_f"}
    keys = {
        "context_length": 48, "embedding_length": 32, "feed_forward_length": 128, "attention.clamp_kqv": 2.0,
        "attention.max_alibi_bias": 4.0, "attention.layer_norm_epsilon": 1e-5}
    gguf_of_decoder(
        "gguf-mpt", "mpt", parts, names, {"ffn_down": Block.Q5_0}, keys, heads=2, per_head=False)


def close_gguf(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def save_gguf_golden(
    folder: Path, config: dict, decoded: dict[str, np.ndarray], random: np.random.Generator
) -> None:
    ids = random.integers(0, len(tiny_vocabulary()), TOKENS)
    with tempfile.TemporaryDirectory() as scratch:
        write_json(Path(scratch) / "config.json", config)
        tensors = {key: torch.tensor(value) for key, value in decoded.items()}
        save_file(tensors, Path(scratch) / "model.safetensors", metadata={"format": "pt"})
        save_golden(folder, ids, reference_logits(Path(scratch), ids))


def write_gguf_metadata(
    writer: gguf.GGUFWriter, name: str, config: dict, pre: str, template: bool
) -> None:
    writer.add_name(name)
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_key_length(config["head_dim"])
    writer.add_value_length(config["head_dim"])
    writer.add_rope_dimension_count(config["head_dim"])
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    write_gguf_vocabulary(writer, pre)
    if template:
        writer.add_chat_template(
            "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] "
            "+ '<|im_end|>' + '\\n'}}{% endfor %}"
            "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}")


def write_gguf_vocabulary(writer: gguf.GGUFWriter, pre: str) -> None:
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    tokens = tiny_vocabulary()
    writer.add_token_list(tokens)
    writer.add_token_types([3 if token in SPECIAL else 1 for token in tokens])
    writer.add_token_merges(MERGES)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)


def small_gguf_config() -> dict:
    return llama_config(
        272, width=32, heads=2, groups=1, head=16, inner=64, layers=2, tie_word_embeddings=True,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0}, dtype="float32")


def gguf_bert() -> None:
    """The golden states are those of the same weights in a Hugging Face folder."""
    name = "gguf-bert"
    config = bert_config(
        "BertModel", "bert", hidden_size=32, num_attention_heads=2, intermediate_size=64, vocab_size=272)
    weights = random_weights(bert_shapes(config, "", pooler=False), generator(name))
    parts = {
        "attention.self.query": "attn_q", "attention.self.key": "attn_k", "attention.self.value": "attn_v",
        "attention.output.dense": "attn_output", "attention.output.LayerNorm": "attn_output_norm",
        "intermediate.dense": "ffn_up", "output.dense": "ffn_down", "output.LayerNorm": "layer_output_norm"}
    names = {
        "embeddings.word_embeddings": "token_embd", "embeddings.position_embeddings": "position_embd",
        "embeddings.token_type_embeddings": "token_types", "embeddings.LayerNorm": "token_embd_norm"}
    names |= {
        f"encoder.layer.{layer}.{part}": f"blk.{layer}.{other}"
        for layer in range(config["num_hidden_layers"]) for part, other in parts.items()}
    writer = gguf.GGUFWriter(start_gguf(name), "bert")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_layer_norm_eps(config["layer_norm_eps"])
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.CLS)
    finish_gguf(name, writer, config, weights, names, {"ffn_up": Block.Q8_0, "token_embd": Block.F16})


def gguf_t5() -> None:
    """Gated, with an output matrix of its own; both stacks have one number of blocks, as in older files."""
    name = "gguf-t5"
    config = t5_config(
        feed_forward_proj="gated-gelu", tie_word_embeddings=False, num_decoder_layers=2, d_ff=64, d_model=32,
        relative_attention_max_distance=128, relative_attention_num_buckets=16)
    shapes = t5_shapes(config) | {"lm_head.weight": [config["vocab_size"], config["d_model"]]}
    weights = random_weights(shapes, generator(name))
    parts = {"q": "q", "k": "k", "v": "v", "o": "o", "relative_attention_bias": "rel_b"}
    dense = {"wi_0": "gate", "wi_1": "up", "wo": "down"}
    names = {
        "shared": "token_embd", "lm_head": "output", "encoder.final_layer_norm": "enc.output_norm",
        "decoder.final_layer_norm": "dec.output_norm"}
    for stack, last in (("encoder", 1), ("decoder", 2)):
        for layer in range(2):
            block, other = f"{stack}.block.{layer}.layer.", f"{stack[:3]}.blk.{layer}."
            norms = ["attn", "cross_attn", "ffn"] if last == 2 else ["attn", "ffn"]
            names |= {f"{block}{index}.layer_norm": f"{other}{norm}_norm" for index, norm in enumerate(norms)}
            names |= {f"{block}0.SelfAttention.{key}": f"{other}attn_{value}" for key, value in parts.items()}
            names |= {
                f"{block}1.EncDecAttention.{key}": f"{other}cross_attn_{value}"
                for key, value in parts.items()}
            names |= {f"{block}{last}.DenseReluDense.{key}": f"{other}ffn_{value}" for key, value in dense.items()}
    writer = gguf.GGUFWriter(start_gguf(name), "t5")
    writer.add_context_length(64)
    writer.add_embedding_length(config["d_model"])
    writer.add_block_count(config["num_layers"])
    writer.add_feed_forward_length(config["d_ff"])
    writer.add_head_count(config["num_heads"])
    writer.add_key_length(config["d_kv"])
    writer.add_value_length(config["d_kv"])
    writer.add_layer_norm_rms_eps(config["layer_norm_epsilon"])
    writer.add_relative_attn_buckets_count(config["relative_attention_num_buckets"])
    writer.add_decoder_start_token_id(config["decoder_start_token_id"])
    finish_gguf(name, writer, config, weights, names, {"ffn_up": Block.Q4_0}, source=37)


def start_gguf(name: str) -> Path:
    fresh(MODELS / name)
    return MODELS / name / "model.gguf"


def finish_gguf(
    name: str, writer: gguf.GGUFWriter, config: dict, weights: dict[str, np.ndarray], names: dict[str, str],
    kinds: dict[str, Block], source: int = 0,
) -> None:
    """Writes the weights under GGUF's names, and what the reference makes of them."""
    decoded = {}
    for key, weight in weights.items():
        stem, end = key.rsplit(".", 1)
        kind = kinds.get(names[stem].split(".")[-1], Block.F32) if weight.ndim == 2 else Block.F32
        stored = gguf.quants.quantize(weight, kind)
        writer.add_tensor(f"{names[stem]}.{end}", stored, raw_dtype=kind)
        decoded[key] = torch.tensor(
            gguf.quants.dequantize(stored, kind).reshape(weight.shape).astype(np.float32))
    close_gguf(writer)
    random = generator(name + " ids")
    given = {"ids": random.integers(4, config["vocab_size"], TOKENS)}
    if source:
        given["source"] = random.integers(4, config["vocab_size"], source)
        given["ids"][0] = config["decoder_start_token_id"]
    with tempfile.TemporaryDirectory() as scratch:
        write_json(Path(scratch) / "config.json", config)
        save_file(decoded, Path(scratch) / "model.safetensors", metadata={"format": "pt"})
        found = {
            key: value for key, value in reference_outputs(Path(scratch), **given, missing="pooler").items()
            if key != "pooled"}
    save_outputs(name, given, found)


MATRICES = [part for part in GGUF_PARTS if not part.endswith("norm")]


def gguf_f32() -> None:
    write_gguf_model("gguf-f32", small_gguf_config(), {}, pre="gpt-2", template=True)


def gguf_q8_0() -> None:
    kinds = {part: Block.Q8_0 for part in [*MATRICES, "token_embd"]}
    write_gguf_model("gguf-q8_0", small_gguf_config(), kinds, pre="llama-bpe", template=False)


def gguf_q4_0() -> None:
    """Untied, and one query group for each head."""
    config = small_gguf_config() | {
        "tie_word_embeddings": False, "num_key_value_heads": 2, "num_hidden_layers": 1}
    kinds = {part: Block.Q4_0 for part in [*MATRICES, "token_embd"]} | {"output": Block.Q8_0}
    write_gguf_model("gguf-q4_0", config, kinds, pre="smollm", template=False)


def gguf_q4_1() -> None:
    kinds = {part: Block.Q4_1 for part in [*MATRICES, "token_embd"]}
    write_gguf_model("gguf-q4_1", small_gguf_config(), kinds, pre="smollm", template=True)


def gguf_mixed() -> None:
    """Every type that is not a K type, side by side in one file."""
    kinds = dict(zip(MATRICES, [
        Block.Q4_0, Block.Q4_1, Block.Q5_0, Block.Q5_1, Block.Q8_0, Block.F16, Block.BF16]))
    write_gguf_model(
        "gguf-mixed", small_gguf_config(), kinds | {"token_embd": Block.F16}, pre="gpt-2", template=False)


def gguf_k() -> None:
    """The K types, whose rows are multiples of 256, one fallback, and LLaMA 3's scaled rotation."""
    config = llama_config(
        272, width=256, heads=2, groups=1, head=16, inner=256, layers=1, tie_word_embeddings=True,
        dtype="float32", rope_parameters=LLAMA3_SCALING | {"rope_theta": 100.0})
    kinds = {
        "token_embd": Block.Q6_K, "attn_q": Block.Q4_K, "attn_k": Block.Q5_K, "attn_v": Block.Q6_K,
        "attn_output": Block.Q5_0, "ffn_gate": Block.Q4_K, "ffn_up": Block.Q5_K, "ffn_down": Block.Q6_K}
    write_gguf_model("gguf-k", config, kinds, pre="llama-bpe", template=False)


# MARK: Blocks

def dequantise() -> None:
    """Random blocks of every type: any bits, except that the blocks' own floats are finite."""
    tensors = {}
    offsets = {
        Block.Q4_0: [0], Block.Q4_1: [0, 2], Block.Q5_0: [0], Block.Q5_1: [0, 2], Block.Q8_0: [0],
        Block.Q4_K: [0, 2], Block.Q5_K: [0, 2], Block.Q6_K: [208]}
    for kind, places in offsets.items():
        random = generator(kind.name)
        weights, size = gguf.GGML_QUANT_SIZES[kind]
        blocks = random.integers(0, 256, (200 if weights == 32 else 50, size), dtype=np.uint8)
        for place in places:
            # Exponent bits all ones mean infinity or NaN: clear the lowest of them.
            infinite = (blocks[:, place + 1] & 0x7C) == 0x7C
            blocks[infinite, place + 1] &= 0xFB
        # The first blocks hold the corners: zero, smallest subnormal, largest, negative zero.
        for row, bits in enumerate([0x0000, 0x0001, 0x7BFF, 0x8000, 0x83FF]):
            for place in places:
                blocks[row, place:place + 2] = [bits & 255, bits >> 8]
        values = gguf.quants.dequantize(blocks, kind).astype(np.float32).reshape(len(blocks), weights)
        assert np.isfinite(values).all()
        tensors[kind.name + ".bytes"] = torch.tensor(blocks)
        tensors[kind.name + ".values"] = torch.tensor(values)
    GOLDEN.mkdir(parents=True, exist_ok=True)
    save_file(tensors, GOLDEN / "dequantise.safetensors")
    print(f"dequantise               {(GOLDEN / 'dequantise.safetensors').stat().st_size // 1024} KiB")


# MARK: SmolLM2

SMOLLM2_TEXT = (
    "The lighthouse keeper wrote in his log every evening. On the third of March 1911 he noted a strange "
    "green light above the water, and by morning the whole village had come down to the shore to look "
    "for it.")
# The text above, as llama.cpp splits it.
SMOLLM2_IDS = [
    504, 33059, 40061, 4150, 281, 650, 1993, 897, 9053, 30, 1985, 260, 3464, 282, 3903, 216, 33, 41, 33,
    33, 384, 5332, 253, 8463, 2654, 1420, 2120, 260, 913, 28, 284, 411, 5738, 260, 2444, 6560, 761, 1690,
    1187, 288, 260, 10393, 288, 1492, 327, 357, 30]


def smollm2(path: Path) -> None:
    reader = gguf.GGUFReader(path)
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    config = llama_config(
        49152, width=576, heads=9, groups=3, head=64, inner=1536, layers=30, tie_word_embeddings=True,
        max_position_embeddings=8192, dtype="float32",
        rope_parameters={"rope_type": "default", "rope_theta": 100000.0})
    shapes = llama_shapes(config)
    heads = {"attn_q": 9, "attn_k": 3}
    ids = np.array(SMOLLM2_IDS)
    with tempfile.TemporaryDirectory() as scratch:
        weights = {}
        for gguf_name, hf_name in gguf_names(config).items():
            tensor = tensors.pop(gguf_name)
            weight = gguf.quants.dequantize(tensor.data, tensor.tensor_type).reshape(shapes[hf_name])
            part = gguf_name.split(".")[-2]
            weight = unpermuted(weight, heads[part]) if part in heads else weight
            weights[hf_name] = torch.tensor(weight.astype(np.float32).copy())
        assert not tensors, list(tensors)
        write_json(Path(scratch) / "config.json", config)
        save_file(weights, Path(scratch) / "model.safetensors", metadata={"format": "pt"})
        logits = reference_logits(Path(scratch), ids)
    losses = np.log(np.exp(logits[:-1] - logits[:-1].max(-1, keepdims=True)).sum(-1))
    losses += logits[:-1].max(-1) - logits[np.arange(len(ids) - 1), ids[1:]]
    columns = np.sort(generator("columns").choice(logits.shape[1], 64, replace=False))
    rows = []
    for position in sorted({*range(0, len(ids), 2), len(ids) - 1}):
        row = logits[position]
        top = np.argsort(-row)[:20]
        rows.append({
            "position": position, "minimum": rounded(row.min()), "maximum": rounded(row.max()),
            "top_ids": top.tolist(), "top_values": [rounded(row[column]) for column in top],
            "values": [rounded(row[column]) for column in columns]})
    lines = ",\n  ".join(json.dumps(row) for row in rows)
    head = json.dumps({
        "file": "SmolLM2-135M-Instruct.Q4_1.gguf", "text": SMOLLM2_TEXT, "ids": ids.tolist(),
        "negative_log_likelihood": [rounded(loss) for loss in losses], "columns": columns.tolist()})
    path = GOLDEN / "smollm2-logits.json"
    path.write_text(f'{head[:-1]},\n"rows": [\n  {lines}\n]}}\n', encoding="utf-8")
    perplexity = np.exp(losses.mean())
    print(f"smollm2-logits           {len(rows)} rows, perplexity {perplexity:.4f}, "
          f"{path.stat().st_size // 1024} KiB")


def rounded(value: float) -> float:
    return float(f"{value:.7g}")


# MARK: Main

MAKERS = [
    gptj, gptj_f16, gpt2, gpt2_old, cerebras, gpt2_inverse_layer, gpt2_unscaled, llama, llama_tied,
    llama_rope_llama3, llama_rope_linear, llama_rope_dynamic, llama_sharded, llama_bf16, llama_mlp_biases,
    gpt_neox, gpt_neox_sequential, gpt_neo, opt, opt_350m, opt_without_biases, bloom, bloom_post_norm, mpt,
    mpt_options, codegen, other_heads, gguf_f32, gguf_q8_0, gguf_q4_0, gguf_q4_1, gguf_mixed, gguf_k, gguf_gpt2,
    gguf_decoders, gguf_bert, gguf_t5, bert, bert_sentence, bert_classifier, untied_encoders, roberta, roberta_classifier, roberta_relatives,
    mpnet, mpnet_sentence, mpnet_classifier, distilbert, distilbert_classifier, distilbert_sentence, t5, t5_gated,
    t5_encoder, t5_classifier, mt5, backpack, decoder_classifiers, configurations, dequantise]


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes Tests/Golden.")
    parser.add_argument("--smollm2", type=Path, help="path of SmolLM2-135M-Instruct.Q4_1.gguf")
    parser.add_argument("names", nargs="*", help="makers to run, such as gptj or gguf_k; default all")
    arguments = parser.parse_args()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    for maker in MAKERS:
        if not arguments.names and arguments.smollm2 is None or maker.__name__ in arguments.names:
            maker()
    if arguments.smollm2:
        smollm2(arguments.smollm2)


if __name__ == "__main__":
    main()
