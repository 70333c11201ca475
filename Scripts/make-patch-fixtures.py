"""Makes the golden adapters under Tests/Golden/Adapters: what PEFT computes for tiny random models.

Usage, from the repository's root (any folder outside it will do for the environment):

    python3 -m venv .venv-fixtures
    .venv-fixtures/bin/pip install torch==2.15.0 transformers==5.24.0 peft==0.21.2 safetensors numpy
    .venv-fixtures/bin/python Scripts/make-patch-fixtures.py [NAME ...]

Each folder is written by PEFT for a model of Tests/Golden/Models, with random numbers from a fixed seed in place
of training; beside it lies golden.safetensors with `ids` [T] (int32), the name of the model in its metadata, and
`logits` [T, V] (float32), computed in float64.

    python3 Scripts/make-patch-fixtures.py --load FOLDER MODEL IDS

prints the logits that PEFT computes with a folder that Corvid wrote, as JSON, for comparison by hand.
"""

import json
import shutil
import sys
import zlib
from pathlib import Path

import numpy as np
import peft
import torch
import transformers
from safetensors.numpy import save_file

GOLDEN = Path(__file__).resolve().parent.parent / "Tests" / "Golden"
TOKENS = 11

LORA = {
    "gptj": ("gptj", {"r": 3, "lora_alpha": 7, "target_modules": ["q_proj", "v_proj"]}),
    "gptj-all-linear": ("gptj", {
        "r": 2, "lora_alpha": 3, "use_rslora": True, "target_modules": "all-linear",
        "modules_to_save": ["lm_head", "ln_1"], "rank_pattern": {"fc_in": 5, "h.1.attn.q_proj": 1},
        "alpha_pattern": {"fc_out": 11}}),
    "gptj-embedding": ("gptj", {
        "r": 2, "lora_alpha": 4, "target_modules": ["wte", "out_proj"], "layers_to_transform": None}),
    "gptj-regex-one-layer": ("gptj", {
        "r": 2, "lora_alpha": 4, "target_modules": r".*\.h\.1\..*(fc_in|k_proj)", "lora_bias": False,
        "bias": "lora_only"}),
    "gpt2": ("gpt2", {
        "r": 2, "lora_alpha": 5, "target_modules": ["c_attn", "c_proj", "c_fc"], "fan_in_fan_out": True,
        "bias": "all"}),
    "gpt2-tied-head": ("gpt2", {"r": 2, "lora_alpha": 5, "target_modules": ["wte"]}),
    "llama": ("llama", {
        "r": 4, "lora_alpha": 8, "target_modules": ["q_proj", "k_proj", "gate_proj", "down_proj", "lm_head"],
        "layers_to_transform": [1], "layers_pattern": "layers"}),
    "gpt-neox": ("gpt-neox", {"r": 2, "lora_alpha": 6, "target_modules": ["query_key_value", "dense"]}),
}
PREFIX = {"gptj-prefix": "gptj", "gpt2-prefix": "gpt2", "llama-prefix": "llama"}


def load(name):
    return transformers.AutoModelForCausalLM.from_pretrained(
        GOLDEN / "Models" / name, dtype=torch.float32, attn_implementation="eager")


def fill(model, generator):
    """Random numbers for everything that training would change."""
    for key, parameter in sorted(model.named_parameters()):
        if parameter.requires_grad:
            noise = torch.tensor(generator.normal(0, 0.2, tuple(parameter.shape)), dtype=parameter.dtype)
            parameter.data = noise if "lora" in key or "prompt" in key else parameter.data + noise


def write(name, model_name, config):
    generator = np.random.Generator(np.random.PCG64(zlib.crc32(name.encode())))
    base = load(model_name)
    model = peft.get_peft_model(base, config)
    fill(model, generator)
    folder = GOLDEN / "Adapters" / name
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    path = folder / "adapter_config.json"
    settings = json.loads(path.read_text())
    settings["base_model_name_or_path"] = model_name
    path.write_text(json.dumps(settings, indent=1, sort_keys=True) + "\n")
    ids = generator.integers(0, base.config.vocab_size, TOKENS)
    model.eval().double()
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([ids])).logits[0].double().numpy()
    save_file({"ids": ids.astype(np.int32), "logits": logits.astype(np.float32)},
              folder / "golden.safetensors", metadata={"model": model_name})
    print(name, logits.shape)


def main():
    if sys.argv[1:2] == ["--load"]:
        folder, name, ids = sys.argv[2:5]
        model = peft.PeftModel.from_pretrained(load(name), folder).eval().double()
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([[int(i) for i in ids.split(",")]])).logits[0]
        print(json.dumps(logits.tolist()))
        return
    wanted = sys.argv[1:] or [*LORA, *PREFIX]
    for name in wanted:
        if name in LORA:
            model_name, settings = LORA[name]
            write(name, model_name, peft.LoraConfig(task_type="CAUSAL_LM", **settings))
        else:
            write(name, PREFIX[name], peft.PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3))


if __name__ == "__main__":
    main()
