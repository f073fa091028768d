"""Several steps ahead: each forecast row is fed back as the newest row of its window."""

from collections.abc import Callable

import numpy as np

# Windows [n, window, features] raw and minutes [n, window] -> the next rows [n, features] raw.
Step = Callable[[np.ndarray, np.ndarray], np.ndarray]


def roll(step: Step, window: np.ndarray, minute: np.ndarray, steps: int, frequency_seconds: int) -> np.ndarray:
    """Forecasts [n, steps, features]. A fed-back row is rounded to float32, as the service holds it, and its minute is
    `frequency_seconds` after the row before it."""
    rows = []
    for _ in range(steps):
        row = step(window, minute)
        rows.append(row)
        window = np.concatenate([window[:, 1:], row[:, None].astype(np.float32)], axis=1)
        minute = np.concatenate([minute[:, 1:], minute[:, -1:] + frequency_seconds // 60], axis=1)
    return np.stack(rows, axis=1)
