"""The service's own check of a bundle: what no replica would load must not be registered or promoted."""

import json
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gru_training.errors import TrainingError

REPOSITORY = Path(__file__).resolve().parents[4]
BUILT = REPOSITORY / "dist" / "check.js"
# Seconds. The check ends by itself within the limits of its settings, of which the longest is ten minutes.
_PATIENCE = 900
# Exit code of a bundle that was refused. With others but 0 nothing is known of it: a setting, or what surrounds the check.
_REFUSED = 1


class RefusedError(TrainingError):
    """No replica would take the bundle live. The line has the service's reason."""


@dataclass(frozen=True)
class Check:
    """A command that takes `--json`, `--address URI` and the folder of a bundle, as `dist/check.js` of the service does;
    empty where nothing is to be checked."""

    command: tuple[str, ...]
    tracking_uri: str

    def of(self, folder: Path, address: str | None = None) -> None:
        """Throws RefusedError where the bundle, or the address that the registry has for it, is refused, and TrainingError
        where that cannot be told."""
        if not self.command:
            print("warning: the service's check of the bundle was left out (--no-check)", file=sys.stderr)
            return
        options = ["--json", *([] if address is None else ["--address", address])]
        code, verdict = self._verdict([*self.command, *options, "--", str(folder)])
        line = f"{verdict.get('reason')}: {verdict.get('message')}"
        if code == _REFUSED:
            raise RefusedError(f"the service refuses the bundle: {line}")
        if code != 0:
            raise TrainingError(f"the service's check could not be made: {line}")

    def _verdict(self, command: list[str]) -> tuple[int, dict[str, Any]]:
        # What the check compares an address with is the server that this program was told to use.
        environment = {**os.environ, "MLFLOW_TRACKING_URI": self.tracking_uri}
        title = f"the service's check ({shlex.join(self.command)})"
        try:
            ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=_PATIENCE, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            cause = error.strerror if isinstance(error, OSError) else f"no end within {_PATIENCE} s"
            raise TrainingError(f"{title} cannot be run: {cause}; --no-check does without") from error
        try:
            verdict = json.loads(ended.stdout)
        except ValueError:
            verdict = None
        # What says that a bundle is good must say it twice.
        if not isinstance(verdict, dict) or (verdict.get("ok") is True) != (ended.returncode == 0):
            last = " ".join(ended.stderr.split())[-200:]
            raise TrainingError(f"{title} ended with {ended.returncode} and without a verdict: {last or 'it printed nothing'}")
        return ended.returncode, verdict


def check_with(command: str | None, tracking_uri: str, *, left_out: bool) -> Check:
    """`command`: as a shell writes it; None for that of the repository. Throws TrainingError where there is none."""
    if left_out:
        return Check((), tracking_uri)
    if command is not None:
        try:
            return Check(tuple(shlex.split(command)), tracking_uri)
        except ValueError as error:
            raise TrainingError(f"--check or GRU_CHECK is no command of a shell: {error}") from error
    if not BUILT.is_file():
        raise TrainingError(
            f"the service's check is not built ({BUILT}): run `npm ci && npm run build`, name a command with --check or "
            "GRU_CHECK, or do without by --no-check"
        )
    return Check(("node", str(BUILT)), tracking_uri)
