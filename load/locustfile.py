"""Locust's side of the cross-check: the same bodies and the same checks as the benchmark's own load generator.

Alone, with the golden windows of models/gru::

    locust -f load/locustfile.py --host http://127.0.0.1:8080

`npm run bench -- --generator locust` starts a master and load workers with the options below (docs/guides/bench-locust.md).
"""

import itertools
import json
import logging
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gevent
from locust import FastHttpUser, events, task
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.exception import StopUser
from locust.runners import MasterRunner, Runner, WorkerRunner
from locust.stats import CSV_STATS_INTERVAL_SEC
from locust.web import WebUI

BUNDLE = Path(__file__).resolve().parent.parent / "models" / "gru"

# What requests are called by the time at which they end: a row each in Locust's statistics.
WARM_UP, MEASURED, AFTER = "/predict (warm-up)", "/predict", "/predict (after)"

# The message of a load worker to the master when its measured interval is over.
OVER = "interval-over"

HEADERS = {"content-type": "application/json"}

# A target that refuses connections is not asked again at once, by each of hundreds of users.
BACK_OFF_SECONDS = 0.1

# Time in which the load workers must be ready again after a run.
READY_SECONDS = 60

# Parts of the warm-up whose throughputs are compared, to see whether it was steady.
WARM_UP_PARTS = 4

# Time between two looks at how late this process's event loop is.
LAG_EVERY_SECONDS = 0.02

# A forecast row: of each feature its value and how far off an answer may be.
Row = dict[str, tuple[float, float]]


@dataclass(frozen=True)
class Case:
    """A body and the first rows that must come back for it; none where the payload does not say them."""

    body: str
    expected: list[Row]
    version: str | None = None

    def fault(self, text: str | None) -> str | None:
        """Return what is wrong with the answer, if anything is."""
        try:
            answer = json.loads(text or "")
            if self.version is not None and answer["model_version"] != self.version:
                return f"wrong: answered by model {answer['model_version']}, not {self.version}"
            for step, (want, got) in enumerate(zip(self.expected, answer["predictions"], strict=False), 1):
                for feature, (value, allowed) in want.items():
                    if not abs(got[feature] - value) <= allowed:
                        return f"wrong: {feature} of step {step}"
            return "wrong: too few steps" if len(answer["predictions"]) < len(self.expected) else None
        except (ValueError, KeyError, TypeError):
            return "wrong: not a forecast"


def golden_cases(bundle: Path, steps: int) -> list[Case]:
    """Return the golden windows of a model bundle as requests, each with the trainer's own forecast."""
    manifest = json.loads((bundle / "model.json").read_text())
    golden = json.loads((bundle / "golden.json").read_text())
    names = [feature["name"] for feature in manifest["features"]]
    relative, absolute = golden["tolerance"]["relative"], golden["tolerance"]["absolute"]
    cases = []
    for window in golden["windows"]:
        columns = dict(zip(names, map(list, zip(*window["window"], strict=True)), strict=True))
        body: dict[str, Any] = {"index_col": "ts", "data": {"ts": window["time"], **columns}}
        if steps > 1:
            body["inference_length"] = steps
        limits = [max(abs(v) * relative, a) for v, a in zip(window["forecast"], absolute, strict=True)]
        row = dict(zip(names, zip(window["forecast"], limits, strict=True), strict=True))
        cases.append(Case(json.dumps(body, separators=(",", ":")), [row], manifest["version"]))
    return cases


def payload_cases(path: Path) -> list[Case]:
    """Read a payload, one case a line: a body as it is, or the benchmark's `{"body", "expected", "version"}`."""
    cases = []
    for line in path.read_text().splitlines():
        parsed = json.loads(line)
        if isinstance(parsed, dict) and isinstance(parsed.get("body"), str):
            cases.append(Case(parsed["body"], parsed["expected"], parsed.get("version")))
        else:
            cases.append(Case(line, []))
    if not cases:
        raise ValueError(f"{path} holds no body")
    return cases


@dataclass
class Tally:
    """How requests ended in one phase. Locust's own figures tell failures apart by their text only."""

    statuses: Counter[int] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    checked: int = 0
    mismatched: int = 0

    @property
    def ok(self) -> int:
        """Return the number of 2xx answers."""
        return sum(count for status, count in self.statuses.items() if is_ok(status))


