"""The configuration of one model: which columns, which network, which recipe. Read from a TOML file."""

import tomllib
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from gru_training.errors import TrainingError

TRANSFORMS = ("log", "raw", "root")
CELLS = ("GRU", "LSTM")


@dataclass(frozen=True)
class Feature:
    """One column, in raw units. `minimum` is needed: logarithms and square roots are taken of value - minimum."""

    name: str
    unit: str
    minimum: float
    maximum: float | None = None
    fill: float | None = None


@dataclass(frozen=True)
class DataConfig:
    time: str
    frequency_seconds: int
    window: int
    target: str
    targets: tuple[str, ...]


@dataclass(frozen=True)
class ModelConfig:
    """`inputs` feed the recurrent layers, `highway` feeds a linear map beside them (empty: none)."""

    cell: str
    hidden: int
    layers: int
    inputs: tuple[str, ...]
    highway: tuple[str, ...]
    time_of_day: bool


@dataclass(frozen=True)
class RecipeConfig:
    epochs: int
    batch: int
    learning_rate: float
    weight_decay: float
    clip: float
    target_weight: float
    validation_share: float
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class GoldenConfig:
    """How many test windows, and how many rollouts of how many steps, the bundle carries with the trainer's own answers.
    `include` holds times of last rows whose windows must be among them."""

    windows: int
    rollouts: int
    steps: int
    include: tuple[str, ...] = ()


@dataclass(frozen=True)
class BarConfig:
    """What the mean of the seeds must reach on the test file. Shares: 0.13 is 13 % below."""

    nrmse: float
    nmae: float
    below_persistence: float
    below_ridge: float
    rollout_steps: tuple[int, ...]
    rollout_below_persistence: float


@dataclass(frozen=True)
class Config:
    """`bar` may be absent: then `evaluate` prints its tables and judges nothing."""

    name: str
    version: str
    data: DataConfig
    model: ModelConfig
    recipe: RecipeConfig
    golden: GoldenConfig
    bar: BarConfig | None
    features: tuple[Feature, ...]

    @property
    def feature_names(self) -> list[str]:
        return [feature.name for feature in self.features]

    @property
    def target_columns(self) -> list[int]:
        return [self.feature_names.index(name) for name in self.data.targets]

    def with_changes(self, changes: dict[str, Any]) -> "Config":
        """The same configuration with some entries of [model] and [recipe] replaced: a candidate of `select`."""
        model = {key: _frozen(value) for key, value in changes.items() if hasattr(self.model, key)}
        recipe = {key: _frozen(value) for key, value in changes.items() if hasattr(self.recipe, key)}
        unknown = set(changes) - set(model) - set(recipe)
        if unknown:
            raise TrainingError(f"unknown setting in a candidate: {', '.join(sorted(unknown))}")
        return checked(replace(self, model=replace(self.model, **model), recipe=replace(self.recipe, **recipe)))


def load_config(path: Path) -> Config:
    """Reads and checks a TOML file; see poblesec.toml for a commented example."""
    document = _read(path)
    try:
        return checked(
            Config(
                name=document["name"],
                version=document["version"],
                data=_section(DataConfig, document["data"]),
                model=_section(ModelConfig, document["model"]),
                recipe=_section(RecipeConfig, document["recipe"]),
                golden=_section(GoldenConfig, document["golden"]),
                bar=_section(BarConfig, document["bar"]) if "bar" in document else None,
                features=tuple(_section(Feature, feature) for feature in document["features"]),
            )
        )
    except KeyError as error:
        raise TrainingError(f"{path}: {error} is missing") from error


def load_candidates(path: Path) -> dict[str, dict[str, Any]]:
    """The [candidates.<name>] tables of the file that `select` ranks: changes to the base configuration."""
    candidates: dict[str, dict[str, Any]] = _read(path)
    return candidates


def checked(config: Config) -> Config:
    """Refuses a configuration that cannot be trained or that would export a graph with wrong bounds."""
    names = config.feature_names
    problems = {
        "feature names repeat": len(set(names)) != len(names),
        f"target {config.data.target} is not a feature": config.data.target not in names,
        "a target is not a feature": not set(config.data.targets) <= set(names) or not config.data.targets,
        f"cell is one of {CELLS}": config.model.cell not in CELLS,
        f"inputs and highway are of {TRANSFORMS}": not set(config.model.inputs + config.model.highway) <= set(TRANSFORMS),
        "inputs is empty": not config.model.inputs,
        "window, hidden, layers, epochs and batch are at least 1": min(
            config.data.window, config.model.hidden, config.model.layers, config.recipe.epochs, config.recipe.batch
        )
        < 1,
        "frequency_seconds is a whole number of minutes when time_of_day is on": config.model.time_of_day
        and config.data.frequency_seconds % 60 != 0,
        "seeds is empty": not config.recipe.seeds,
        "validation_share lies between 0 and 1": not 0 < config.recipe.validation_share < 1,
    }
    for problem, present in problems.items():
        if present:
            raise TrainingError(f"configuration: {problem}")
    for feature in config.features:
        _check_bounds(feature)
    return config


def _check_bounds(feature: Feature) -> None:
    # The graph clamps in float32: a bound that float32 rounds would let a forecast leave [minimum, maximum] by one ulp.
    for bound in (feature.minimum, feature.maximum):
        if bound is not None and float(np.float32(bound)) != bound:
            raise TrainingError(f"feature {feature.name}: bound {bound} is not a float32; write {float(np.float32(bound))!r}")
    if feature.maximum is not None and feature.maximum <= feature.minimum:
        raise TrainingError(f"feature {feature.name}: maximum must be above minimum")


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise TrainingError(f"{path}: {error}") from error


def _section(kind: Any, table: dict[str, Any]) -> Any:
    unknown = set(table) - {field.name for field in fields(kind)}
    if unknown:
        raise TrainingError(f"configuration: unknown key {', '.join(sorted(unknown))}")
    try:
        return kind(**{key: _frozen(value) for key, value in table.items()})
    except TypeError as error:
        raise TrainingError(f"configuration: {error}") from error


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
