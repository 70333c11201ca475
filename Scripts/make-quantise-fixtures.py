"""Makes Tests/Golden/quantise.safetensors: weights, and what ggml's quantisers make of them.

Usage, from the repository's root:

    python3 -m venv .venv-fixtures
    .venv-fixtures/bin/pip install gguf==0.19.0 safetensors numpy
    .venv-fixtures/bin/pip install --no-deps llama-cpp-python==0.3.36
    .venv-fixtures/bin/python Scripts/make-quantise-fixtures.py [--library PATH/libggml-base.so]

`values` [blocks of 256, 256] (float32) are weights of many shapes: Gaussian, heavy-tailed, of one sign, mostly
zero, constant, with sub-blocks of very different size, tiny. `TYPE.bytes` [blocks, bytes] (uint8) come from the
gguf package for Q4_0, Q4_1, Q5_0, Q5_1 and Q8_0, and from ggml's quantize_row_*_ref in llama-cpp-python's
library for Q4_K, Q5_K and Q6_K. The library's answers for the first five are compared with the package's.
"""

import argparse
import ctypes
from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Block
from safetensors.numpy import save_file

GOLDEN = Path(__file__).resolve().parent.parent / "Tests" / "Golden" / "quantise.safetensors"
TYPES = [Block.Q4_0, Block.Q4_1, Block.Q5_0, Block.Q5_1, Block.Q8_0, Block.Q4_K, Block.Q5_K, Block.Q6_K]
FROM_PACKAGE = TYPES[:5]


def weights(rng: np.random.Generator) -> np.ndarray:
    """Some blocks of each kind, [blocks, 256]."""
    n = 256
    kinds = [
        lambda: rng.normal(size=n) * 0.02,
        lambda: rng.standard_t(3, size=n) * 0.1,
        lambda: rng.uniform(0.1, 1, n),
        lambda: -rng.uniform(0.1, 1, n),
        lambda: np.round(rng.normal(size=n) * 4) / 4,
        lambda: np.where(rng.random(n) < 0.95, 0, rng.normal(size=n)),
        lambda: np.repeat(rng.normal(size=8), 32) * np.where(rng.random(n) < 0.5, 1, -1),
        lambda: rng.normal(size=n) * np.repeat(10.0 ** rng.uniform(-9, 1, size=8), 32),
        lambda: rng.normal(size=n) * 10.0 ** rng.uniform(-9, 3),
        lambda: rng.normal(size=n) * 1e-20,
    ]
    blocks = [kind() for kind in kinds for _ in range(6)]
    blocks += [np.zeros(n), np.full(n, 0.7), np.full(n, -0.7), np.linspace(-1, 1, n)]
    return np.stack(blocks).astype(np.float32)


def from_library(library: ctypes.CDLL, block: Block, values: np.ndarray) -> np.ndarray:
    size, byte_count = gguf.GGML_QUANT_SIZES[block]
    out = np.zeros(values.size // size * byte_count, np.uint8)
    name = block.name.lower().replace("_k", "_K")
    quantise = getattr(library, f"quantize_row_{name}_ref")
    quantise.restype = None
    quantise(
        values.ctypes.data_as(ctypes.c_void_p), out.ctypes.data_as(ctypes.c_void_p), ctypes.c_int64(values.size))
    return out.reshape(-1, byte_count)


def find_library() -> str:
    import importlib.util

    package = Path(importlib.util.find_spec("llama_cpp").origin).parent
    return str(next(package.glob("lib/libggml-base.so")))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--library", help="libggml-base.so; default: llama-cpp-python's")
    arguments = parser.parse_args()
    library = ctypes.CDLL(arguments.library or find_library())
    values = weights(np.random.Generator(np.random.PCG64(20_240)))
    tensors = {"values": values}
    for block in TYPES:
        found = from_library(library, block, values)
        if block in FROM_PACKAGE:
            package = gguf.quantize(values, block).reshape(found.shape)
            assert np.array_equal(found, package), f"{block.name}: library and package differ"
            found = package
        tensors[f"{block.name}.bytes"] = found
    save_file(tensors, GOLDEN)
    print(f"{GOLDEN}: {GOLDEN.stat().st_size} bytes")


if __name__ == "__main__":
    main()