def is_ok(status: int) -> bool:
    """Return whether a status is of an answer that is meant to be one."""
    return status // 100 == 2  # noqa: PLR2004


class Load:
    """What the users of this process share: whose turn it is, which answers are compared, which phase it is."""

    def __init__(self, environment: Environment) -> None:
        assert environment.runner is not None
        self.environment = environment
        self.runner = environment.runner
        self.phase = MEASURED
        self.cases: Iterator[Case] = iter(())
        self.answers = itertools.count(1)
        self._reset()

    def _reset(self) -> None:
        self.sent = 0
        self.tallies = {phase: Tally() for phase in (WARM_UP, MEASURED, AFTER)}
        self._begin_parts(1)

    @property
    def options(self) -> Namespace:
        """The options of the run: a load worker has the master's from the moment when it starts its users."""
        assert self.environment.parsed_options is not None
        return self.environment.parsed_options

    def prepare(self, **_: object) -> None:
        """Read the payload before the first user sends it."""
        payload, steps = self.options.payload, self.options.steps
        try:
            cases = payload_cases(Path(payload)) if payload else golden_cases(BUNDLE, steps)
        except (OSError, ValueError) as error:
            # Locust would log any other exception and go on.
            logging.critical("the payload cannot be read: %s", error)
            raise SystemExit(2) from error
        self.cases = itertools.cycle(cases)
        self.answers = itertools.count(1)
        self.phase = WARM_UP if self.options.interval_ms else MEASURED
        self._reset()

    def is_checked(self) -> bool:
        """Whether this answer, the next one, is to be compared with its forecast."""
        return next(self.answers) % self.options.check_every == 0

    def start_clock(self, **_: object) -> None:
        """Begin the warm-up: the master says to all load workers at once that every user is there."""
        if self.options.interval_ms:
            gevent.spawn(self._run_interval)

    def answered(self, status: int, *, checked: bool, wrong: bool) -> None:
        """Count an answer."""
        tally = self.tallies[self.phase]
        tally.statuses[status] += 1
        tally.checked += checked
        tally.mismatched += wrong
        if is_ok(status) and not wrong:
            part = int((time.monotonic() - self.began) / self.part_seconds)
            self.parts.extend([0] * (part + 1 - len(self.parts)))
            self.parts[part] += 1

    def unanswered(self, kind: str) -> None:
        """Count a request that brought no answer."""
        self.tallies[self.phase].errors[kind] += 1

    def _begin_parts(self, seconds: float) -> None:
        """Begin to count good answers in parts of so many seconds each."""
        self.began = time.monotonic()
        self.part_seconds = seconds
        self.parts: list[int] = []

    def _whole_parts(self, count: int) -> list[int]:
        return (self.parts + [0] * count)[:count]

    def _run_interval(self) -> None:
        warm_up, interval = self.options.warm_up_ms / 1000, self.options.interval_ms / 1000
        self._begin_parts(max(warm_up, 0.001) / WARM_UP_PARTS)
        gevent.sleep(warm_up)
        report("interval-begins", warmUp=self._whole_parts(WARM_UP_PARTS))
        lags: list[float] = []
        watch = gevent.spawn(watch_lag, lags)
        self.phase = MEASURED
        self._begin_parts(1)
        gevent.sleep(interval)
        elapsed = time.monotonic() - self.began
        self.phase = AFTER
        watch.kill()
        report(
            "interval-ends",
            elapsedMs=elapsed * 1000,
            users=self.runner.user_count,
            lagP99Ms=sorted(lags)[int(0.99 * len(lags))] if lags else 0,
            perSecond=self._whole_parts(int(elapsed)),
            **vars(self.tallies[MEASURED]),
        )
        self.runner.send_message(OVER)

    def report_whole(self, **_: object) -> None:
        """Tell what became of every request, when all users have stopped."""
        if not self.options.interval_ms:
            return
        tallies = self.tallies.values()
        completed = sum(tally.statuses.total() for tally in tallies)
        errors = sum(tally.errors.total() for tally in tallies)
        ok = sum(tally.ok for tally in tallies)
        report("whole", ok=ok, completed=completed, errors=errors, lost=self.sent - completed - errors)


