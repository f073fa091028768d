"""Builds the ONNX graph by hand: raw rows in, raw rows out, one fused GRU or LSTM operator a layer."""

import math
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from gru_training.config import Config
from gru_training.folding import Folded, fold
from gru_training.model import MINUTES_A_DAY, Forecaster

OPSET = 17
IR_VERSION = 8


class GraphBuilder:
    """Collects nodes and constants; `add` returns the name of the node's output, to be used as the next one's input."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: Any, kind: type = np.float32) -> str:
        self.constants.append(numpy_helper.from_array(np.array(value, dtype=kind, order="C"), name))
        return name

    def add(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        # A recurrent operator's only wanted output may be its second: "" marks the first as unused.
        outputs = ["", output] if attributes.pop("last_state", False) else [output]
        self.nodes.append(helper.make_node(operator, inputs, outputs, name=output, **attributes))
        return output

    def model(self, name: str, inputs: list[onnx.ValueInfoProto], outputs: list[onnx.ValueInfoProto]) -> onnx.ModelProto:
        graph = helper.make_graph(self.nodes, name, inputs, outputs, self.constants)
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="gru_training"
        )
        onnx.checker.check_model(model, full_check=True)
        return model


def build_graph(config: Config, model: Forecaster) -> onnx.ModelProto:
    """`window` float32 [batch, window, features] (and `minute` int32 [batch, window]) -> `forecast` float32 [batch, features]."""
    builder, folded, width = GraphBuilder(), fold(model), len(config.features)
    views = _views(builder, config, model, folded)
    sequence = [views[name] for name in config.model.inputs]
    if config.model.time_of_day:
        sequence += _clock(builder)
    state = _recurrent(builder, folded, _joined(builder, sequence, "sequence"), config.model.hidden)
    beside = _highway(builder, folded, [views[name] for name in config.model.highway])
    head = builder.constant("head_weight", folded.head)
    _to_raw(builder, model, builder.add("Gemm", [state, head, beside], "root"))
    inputs = [helper.make_tensor_value_info("window", TensorProto.FLOAT, ["batch", config.data.window, width])]
    if config.model.time_of_day:
        inputs.append(helper.make_tensor_value_info("minute", TensorProto.INT32, ["batch", config.data.window]))
    output = helper.make_tensor_value_info("forecast", TensorProto.FLOAT, ["batch", width])
    return builder.model(config.name, inputs, [output])


def _views(builder: GraphBuilder, config: Config, model: Forecaster, folded: Folded) -> dict[str, str]:
    used = config.model.inputs + config.model.highway
    ceiling = builder.constant("ceiling", model.ceiling.numpy())
    views = {"raw": builder.add("Min", ["window", ceiling], "saturated")}
    if "log" in used:
        scaled = builder.add("Mul", [views["raw"], builder.constant("log_factor", folded.log_factor)], "log_scaled")
        shifted = builder.add("Add", [scaled, builder.constant("log_shift", folded.log_shift)], "log_argument")
        views["log"] = builder.add("Log", [shifted], "logarithm")
    if "root" in used:
        shifted = views["raw"]
        if model.minimum.any():
            minimum = builder.constant("root_minimum", model.minimum.numpy())
            shifted = builder.add("Sub", [shifted, minimum], "root_argument")
        views["root"] = builder.add("Sqrt", [shifted], "square_root")
    return views


def _clock(builder: GraphBuilder) -> list[str]:
    day = builder.add("Mod", ["minute", builder.constant("day", MINUTES_A_DAY, np.int32)], "minute_of_day")
    minutes = builder.add("Cast", [day], "minute_of_day_float", to=TensorProto.FLOAT)
    radians = builder.constant("radians_a_minute", 2 * math.pi / MINUTES_A_DAY)
    angle = builder.add("Mul", [minutes, radians], "angle")
    column = builder.add("Unsqueeze", [angle, builder.constant("last_axis", [2], np.int64)], "angle_column")
    return [builder.add("Sin", [column], "sine"), builder.add("Cos", [column], "cosine")]


def _recurrent(builder: GraphBuilder, folded: Folded, sequence: str, hidden: int) -> str:
    """[batch, window, columns] -> the last layer's last state [batch, hidden]."""
    state = builder.add("Transpose", [sequence], "time_first", perm=[1, 0, 2])
    # torch applies the reset gate after the recurrent product; ONNX calls that linear_before_reset.
    attributes = {"linear_before_reset": 1} if folded.cell == "GRU" else {}
    for index, layer in enumerate(folded.layers):
        last = index == len(folded.layers) - 1
        weights = [
            builder.constant(f"weight_{index}", layer.weight),
            builder.constant(f"recurrence_{index}", layer.recurrence),
            builder.constant(f"bias_{index}", layer.bias),
        ]
        states = builder.add(folded.cell, [state, *weights], f"layer_{index}", hidden_size=hidden, last_state=last, **attributes)
        # All states are [window, directions, batch, hidden], the last state [directions, batch, hidden].
        axis = builder.constant(f"direction_{index}", [0 if last else 1], np.int64)
        state = builder.add("Squeeze", [states, axis], f"state_{index}")
    return state


def _highway(builder: GraphBuilder, folded: Folded, views: list[str]) -> str:
    bias = builder.constant("bias", folded.bias)
    if folded.highway is None:
        return bias
    rows = _joined(builder, views, "beside")
    flat = builder.add("Flatten", [rows], "flat", axis=1)
    return builder.add("Gemm", [flat, builder.constant("highway_weight", folded.highway), bias], "linear")


def _joined(builder: GraphBuilder, views: list[str], name: str) -> str:
    if len(views) == 1:
        return views[0]
    for node in builder.nodes:
        if node.op_type == "Concat" and list(node.input) == views:
            return str(node.output[0])
    return builder.add("Concat", views, name, axis=2)


def _to_raw(builder: GraphBuilder, model: Forecaster, root: str) -> None:
    positive = builder.add("Relu", [root], "root_positive")
    raw = builder.add("Mul", [positive, positive], "square")
    if model.minimum.any():
        raw = builder.add("Add", [raw, builder.constant("minimum", model.minimum.numpy())], "raised")
    builder.add("Min", [raw, builder.constant("maximum", model.maximum.numpy())], "forecast")
