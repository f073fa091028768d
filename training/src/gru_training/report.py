"""Prints an evaluation as Markdown, and holds it against the bar."""

from dataclasses import dataclass

from gru_training.config import BarConfig, Config
from gru_training.evaluate import PERSISTENCE, RIDGE, Evaluation
from gru_training.metrics import Scores


@dataclass(frozen=True)
class Check:
    """One line of the bar: a measured value and the most it may be."""

    promise: str
    value: float
    limit: float

    @property
    def passed(self) -> bool:
        return self.value <= self.limit


def tables(config: Config, evaluation: Evaluation) -> str:
    """One step, target by target, and fed back."""
    return "\n\n".join([_one_step(config, evaluation), _targets(config, evaluation), _fed_back(config, evaluation)])


def checks(config: Config, bar: BarConfig, evaluation: Evaluation) -> list[Check]:
    """Every line of the bar, for the mean of the seeds."""
    network, persistence = evaluation.network, evaluation.one_step[PERSISTENCE]
    nrmse, last = float(network.nrmse.mean()), float(persistence.nrmse.mean())
    ridge = float(evaluation.one_step[RIDGE].nrmse.mean())
    lines = [
        Check("avg NRMSE", nrmse, bar.nrmse),
        Check(f"avg NRMSE, {bar.below_persistence:.0%} below persistence", nrmse, last * (1 - bar.below_persistence)),
        Check(f"avg NRMSE, {bar.below_ridge:.0%} below the raw ridge", nrmse, ridge * (1 - bar.below_ridge)),
        Check("nMAE", float(network.nmae.mean()), bar.nmae),
    ]
    lines += [
        Check(f"NRMSE of {name}, below persistence", float(network.nrmse[n]), float(persistence.nrmse[n]))
        for n, name in enumerate(config.data.targets)
    ]
    share = bar.rollout_below_persistence
    for step in bar.rollout_steps:
        at = evaluation.steps.index(step)
        limit = evaluation.rolled[PERSISTENCE][at] * (1 - share)
        value = evaluation.rolled[evaluation.network_name][at]
        lines.append(Check(f"step {step} fed back, {share:.0%} below persistence", value, limit))
    return lines


def verdict(lines: list[Check]) -> str:
    rows = [f"| {'PASS' if c.passed else 'FAIL'} | {c.promise} | {c.value:.4f} | {c.limit:.4f} |" for c in lines]
    return "\n".join(["| bar | promise | measured | at most |", "|---|---|---|---|", *rows])


def _one_step(config: Config, evaluation: Evaluation) -> str:
    rows = {**evaluation.one_step, evaluation.network_name: evaluation.network}
    persistence = float(evaluation.one_step[PERSISTENCE].nrmse.mean())
    lines = [
        f"| one step, test file | avg{len(config.data.targets)} NRMSE | against persistence | nMAE | R² |",
        "|---|---|---|---|---|",
    ]
    for name, s in rows.items():
        change = float(s.nrmse.mean()) / persistence - 1
        mark = " (promoted)" if name == evaluation.promoted_name else ""
        lines.append(f"| {name}{mark} | {s.nrmse.mean():.4f} | {change:+.1%} | {s.nmae.mean():.4f} | {s.r2.mean():.4f} |")
    return "\n".join(lines)


def _targets(config: Config, evaluation: Evaluation) -> str:
    rows: dict[str, Scores] = {
        PERSISTENCE: evaluation.one_step[PERSISTENCE],
        RIDGE: evaluation.one_step[RIDGE],
        evaluation.network_name: evaluation.network,
    }
    lines = [
        "| NRMSE by target | " + " | ".join(config.data.targets) + " |",
        "|---" * (len(config.data.targets) + 1) + "|",
    ]
    lines += [f"| {name} | " + " | ".join(f"{v:.4f}" for v in s.nrmse) + " |" for name, s in rows.items()]
    return "\n".join(lines)


def _fed_back(config: Config, evaluation: Evaluation) -> str:
    head = " | ".join(f"step {step}" for step in evaluation.steps)
    lines = [f"| fed back, avg{len(config.data.targets)} NRMSE | {head} |", "|---" * (len(evaluation.steps) + 1) + "|"]
    lines += [f"| {name} | " + " | ".join(f"{v:.4f}" for v in row) + " |" for name, row in evaluation.rolled.items()]
    return "\n".join(lines)
