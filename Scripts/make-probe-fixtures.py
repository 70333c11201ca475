"""Makes Tests/Golden/probe.json: a small network and linear probes as PyTorch and NumPy compute them.

Usage, from the repository's root, in the environment of make-fixtures.py:

    python Scripts/make-probe-fixtures.py

`network`: weights and inputs of the probe of Kaushal and Mahowald 2022 in float64, the loss and its gradients by
autograd, and the weights after three steps of torch.optim.Adam. `ridge`: rows, answers, the ridge; weights by
NumPy's solver, and each row's score by weights that are solved anew without the row.
"""

import json
from pathlib import Path

import numpy as np
import torch

GOLDEN = Path(__file__).resolve().parent.parent / "Tests" / "Golden" / "probe.json"
INPUTS, HIDDEN, ROWS, STEPS, RATE = 5, 4, 6, 3, 0.01
RIDGE = 0.03


def network() -> dict:
    torch.manual_seed(3)
    torch.set_default_dtype(torch.float64)
    layers = [torch.nn.Linear(INPUTS, HIDDEN), torch.nn.Linear(HIDDEN, HIDDEN), torch.nn.Linear(HIDDEN, 1)]
    model = torch.nn.Sequential(layers[0], torch.nn.SELU(), layers[1], torch.nn.Tanh(), layers[2])
    # Exact in float32, in which tables of vectors are kept.
    x = torch.randn(ROWS, INPUTS).float().double()
    y = (torch.arange(ROWS) % 3 == 0).double()
    parameters = [p for layer in layers for p in (layer.weight, layer.bias)]
    before = [p.detach().flatten().tolist() for p in parameters]
    loss_of = torch.nn.BCEWithLogitsLoss()
    optimizer = torch.optim.Adam(parameters, lr=RATE)
    first = None
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = loss_of(model(x).flatten(), y)
        loss.backward()
        if first is None:
            first = loss.item(), [p.grad.flatten().tolist() for p in parameters]
        optimizer.step()
    return {
        "inputs": INPUTS, "hidden": HIDDEN, "rate": RATE, "steps": STEPS, "x": x.flatten().tolist(),
        "labels": [bool(label) for label in y], "weights": before, "loss": first[0], "gradients": first[1],
        "after": [p.detach().flatten().tolist() for p in parameters],
        "logits": model(x).detach().flatten().tolist(),
    }


def fit(x: np.ndarray, y: np.ndarray, penalty: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    mean, share = x.mean(0), y.mean(0)
    centred = x - mean
    weights = np.linalg.solve(centred.T @ centred + penalty * np.eye(x.shape[1]), centred.T @ (y - share))
    return weights, mean, share


def ridge() -> dict:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(14, 3)).astype(np.float32).astype(np.float64)
    y = np.stack([x[:, 0] + rng.normal(size=14) > 0, x[:, 1] > 0.3], 1).astype(np.float64)
    scatter = (x - x.mean(0)).T @ (x - x.mean(0))
    penalty = RIDGE * np.trace(scatter) / x.shape[1]
    weights, _, share = fit(x, y, penalty)
    left_out = []
    for row in range(len(x)):
        others = np.arange(len(x)) != row
        w, mean, s = fit(x[others], y[others], penalty)
        left_out.append(((x[row] - mean) @ w + s - share).tolist())
    return {
        "width": x.shape[1], "ridge": RIDGE, "x": x.flatten().tolist(),
        "labels": [[bool(v) for v in column] for column in y.T], "weights": weights.flatten().tolist(),
        "left_out": [v for row in left_out for v in row],
    }


GOLDEN.write_text(json.dumps({"network": network(), "ridge": ridge()}, indent=1) + "\n")