def watch_lag(lags: list[float]) -> None:
    """Note how many ms late this process's event loop comes back to one who sleeps, again and again."""
    while True:
        asleep = time.monotonic()
        gevent.sleep(LAG_EVERY_SECONDS)
        lags.append((time.monotonic() - asleep - LAG_EVERY_SECONDS) * 1000)


def report(event: str, **facts: object) -> None:
    """Tell the benchmark, which reads this process's output."""
    print(json.dumps({"bench": event, **facts}), flush=True)


def end_after_intervals(runner: Runner, web_ui: WebUI | None) -> None:
    """Let a run end when the measured intervals of all its processes are over."""
    over: set[str] = set()

    def finish() -> None:
        load_workers = runner.worker_count if isinstance(runner, MasterRunner) else 0
        runner.stop()
        # Locust writes its CSV files once a second and not at the end: what came last must get into them.
        gevent.sleep(2 * CSV_STATS_INTERVAL_SEC)
        # The master forgets a load worker that has stopped until it is ready again, --stop-timeout later, and only those that
        # it knows are told to end.
        with gevent.Timeout(READY_SECONDS, False):
            while isinstance(runner, MasterRunner) and len(runner.clients.ready) < load_workers:
                gevent.sleep(0.1)
        runner.quit()
        if web_ui:
            web_ui.stop()

    def on_over(msg: Any, **_: object) -> None:
        over.add(msg.node_id)
        if len(over) == (runner.worker_count if isinstance(runner, MasterRunner) else 1):
            gevent.spawn(finish)

    runner.register_message(OVER, on_over)


@events.init_command_line_parser.add_listener
def add_options(parser: LocustArgumentParser) -> None:
    """Add our options; `--help` lists them, and so does Locust's web page."""
    group = parser.add_argument_group("GRU forecasts")
    group.add_argument("--payload", default="", help="file with a body a line; default: the golden windows of models/gru")
    group.add_argument("--steps", type=int, default=1, help="inference_length of the default bodies")
    group.add_argument("--think-ms", type=float, default=0, help="time a user waits between an answer and the next request")
    group.add_argument("--check-every", type=int, default=50, help="compare one in so many answers with its forecast")
    group.add_argument("--warm-up-ms", type=float, default=0, help="time before the measured interval, counted apart")
    group.add_argument(
        "--interval-ms",
        "--window-ms",
        type=float,
        default=0,
        help="length of the measured interval, which ends the run; 0: none",
    )


@events.init.add_listener
def on_init(environment: Environment, web_ui: WebUI | None, **_: object) -> None:
    """Set up this process: a master only counts intervals, a load worker only sends, a process alone does both."""
    assert environment.runner is not None
    if not isinstance(environment.runner, WorkerRunner):
        end_after_intervals(environment.runner, web_ui)
    if not isinstance(environment.runner, MasterRunner):
        Caller.load = Load(environment)
        environment.events.test_start.add_listener(Caller.load.prepare)
        environment.events.spawning_complete.add_listener(Caller.load.start_clock)
        environment.events.test_stop.add_listener(Caller.load.report_whole)


class Caller(FastHttpUser):
    """A user with one connection, who asks, waits for the answer, thinks, and asks again."""

    concurrency = 1
    connection_timeout = 10.0
    network_timeout = 10.0
    load: Load

    def wait_time(self) -> float:
        """Return the think time in seconds."""
        return self.load.options.think_ms / 1000

    @task
    def forecast(self) -> None:
        """Ask for a forecast; anything but a 2xx answer, or a wrong one, is a failure."""
        load = self.load
        if load.phase == AFTER:
            # Nobody is in a request, then, when Locust stops users: it may do that to one who has just sent.
            raise StopUser
        case = next(load.cases)
        load.sent += 1
        with self.client.post("/predict", data=case.body, headers=HEADERS, catch_response=True) as response:
            # A request belongs to the phase in which its answer came.
            response.request_meta["name"] = load.phase
            status = response.status_code
            if status == 0:
                kind = type(response.request_meta["exception"]).__name__
                load.unanswered(kind)
                response.failure(f"no answer: {kind}")
            else:
                checked = is_ok(status) and load.is_checked()
                fault = case.fault(response.text) if checked else None
                load.answered(status, checked=checked, wrong=fault is not None)
                if fault or not is_ok(status):
                    response.failure(fault or f"status {status}")
        if status == 0:
            gevent.sleep(BACK_OFF_SECONDS)
