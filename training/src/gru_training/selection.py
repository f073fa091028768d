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
    """One recipe: `one_step` [blocks] avg NRMSE; `share` [blocks] and `fed_back` [blocks, steps] as a share of persistence's,
    so that every block counts alike."""

    name: str
    one_step: np.ndarray
    share: np.ndarray
    fed_back: np.ndarray

    @property
    def shares(self) -> np.ndarray:
        """[steps], the mean over the blocks: one step over all windows, then fed back."""
        return np.array([self.share.mean(), *self.fed_back.mean(axis=0)[1:]])


def rank(config: Config, series: Series, candidates: dict[str, dict[str, Any]]) -> str:
    """A Markdown table of the candidates and the references. The best is first: lowest mean of `shares`, because the service
    forecasts one step and several alike."""
    blocks = cut_blocks(config, series)
    rows = [_candidate(name, config.with_changes(changes, f'["{name}"]'), blocks) for name, changes in candidates.items()]
    rows.sort(key=lambda row: float(row.shares.mean()))
    for name, root in (("linear ridge, raw", False), ("linear ridge, square root", True)):
        rows.append(_judge(name, config, blocks, [[windows_only(fit_ridge(config, b.past, root))] for b in blocks]))
    rows.append(_judge("persistence", config, blocks, [[windows_only(persistence)] for _ in blocks]))
    names = [f"block {n}" for n in range(1, len(blocks) + 1)] + [f"step {step}" for step in STEPS] + ["mean"]
    return "\n".join([f"| recipe | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|", *map(_line, rows)])


def _line(row: Row) -> str:
    shares = [*row.shares, row.shares.mean()]
    cells = [f"{value:.4f}" for value in row.one_step] + [f"{value - 1:+.1%}" for value in shares]
    return f"| {row.name} | {' | '.join(cells)} |"


def cut_blocks(config: Config, series: Series) -> list[Block]:
    cuts = [(round(len(series) * start), round(len(series) * stop)) for start, stop in BLOCKS]
    return [Block(series.rows(0, a), series.rows(a - config.data.window, b)) for a, b in cuts]


def _candidate(name: str, config: Config, blocks: list[Block]) -> Row:
    steps = [[network_step(train(config, b.past, seed).model) for seed in config.recipe.seeds] for b in blocks]
    row = _judge(name, config, blocks, steps)
    print(_line(row), file=sys.stderr, flush=True)
    return row


def _judge(name: str, config: Config, blocks: list[Block], steps: list[list[Step]]) -> Row:
    """`steps` holds the forecasters of each block, one a seed."""
    one_step, share, fed_back = [], [], []
    for block, forecasters in zip(blocks, steps, strict=True):
        last = windows_only(persistence)
        errors = [one_step_scores(config, block.judged, f).nrmse.mean() for f in (last, *forecasters)]
        rolled = [fed_back_errors(config, block.judged, f) for f in (last, *forecasters)]
        one_step.append(np.mean(errors[1:]))
        share.append(one_step[-1] / errors[0])
        fed_back.append(np.mean(rolled[1:], axis=0) / rolled[0])
    return Row(name, np.array(one_step), np.array(share), np.array(fed_back))
