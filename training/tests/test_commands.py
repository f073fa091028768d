"""`python -m gru_training --help` and a wrong command lead on in either environment, whatever that lacks."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SOURCES = Path(__file__).resolve().parents[1] / "src"
LACKING = {"training": ["mlflow", "boto3", "confluent_kafka", "requests"], "registry": ["torch", "onnx", "onnxruntime"]}
COMMANDS = ["select", "train", "evaluate", "export", "reproduce", "timing", "fixtures", "register", "promote"]


def run(environment: str, *arguments: str) -> subprocess.CompletedProcess:
    """The program as in an environment that lacks the other one's packages."""
    lines = ["import runpy, sys", f"for name in {LACKING[environment]}: sys.modules[name] = None"]
    lines += [f"sys.argv = ['gru_training', *{list(arguments)!r}]", "runpy.run_module('gru_training', run_name='__main__')"]
    return subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        env={**os.environ, "PYTHONPATH": str(SOURCES)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("environment", LACKING)
def test_help_lists_every_command_and_where_it_runs(environment: str) -> None:
    for flag in ("--help", "-h"):
        shown = run(environment, flag)
        assert (shown.returncode, shown.stderr) == (0, "")
        assert all(f"\n  {command} " in shown.stdout for command in COMMANDS)
        assert "in training/.venv-registry, which training/setup.sh registry makes:" in shown.stdout
    nothing = run(environment)
    assert (nothing.returncode, nothing.stdout, nothing.stderr) == (2, "", shown.stdout)


@pytest.mark.parametrize("environment", LACKING)
def test_a_misspelt_command_gets_the_one_that_was_meant(environment: str) -> None:
    wrong = run(environment, "promot", "--name", "x")
    assert wrong.returncode == 2
    assert wrong.stderr == ("error: there is no command promot (did you mean promote?): see python -m gru_training --help\n")
    assert run(environment, "xyz").stderr.startswith("error: there is no command xyz: see ")


def test_a_command_of_the_other_environment_says_which_that_is() -> None:
    train = run("registry", "train", "--help")
    assert train.returncode == 2
    assert train.stderr == (
        "error: train needs training/.venv/bin/python, which training/setup.sh makes: this Python has no module torch\n"
    )
    register = run("training", "register")
    assert register.returncode == 2
    assert register.stderr.startswith(
        "error: register needs training/.venv-registry/bin/python, which training/setup.sh registry makes"
    )
