"""Writes the bundle that the service loads: model.onnx, model.json, golden.json."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import onnx

from gru_training.checkpoint import Checkpoint
from gru_training.config import Config, Feature
from gru_training.data import Series, cut_windows
from gru_training.golden import golden
from gru_training.graph import build_graph
from gru_training.metrics import Scores, score
from gru_training.model import forecast


def write_bundle(directory: Path, config: Config, checkpoint: Checkpoint, test: Series, created_at: str) -> None:
    """`created_at` is RFC 3339 with Z. Metrics and golden windows are of the test series."""
    windows = cut_windows(test, config.data.window)
    model = checkpoint.trained.model
    scores = score(windows.following[:, 0], forecast(model, windows.window, windows.minute), config.target_columns)
    graph = build_graph(config, model)
    manifest = {
        "schema_version": 1,
        "name": config.name,
        "version": config.version,
        "run_id": checkpoint.origin.run_id,
        "created_at": created_at,
        "architecture": {
            "type": config.model.cell,
            "hidden_size": config.model.hidden,
            "num_layers": config.model.layers,
        },
        "features": [feature_entry(feature) for feature in config.features],
        "target": config.data.target,
        "window": config.data.window,
        "frequency_seconds": config.data.frequency_seconds,
        **signature(graph),
        "training": {key: value for key, value in asdict(checkpoint.origin).items() if key != "run_id"},
        "metrics": {"test": test_metrics(config, scores)},
    }
    write_files(directory, graph, manifest, golden(config, checkpoint, test))


def write_files(directory: Path, graph: onnx.ModelProto, manifest: dict[str, Any], answers: dict[str, Any]) -> None:
    """Writes the three files; the digest of the graph goes into the manifest, after the signature."""
    directory.mkdir(parents=True, exist_ok=True)
    content = graph.SerializeToString(deterministic=True)
    ordered: dict[str, Any] = {}
    for key, value in manifest.items():
        ordered[key] = value
        if key == "outputs":
            ordered["sha256"] = hashlib.sha256(content).hexdigest()
    (directory / "model.onnx").write_bytes(content)
    (directory / "model.json").write_text(json.dumps(ordered, indent=2) + "\n", encoding="utf-8")
    (directory / "golden.json").write_text(_lines(answers), encoding="utf-8")


def _lines(answers: dict[str, Any]) -> str:
    """JSON with one window or rollout a line: a changed answer shows as one changed line."""
    entries = []
    for key, value in answers.items():
        rows = [json.dumps(item, allow_nan=False) for item in value] if isinstance(value, list) else []
        text = "[\n" + ",\n".join(rows) + "\n]" if rows else json.dumps(value, allow_nan=False)
        entries.append(f"{json.dumps(key)}: {text}")
    return "{" + ",\n".join(entries) + "}\n"


def signature(graph: onnx.ModelProto) -> dict[str, Any]:
    """`inputs` and `outputs` as the graph declares them."""
    kinds: dict[int, str] = {onnx.TensorProto.FLOAT: "float32", onnx.TensorProto.INT32: "int32"}

    def entry(value: onnx.ValueInfoProto) -> dict[str, Any]:
        tensor = value.type.tensor_type
        shape = [dim.dim_param or dim.dim_value for dim in tensor.shape.dim]
        return {"name": value.name, "type": kinds[tensor.elem_type], "shape": shape}

    return {"inputs": [entry(v) for v in graph.graph.input], "outputs": [entry(v) for v in graph.graph.output]}


def feature_entry(feature: Feature) -> dict[str, Any]:
    bounds = {"minimum": feature.minimum, "maximum": feature.maximum}
    return {"name": feature.name, "unit": feature.unit} | {k: v for k, v in bounds.items() if v is not None}


def test_metrics(config: Config, scores: Scores) -> dict[str, Any]:
    """Means over the targets, then target by target; six digits are more than the test file can tell."""
    targets = {
        name: {"nrmse": nrmse, "nmae": nmae, "r2": r2}
        for name, nrmse, nmae, r2 in zip(
            config.data.targets, *(_rounded(v) for v in (scores.nrmse, scores.nmae, scores.r2)), strict=True
        )
    }
    nrmse, nmae, r2 = _rounded([scores.nrmse.mean(), scores.nmae.mean(), scores.r2.mean()])
    return {f"avg{len(config.data.targets)}_nrmse": nrmse, "nmae": nmae, "r2": r2, "targets": targets}


def _rounded(values: Any) -> list[float]:
    return [round(float(value), 6) for value in values]
