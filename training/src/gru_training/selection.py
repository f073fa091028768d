"""Ranks recipes on training rows alone, by rolling-origin blocks: train on what came before a block, judge on the block."""

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from gru_training.baselines import fit_ridge, persistence
from gru_training.config import Config
from gru_training.data import Series
from gru_training.evaluate import STEPS, fed_back_errors, network_step, one_step_scores, windows_only
from gru_training.rollout import Step
from gru_training.train import train

# The second half of the training series, in four equal blocks: a few spikes decide one block, hardly four.
BLOCKS = ((0.5, 0.625), (0.625, 0.75), (0.75, 0.875), (0.875, 1.0))


@dataclass(frozen=True)
class Block:
    """`past` is all that a recipe may learn from; `judged` starts one window before the first row to be forecast."""

    past: Series
    judged: Series


@dataclass(frozen=True)
class Row:
    """One recipe: `one_step` [blocks] avg NRMSE; `fed_back` [blocks, steps] avg NRMSE as a share of persistence's."""

    name: str
    one_step: np.ndarray
    fed_back: np.ndarray


def rank(config: Config, series: Series, candidates: dict[str, dict[str, Any]]) -> str:
    """A Markdown table of the candidates, lowest mean one-step error first, and of the linear references."""
    blocks = cut_blocks(config, series)
    rows = [_candidate(name, config.with_changes(changes), blocks) for name, changes in candidates.items()]
    rows.sort(key=lambda row: float(row.one_step.mean()))
    rows += [
        _judge("linear ridge, raw", config, blocks, [[windows_only(fit_ridge(config, b.past, False))] for b in blocks]),
        _judge("linear ridge, square root", config, blocks, [[windows_only(fit_ridge(config, b.past, True))] for b in blocks]),
        _judge("persistence", config, blocks, [[windows_only(persistence)] for _ in blocks]),
    ]
    names = [f"block {n}" for n in range(1, len(blocks) + 1)] + ["mean"] + [f"step {step}" for step in STEPS[1:]]
    lines = [f"| recipe | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    for row in rows:
        errors = [f"{value:.4f}" for value in [*row.one_step, row.one_step.mean()]]
        shares = [f"{value - 1:+.1%}" for value in row.fed_back.mean(axis=0)[1:]]
        lines.append(f"| {row.name} | {' | '.join(errors + shares)} |")
    return "\n".join(lines)


def cut_blocks(config: Config, series: Series) -> list[Block]:
    cuts = [(round(len(series) * start), round(len(series) * stop)) for start, stop in BLOCKS]
    return [Block(series.rows(0, a), series.rows(a - config.data.window, b)) for a, b in cuts]


def _candidate(name: str, config: Config, blocks: list[Block]) -> Row:
    steps = [[network_step(train(config, b.past, seed).model) for seed in config.recipe.seeds] for b in blocks]
    row = _judge(name, config, blocks, steps)
    print(f"{name}: {row.one_step.mean():.4f} {row.fed_back.mean(axis=0)}", file=sys.stderr, flush=True)
    return row


def _judge(name: str, config: Config, blocks: list[Block], steps: list[list[Step]]) -> Row:
    """`steps` holds the forecasters of each block, one a seed."""
    one_step, fed_back = [], []
    for block, forecasters in zip(blocks, steps, strict=True):
        last = np.array(fed_back_errors(config, block.judged, windows_only(persistence)))
        one_step.append(np.mean([one_step_scores(config, block.judged, f).nrmse.mean() for f in forecasters]))
        fed_back.append(np.mean([fed_back_errors(config, block.judged, f) for f in forecasters], axis=0) / last)
    return Row(name, np.array(one_step), np.array(fed_back))
