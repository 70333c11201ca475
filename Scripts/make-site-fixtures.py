"""Makes Tests/Golden/Models/NAME/sites.safetensors: what stands at the sites of the tiny golden models.

Usage, from the repository's root:

    python3 -m venv .venv-sites
    .venv-sites/bin/pip install torch==2.15.0 transformers==5.24.0 safetensors numpy
    .venv-sites/bin/python Scripts/make-site-fixtures.py [NAME ...]

The values are read by forward hooks on transformers' own modules, in float64, on the ids of golden.safetensors,
and written as float32 for a few positions. Tensors:

- `positions` [P] int32, the positions that are written;
- a tensor of each site's name, such as `0.mlp.hidden` [P, width]; patterns [P, heads * T]; queries, keys and
  values head after head;
- `changed.add`, `changed.head`, `changed.pattern` [P, V]: the model's output with a change made by a hook, which is
  1. adding `changed.vector` [width] to `1.mlp.output`, at all positions,
  2. zeros for head 1 in `0.attention.heads` (0 where there is one head),
  3. head 0 of `1.attention.pattern` looking at its own token alone.
"""

import argparse
import contextlib
from pathlib import Path

import numpy as np
import torch
import transformers
from safetensors.torch import load_file, save_file

MODELS = Path(__file__).resolve().parent.parent / "Tests" / "Golden" / "Models"
POSITIONS = [0, 17, 40]


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


# MARK: Where a family's modules are

def separate(query, key, value):
    """Three modules, each of whose outputs is head after head."""
    return {"attention.query": (query, None), "attention.key": (key, None), "attention.value": (value, None)}


def fused(name, split):
    """One module; `split` gives the queries, keys or values in its output [T, 3 * width]."""
    return {f"attention.{part}": (name, lambda out, heads, index=index: split(out, heads)[index])
            for index, part in enumerate(("query", "key", "value"))}


def thirds(out, heads):
    return out.chunk(3, dim=-1)


def by_head(out, heads):
    """For each head its query, key and value."""
    parts = out.view(out.shape[0], heads, 3, -1)
    return [parts[:, :, index].flatten(1) for index in range(3)]


def codegen(out, heads):
    """Four groups, in each of which queries, values and keys of all its heads follow one another."""
    query, value, key = out.view(out.shape[0], 4, 3, -1).unbind(2)
    return [part.flatten(1) for part in (query, key, value)]


GPT = {
    "class": "GPTJForCausalLM", "blocks": "transformer.h", "embedding": "transformer.wte",
    "final": "transformer.ln_f", "qkv": separate("attn.q_proj", "attn.k_proj", "attn.v_proj"),
    "out": "attn.out_proj", "mlp": ("mlp.fc_in", "mlp.fc_out")}
BERT = {
    "class": "BertForMaskedLM", "blocks": "bert.encoder.layer", "embedding": "bert.embeddings.word_embeddings",
    "final": None, "qkv": separate("attention.self.query", "attention.self.key", "attention.self.value"),
    "out": "attention.output.dense", "mlp": ("intermediate.dense", "output.dense")}
OPT = {
    "class": "OPTForCausalLM", "blocks": "model.decoder.layers", "embedding": "model.decoder.embed_tokens",
    "final": "model.decoder.final_layer_norm",
    "qkv": separate("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"), "out": "self_attn.out_proj",
    "mlp": ("fc1", "fc2")}
NEOX = {
    "class": "GPTNeoXForCausalLM", "blocks": "gpt_neox.layers", "embedding": "gpt_neox.embed_in",
    "final": "gpt_neox.final_layer_norm", "qkv": fused("attention.query_key_value", by_head),
    "out": "attention.dense", "mlp": ("mlp.dense_h_to_4h", "mlp.dense_4h_to_h")}
BLOOM = {
    "class": "BloomForCausalLM", "blocks": "transformer.h", "embedding": "transformer.word_embeddings",
    "final": "transformer.ln_f", "qkv": fused("self_attention.query_key_value", by_head),
    "out": "self_attention.dense", "mlp": ("mlp.dense_h_to_4h", "mlp.dense_4h_to_h")}
