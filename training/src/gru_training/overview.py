"""The commands by name, with the environment that each needs. Imports nothing that only one of the environments has."""

from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True)
class Environment:
    """`setup` makes `folder`; `module` runs the commands, and imports what only this environment has."""

    module: str
    folder: str
    setup: str
    commands: dict[str, str]


TRAINING = Environment(
    "gru_training.cli",
    "training/.venv",
    "training/setup.sh",
    {
        "select": "rank recipes on training rows alone",
        "train": "train every seed into the runs folder",
        "evaluate": "print the tables and the bar",
        "export": "write the bundle of the best seed",
        "reproduce": "train, evaluate, export",
        "timing": "time the bundle's graph beside its recurrent operators alone",
        "fixtures": "write the small bundles that the service's tests load",
    },
)
REGISTRY = Environment(
    "gru_training.registry.cli",
    "training/.venv-registry",
    "training/setup.sh registry",
    {
        "register": "log a bundle as a run of MLflow and register it as the next version of its model",
        "promote": "move the alias to a version that beats the promoted one, and send the promotion event",
    },
)
ENVIRONMENTS = (TRAINING, REGISTRY)
PROGRAM = "python -m gru_training"


def overview() -> str:
    """What `--help` prints in either environment."""
    lines = [f"usage: {PROGRAM} COMMAND [options]", f"       {PROGRAM} COMMAND --help"]
    for environment in ENVIRONMENTS:
        lines += ["", f"in {environment.folder}, which {environment.setup} makes:"]
        lines += [f"  {name:<10} {summary}" for name, summary in environment.commands.items()]
    return "\n".join(lines)


def environment_of(command: str) -> Environment | None:
    return next((environment for environment in ENVIRONMENTS if command in environment.commands), None)


def no_such_command(command: str) -> str:
    """The line for a command that there is not, with the one that may have been meant."""
    names = [name for environment in ENVIRONMENTS for name in environment.commands]
    close = get_close_matches(command, names, 1)
    meant = f" (did you mean {close[0]}?)" if close else ""
    return f"error: there is no command {command}{meant}: see {PROGRAM} --help"


def not_here(command: str, environment: Environment, module: str | None) -> str:
    """The line for a command of the other environment."""
    python = f"{environment.folder}/bin/python"
    return f"error: {command} needs {python}, which {environment.setup} makes: this Python has no module {module}"
