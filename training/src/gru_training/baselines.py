"""Forecasts that need no training, or a closed form: what the network has to beat."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gru_training.config import Config
from gru_training.data import Series, cut_windows
from gru_training.metrics import score

# Tried in turn on the last rows of the training series; in units of the mean diagonal of the normal equations.
RIDGE_STRENGTHS = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)

# Windows [n, window, features] -> the next rows [n, features], raw units.
Forecast = Callable[[np.ndarray], np.ndarray]


def persistence(window: np.ndarray) -> np.ndarray:
    """The last row again."""
    last: np.ndarray = window[:, -1]
    return last


def moving_average(window: np.ndarray, weight: float = 0.5) -> np.ndarray:
    """Exponential moving average over the window, started at its first row."""
    level: np.ndarray = window[:, 0]
    for step in range(1, window.shape[1]):
        level = weight * window[:, step] + (1 - weight) * level
    return level


@dataclass(frozen=True)
class Ridge:
    """A linear map from the flattened window to the next row, standardised, in raw or square-root space."""

    root: bool
    minimum: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    weight: np.ndarray

    def __call__(self, window: np.ndarray) -> np.ndarray:
        flat = (self._view(window) - self.mean) / self.sd
        answer = flat.reshape(len(window), -1) @ self.weight * self.sd + self.mean
        if self.root:
            answer = np.square(np.maximum(answer, 0)) + self.minimum
        forecast: np.ndarray = answer
        return forecast

    def _view(self, values: np.ndarray) -> np.ndarray:
        return np.sqrt(np.maximum(values - self.minimum, 0)) if self.root else values


def fit_ridge(config: Config, series: Series, root: bool) -> Ridge:
    """Fits on the training series alone; its last rows choose the strength, then all of its rows are fitted."""
    split = round(len(series) * (1 - config.recipe.validation_share))
    fitting, validation = series.rows(0, split), series.rows(split - config.data.window, len(series))
    windows = cut_windows(validation, config.data.window)
    minimum = np.array([feature.minimum for feature in config.features])

    def loss(strength: float) -> float:
        answer = _solve(fitting, config.data.window, root, strength, minimum)(windows.window)
        return float(score(windows.following[:, 0], answer, config.target_columns).nrmse.mean())

    return _solve(series, config.data.window, root, min(RIDGE_STRENGTHS, key=loss), minimum)


def _solve(series: Series, window: int, root: bool, strength: float, minimum: np.ndarray) -> Ridge:
    values = np.sqrt(series.values - minimum) if root else series.values
    mean, sd = values.mean(axis=0), values.std(axis=0)
    sd = np.where(sd > 0, sd, 1.0)
    cut = cut_windows(Series(series.seconds, (values - mean) / sd), window)
    flat = cut.window.reshape(len(cut), -1)
    normal = flat.T @ flat
    normal[np.diag_indices_from(normal)] += strength * np.trace(normal) / len(normal)
    return Ridge(root, minimum, mean, sd, np.linalg.solve(normal, flat.T @ cut.following[:, 0]))
