"""Makes Tests/Golden/PyTorch: checkpoints that torch.save wrote, and the same tensors as safetensors.

    python3 -m venv .venv-fixtures
    .venv-fixtures/bin/pip install torch==2.15.0 safetensors==0.8.0 numpy
    .venv-fixtures/bin/python Scripts/make-pytorch-fixtures.py

`NAME.bin` is one way to save weights. `golden.safetensors` holds every tensor of every file as `NAME/TENSOR`, in
order of its elements and in memory of its own, which is what a reader must give. `sharded/` has two shards and
their index, `gptj.bin` and `gptj-old.bin` the weights of Models/gptj. Numbers come from PyTorch's generator with a
fixed seed. Files of the old format name storages by their addresses, so that they differ from run to run; all
others come out the same.
"""

import json
import shutil
from collections import OrderedDict
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

GOLDEN = Path(__file__).resolve().parent.parent / "Tests" / "Golden"
FOLDER = GOLDEN / "PyTorch"
golden = {}


def random(*shape, dtype=torch.float32):
    return torch.randn(shape).to(dtype)


def integers(*shape, dtype):
    return torch.randint(-100 if dtype.is_signed else 0, 100, shape).to(dtype)


def save(name, value, weights=None, old=False, **options):
    """Writes `value`; the tensors to be found in it are `weights`, or all that it has."""
    torch.save(value, FOLDER / f"{name}.bin", _use_new_zipfile_serialization=not old, **options)
    remember(name, value if weights is None else weights)


def remember(name, weights):
    for key, value in weights.items():
        if isinstance(value, torch.Tensor):
            golden[f"{name}/{key}"] = value.detach().contiguous().clone()


def module():
    return torch.nn.Sequential(torch.nn.Embedding(5, 6), torch.nn.LayerNorm(6), torch.nn.Linear(6, 7))


def views():
    base = random(6, 8)
    row = torch.arange(24, dtype=torch.int64)
    return {
        "whole": base, "rows": base[2:5], "columns": base[:, 3:6], "steps": base[::2, 1::3], "row": base[4],
        "column": base[:, 7], "last": base[5, 7], "reshaped": row.view(2, 3, 4)[1], "expanded": row[:3].expand(2, 3),
        "expanded by one": row.expand(1, -1), "none": base[2:2], "diagonal": base.diagonal(),
    }


def transposed():
    return {
        "f32": random(3, 5).t(), "f16": random(4, 6, dtype=torch.float16).t(),
        "bf16": random(2, 3, 4, 5, dtype=torch.bfloat16).permute(3, 0, 2, 1),
        "f64": random(7, 2, dtype=torch.float64).t(), "bool": (random(5, 3) > 0).t(), "i32": integers(2, 9, dtype=torch.int32).t(), "one row": random(1, 9).t(),
    }


def types():
    return {
        "f64": random(3, dtype=torch.float64), "f32": random(2, 2), "f16": random(5, dtype=torch.float16),
        "bf16": random(3, 3, dtype=torch.bfloat16), "i64": integers(4, dtype=torch.int64),
        "i32": integers(3, dtype=torch.int32), "i16": integers(5, dtype=torch.int16),
        "i8": integers(7, dtype=torch.int8), "u8": integers(7, dtype=torch.uint8), "bool": random(9) > 0, "scalar": torch.tensor(-1e4),
        "empty": torch.zeros(0, 7), "empty inside": torch.zeros(3, 0, 2, dtype=torch.float16),
        "special": torch.tensor([float("nan"), float("inf"), -float("inf"), -0.0, 1e-45]),
    }


def shared():
    table = random(5, 4)
    both = random(20)
    return {"wte": table, "head": table, "first": both[:10].view(2, 5), "second": both[10:].view(5, 2)}


def main():
    torch.manual_seed(20240817)
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    save("module", module().state_dict())
    save("f16", module().half().state_dict())
    save("bf16", module().bfloat16().state_dict())
    save("types", types())
    save("types-without-kernel", {
        "u16": integers(3, dtype=torch.uint16), "f8": random(4).to(torch.float8_e4m3fn), "f32": random(2),
        "c64": torch.zeros(2, dtype=torch.complex64)})
    save("views", views())
    save("transposed", transposed())
    save("shared", shared())
    save("parameters", OrderedDict(module().named_parameters()))
    weights = module().state_dict()
    more = {"epoch": 3, "best": 0.5, "name": "é", "seed": 2**70, "count": 2**40, "negative": -(2**35), "done": True,
            "args": {"lr": 1e-3, "betas": (0.9, 0.999), "names": ["a", None, [1, 2]], "size": torch.Size([2, 3]),
                     "dtype": torch.float16}}
    save("wrapped", {"state_dict": weights, **more}, weights)
    save("wrapped-model", {"epoch": -1, "model": OrderedDict(weights)}, weights)
    save("beside", {**module().state_dict(), **more})
    save("many", {f"layer.{index}.weight": random(1 + index % 3) for index in range(120)})
    for protocol in (3, 4, 5):
        value = {**types(), **views(), **more}
        save(f"protocol-{protocol}", {"model": value, "epoch": 1}, value, pickle_protocol=protocol)
    save("old", module().state_dict(), old=True)
    save("old-views", {**views(), **transposed(), **shared(), **types()}, old=True)
    save("old-wrapped-4", {"state_dict": weights, **more}, weights, old=True, pickle_protocol=4)
    shards()
    gptj()
    save_file(golden, FOLDER / "golden.safetensors")
    print(f"{len(golden)} tensors of {len(list(FOLDER.glob('**/*.bin')))} files in {FOLDER}")


def shards():
    folder = FOLDER / "sharded"
    folder.mkdir()
    weights = module().state_dict()
    names = list(weights)
    places = {}
    for number, part in enumerate([names[:2], names[2:]], 1):
        file = f"pytorch_model-{number:05}-of-00002.bin"
        torch.save({name: weights[name] for name in part}, folder / file)
        places |= {name: file for name in part}
    total = sum(value.numel() * 4 for value in weights.values())
    index = {"metadata": {"total_size": total}, "weight_map": places}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index, indent=1) + "\n")
    (folder / "config.json").write_text("{}\n")
    remember("sharded", weights)


def gptj():
    weights = load_file(GOLDEN / "Models" / "gptj" / "model.safetensors")
    torch.save(OrderedDict(weights), FOLDER / "gptj.bin")
    torch.save(OrderedDict(weights), FOLDER / "gptj-old.bin", _use_new_zipfile_serialization=False)


if __name__ == "__main__":
    main()
