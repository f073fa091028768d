"""Reads a CSV file into a regular series, and cuts a series into windows."""

import csv
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from gru_training.config import Config, Feature
from gru_training.errors import TrainingError


@dataclass(frozen=True)
class Series:
    """A regular series. `seconds` [rows] since 1970 (a time without a zone is read as UTC), `values` [rows, features] in raw
    units, float64."""

    seconds: np.ndarray
    values: np.ndarray

    def __len__(self) -> int:
        return len(self.seconds)

    def rows(self, start: int, stop: int) -> "Series":
        return Series(self.seconds[start:stop], self.values[start:stop])

    @property
    def minutes(self) -> np.ndarray:
        return (self.seconds // 60).astype(np.int32)


@dataclass(frozen=True)
class Windows:
    """`window` [n, window, features] raw, `minute` [n, window] since 1970, `following` [n, steps, features] raw."""

    window: np.ndarray
    minute: np.ndarray
    following: np.ndarray

    def __len__(self) -> int:
        return len(self.window)


def load_series(path: Path, config: Config) -> Series:
    """Reads the configured columns. The grid must be regular: a gap, a repeated or an unordered time is an error, because a
    window that spans it would teach the model a step that does not exist. Empty cells become the feature's `fill`."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            wanted = [config.data.time, *config.feature_names]
            missing = [name for name in wanted if name not in (reader.fieldnames or [])]
            if missing:
                raise TrainingError(f"{path.name}: no column {', '.join(missing)}")
            rows = list(reader)
    except OSError as error:
        raise TrainingError(f"{path}: {error.strerror}") from error
    if len(rows) <= config.data.window:
        raise TrainingError(f"{path.name}: {len(rows)} rows, at least {config.data.window + 1} are needed")
    seconds = np.array([_seconds(row[config.data.time], path, line) for line, row in enumerate(rows, 2)], dtype=np.int64)
    _check_grid(seconds, path, config.data.frequency_seconds)
    values = np.array(
        [[_cell(row[f.name], f, path, line) for f in config.features] for line, row in enumerate(rows, 2)],
        dtype=np.float64,
    )
    return Series(seconds, values)


def cut_windows(series: Series, window: int, steps: int = 1) -> Windows:
    """Every window of `window` rows whose next `steps` rows lie in the series as well."""
    count = len(series) - window - steps + 1
    if count < 1:
        raise TrainingError(f"{len(series)} rows hold no window of {window} rows and {steps} following")
    values = sliding_window_view(series.values, window, axis=0).transpose(0, 2, 1)
    following = sliding_window_view(series.values[window:], steps, axis=0).transpose(0, 2, 1)
    minute = sliding_window_view(series.minutes, window)
    return Windows(values[:count], minute[:count], following[:count])


def iso(seconds: int) -> str:
    """Naive ISO 8601, as the service's examples write it."""
    return datetime.fromtimestamp(int(seconds), UTC).replace(tzinfo=None).isoformat()


def _seconds(text: str | None, path: Path, line: int) -> int:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError as error:
        raise TrainingError(f"{path.name} line {line}: {text!r} is not an ISO 8601 time") from error
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _check_grid(seconds: np.ndarray, path: Path, frequency: int) -> None:
    steps = np.diff(seconds)
    wrong = np.flatnonzero(steps != frequency)
    if not len(wrong):
        return
    line, step = int(wrong[0]) + 3, int(steps[wrong[0]])
    what = "repeats the time before it" if step == 0 else f"comes {step} s after the row before it, not {frequency} s"
    raise TrainingError(f"{path.name} line {line}: the row {what} ({len(wrong)} such rows); resample to a regular grid first")


def _cell(text: str | None, feature: Feature, path: Path, line: int) -> float:
    where = f"{path.name} line {line}, {feature.name}"
    if text is None or not text.strip():
        if feature.fill is None:
            raise TrainingError(f"{where}: empty; give the feature a `fill` or complete the data")
        return feature.fill
    try:
        value = float(text)
    except ValueError as error:
        raise TrainingError(f"{where}: {text!r} is not a number") from error
    maximum = np.inf if feature.maximum is None else feature.maximum
    if not (np.isfinite(value) and feature.minimum <= value <= maximum):
        raise TrainingError(f"{where}: {value} is outside [{feature.minimum}, {maximum}]")
    return value
