"""first_model.py BUNDLE NAME: registers and promotes a bundle, unless a version of the model is promoted already.

So that a new system has a model to serve. Reads the variables of `register` and `promote`; ends as they do.
"""

import json
import subprocess
import sys

from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient


def promoted(name: str) -> str | None:
    """Return the promoted version; None where there is no such model or alias. Raises if MLflow does not say."""
    try:
        return str(MlflowClient().get_model_version_by_alias(name, "promoted").version)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


def training(*arguments: str) -> str:
    """Run a command of training/ and return what it printed; ends as it does, should it fail."""
    command = [sys.executable, "-m", "gru_training", *arguments]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if ended.returncode != 0:
        sys.exit(ended.returncode)
    return ended.stdout


def main() -> None:
    """Register and promote where nothing is promoted."""
    bundle, name = sys.argv[1:]
    try:
        version = promoted(name)
    except MlflowException as error:
        sys.exit(f"first_model: {error}")
    if version is not None:
        print(f"version {version} of {name} is promoted")
        return
    registered = json.loads(training("register", "--bundle", bundle, "--name", name))
    print(training("promote", "--name", name, "--version", registered["version"]), end="")


main()
