"""The commands register and promote. Settings that are not flags are those of MLflow's and of AWS's clients."""

import argparse
import json
import os
import sys
from pathlib import Path

from gru_training.errors import TrainingError
from gru_training.overview import PROGRAM, REGISTRY
from gru_training.registry.bundle import read_bundle
from gru_training.registry.check import REPOSITORY, Check, check_with
from gru_training.registry.client import connect
from gru_training.registry.event import EventNotSentError, send
from gru_training.registry.promote import NotBetterError, Request, promote
from gru_training.registry.register import register


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit code: 0; 1 when the candidate is not better; 2 when the input is wrong, the service refuses the bundle,
    or a store does not do its part; 3 when the version is promoted and the event was not sent."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
        return code
    except TrainingError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1 if isinstance(error, NotBetterError) else 2


def _register(options: argparse.Namespace) -> int:
    uri = _setting(options.tracking_uri, "--tracking-uri", "MLFLOW_TRACKING_URI")
    client = connect(uri)
    bundle = read_bundle(options.bundle)
    _check(options, uri).of(bundle.folder)
    name = options.name or bundle.manifest["name"]
    version = register(client, bundle, name, options.experiment or name)
    score = {} if bundle.score is None else {bundle.score.metric: bundle.score.value}
    registered = {"name": name, "version": version.version, "run_id": version.run_id, "sha256": bundle.sha256, **score}
    print(json.dumps(registered))
    return 0


def _promote(options: argparse.Namespace) -> int:
    uri = _setting(options.tracking_uri, "--tracking-uri", "MLFLOW_TRACKING_URI")
    client = connect(uri)
    brokers = _setting(options.brokers, "--brokers", "KAFKA_BROKERS")
    request = Request(options.name, options.version, options.alias, options.force)
    promotion = promote(client, request, _check(options, uri))
    try:
        print(send(brokers, options.topic, promotion))
        return 0
    except EventNotSentError as error:
        # Services ask the registry by themselves, only later; the command given once more sends the event.
        print(f"warning: version {promotion.version} is promoted, but the event was not sent: {error}", file=sys.stderr)
        return 3


def _check(options: argparse.Namespace, tracking_uri: str) -> Check:
    return check_with(options.check or os.environ.get("GRU_CHECK") or None, tracking_uri, left_out=options.no_check)


def _setting(flag: str | None, flag_name: str, variable: str) -> str:
    value = flag or os.environ.get(variable)
    if not value:
        raise TrainingError(f"set {variable} or pass {flag_name}")
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=PROGRAM, description=__doc__)
    commands = parser.add_subparsers(required=True)
    summary = REGISTRY.commands["register"]
    add = commands.add_parser("register", help=summary, description=summary)
    add.set_defaults(run=_register)
    add.add_argument("--bundle", type=Path, default=REPOSITORY / "models" / "gru", metavar="PATH")
    add.add_argument("--name", help="of the model in the registry (default: the manifest's)")
    add.add_argument("--experiment", help="that the run belongs to (default: the model's name)")

    summary = REGISTRY.commands["promote"]
    move = commands.add_parser("promote", help=summary, description=summary)
    move.set_defaults(run=_promote)
    move.add_argument("--name", required=True, help="of the model in the registry, as register printed it")
    move.add_argument("--version", required=True, help="that the alias is moved to, as register printed it")
    move.add_argument("--alias", default="promoted", help="(default: promoted)")
    move.add_argument("--force", action="store_true", help="also if its score is not lower than that of the promoted one")
    move.add_argument("--brokers", metavar="HOST:PORT,...", help="of Kafka (default: KAFKA_BROKERS)")
    move.add_argument("--topic", default="model-promotions", help="of the event (default: model-promotions)")
    for command in (add, move):
        command.add_argument("--tracking-uri", metavar="URL", help="of MLflow (default: MLFLOW_TRACKING_URI)")
        checks = command.add_mutually_exclusive_group()
        checks.add_argument(
            "--check",
            metavar="COMMAND",
            help="that checks a bundle as the service does (default: GRU_CHECK, or dist/check.js here)",
        )
        checks.add_argument("--no-check", action="store_true", help="do without, with a warning")
    return parser
