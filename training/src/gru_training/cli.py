"""The commands: select, train, evaluate, export, reproduce, fixtures, timing."""

import argparse
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import torch

from gru_training import checkpoint, report
from gru_training.bundle import write_bundle
from gru_training.config import Config, load_candidates, load_config
from gru_training.data import Series, load_series
from gru_training.errors import TrainingError
from gru_training.evaluate import evaluate
from gru_training.fixtures.write import write_fixtures
from gru_training.overview import PROGRAM, TRAINING
from gru_training.selection import rank
from gru_training.timing import measure
from gru_training.train import train

HERE = Path(__file__).resolve().parents[2]


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit code: 0, 1 when the bar is not met, 2 when the input is wrong."""
    options = _parser().parse_args(arguments)
    # Two threads of one small network spin against each other, and one thread makes the sums' order repeatable.
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    try:
        code: int = options.run(options)
        return code
    except TrainingError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _select(options: argparse.Namespace) -> int:
    config = load_config(options.config)
    print(rank(config, load_series(options.train, config), load_candidates(options.candidates)))
    return 0


def _train(options: argparse.Namespace) -> int:
    config = load_config(options.config)
    series = load_series(options.train, config)
    for seed in config.recipe.seeds:
        trained = train(config, series, seed)
        origin = checkpoint.origin_of(config, series, seed)
        path = checkpoint.save(options.runs, config, checkpoint.Checkpoint(trained, origin))
        print(f"{path.name}: best epoch {trained.epoch}, validation {trained.validation:.5f}", file=sys.stderr)
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    config, training, test = _both(options)
    evaluation = evaluate(config, training, test, checkpoint.load_all(options.runs, config))
    print(report.tables(config, evaluation))
    if config.bar is None:
        return 0
    lines = report.checks(config, config.bar, evaluation)
    print(f"\n{report.verdict(lines)}")
    return 0 if all(line.passed for line in lines) else 1


def _export(options: argparse.Namespace) -> int:
    config = load_config(options.config)
    best = checkpoint.promoted(checkpoint.load_all(options.runs, config))
    write_bundle(options.out, config, best, load_series(options.test, config), _now())
    print(f"seed {best.origin.seed} exported, run {best.origin.run_id}", file=sys.stderr)
    return 0


def _reproduce(options: argparse.Namespace) -> int:
    # A model below the bar is not exported.
    return _train(options) or _evaluate(options) or _export(options)


def _fixtures(options: argparse.Namespace) -> int:
    write_fixtures(options.out, HERE / "lstm-small.toml")
    return 0


def _timing(options: argparse.Namespace) -> int:
    print(measure(options.out / "model.onnx"))
    return 0


def _both(options: argparse.Namespace) -> tuple[Config, Series, Series]:
    config = load_config(options.config)
    return config, load_series(options.train, config), load_series(options.test, config)


def _now() -> str:
    """The time that goes into the manifest; SOURCE_DATE_EPOCH (seconds) overrides the clock."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    moment = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=PROGRAM, description=__doc__)
    commands = parser.add_subparsers(required=True)

    def command(name: str, run: object, *paths: str) -> None:
        summary = TRAINING.commands[name]
        sub = commands.add_parser(name, help=summary, description=summary)
        sub.set_defaults(run=run)
        defaults = {
            "config": HERE / "poblesec.toml",
            "candidates": HERE / "candidates.toml",
            "runs": HERE / "runs",
            "out": HERE.parent / "models" / "gru",
        }
        for path in paths:
            default = defaults.get(path)
            sub.add_argument(f"--{path}", type=Path, default=default, required=default is None, metavar="PATH")

    command("select", _select, "config", "candidates", "train")
    command("train", _train, "config", "train", "runs")
    command("evaluate", _evaluate, "config", "train", "test", "runs")
    command("export", _export, "config", "test", "runs", "out")
    command("reproduce", _reproduce, "config", "train", "test", "runs", "out")
    command("timing", _timing, "out")
    fixtures = commands.add_parser("fixtures", help=TRAINING.commands["fixtures"])
    fixtures.set_defaults(run=_fixtures)
    fixtures.add_argument("--out", type=Path, default=HERE.parent / "test" / "fixtures" / "bundles", metavar="PATH")
    return parser
