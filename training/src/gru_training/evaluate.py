"""Runs the references and the trained seeds over the test file."""

from dataclasses import dataclass

import numpy as np

from gru_training.baselines import Forecast, fit_ridge, moving_average, persistence
from gru_training.checkpoint import Checkpoint, promoted
from gru_training.config import Config
from gru_training.data import Series, cut_windows
from gru_training.metrics import Scores, mean_scores, score
from gru_training.model import Forecaster, forecast
from gru_training.rollout import Step, roll

STEPS = (1, 5, 15, 30)
PERSISTENCE = "persistence (last row)"
RIDGE = "linear ridge over the window, raw"
RIDGE_ROOT = "linear ridge over the window, square root"


@dataclass(frozen=True)
class Evaluation:
    """`one_step` by method, the seeds included; `network` the mean of the seeds; `rolled` by method the avg NRMSE at each of
    `steps`, where the network's is the mean of the seeds'."""

    one_step: dict[str, Scores]
    network: Scores
    rolled: dict[str, list[float]]
    steps: tuple[int, ...]
    network_name: str
    promoted_name: str


def evaluate(config: Config, training: Series, test: Series, checkpoints: list[Checkpoint]) -> Evaluation:
    """Only the ridges are fitted here, on the training series. All windows lie wholly inside the test series."""
    references: dict[str, Forecast] = {
        PERSISTENCE: persistence,
        "exponential moving average, 0.5": moving_average,
        RIDGE: fit_ridge(config, training, root=False),
        RIDGE_ROOT: fit_ridge(config, training, root=True),
    }
    methods = {name: windows_only(method) for name, method in references.items()}
    seeds = {_seed_name(config, c): network_step(c.trained.model) for c in checkpoints}
    one_step = {name: one_step_scores(config, test, step) for name, step in (methods | seeds).items()}
    rolled = {name: fed_back_errors(config, test, step) for name, step in (methods | seeds).items()}
    network_name = f"{_network_name(config)}, mean of {len(seeds)} seeds"
    rolled[network_name] = np.mean([rolled.pop(name) for name in seeds], axis=0).tolist()
    return Evaluation(
        one_step=one_step,
        network=mean_scores([one_step[name] for name in seeds]),
        rolled=rolled,
        steps=STEPS,
        network_name=network_name,
        promoted_name=_seed_name(config, promoted(checkpoints)),
    )


def one_step_scores(config: Config, series: Series, step: Step) -> Scores:
    """Scores over every window of the series whose next row lies in it."""
    windows = cut_windows(series, config.data.window)
    return score(windows.following[:, 0], step(windows.window, windows.minute), config.target_columns)


def fed_back_errors(config: Config, series: Series, step: Step) -> list[float]:
    """avg NRMSE at each of STEPS, over the windows whose next STEPS[-1] rows all lie in the series."""
    windows = cut_windows(series, config.data.window, STEPS[-1])
    answers = roll(step, windows.window, windows.minute, STEPS[-1], config.data.frequency_seconds)
    return [float(score(windows.following[:, n - 1], answers[:, n - 1], config.target_columns).nrmse.mean()) for n in STEPS]


def network_step(model: Forecaster) -> Step:
    return lambda window, minute: forecast(model, window, minute)


def windows_only(method: Forecast) -> Step:
    """A reference looks at no clock."""
    return lambda window, minute: method(window)


def _network_name(config: Config) -> str:
    return f"{config.model.cell} {config.model.hidden} x {config.model.layers}"


def _seed_name(config: Config, checkpoint: Checkpoint) -> str:
    return f"{_network_name(config)}, seed {checkpoint.trained.seed}"
