"""Folds every affine scaling into the weights, so that the exported graph spends no operator on it.

All sums are taken in float64 and rounded to float32 once.
"""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from gru_training.errors import TrainingError
from gru_training.model import Forecaster

# Rows of the weights by gate: torch stacks (r, z, n) and (i, f, g, o), ONNX (z, r, h) and (i, o, f, c).
GATES = {"GRU": (1, 0, 2), "LSTM": (0, 3, 1, 2)}
# At its minimum a feature's logarithm has the argument 1; rounding beside a large minimum must not move it far.
LEAST_ARGUMENT = 0.5


@dataclass(frozen=True)
class Layer:
    """One recurrent layer as ONNX wants it: `weight` [1, gates x hidden, columns], `recurrence` [1, gates x hidden, hidden],
    `bias` [1, 2 x gates x hidden]."""

    weight: np.ndarray
    recurrence: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True)
class Folded:
    """Weights that act on xc = min(x, ceiling), log(xc * log_factor + log_shift) and sqrt(xc - minimum), and give square roots in
    raw units."""

    cell: str
    layers: list[Layer]
    head: np.ndarray
    highway: np.ndarray | None
    bias: np.ndarray
    log_factor: np.ndarray
    log_shift: np.ndarray


def fold(model: Forecaster) -> Folded:
    """`head` [hidden, features], `highway` [window x columns, features] or None, `bias` [features]."""
    cell = type(model.recurrent).__name__
    root_sd, root_mean = _array(model.root_sd), _array(model.root_mean)
    bias = _array(model.head.bias) * root_sd + root_mean
    factor, shift = _log_argument(model)
    highway = None
    if model.highway is not None:
        scale, offset = _affine(model, model.highway_inputs, clock=False)
        weight = _array(model.highway.weight) * root_sd[:, None]
        steps = weight.shape[1] // len(scale)
        bias = bias + weight @ np.tile(offset, steps)
        highway = (weight * np.tile(scale, steps)).T
    return Folded(
        cell=cell,
        layers=[_layer(model, cell, index) for index in range(model.recurrent.num_layers)],
        head=(_array(model.head.weight) * root_sd[:, None]).T,
        highway=highway,
        bias=bias,
        log_factor=factor,
        log_shift=shift,
    )


def _affine(model: Forecaster, inputs: tuple[str, ...], clock: bool) -> tuple[np.ndarray, np.ndarray]:
    """Scale and offset [columns] that turn the graph's tensors into the model's standardised views."""
    log_sd, raw_sd, root_sd = _array(model.log_sd), _array(model.raw_sd), _array(model.root_sd)
    views = {
        "log": (1 / log_sd, -_array(model.log_mean) / log_sd),
        "raw": (1 / raw_sd, -(_array(model.minimum) + _array(model.raw_mean)) / raw_sd),
        "root": (1 / root_sd, -_array(model.root_mean) / root_sd),
    }
    pairs = [views[name] for name in inputs] + ([(np.ones(2), np.zeros(2))] if clock else [])
    return np.concatenate([scale for scale, _ in pairs]), np.concatenate([offset for _, offset in pairs])


def _layer(model: Forecaster, cell: str, index: int) -> Layer:
    weights = {
        name: _reorder(_array(getattr(model.recurrent, f"{name}_l{index}")), cell)
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    }
    weight, bias = weights["weight_ih"], weights["bias_ih"]
    if index == 0:
        scale, offset = _affine(model, model.inputs, model.time_of_day)
        weight, bias = weight * scale, bias + weight @ offset
    return Layer(weight[None], weights["weight_hh"][None], np.concatenate([bias, weights["bias_hh"]])[None])


def _reorder(weight: np.ndarray, cell: str) -> np.ndarray:
    parts = np.split(weight, len(GATES[cell]))
    return np.concatenate([parts[gate] for gate in GATES[cell]])


def _log_argument(model: Forecaster) -> tuple[np.ndarray, np.ndarray]:
    """1 + (x - minimum) / knee as x * factor + shift. Dividing by the knee inside the logarithm costs one operator more than
    log(x + knee) - log(knee), whose terms of about -20 for the tiny columns would cancel and lose two digits."""
    minimum, knee = _array(model.minimum), _array(model.knee)
    factor, shift = (1 / knee).astype(np.float32), (1 - minimum / knee).astype(np.float32)
    if "log" in model.inputs + model.highway_inputs and np.any(minimum.astype(np.float32) * factor + shift < LEAST_ARGUMENT):
        raise TrainingError("a feature is too fine for its minimum: float32 would take the logarithm of zero")
    return factor, shift


def _array(tensor: Tensor) -> np.ndarray:
    array: np.ndarray = tensor.detach().double().numpy()
    return array
