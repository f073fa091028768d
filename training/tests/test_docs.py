"""The export that docs/reference/model-bundle.md shows gives one file, which the service's own check takes."""

import hashlib
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import PROMOTED, REPOSITORY
from torch import Tensor, nn

CHECK = REPOSITORY / "dist" / "check.js"


class Network(nn.Module):
    """As somebody would write it who has never seen the service."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.recurrent = nn.GRU(width, 32, 2, batch_first=True)
        self.head = nn.Linear(32, width)

    def forward(self, window: Tensor) -> Tensor:
        answer: Tensor = torch.relu(self.head(self.recurrent(torch.log1p(window))[0][:, -1]))
        return answer


def shown() -> str:
    text = (REPOSITORY / "docs" / "reference" / "model-bundle.md").read_text()
    found = re.search(r"<!-- export:begin -->\n```python\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return found[1]


def bundle(folder: Path, model: nn.Module) -> None:
    """A manifest and golden answers for the model.onnx in the folder: the promoted model's columns, and torch's answers."""
    manifest: dict[str, Any] = json.loads((PROMOTED / "model.json").read_text())
    golden: dict[str, Any] = json.loads((PROMOTED / "golden.json").read_text())
    manifest["sha256"] = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    golden["tolerance"] = {"relative": 1e-3, "absolute": [1e-3] * len(manifest["features"])}
    for window in golden["windows"]:
        with torch.no_grad():
            row = model(torch.tensor(np.array(window["window"], dtype=np.float32))[None])[0]
        window["forecast"] = row.tolist()
    (folder / "model.json").write_text(json.dumps(manifest))
    (folder / "golden.json").write_text(json.dumps(golden))


def verdict(folder: Path) -> dict[str, Any]:
    ended = subprocess.run(["node", CHECK, "--json", folder], capture_output=True, text=True, check=False)
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    if not CHECK.exists():
        subprocess.run(["npm", "run", "--silent", "build"], cwd=REPOSITORY, check=True)


def test_the_export_in_the_docs_gives_one_file_that_a_replica_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    model = Network(11)
    exec(shown(), {"torch": torch, "model": model})
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
    bundle(tmp_path, model)
    assert verdict(tmp_path)["ok"] is True


def test_the_same_export_with_data_beside_it_is_refused_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    model = Network(11)
    exec(shown().replace("external_data=False", "external_data=True"), {"torch": torch, "model": model})
    assert (tmp_path / "model.onnx.data").exists()
    bundle(tmp_path, model)
    found = verdict(tmp_path)
    assert (found["ok"], found["reason"], found["ignored"]) == (False, "external_data", ["model.onnx.data"])
