"""Accuracy of one-step or n-step forecasts, in raw units."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Scores:
    """Each [targets]: RMSE / mean, MAE / mean, and the coefficient of determination."""

    nrmse: np.ndarray
    nmae: np.ndarray
    r2: np.ndarray


def score(truth: np.ndarray, forecast: np.ndarray, columns: list[int]) -> Scores:
    """Scores of the chosen columns; truth and forecast [n, features] in raw units."""
    true, error = truth[:, columns], forecast[:, columns] - truth[:, columns]
    mean = true.mean(axis=0)
    squared = np.square(error).mean(axis=0)
    return Scores(
        nrmse=np.sqrt(squared) / mean,
        nmae=np.abs(error).mean(axis=0) / mean,
        r2=1 - squared / true.var(axis=0),
    )


def mean_scores(scores: list[Scores]) -> Scores:
    """The mean over seeds, target by target."""
    return Scores(
        nrmse=np.mean([s.nrmse for s in scores], axis=0),
        nmae=np.mean([s.nmae for s in scores], axis=0),
        r2=np.mean([s.r2 for s in scores], axis=0),
    )
