"""The configuration of one model: which columns, which network, which recipe. Read from a TOML file."""

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np

from gru_training.errors import TrainingError
from gru_training.sections import a_table, entry, refuse_unknown, section

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

    def with_changes(self, changes: dict[str, Any], where: str = "candidate") -> "Config":
        """The same configuration with some entries of [model] and [recipe] replaced: a candidate of `select`."""
        hints = {part: get_type_hints(type(part_of)) for part, part_of in (("model", self.model), ("recipe", self.recipe))}
        refuse_unknown(a_table(changes, where), [*hints["model"], *hints["recipe"]], where)
        model, recipe = (
            {name: entry(_listed(value), types[name], f"{where} {name}") for name, value in changes.items() if name in types}
            for types in (hints["model"], hints["recipe"])
        )
        return checked(replace(self, model=replace(self.model, **model), recipe=replace(self.recipe, **recipe)))


def load_config(path: Path) -> Config:
    """Reads and checks a TOML file; see poblesec.toml for a commented example."""
    try:
        return checked(_config(_read(path)))
    except TrainingError as error:
        raise TrainingError(f"{path}: {error}") from error


def _config(document: dict[str, Any]) -> Config:
    hints = get_type_hints(Config)
    refuse_unknown(document, list(hints), "the file")
    missing = [name for name in hints if name not in document and name != "bar"]
    if missing:
        raise TrainingError(f"{', '.join(missing)} is missing")
    features = document["features"]
    if not isinstance(features, list):
        raise TrainingError("features: expected a table [[features]] for each column")
    return Config(
        name=entry(document["name"], str, "name"),
        version=entry(document["version"], str, "version"),
        data=section(DataConfig, document["data"], "[data]"),
        model=section(ModelConfig, document["model"], "[model]"),
        recipe=section(RecipeConfig, document["recipe"], "[recipe]"),
        golden=section(GoldenConfig, document["golden"], "[golden]"),
        bar=section(BarConfig, document["bar"], "[bar]") if "bar" in document else None,
        features=tuple(section(Feature, feature, _feature(index, feature)) for index, feature in enumerate(features, 1)),
    )


def _feature(index: int, table: object) -> str:
    name = table.get("name") if isinstance(table, dict) else None
    return f"[[features]] {index}" + (f" ({name})" if isinstance(name, str) else "")


def _listed(value: object) -> object:
    """A candidate that was made in Python has tuples, one from a file lists."""
    return list(value) if isinstance(value, tuple) else value


def load_candidates(path: Path) -> dict[str, dict[str, Any]]:
    """The tables of the file that `select` ranks, by their names: changes to the base configuration."""
    try:
        return {name: dict(a_table(changes, f'["{name}"]')) for name, changes in _read(path).items()}
    except TrainingError as error:
        raise TrainingError(f"{path}: {error}") from error


def checked(config: Config) -> Config:
    """Refuses a configuration that cannot be trained or that would export a graph with wrong bounds."""
    names = config.feature_names
    data, model, recipe = config.data, config.model, config.recipe
    transforms = {"inputs": model.inputs, "highway": model.highway}
    counts = {
        "[data] window": data.window,
        "[data] frequency_seconds": data.frequency_seconds,
        "[model] hidden": model.hidden,
        "[model] layers": model.layers,
        "[recipe] epochs": recipe.epochs,
        "[recipe] batch": recipe.batch,
        "[golden] windows": config.golden.windows,
    }
    problems = [
        *(f"[[features]]: the name {name} repeats" for name in sorted({name for name in names if names.count(name) > 1})),
        *([f"[data] target: {data.target} is not a feature"] if data.target not in names else []),
        *(f"[data] targets: {name} is not a feature" for name in data.targets if name not in names),
        *([] if data.targets else ["[data] targets is empty"]),
        *([f"[model] cell: expected one of {', '.join(CELLS)}"] if model.cell not in CELLS else []),
        *(
            f"[model] {name}: expected some of {', '.join(TRANSFORMS)}"
            for name, values in transforms.items()
            if not set(values) <= set(TRANSFORMS)
        ),
        *([] if model.inputs else ["[model] inputs is empty"]),
        *(f"{name}: expected at least 1, got {count}" for name, count in counts.items() if count < 1),
        *(
            ["[data] frequency_seconds: expected a whole number of minutes, for [model] time_of_day is on"]
            if model.time_of_day and data.frequency_seconds % 60 != 0
            else []
        ),
        *([] if recipe.seeds else ["[recipe] seeds is empty"]),
        *([] if 0 < recipe.validation_share < 1 else ["[recipe] validation_share: expected a number between 0 and 1"]),
    ]
    if problems:
        raise TrainingError("; ".join(problems))
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
    except OSError as error:
        raise TrainingError(error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise TrainingError("not UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise TrainingError(str(error)) from error
