"""Time a row of the exported graph in onnxruntime on one thread, beside the same graph cut down to its recurrent operators."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort

from gru_training.errors import TrainingError

BATCHES = (1, 2, 4, 8, 16, 32)
ROUNDS = 60
ROWS_A_ROUND = 200


def session(model: onnx.ModelProto | Path) -> ort.InferenceSession:
    """One thread, as a worker of the service runs it."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    content = model.read_bytes() if isinstance(model, Path) else model.SerializeToString()
    return ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def measure(path: Path) -> str:
    """A Markdown table, microseconds a row: the fastest of many short rounds in which both graphs take turns. Other users of
    the machine only ever add time."""
    model = onnx.load(path)
    window, features, columns = _sizes(model)
    graphs = {
        "whole graph": (session(model), lambda batch: (batch, window, features)),
        "recurrent operators alone": (session(recurrent_only(model)), lambda batch: (window, batch, columns)),
    }
    head = " | ".join(map(str, BATCHES))
    lines = [f"| us a row, batch | {head} |", "|---" * (len(BATCHES) + 1) + "|"]
    fastest = [_compare({name: _call(s, shape(batch)) for name, (s, shape) in graphs.items()}, batch) for batch in BATCHES]
    for name in graphs:
        lines.append(f"| {name} | {' | '.join(f'{row[name]:.1f}' for row in fastest)} |")
    return "\n".join([*lines, "", ", ".join(node.op_type for node in model.graph.node)])


def _call(running: ort.InferenceSession, shape: tuple[int, ...]) -> Callable[[], Any]:
    feeds = {running.get_inputs()[0].name: np.random.default_rng(0).uniform(0, 1, shape).astype(np.float32)}
    return lambda: running.run(None, feeds)


def _compare(calls: dict[str, Callable[[], Any]], batch: int) -> dict[str, float]:
    samples: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            samples[name].append(_microseconds_a_row(call, batch))
    return {name: min(values) for name, values in samples.items()}


def recurrent_only(model: onnx.ModelProto) -> onnx.ModelProto:
    """The graph between the transposed inputs and the last recurrent state."""
    recurrent = [node for node in model.graph.node if node.op_type in ("GRU", "LSTM")]
    return onnx.utils.Extractor(onnx.shape_inference.infer_shapes(model)).extract_model(
        [recurrent[0].input[0]], [recurrent[-1].output[1]]
    )


def _sizes(model: onnx.ModelProto) -> tuple[int, int, int]:
    if len(model.graph.input) != 1:
        raise TrainingError("timing is for graphs whose only input is the window")
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
