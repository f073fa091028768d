"""Golden answers: test windows with the forecasts of the trainer's own framework, for whoever loads the bundle to compare."""

import copy
from typing import Any

import numpy as np

from gru_training.checkpoint import Checkpoint
from gru_training.config import Config
from gru_training.data import Series, Windows, cut_windows, iso
from gru_training.errors import TrainingError
from gru_training.model import Forecaster, forecast
from gru_training.rollout import roll

RELATIVE = 1e-4
# Times the feature's mean above its minimum. A forecast is a squared root: float32 errs by about 1e-6 of the root's scale, so a
# value far below the mean is exact to about 4e-8 of the mean while its relative error has no bound. 1e-6 is ample and still
# a millionth of anything real. Beside a minimum other than 0, the sum rounds in units of the minimum.
ABSOLUTE_SHARE = 1e-6


def golden(config: Config, checkpoint: Checkpoint, series: Series) -> dict[str, Any]:
    """The content of golden.json. Windows are as in the CSV file; answers are of the float64 model on
    windows rounded to float32, as the graph's input is."""
    model = copy.deepcopy(checkpoint.trained.model).double()
    windows = cut_windows(series, config.data.window)
    chosen = choose(config, series, windows)
    raw, minute = windows.window[chosen].astype(np.float32), windows.minute[chosen]
    answers = forecast(model, raw, minute)
    rollouts = _rollouts(config, series, chosen)
    rolled = roll(
        lambda window, clock: forecast(model, window, clock),
        raw[rollouts],
        minute[rollouts],
        config.golden.steps,
        config.data.frequency_seconds,
    )
    return {
        "schema_version": 1,
        "framework": checkpoint.origin.framework,
        "tolerance": {"relative": RELATIVE, "absolute": absolute_tolerance(model)},
        "windows": [
            {
                "time": [iso(second) for second in series.seconds[start : start + config.data.window]],
                **({"minute": minute[n].tolist()} if config.model.time_of_day else {}),
                "window": windows.window[start].tolist(),
                "forecast": answers[n].tolist(),
            }
            for n, start in enumerate(chosen)
        ],
        "rollouts": [{"index": index, "forecasts": rows.tolist()} for index, rows in zip(rollouts, rolled, strict=True)],
    }


def absolute_tolerance(model: Forecaster) -> list[float]:
    """Each [features], raw units."""
    scale = model.raw_mean + model.minimum.abs()
    return [float(f"{value:.3g}") for value in ABSOLUTE_SHARE * scale.numpy()]


def choose(config: Config, series: Series, windows: Windows) -> list[int]:
    """First rows of the chosen windows, in time: the configured ones, those before and after the largest value of each target,
    the quietest ones, and an even spread over the series for the rest."""
    wanted = {_start_of(config, series, text): None for text in config.golden.include}
    for column in config.target_columns:
        peak = int(windows.following[:, 0, column].argmax())
        wanted |= {peak: None, min(peak + 1, len(windows) - 1): None}
    quiet = windows.window[:, :, config.feature_names.index(config.data.target)].mean(axis=1).argsort()
    wanted |= {int(start): None for start in quiet[:4]}
    missing = config.golden.windows - len(wanted)
    rest = [start for start in range(len(windows)) if start not in wanted]
    if not 0 <= missing <= len(rest):
        raise TrainingError(f"golden: cannot choose {config.golden.windows} of {len(windows)} windows")
    spread = np.linspace(0, len(rest) - 1, missing).round().astype(int)
    return sorted([*wanted, *(rest[n] for n in spread)])


def _rollouts(config: Config, series: Series, chosen: list[int]) -> list[int]:
    """Indices into the chosen windows: the configured ones first, then an even spread."""
    included = [chosen.index(_start_of(config, series, text)) for text in config.golden.include]
    spread = np.linspace(len(chosen) - 1, 0, config.golden.rollouts + 1).round().astype(int).tolist()
    return sorted(dict.fromkeys([*included, *spread]))[: config.golden.rollouts]


def _start_of(config: Config, series: Series, text: str) -> int:
    times = {iso(second): row for row, second in enumerate(series.seconds)}
    start = times.get(text, -1) - config.data.window + 1
    if not 0 <= start < len(series) - config.data.window:
        raise TrainingError(f"golden: no test window ends at {text}")
    return start
