"""Ranks recipes on training rows alone, by rolling-origin blocks: train on what came before a block, judge on the block."""

from typing import Any

import numpy as np

from gru_training.baselines import Forecast, fit_ridge, persistence
from gru_training.config import Config
from gru_training.data import Series, Windows, cut_windows
from gru_training.metrics import score
from gru_training.model import forecast
from gru_training.train import train

# The second half of the training series, in four equal blocks: a few spikes decide one block, hardly four.
BLOCKS = ((0.5, 0.625), (0.625, 0.75), (0.75, 0.875), (0.875, 1.0))


def rank(config: Config, series: Series, candidates: dict[str, dict[str, Any]]) -> str:
    """A Markdown table: avg NRMSE of the targets in each block, best candidate first, references below."""
    cells = {
        name: [_candidate(config.with_changes(changes), series, block) for block in BLOCKS]
        for name, changes in candidates.items()
    }
    references = {
        "persistence": [_reference(config, series, block, persistence) for block in BLOCKS],
        "ridge, raw": [_reference(config, series, block, None, root=False) for block in BLOCKS],
        "ridge, square root": [_reference(config, series, block, None, root=True) for block in BLOCKS],
    }
    ordered = sorted(cells.items(), key=lambda item: float(np.mean(item[1]))) + list(references.items())
    head = "| recipe | " + " | ".join(f"block {n}" for n in range(1, len(BLOCKS) + 1)) + " | mean |"
    lines = [head, "|---" * (len(BLOCKS) + 2) + "|"]
    lines += [f"| {name} | " + " | ".join(f"{v:.4f}" for v in row) + f" | {np.mean(row):.4f} |" for name, row in ordered]
    return "\n".join(lines)


def _split(config: Config, series: Series, block: tuple[float, float]) -> tuple[Series, Windows]:
    start, stop = (round(len(series) * share) for share in block)
    # A judged window may reach back into the past rows; the row that it forecasts lies in the block.
    return series.rows(0, start), cut_windows(series.rows(start - config.data.window, stop), config.data.window)


def _candidate(config: Config, series: Series, block: tuple[float, float]) -> float:
    past, windows = _split(config, series, block)
    errors = []
    for seed in config.recipe.seeds:
        model = train(config, past, seed).model
        answer = forecast(model, windows.window, windows.minute)
        errors.append(score(windows.following[:, 0], answer, config.target_columns).nrmse.mean())
    return float(np.mean(errors))


def _reference(
    config: Config, series: Series, block: tuple[float, float], method: Forecast | None, root: bool = False
) -> float:
    past, windows = _split(config, series, block)
    answer = (method or fit_ridge(config, past, root))(windows.window)
    return float(score(windows.following[:, 0], answer, config.target_columns).nrmse.mean())
