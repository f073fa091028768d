"""Metrics and baselines against numbers worked out by hand."""

import numpy as np

from gru_training.baselines import fit_ridge, moving_average, persistence
from gru_training.config import BarConfig, Config
from gru_training.data import Series, cut_windows
from gru_training.evaluate import PERSISTENCE, RIDGE, Evaluation
from gru_training.metrics import Scores, mean_scores, score
from gru_training.report import checks, verdict
from gru_training.rollout import roll


def test_scores_of_three_forecasts() -> None:
    truth = np.array([[9.0, 1.0], [9.0, 2.0], [9.0, 6.0]])
    answer = np.array([[9.0, 2.0], [9.0, 2.0], [9.0, 4.0]])
    scores = score(truth, answer, [1])
    # Errors 1, 0, -2; mean of the truth 3, its deviations -2, -1, 3.
    np.testing.assert_allclose(scores.nrmse, [np.sqrt(5 / 3) / 3])
    np.testing.assert_allclose(scores.nmae, [1 / 3])
    np.testing.assert_allclose(scores.r2, [1 - 5 / 14])


def test_mean_of_seeds_is_taken_target_by_target() -> None:
    one, two = (Scores(np.array([v, 1.0]), np.array([v, 1.0]), np.array([v, 1.0])) for v in (0.2, 0.4))
    np.testing.assert_allclose(mean_scores([one, two]).nrmse, [0.3, 1.0])


def test_persistence_and_moving_average() -> None:
    window = np.array([[[8.0], [4.0], [2.0]]])
    assert persistence(window).tolist() == [[2.0]]
    # 8, then (8 + 4) / 2 = 6, then (6 + 2) / 2 = 4.
    assert moving_average(window).tolist() == [[4.0]]


def test_ridge_finds_a_linear_rule(lstm_config: Config) -> None:
    generator = np.random.default_rng(0)
    values = generator.uniform(1, 9, (400, 3))
    # Each row is the mean of the two before it, up to a little noise.
    for n in range(2, 400):
        values[n] = (values[n - 1] + values[n - 2]) / 2 + generator.normal(0, 0.5, 3)
    series = Series(np.arange(400) * 300, values - values.min() + 1)
    windows = cut_windows(series, lstm_config.data.window)
    for root in (False, True):
        answer = fit_ridge(lstm_config, series, root)(windows.window)
        assert score(windows.following[:, 0], answer, [0, 1, 2]).r2.min() > 0.5


def test_rollout_feeds_rows_and_minutes_back() -> None:
    seen = []

    def step(window: np.ndarray, minute: np.ndarray) -> np.ndarray:
        seen.append(minute[0].tolist())
        return window.sum(axis=1)

    rows = roll(step, np.array([[[1.0], [2.0]]]), np.array([[10, 15]]), 3, 300)
    assert rows[0].tolist() == [[3.0], [5.0], [8.0]]
    assert seen == [[10, 15], [15, 20], [20, 25]]


def test_bar_passes_and_fails_line_by_line(lstm_config: Config) -> None:
    bar = BarConfig(0.5, 0.3, 0.1, 0.02, (5,), 0.15)
    network = Scores(np.array([0.4, 0.51]), np.array([0.2, 0.2]), np.array([0.7, 0.7]))
    last = Scores(np.array([0.6, 0.5]), np.array([0.4, 0.4]), np.array([0.5, 0.5]))
    rolled = {PERSISTENCE: [0.6, 1.0], "net": [0.5, 0.9]}
    evaluation = Evaluation({PERSISTENCE: last, RIDGE: last}, network, rolled, (1, 5), "net", "net")
    lines = checks(lstm_config, bar, evaluation)
    # The second target is above persistence, and five steps fed back are 10 % below it, not 15 %.
    failed = [line.promise for line in lines if not line.passed]
    assert failed == ["NRMSE of wind_speed, below persistence", "step 5 fed back, 15% below persistence"]
    assert verdict(lines).count("FAIL") == 2
