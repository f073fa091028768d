"""A mistake in a TOML file is told with the entry that it is in."""

import tomllib
from pathlib import Path

import pytest

from gru_training.config import load_candidates, load_config
from gru_training.errors import TrainingError

TRAINING = Path(__file__).resolve().parents[1]
RIGHT = (TRAINING / "poblesec.toml").read_text()

WRONG = [
    ("hidden = 128", 'hidden = "128"', "[model] hidden: expected a whole number, got a text ('128')"),
    ("hidden = 128", "hidden = 128.5", "[model] hidden: expected a whole number, got a number (128.5)"),
    ("hidden = 128", "hidden = true", "[model] hidden: expected a whole number, got true or false (True)"),
    ("hidden = 128", "hidden = 0", "[model] hidden: expected at least 1, got 0"),
    ("hidden = 128", "hiden = 128", "[model]: unknown key hiden (did you mean hidden?)"),
    ("hidden = 128\nlayers = 2\n", "", "[model]: hidden, layers is missing"),
    ("time_of_day = false", "time_of_day = 0", "[model] time_of_day: expected true or false, got a whole number (0)"),
    ("clip = 1.0", 'clip = "1"', "[recipe] clip: expected a number, got a text ('1')"),
    ("clip = 1.0", "clip = true", "[recipe] clip: expected a number, got true or false (True)"),
    ("seeds = [0, 1, 2]", "seeds = 0", "[recipe] seeds: expected a list, got a whole number (0)"),
    ("seeds = [0, 1, 2]", 'seeds = [0, "1"]', "[recipe] seeds, element 2: expected a whole number, got a text ('1')"),
    ("seeds = [0, 1, 2]", "seeds = []", "[recipe] seeds is empty"),
    ("validation_share = 0.15", "validation_share = 15", "[recipe] validation_share: expected a number between 0 and 1"),
    ('cell = "GRU"', 'cell = "RNN"', "[model] cell: expected one of GRU, LSTM"),
    ('inputs = ["log", "raw"]', 'inputs = ["logs"]', "[model] inputs: expected some of log, raw, root"),
    (
        'include = ["2018-02-28T06:12:00"]',
        "include = [2018-02-28T06:12:00]",
        "[golden] include, element 1: expected a text, got a time",
    ),
    ("[recipe]", "[recipee]", "the file: unknown key recipee (did you mean recipe?)"),
    ('[[features]]\nname = "up"', '[[features]]\nnam = "up"', "[[features]] 2: unknown key nam (did you mean name?)"),
    ('name = "up"\nunit = "bit"\n', 'name = "up"\n', "[[features]] 2 (up): unit is missing"),
    (
        "minimum = 0\nmaximum = 31\n\n",
        'minimum = "0"\n\n',
        "[[features]] 4 (mcs_down) minimum: expected a number, got a text ('0')",
    ),
    ('name = "up"', 'name = "down"', "[[features]]: the name down repeats"),
    ('target = "down"', 'target = "Down"', "[data] target: Down is not a feature"),
    ('"rb_up", "down"', '"rb_up", "dawn"', "[data] targets: dawn is not a feature"),
    ('version = "1"', "version = 1", "version: expected a text, got a whole number (1)"),
    ('name = "gru-traffic"\nversion = "1"\n', "", "name, version is missing"),
    ("nrmse = 0.720", "nrmse = 0.72.0", "(at line 38, column 13)"),
]


@pytest.mark.parametrize(("old", "new", "message"), WRONG)
def test_a_wrong_entry_is_named_with_the_file(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert RIGHT.count(old) >= 1
    path = tmp_path / "wrong.toml"
    path.write_text(RIGHT.replace(old, new, 1))
    with pytest.raises(TrainingError) as caught:
        load_config(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_mistakes_that_go_together_are_told_together(tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(RIGHT.replace("epochs = 12", "epochs = 0").replace("batch = 256", "batch = -1"))
    with pytest.raises(TrainingError, match=r"\[recipe\] epochs: .* got 0; \[recipe\] batch: .* got -1$"):
        load_config(path)


def test_a_file_that_is_not_there_or_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none.toml"
    with pytest.raises(TrainingError, match=r"none\.toml: No such file"):
        load_config(path)
    path.write_bytes(b"\xff")
    with pytest.raises(TrainingError, match=r"none\.toml: not UTF-8"):
        load_candidates(path)


def test_what_is_right_is_read_as_it_stands() -> None:
    for file in ("poblesec.toml", "lstm-small.toml"):
        document = tomllib.loads((TRAINING / file).read_text())
        config = load_config(TRAINING / file)
        assert (config.model.hidden, config.recipe.seeds) == (document["model"]["hidden"], tuple(document["recipe"]["seeds"]))
        assert [feature.minimum for feature in config.features] == [each["minimum"] for each in document["features"]]
        assert (config.bar is None) == ("bar" not in document)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ('["a"]\nhiden = 1', '["a"]: unknown key hiden (did you mean hidden?)'),
        ('["a"]\nhidden = "1"', "[\"a\"] hidden: expected a whole number, got a text ('1')"),
        ('["a"]\nhighway = ["logs"]', "[model] highway: expected some of log, raw, root"),
        ("a = 1", '["a"]: expected a table, got a whole number (1)'),
    ],
)
def test_a_wrong_entry_of_a_candidate_is_named(tmp_path: Path, changes: str, message: str) -> None:
    path = tmp_path / "candidates.toml"
    path.write_text(changes)
    config = load_config(TRAINING / "poblesec.toml")
    with pytest.raises(TrainingError) as caught:
        for name, candidate in load_candidates(path).items():
            config.with_changes(candidate, f'["{name}"]')
    assert message in str(caught.value)


def test_the_committed_candidates_are_right() -> None:
    config = load_config(TRAINING / "poblesec.toml")
    for name, candidate in load_candidates(TRAINING / "candidates.toml").items():
        assert config.with_changes(candidate, name).recipe.seeds == (0,)
    assert config.with_changes({"inputs": ("raw",), "epochs": 2}).model.inputs == ("raw",)
