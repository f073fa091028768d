"""The training loop: one model, one seed."""

import copy
import sys
from dataclasses import dataclass

import torch
from torch import Tensor

from gru_training.config import Config
from gru_training.data import Series
from gru_training.errors import TrainingError
from gru_training.model import Forecaster
from gru_training.scaling import fit_scaling


@dataclass(frozen=True)
class Trained:
    """`validation` is the lowest weighted loss on the last rows of the training series: what seeds are compared by."""

    model: Forecaster
    seed: int
    validation: float
    epoch: int


@dataclass(frozen=True)
class Samples:
    """The training series, prepared once. Windows are gathered by their first row, so no row is stored ten times."""

    sequence: Tensor
    beside: Tensor
    roots: Tensor
    window: int

    def batch(self, starts: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        rows = starts[:, None] + torch.arange(self.window)
        return self.sequence[rows], self.beside[rows], self.roots[starts + self.window]


def train(config: Config, series: Series, seed: int) -> Trained:
    """Fits the scaling and the weights on `series` alone; stops at the epoch that does best on its last rows."""
    torch.manual_seed(seed)
    recipe, window = config.recipe, config.data.window
    split = round(len(series) * (1 - recipe.validation_share))
    if split <= window or len(series) - split < 1:
        raise TrainingError(f"{len(series)} rows are too few to train on")
    # The scaling sees no validation row either, so that early stopping is judged on unseen data as in service.
    model = Forecaster(config, fit_scaling(config, series.values[:split]))
    samples = _samples(model, series, window)
    fitting, validation = torch.arange(split - window), torch.arange(split - window, len(series) - window)
    weights = torch.ones(len(config.features))
    weights[config.target_columns] = recipe.target_weight
    weights /= weights.sum()
    best, best_loss, best_epoch = copy.deepcopy(model.state_dict()), float("inf"), 0
    optimizer = torch.optim.AdamW(model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    steps = -(-len(fitting) // recipe.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.learning_rate, total_steps=recipe.epochs * steps)
    for epoch in range(1, recipe.epochs + 1):
        model.train()
        for starts in torch.randperm(len(fitting)).split(recipe.batch):
            optimizer.zero_grad()
            _loss(model, samples, starts, weights).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
            optimizer.step()
            schedule.step()
        loss = _validate(model, samples, validation, weights)
        print(f"seed {seed} epoch {epoch}: validation {loss:.5f}", file=sys.stderr, flush=True)
        if loss < best_loss:
            best, best_loss, best_epoch = copy.deepcopy(model.state_dict()), loss, epoch
    model.load_state_dict(best)
    return Trained(model, seed, best_loss, best_epoch)


def _samples(model: Forecaster, series: Series, window: int) -> Samples:
    with torch.no_grad():
        values = torch.from_numpy(series.values)
        sequence, beside = model.prepare(values, torch.from_numpy(series.minutes))
        return Samples(sequence, beside, model.standard_roots(values).float(), window)


def _loss(model: Forecaster, samples: Samples, starts: Tensor, weights: Tensor) -> Tensor:
    sequence, beside, roots = samples.batch(starts)
    return (torch.square(model.roots(sequence, beside) - roots).mean(dim=0) * weights).sum()


def _validate(model: Forecaster, samples: Samples, starts: Tensor, weights: Tensor) -> float:
    model.eval()
    with torch.no_grad():
        losses = [float(_loss(model, samples, part, weights)) * len(part) for part in starts.split(1024)]
    return sum(losses) / len(starts)
