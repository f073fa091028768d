"""The exported graph computes what torch computes, for every kind of network, whatever the batch, and never overflows."""

import copy

import numpy as np
import onnx
import pytest
import torch
from conftest import FIXTURES, PROMOTED
from running import Bundle, assert_close, every_tensor, read, run

from gru_training.checkpoint import Checkpoint
from gru_training.config import Config
from gru_training.data import Series, cut_windows
from gru_training.folding import fold
from gru_training.golden import absolute_tolerance
from gru_training.graph import build_graph
from gru_training.model import Forecaster, forecast
from gru_training.rollout import roll
from gru_training.scaling import fit_scaling
from gru_training.timing import session

LARGEST = float(np.finfo(np.float32).max)


@pytest.fixture(scope="module")
def exported(small: tuple[Config, Checkpoint]) -> tuple[Config, Forecaster, onnx.ModelProto]:
    config, checkpoint = small
    return config, checkpoint.trained.model, build_graph(config, checkpoint.trained.model)


def feeds_of(config: Config, window: np.ndarray, minute: np.ndarray) -> dict[str, np.ndarray]:
    feeds = {"window": window.astype(np.float32)}
    return feeds | ({"minute": minute.astype(np.int32)} if config.model.time_of_day else {})


def tolerance(model: Forecaster, relative: float) -> dict[str, dict[str, object]]:
    return {"tolerance": {"relative": relative, "absolute": absolute_tolerance(model)}}


def test_graph_and_torch_agree_on_real_windows(exported, power: tuple[Series, Series]) -> None:
    config, model, graph = exported
    windows = cut_windows(power[1], config.data.window)
    feeds = feeds_of(config, windows.window, windows.minute)
    expected = forecast(copy.deepcopy(model).double(), feeds["window"], windows.minute)
    assert_close(run(graph, feeds), expected, tolerance(model, 1e-5))


def test_graph_and_torch_agree_on_random_legal_windows_and_on_minima(exported) -> None:
    config, model, graph = exported
    generator = np.random.default_rng(1)
    low = np.array([f.minimum for f in config.features])
    high = np.array([1e4 if f.maximum is None else f.maximum for f in config.features])
    window = generator.uniform(low, high, (200, config.data.window, len(low)))
    window[0] = low
    minute = generator.integers(-(2**31), 2**31 - 1, window.shape[:2])
    feeds = feeds_of(config, window, minute)
    expected = forecast(copy.deepcopy(model).double(), feeds["window"], minute)
    assert_close(run(graph, feeds), expected, tolerance(model, 1e-4))


def test_untrained_network_of_the_promoted_shape_agrees(gru_config: Config) -> None:
    """Random weights: every gate is in play, and a wrong gate order cannot hide behind a trained one's symmetry."""
    torch.manual_seed(5)
    generator = np.random.default_rng(5)
    scale = np.array([1e8, 1e6, 5e3, 15, 80, 15, 50, 0.02, 5e-8, 3e-4, 1e-8])
    scale = scale[: len(gru_config.features)]
    values = generator.gamma(2, 0.2, (400, len(scale))) * scale
    model = Forecaster(gru_config, fit_scaling(gru_config, values))
    if model.highway is not None:
        torch.nn.init.normal_(model.highway.weight, std=0.05)
    window = np.stack([values[n : n + gru_config.data.window] for n in range(64)]).astype(np.float32)
    expected = forecast(copy.deepcopy(model).double(), window, None)
    assert_close(run(build_graph(gru_config, model), {"window": window}), expected, tolerance(model, 1e-4))


def test_torch_gates_are_reordered_to_those_of_onnx(exported) -> None:
    config, model, _ = exported
    size = config.model.hidden
    torch_order = model.recurrent.weight_hh_l0.detach().numpy().reshape(-1, size, size)
    onnx_order = fold(model).layers[0].recurrence[0].reshape(-1, size, size)
    # torch: reset, update, new / input, forget, cell, output. ONNX: update, reset, hidden / input, output, forget, cell.
    expected = [1, 0, 2] if config.model.cell == "GRU" else [0, 3, 1, 2]
    np.testing.assert_array_equal(onnx_order, torch_order[expected])


@pytest.mark.parametrize("folder", [PROMOTED, FIXTURES / "lstm-small"], ids=["promoted", "lstm-small"])
class TestCommitted:
    def test_answers_do_not_depend_on_the_batch(self, folder) -> None:
        bundle = read(folder)
        running, feeds = session(bundle.model), bundle.feeds
        together = running.run(None, feeds)[0]
        for size in (1, 3, 16):
            parts = range(0, len(together), size)
            alone = [running.run(None, {k: v[at : at + size] for k, v in feeds.items()})[0] for at in parts]
            golden = {"tolerance": {**bundle.golden["tolerance"], "relative": 1e-6}}
            assert_close(np.concatenate(alone), together, golden)

    def test_no_inner_tensor_overflows_on_legal_windows(self, folder) -> None:
        bundle = read(folder)
        shape = bundle.feeds["window"].shape[1:]
        low = np.array([f["minimum"] for f in bundle.manifest["features"]], np.float32)
        high = np.array([f.get("maximum", LARGEST) for f in bundle.manifest["features"]], np.float32)
        for window in (bundle.feeds["window"], *(np.broadcast_to(row, (1, *shape)) for row in (low, high))):
            assert_finite(bundle, np.ascontiguousarray(window))

    def test_no_inner_tensor_overflows_through_two_hundred_fed_back_steps(self, folder) -> None:
        bundle = read(folder)
        low = np.array([f["minimum"] for f in bundle.manifest["features"]])
        high = np.array([f.get("maximum", np.inf) for f in bundle.manifest["features"]])
        running = session(every_tensor(bundle.model))
        names = [output.name for output in running.get_outputs()]

        def step(window: np.ndarray, minute: np.ndarray) -> np.ndarray:
            feeds = {"window": window, "minute": minute.astype(np.int32)}
            tensors = running.run(names, {key: feeds[key] for key in bundle.feeds})
            assert all(np.isfinite(tensor).all() for tensor in tensors)
            return tensors[names.index("forecast")]

        minute = bundle.feeds.get("minute", np.zeros(bundle.feeds["window"].shape[:2], np.int32))
        rows = roll(step, bundle.feeds["window"], minute, 200, bundle.manifest["frequency_seconds"])
        assert (rows >= low).all()
        assert (rows <= high).all()


def assert_finite(bundle: Bundle, window: np.ndarray) -> None:
    feeds = {"window": window}
    if "minute" in bundle.feeds:
        feeds["minute"] = np.zeros(window.shape[:2], np.int32)
    running = session(every_tensor(bundle.model))
    names = [output.name for output in running.get_outputs()]
    assert len(names) > 10
    for name, tensor in zip(names, running.run(names, feeds), strict=True):
        assert np.isfinite(tensor).all(), name
