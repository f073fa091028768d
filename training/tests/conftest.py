"""Shared by the tests: where the data and the committed bundles are, and one small model of each cell type."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from gru_training.checkpoint import Checkpoint, origin_of
from gru_training.config import Config, load_config
from gru_training.data import Series, load_series
from gru_training.fixtures import synthetic
from gru_training.train import train

TRAINING = Path(__file__).resolve().parents[1]
REPOSITORY = TRAINING.parent
FIXTURES = REPOSITORY / "test" / "fixtures" / "bundles"
PROMOTED = REPOSITORY / "models" / "gru"


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def lstm_config() -> Config:
    return load_config(TRAINING / "lstm-small.toml")


@pytest.fixture(scope="session")
def gru_config() -> Config:
    """The promoted model's configuration: eleven features, from 1e8 down to 1e-9."""
    return load_config(TRAINING / "poblesec.toml")


@pytest.fixture(scope="session")
def power(lstm_config: Config, tmp_path_factory: pytest.TempPathFactory) -> tuple[Series, Series]:
    """Made-up training and test series, read back from CSV files."""
    folder = tmp_path_factory.mktemp("power")
    synthetic.write_csv(folder / "training.csv", 600)
    synthetic.write_csv(folder / "test.csv", 200, first_row=600)
    return load_series(folder / "training.csv", lstm_config), load_series(folder / "test.csv", lstm_config)


@pytest.fixture(scope="session", params=["LSTM with time of day", "GRU of two layers", "GRU without highway"])
def small(request: pytest.FixtureRequest, lstm_config: Config, power: tuple[Series, Series]) -> tuple[Config, Checkpoint]:
    """Every branch of the exporter: cell types, layers, highway, clock, minimum below zero."""
    changes = {
        "LSTM with time of day": {},
        "GRU of two layers": {"cell": "GRU", "layers": 2, "time_of_day": False, "inputs": ["log", "raw", "root"]},
        "GRU without highway": {"cell": "GRU", "highway": [], "inputs": ["raw"], "time_of_day": False},
    }[request.param]
    config = lstm_config.with_changes({**changes, "epochs": 2})
    config = replace(config, golden=replace(config.golden, windows=8, rollouts=2, steps=4))
    training, _ = power
    return config, Checkpoint(train(config, training, 0), origin_of(config, training, 0))


def data_folder() -> Path | None:
    """Where the PobleSec CSV files are; None when the tests were told to go without them."""
    setting = os.environ.get("GRU_TRAINING_DATA", str(REPOSITORY.parent / "shared" / "data"))
    if setting == "none":
        return None
    folder = Path(setting)
    if not (folder / "PobleSec.csv").exists():
        pytest.fail(f"{folder}/PobleSec.csv is missing: set GRU_TRAINING_DATA to its folder, or to none to do without")
    return folder
