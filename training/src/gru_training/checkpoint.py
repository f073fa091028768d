"""A trained model on disk, between `train` and `evaluate` or `export`."""

import hashlib
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch

from gru_training.config import Config
from gru_training.data import Series, iso
from gru_training.errors import TrainingError
from gru_training.model import Forecaster
from gru_training.scaling import Scaling
from gru_training.train import Trained


@dataclass(frozen=True)
class Origin:
    """Where a model came from. `run_id` names the run's inputs, so the same data, configuration, seed and framework give the
    same id; it does not change with the clock."""

    run_id: str
    rows: int
    windows: int
    first: str
    last: str
    framework: str
    seed: int


@dataclass(frozen=True)
class Checkpoint:
    trained: Trained
    origin: Origin


def origin_of(config: Config, series: Series, seed: int) -> Origin:
    framework = f"torch {torch.__version__}"
    digest = hashlib.sha256(repr((_identity(config), seed, framework)).encode())
    digest.update(series.seconds.tobytes() + series.values.tobytes())
    return Origin(
        run_id=digest.hexdigest()[:32],
        rows=len(series),
        windows=len(series) - config.data.window,
        first=iso(series.seconds[0]),
        last=iso(series.seconds[-1]),
        framework=framework,
        seed=seed,
    )


def save(directory: Path, config: Config, checkpoint: Checkpoint) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{config.name}-seed-{checkpoint.trained.seed}.pt"
    trained = checkpoint.trained
    content = {
        "identity": _identity(config),
        "origin": asdict(checkpoint.origin),
        "validation": trained.validation,
        "epoch": trained.epoch,
        "state": trained.model.state_dict(),
    }
    torch.save(content, path)
    return path


def load_all(directory: Path, config: Config) -> list[Checkpoint]:
    """The checkpoints of every configured seed, in the configured order."""
    return [_load(directory / f"{config.name}-seed-{seed}.pt", config, seed) for seed in config.recipe.seeds]


def promoted(checkpoints: list[Checkpoint]) -> Checkpoint:
    """The seed that did best on the last training rows: the test file has no say in it."""
    return min(checkpoints, key=lambda checkpoint: checkpoint.trained.validation)


def _load(path: Path, config: Config, seed: int) -> Checkpoint:
    if not path.exists():
        raise TrainingError(f"{path} does not exist: run `train` first")
    content: dict[str, Any] = torch.load(path, weights_only=True)
    if content["identity"] != _identity(config):
        raise TrainingError(f"{path} was trained with another configuration: run `train` again")
    state = content["state"]
    model = Forecaster(config, Scaling(**{field.name: state[field.name].numpy() for field in fields(Scaling)}))
    model.load_state_dict(state)
    return Checkpoint(Trained(model, seed, content["validation"], content["epoch"]), Origin(**content["origin"]))


def _identity(config: Config) -> str:
    # The golden windows and the bar change no weight.
    return repr((config.name, config.version, config.data, config.model, config.recipe, config.features))
