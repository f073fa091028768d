"""A bundle on disk as the registry sees it: its three files, what the manifest says of them, and its score."""

import hashlib
import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gru_training.errors import TrainingError

FILES = ("model.onnx", "model.json", "golden.json")
# What a registered version is known by; the whole manifest is checked by the service.
_TEXTS = ("name", "version", "run_id", "sha256")


@dataclass(frozen=True)
class Score:
    """A metric of the test rows; lower is better."""

    metric: str
    value: float


@dataclass(frozen=True)
class Bundle:
    folder: Path
    manifest: dict[str, Any]
    """of model.onnx, hexadecimal"""
    sha256: str

    @property
    def score(self) -> Score | None:
        """The mean NRMSE over the targets, `avgN_nrmse`; None where the manifest has none."""
        metrics = self.manifest.get("metrics")
        test = metrics.get("test") if isinstance(metrics, dict) else None
        for metric, value in test.items() if isinstance(test, dict) else ():
            if re.fullmatch(r"avg[0-9]+_nrmse", metric) and isinstance(value, int | float) and math.isfinite(value):
                return Score(metric, float(value))
        return None


def read_bundle(folder: Path) -> Bundle:
    """Throws TrainingError, which names the file and the field, where a file is missing or they do not belong together."""
    model, manifest, golden = (_read(folder / name) for name in FILES)
    content = _object(folder / "model.json", manifest)
    _object(folder / "golden.json", golden)
    for field in _TEXTS:
        if not isinstance(content.get(field), str) or not content[field]:
            raise TrainingError(f"{folder / 'model.json'}: {field} must be a text")
    digest = hashlib.sha256(model).hexdigest()
    if content["sha256"] != digest:
        raise TrainingError(f"{folder / 'model.json'}: sha256 is {content['sha256']}, that of model.onnx {digest}")
    return Bundle(folder, content, digest)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TrainingError(f"{path}: {error.strerror}") from error


def _object(path: Path, text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise TrainingError(f"{path} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise TrainingError(f"{path} must hold one JSON object")
    return value
