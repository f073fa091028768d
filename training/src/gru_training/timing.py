"""Time a row of the exported graph in onnxruntime on one thread, beside the same graph cut down to its recurrent operators."""

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort

BATCHES = (1, 2, 4, 8, 16, 32)
ROUNDS = 15
ROWS_A_ROUND = 2000


def session(model: onnx.ModelProto | Path) -> ort.InferenceSession:
    """One thread, as a worker of the service runs it."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    content = model.read_bytes() if isinstance(model, Path) else model.SerializeToString()
    return ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def measure(path: Path) -> str:
    """A Markdown table, microseconds a row: median of rounds in which both graphs take turns, so that a slow moment hits both."""
    whole, core = session(path), session(recurrent_only(onnx.load(path)))
    window, features, columns = _sizes(onnx.load(path))
    if len(whole.get_inputs()) != 1:
        raise ValueError("timing is for graphs with one input")
    generator = np.random.default_rng(0)
    rows: dict[str, list[float]] = {"whole graph": [], "recurrent operators alone": []}
    for batch in BATCHES:
        raw = generator.uniform(0, 1, (batch, window, features)).astype(np.float32)
        prepared = generator.normal(0, 1, (window, batch, columns)).astype(np.float32)
        calls: dict[str, Callable[[], Any]] = {
            "whole graph": lambda raw=raw: whole.run(None, {"window": raw}),
            "recurrent operators alone": lambda prepared=prepared: core.run(None, {core.get_inputs()[0].name: prepared}),
        }
        samples: dict[str, list[float]] = {name: [] for name in calls}
        for _ in range(ROUNDS):
            for name, call in calls.items():
                samples[name].append(_microseconds_a_row(call, batch))
        for name in calls:
            rows[name].append(statistics.median(samples[name]))
    lines = [f"| us a row, batch | {' | '.join(map(str, BATCHES))} |", "|---" * (len(BATCHES) + 1) + "|"]
    lines += [f"| {name} | {' | '.join(f'{value:.1f}' for value in values)} |" for name, values in rows.items()]
    operators = [node.op_type for node in onnx.load(path).graph.node]
    return "\n".join([*lines, "", f"{len(operators)} operators: {json.dumps(operators)}"])


def recurrent_only(model: onnx.ModelProto) -> onnx.ModelProto:
    """The graph between the transposed inputs and the last recurrent state."""
    recurrent = [node for node in model.graph.node if node.op_type in ("GRU", "LSTM")]
    return onnx.utils.Extractor(onnx.shape_inference.infer_shapes(model)).extract_model(
        [recurrent[0].input[0]], [recurrent[-1].output[1]]
    )


def _sizes(model: onnx.ModelProto) -> tuple[int, int, int]:
    window, features = (dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim[1:])
    weights = {tensor.name: tensor.dims for tensor in model.graph.initializer}
    first = next(node for node in model.graph.node if node.op_type in ("GRU", "LSTM"))
    return window, features, int(weights[first.input[1]][2])


def _microseconds_a_row(call: Callable[[], Any], batch: int) -> float:
    repeats = max(1, ROWS_A_ROUND // batch)
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) / repeats / batch * 1e6
