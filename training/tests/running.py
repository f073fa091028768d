"""Runs bundles and graphs in onnxruntime, as the service would."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from gru_training.timing import session


@dataclass(frozen=True)
class Bundle:
    folder: Path
    manifest: dict[str, Any]
    golden: dict[str, Any]

    @property
    def model(self) -> onnx.ModelProto:
        return onnx.load(self.folder / "model.onnx")

    @property
    def feeds(self) -> dict[str, np.ndarray]:
        """All golden windows as one batch."""
        windows = self.golden["windows"]
        feeds = {"window": np.array([w["window"] for w in windows], np.float32)}
        if "minute" in windows[0]:
            feeds["minute"] = np.array([w["minute"] for w in windows], np.int32)
        return feeds

    @property
    def answers(self) -> np.ndarray:
        return np.array([w["forecast"] for w in self.golden["windows"]])


def read(folder: Path) -> Bundle:
    manifest, golden = (json.loads((folder / name).read_text()) for name in ("model.json", "golden.json"))
    return Bundle(folder, manifest, golden)


def run(model: onnx.ModelProto, feeds: dict[str, np.ndarray]) -> np.ndarray:
    answer: np.ndarray = session(model).run(["forecast"], feeds)[0]
    return answer


def every_tensor(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same graph with every inner float tensor as an output too."""
    exposed = onnx.ModelProto()
    exposed.CopyFrom(onnx.shape_inference.infer_shapes(model))
    known = {value.name: value for value in exposed.graph.value_info}
    present = {value.name for value in exposed.graph.output}
    for node in exposed.graph.node:
        for name in node.output:
            if name and name not in present and known[name].type.tensor_type.elem_type == onnx.TensorProto.FLOAT:
                exposed.graph.output.append(known[name])
    return exposed


def assert_close(actual: np.ndarray, expected: np.ndarray, golden: dict[str, Any]) -> None:
    """Within the bundle's own tolerance: relative, or absolute where the value is next to nothing."""
    tolerance = golden["tolerance"]
    allowed = np.maximum(np.abs(expected) * tolerance["relative"], np.array(tolerance["absolute"]))
    worst = float((np.abs(actual - expected) - allowed).max())
    assert worst <= 0, f"{worst} beyond the tolerance"
