"""Constants that turn raw units into what the network sees. They are measured on training rows only."""

from dataclasses import dataclass

import numpy as np

from gru_training.config import Config

# Where a feature has no maximum, inputs saturate at this multiple of the largest training value: far above anything real, and
# low enough that no product inside the float32 graph can overflow whatever a caller sends.
HEADROOM = 1000.0
# A column that never changes has no deviation to divide by.
LEAST_DEVIATION = 1e-12
KNEE_QUANTILE = 0.05


@dataclass(frozen=True)
class Scaling:
    """Each [features]. z = min(x, ceiling) - minimum; `knee` (in units of z) is where log1p(z / knee) turns from linear to
    logarithmic: the 5 % quantile of the positive values, so that columns of 1e-10 are spread as well as columns of 1e8."""

    minimum: np.ndarray
    maximum: np.ndarray
    ceiling: np.ndarray
    knee: np.ndarray
    log_mean: np.ndarray
    log_sd: np.ndarray
    raw_mean: np.ndarray
    raw_sd: np.ndarray
    root_mean: np.ndarray
    root_sd: np.ndarray


def fit_scaling(config: Config, values: np.ndarray) -> Scaling:
    """Fits on `values` [rows, features]: give it training rows only."""
    minimum = np.array([feature.minimum for feature in config.features])
    maximum = np.array([np.inf if feature.maximum is None else feature.maximum for feature in config.features])
    shifted = values - minimum
    largest = np.maximum(shifted.max(axis=0), LEAST_DEVIATION)
    ceiling = np.where(np.isfinite(maximum), maximum, minimum + HEADROOM * largest)
    knee = np.array([_knee(column) for column in shifted.T])
    logs, roots = np.log1p(shifted / knee), np.sqrt(shifted)
    return Scaling(
        minimum=minimum,
        # A cap for every feature keeps a fed-back row finite.
        maximum=np.where(np.isfinite(maximum), maximum, ceiling).astype(np.float32).astype(np.float64),
        ceiling=ceiling.astype(np.float32).astype(np.float64),
        knee=knee,
        log_mean=logs.mean(axis=0),
        log_sd=_deviation(logs),
        raw_mean=shifted.mean(axis=0),
        raw_sd=_deviation(shifted),
        root_mean=roots.mean(axis=0),
        root_sd=_deviation(roots),
    )


def _knee(column: np.ndarray) -> float:
    positive = column[column > 0]
    return float(np.quantile(positive, KNEE_QUANTILE)) if len(positive) else 1.0


def _deviation(values: np.ndarray) -> np.ndarray:
    deviation: np.ndarray = values.std(axis=0)
    # The size of a constant column is a safer divisor than 1: it keeps a tiny column tiny in weights as well.
    size = np.maximum(np.abs(values).max(axis=0), LEAST_DEVIATION)
    return np.where(deviation > 1e-9 * size, deviation, size)