FAMILIES = {
    "gptj": GPT,
    "codegen": GPT | {"class": "CodeGenForCausalLM", "qkv": fused("attn.qkv_proj", codegen)},
    "gpt2": GPT | {
        "class": "GPT2LMHeadModel", "qkv": fused("attn.c_attn", thirds), "out": "attn.c_proj",
        "mlp": ("mlp.c_fc", "mlp.c_proj")},
    "gpt-neo": GPT | {
        "class": "GPTNeoForCausalLM", "out": "attn.attention.out_proj", "mlp": ("mlp.c_fc", "mlp.c_proj"),
        "qkv": separate("attn.attention.q_proj", "attn.attention.k_proj", "attn.attention.v_proj")},
    "gpt-neox": NEOX, "gpt-neox-sequential": NEOX,
    "llama": {
        "class": "LlamaForCausalLM", "blocks": "model.layers", "embedding": "model.embed_tokens",
        "final": "model.norm", "qkv": separate("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
        "out": "self_attn.o_proj", "mlp": ("mlp.gate_proj", "mlp.down_proj")},
    "opt": OPT, "opt-350m": OPT | {"final": None},
    "bloom": BLOOM, "bloom-post-norm": BLOOM,
    "mpt": {
        "class": "MptForCausalLM", "blocks": "transformer.blocks", "embedding": "transformer.wte",
        "final": "transformer.norm_f", "qkv": fused("attn.Wqkv", thirds), "out": "attn.out_proj",
        "mlp": ("ffn.up_proj", "ffn.down_proj")},
    "bert": BERT,
    "t5": {
        "class": "T5ForConditionalGeneration", "blocks": "decoder.block", "embedding": "decoder.embed_tokens",
        "final": "decoder.final_layer_norm",
        "qkv": separate("layer.0.SelfAttention.q", "layer.0.SelfAttention.k", "layer.0.SelfAttention.v"),
        "out": "layer.0.SelfAttention.o", "mlp": ("layer.2.DenseReluDense.wi", "layer.2.DenseReluDense.wo")},
}


# MARK: Reading

def first(value):
    return value[0] if isinstance(value, tuple) else value


class Reference:
    """A model in float64, its inputs, and where its modules are."""

    def __init__(self, name):
        self.name = name
        self.family = FAMILIES[name]
        folder = MODELS / name
        self.model = getattr(transformers, self.family["class"]).from_pretrained(
            folder, dtype=torch.float64, attn_implementation="eager").eval()
        golden = load_file(folder / "golden.safetensors")
        self.expected = golden["logits"].double()
        ids = golden["ids"][None].long()
        self.inputs = {"input_ids": ids}
        if "types" in golden:
            self.inputs["token_type_ids"] = golden["types"][None].long()
        if "source" in golden:
            self.inputs = {"input_ids": golden["source"][None].long(), "decoder_input_ids": ids}
        with float64_everywhere():
            for module in self.model.modules():
                # Tables of angles were made in float32 while loading; make them again.
                if type(module).__name__.endswith("RotaryEmbedding"):
                    module.__init__(self.model.config)
        self.blocks = list(self.model.get_submodule(self.family["blocks"]))

    def part(self, layer, name):
        return self.blocks[layer].get_submodule(name)

    def run(self, **more):
        with torch.no_grad(), float64_everywhere():
            return self.model(**self.inputs, **more)

    def logits(self, output):
        return getattr(output, "prediction_logits", output.logits)[0]

    def check(self, output):
        found = self.logits(output)
        spread = self.expected.max() - self.expected.min()
        difference = (found - self.expected).abs().max() / spread
        assert difference < 1e-6, (self.name, difference)


@contextlib.contextmanager
def hooks(handles):
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def read_sites(reference):
    """Every site's rows, [T, width]."""
    family, sites, handles = reference.family, {}, []

    def keep_output(module, name, change=None):
        def hook(_, __, out):
            value = first(out).detach()[0] if first(out).dim() == 3 else first(out).detach()
            sites[name] = value if change is None else change(value)
        handles.append(module.register_forward_hook(hook))

    def keep_input(module, name):
        def hook(_, arguments, named):
            value = (arguments[0] if arguments else named["hidden_states"]).detach()
            sites[name] = value[0] if value.dim() == 3 else value
        handles.append(module.register_forward_pre_hook(hook, with_kwargs=True))

    config = reference.model.config
    heads = getattr(config, "num_attention_heads", None) or config.num_heads
    keep_output(reference.model.get_submodule(family["embedding"]), "embedding")
    for layer, block in enumerate(reference.blocks):
        keep_input(block, f"{layer}.input")
        keep_output(block, f"{layer}.output")
        for site, (module, split) in family["qkv"].items():
            keep_output(
                reference.part(layer, module), f"{layer}.{site}",
                None if split is None else lambda out, split=split: split(out, heads))
        keep_input(reference.part(layer, next(iter(family["qkv"].values()))[0]), f"{layer}.attention.input")
        keep_input(reference.part(layer, family["out"]), f"{layer}.attention.heads")
        keep_output(reference.part(layer, family["out"]), f"{layer}.attention.output")
        keep_input(reference.part(layer, family["mlp"][0]), f"{layer}.mlp.input")
        keep_input(reference.part(layer, family["mlp"][1]), f"{layer}.mlp.hidden")
        keep_output(reference.part(layer, family["mlp"][1]), f"{layer}.mlp.output")
    if family["final"]:
        keep_output(reference.model.get_submodule(family["final"]), "final.norm")
    with hooks(handles):
        output = reference.run(output_attentions=True)
    reference.check(output)
    patterns = getattr(output, "decoder_attentions", None) or output.attentions
    for layer, pattern in enumerate(patterns):
        # [heads, T, T] to [T, heads * T]
        sites[f"{layer}.attention.pattern"] = pattern[0].transpose(0, 1).flatten(1)
    return sites, heads


def changed_outputs(reference, sites, heads, vector):
    family = reference.family
    head_width = sites["0.attention.heads"].shape[-1] // heads
    head = min(1, heads - 1)

    def add(_, __, out):
        return out + vector

    def zero_head(_, arguments):
        values = arguments[0].clone()
        values[..., head * head_width:(head + 1) * head_width] = 0
        return (values,)

    def own_token(_, arguments):
        values = arguments[0].clone()
        values[..., :head_width] = reference.now["1.attention.value"][:, :head_width]
        return (values,)

    reference.now = {}
    module, split = family["qkv"]["attention.value"]

    def remember(_, __, out):
        value = out.detach()[0]
        reference.now["1.attention.value"] = value if split is None else split(value, heads)

    kept = reference.part(1, module).register_forward_hook(remember)
    changes = {
        "add": lambda: reference.part(1, family["mlp"][1]).register_forward_hook(add),
        "head": lambda: reference.part(0, family["out"]).register_forward_pre_hook(zero_head),
        "pattern": lambda: reference.part(1, family["out"]).register_forward_pre_hook(own_token)}
    results = {}
    with hooks([kept]):
        for name, make in changes.items():
            with hooks([make()]):
                results["changed." + name] = reference.logits(reference.run())
    return results


def write(name):
    reference = Reference(name)
    sites, heads = read_sites(reference)
    random = np.random.default_rng(len(name))
    vector = torch.tensor(random.standard_normal(sites["1.mlp.output"].shape[-1]).astype(np.float32)).double()
    tensors = {key: value[POSITIONS] for key, value in sites.items()}
    tensors |= {
        key: value[POSITIONS] for key, value in changed_outputs(reference, sites, heads, vector).items()}
    tensors["changed.vector"] = vector
    stored = {key: value.to(torch.float32).contiguous() for key, value in tensors.items()}
    assert all(torch.isfinite(value).all() for value in stored.values())
    stored["positions"] = torch.tensor(POSITIONS, dtype=torch.int32)
    path = MODELS / name / "sites.safetensors"
    save_file(stored, path)
    print(f"{name:22} {len(sites)} sites, {path.stat().st_size // 1024} KiB")


def main():
    parser = argparse.ArgumentParser(description="Makes the golden values of sites.")
    parser.add_argument("names", nargs="*", help="models; default all")
    arguments = parser.parse_args()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    for name in arguments.names or FAMILIES:
        write(name)


if __name__ == "__main__":
    main()
