"""The committed bundles keep their contract: digest, signature, and the trainer's answers in onnxruntime."""

import hashlib

import numpy as np
import pytest
from conftest import FIXTURES, PROMOTED
from running import Bundle, assert_close, read, run

from gru_training.bundle import signature
from gru_training.fixtures.write import write_fixtures
from gru_training.graph import IR_VERSION, OPSET
from gru_training.rollout import roll
from gru_training.timing import session

FOLDERS = {"promoted": PROMOTED, "lstm-small": FIXTURES / "lstm-small", "slow": FIXTURES / "slow"}


@pytest.fixture(params=FOLDERS)
def bundle(request: pytest.FixtureRequest) -> Bundle:
    return read(FOLDERS[request.param])


def test_digest_and_signature_are_those_of_the_graph(bundle: Bundle) -> None:
    content = (bundle.folder / "model.onnx").read_bytes()
    assert bundle.manifest["sha256"] == hashlib.sha256(content).hexdigest()
    assert len(content) < 1_000_000
    assert {key: bundle.manifest[key] for key in ("inputs", "outputs")} == signature(bundle.model)
    assert bundle.model.ir_version == IR_VERSION
    assert [(opset.domain, opset.version) for opset in bundle.model.opset_import] == [("", OPSET)]
    assert not any(tensor.external_data for tensor in bundle.model.graph.initializer)


def test_onnxruntime_gives_the_trainers_answers(bundle: Bundle) -> None:
    assert_close(run(bundle.model, bundle.feeds), bundle.answers, bundle.golden)


def test_onnxruntime_gives_the_trainers_rollouts(bundle: Bundle) -> None:
    running = session(bundle.model)

    def step(window: np.ndarray, minute: np.ndarray) -> np.ndarray:
        feeds = {"window": window, "minute": minute.astype(np.int32)}
        return running.run(None, {key: feeds[key] for key in bundle.feeds})[0]

    for rollout in bundle.golden["rollouts"]:
        expected = np.array(rollout["forecasts"])
        window = bundle.feeds["window"][[rollout["index"]]]
        minute = bundle.feeds.get("minute", np.zeros((1 + rollout["index"], window.shape[1])))[[rollout["index"]]]
        actual = roll(step, window, minute, len(expected), bundle.manifest["frequency_seconds"])[0]
        assert_close(actual, expected, bundle.golden)


def test_golden_windows_and_answers_are_legal_rows(bundle: Bundle) -> None:
    rows = np.concatenate([bundle.feeds["window"].reshape(-1, bundle.answers.shape[1]), bundle.answers])
    for column, feature in zip(rows.T, bundle.manifest["features"], strict=True):
        assert column.min() >= feature["minimum"]
        assert column.max() <= feature.get("maximum", np.inf)


def test_promoted_bundle_holds_what_the_service_expects() -> None:
    promoted = read(PROMOTED)
    assert len(promoted.golden["windows"]) == 64
    assert [len(rollout["forecasts"]) for rollout in promoted.golden["rollouts"]] == [30] * 4
    assert [node.op_type for node in promoted.model.graph.node].count("GRU") == 2
    assert len(promoted.model.graph.node) <= 20


def test_generator_writes_the_committed_fixtures(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_fixtures(tmp_path, FIXTURES.parents[2] / "training" / "lstm-small.toml")
    for name in ("slow", "lstm-small"):
        written, committed = read(tmp_path / name), read(FIXTURES / name)
        assert {k: v for k, v in written.manifest.items() if k not in ("sha256", "metrics")} == {
            k: v for k, v in committed.manifest.items() if k not in ("sha256", "metrics")
        }
        assert signature(written.model) == signature(committed.model)
        assert [w["window"] for w in written.golden["windows"]] == [w["window"] for w in committed.golden["windows"]]
        # Another processor sums in another order, and training multiplies the difference.
        np.testing.assert_allclose(written.answers, committed.answers, rtol=0.02, atol=0.05)


@pytest.mark.parametrize("work", [0.0, 3.0])
def test_slow_graph_answers_the_same_however_long_it_works(work: float) -> None:
    slow = read(FIXTURES / "slow")
    windows = np.array([[[10, 0], [20, work]], [[999, 0], [1000, 0]]], np.float32)
    assert run(slow.model, {"window": windows}).tolist() == [[16.0, 0.0], [1000.0, 0.0]]
