"""From CSV files to a bundle by the command line, with other columns, another window and another frequency."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import TRAINING
from running import assert_close, read, run

from gru_training.checkpoint import Checkpoint, origin_of, promoted
from gru_training.cli import main
from gru_training.config import Config, load_config
from gru_training.data import Series
from gru_training.errors import TrainingError
from gru_training.fixtures import synthetic
from gru_training.scaling import fit_scaling
from gru_training.selection import cut_blocks
from gru_training.train import Trained, train


def write_config(path: Path, **changes: str) -> Path:
    text = (TRAINING / "lstm-small.toml").read_text()
    for old, new in {"epochs = 4": "epochs = 1", "seeds = [0]": "seeds = [0, 1]", **changes}.items():
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)
    return path


def test_reproduce_writes_a_bundle_that_holds(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    synthetic.write_csv(tmp_path / "a.csv", 400)
    synthetic.write_csv(tmp_path / "b.csv", 120, first_row=400)
    config = write_config(tmp_path / "c.toml", **{"window = 6": "window = 8", '"LSTM"': '"GRU"'})
    paths = {"config": config, "train": tmp_path / "a.csv", "test": tmp_path / "b.csv"}
    paths |= {"runs": tmp_path / "runs", "out": tmp_path / "bundle"}
    assert main(["reproduce", *(f"--{name}={path}" for name, path in paths.items())]) == 0
    assert "| GRU 16 x 1, mean of 2 seeds |" in capsys.readouterr().out
    bundle = read(tmp_path / "bundle")
    assert bundle.manifest["inputs"][0]["shape"] == ["batch", 8, 3]
    assert bundle.manifest["frequency_seconds"] == 300
    assert [feature["name"] for feature in bundle.manifest["features"]] == ["load_mw", "wind_speed", "temperature"]
    assert_close(run(bundle.model, bundle.feeds), bundle.answers, bundle.golden)
    minutes = bundle.golden["windows"][0]["minute"]
    assert minutes[1] - minutes[0] == 5


def test_bar_that_is_not_met_stops_the_export(tmp_path: Path) -> None:
    synthetic.write_csv(tmp_path / "a.csv", 400)
    synthetic.write_csv(tmp_path / "b.csv", 120, first_row=400)
    bar = "[bar]\nnrmse = 1e-9\nnmae = 1\nbelow_persistence = 0\nbelow_ridge = 0\n"
    bar += "rollout_steps = [5]\nrollout_below_persistence = 0\n\n[golden]"
    config = write_config(tmp_path / "c.toml", **{"[golden]": bar})
    arguments = [f"--{n}={tmp_path / p}" for n, p in (("train", "a.csv"), ("test", "b.csv"), ("runs", "r"), ("out", "o"))]
    assert main(["reproduce", f"--config={config}", *arguments]) == 1
    assert not (tmp_path / "o").exists()


def test_same_seed_gives_the_same_weights(lstm_config: Config, power: tuple[Series, Series]) -> None:
    config = lstm_config.with_changes({"epochs": 1})
    one, two = (train(config, power[0], 3).model.state_dict() for _ in range(2))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert origin_of(config, power[0], 3) == origin_of(config, power[0], 3)
    assert origin_of(config, power[0], 3).run_id != origin_of(config, power[0], 4).run_id


def test_scaling_sees_no_row_after_the_fitted_ones(lstm_config: Config, power: tuple[Series, Series]) -> None:
    """No leakage: validation rows a thousand times larger change no constant of the model."""
    config = lstm_config.with_changes({"epochs": 1})
    series = power[0]
    split = round(len(series) * (1 - config.recipe.validation_share))
    model = train(config, series, 0).model
    expected = fit_scaling(config, series.values[:split])
    for name, values in vars(expected).items():
        np.testing.assert_array_equal(getattr(model, name).numpy(), values)


def test_judged_block_lies_after_all_that_a_recipe_learns_from(lstm_config: Config, power: tuple[Series, Series]) -> None:
    for block in cut_blocks(lstm_config, power[0]):
        first_judged = block.judged.seconds[lstm_config.data.window]
        assert first_judged - block.past.seconds[-1] == lstm_config.data.frequency_seconds


def test_promoted_seed_is_the_one_with_the_lowest_validation_loss(small: tuple[Config, Checkpoint]) -> None:
    _, base = small
    checkpoints = [Checkpoint(Trained(base.trained.model, n, v, 1), base.origin) for n, v in ((0, 0.3), (1, 0.1), (2, 0.2))]
    assert promoted(checkpoints).trained.seed == 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('target = "load_mw"', 'target = "power"', "[data] target: power is not a feature"),
        ('cell = "LSTM"', 'cell = "RNN"', "[model] cell: expected one of GRU, LSTM"),
        ("hidden = 16", "hidden = 16\ndropout = 0.1", "[model]: unknown key dropout"),
        ("minimum = -40", "minimum = -40.1", "bound -40.1 is not a float32; write -40.099998474"),
        ("maximum = 60\n\n", "maximum = -1\n\n", "maximum must be above minimum"),
        ('inputs = ["log", "raw"]', 'inputs = ["cube"]', "[model] inputs: expected some of log, raw, root"),
        ("frequency_seconds = 300", "frequency_seconds = 90", "[data] frequency_seconds: expected a whole number of minutes"),
        ('version = "1"', "", "version is missing"),
    ],
)
def test_bad_configuration_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    config = write_config(tmp_path / "bad.toml", **{old: new})
    with pytest.raises(TrainingError) as caught:
        load_config(config)
    assert message in str(caught.value)


def test_errors_of_the_user_are_one_line_and_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    config = write_config(tmp_path / "c.toml")
    assert main(["train", f"--config={config}", f"--train={tmp_path / 'none.csv'}"]) == 2
    assert main(["export", f"--config={config}", "--test=x.csv", f"--runs={tmp_path}", f"--out={tmp_path}"]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 2
    assert all(line.startswith("error: ") for line in errors)


def test_checkpoint_of_another_configuration_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    synthetic.write_csv(tmp_path / "a.csv", 300)
    config = write_config(tmp_path / "c.toml")
    assert main(["train", f"--config={config}", f"--train={tmp_path / 'a.csv'}", f"--runs={tmp_path}"]) == 0
    config.write_text(config.read_text().replace("clip = 1.0", "clip = 2.0"))
    assert main(["export", f"--config={config}", "--test=x.csv", f"--runs={tmp_path}", f"--out={tmp_path}"]) == 2
    assert "trained with another configuration" in capsys.readouterr().err


def test_promoted_manifest_agrees_with_its_configuration(gru_config: Config) -> None:
    manifest = json.loads((TRAINING.parent / "models" / "gru" / "model.json").read_text())
    assert [feature["name"] for feature in manifest["features"]] == gru_config.feature_names
    assert (manifest["target"], manifest["window"]) == (gru_config.data.target, gru_config.data.window)
    architecture = {
        "type": gru_config.model.cell,
        "hidden_size": gru_config.model.hidden,
        "num_layers": gru_config.model.layers,
    }
    assert manifest["architecture"] == architecture
