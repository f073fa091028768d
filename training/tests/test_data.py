"""The loader reads a regular series, and says what is wrong with any other file."""

from pathlib import Path

import numpy as np
import pytest
from conftest import data_folder

from gru_training.config import Config
from gru_training.data import Series, cut_windows, load_series
from gru_training.errors import TrainingError

HEADER = "when,load_mw,wind_speed,temperature"
ROWS = [f"2024-01-01 00:{5 * n:02d}:00,{n}.5,{n},-{n}" for n in range(10)]


def load(tmp_path: Path, config: Config, rows: list[str], header: str = HEADER) -> Series:
    path = tmp_path / "data.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return load_series(path, config)


def test_columns_are_found_by_name_and_times_are_utc(tmp_path: Path, lstm_config: Config) -> None:
    header = "temperature,extra,wind_speed,load_mw,when"
    rows = [f"-{n},x,{n},{n}.5,2024-01-01T00:{5 * n:02d}:00" for n in range(10)]
    series = load(tmp_path, lstm_config, rows, header)
    assert series.values[3].tolist() == [3.5, 3.0, -3.0]
    assert series.seconds[0] == 1704067200


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({4: None}, "line 6: the row comes 600 s after the row before it, not 300 s"),
        ({4: ROWS[3]}, "line 6: the row repeats the time before it"),
        ({4: ROWS[1]}, "line 6: the row comes -600 s after"),
        ({4: "noon,1,1,1"}, "line 6: 'noon' is not an ISO 8601 time"),
        ({4: "2024-01-01 00:20:00,,4,4"}, "line 6, load_mw: empty; give the feature a `fill`"),
        ({4: "2024-01-01 00:20:00,4"}, "line 6, wind_speed: empty"),
        ({4: "2024-01-01 00:20:00,many,4,4"}, "line 6, load_mw: 'many' is not a number"),
        ({4: "2024-01-01 00:20:00,nan,4,4"}, "line 6, load_mw: nan is outside"),
        ({4: "2024-01-01 00:20:00,4,61,4"}, "line 6, wind_speed: 61.0 is outside [0, 60]"),
        ({4: "2024-01-01 00:20:00,4,4,-41"}, "line 6, temperature: -41.0 is outside [-40, 60]"),
        ({n: None for n in range(5, 10)}, "5 rows, at least 7 are needed"),
    ],
)
def test_bad_row_is_refused_by_its_line(tmp_path: Path, lstm_config: Config, change: dict, message: str) -> None:
    rows = [change.get(n, row) for n, row in enumerate(ROWS)]
    with pytest.raises(TrainingError) as caught:
        load(tmp_path, lstm_config, [row for row in rows if row is not None])
    assert message in str(caught.value)


def test_missing_column_or_file_is_refused_by_name(tmp_path: Path, lstm_config: Config) -> None:
    with pytest.raises(TrainingError, match="no column temperature"):
        load(tmp_path, lstm_config, ROWS, "when,load_mw,wind_speed,temp")
    with pytest.raises(TrainingError, match="No such file"):
        load_series(tmp_path / "nothing.csv", lstm_config)


def test_windows_and_following_rows_line_up() -> None:
    series = Series(np.arange(8) * 60, np.arange(16.0).reshape(8, 2))
    windows = cut_windows(series, 3, 2)
    assert len(windows) == 4
    assert windows.window[1].tolist() == [[2, 3], [4, 5], [6, 7]]
    assert windows.following[1].tolist() == [[8, 9], [10, 11]]
    assert windows.minute[1].tolist() == [1, 2, 3]
    with pytest.raises(TrainingError):
        cut_windows(series, 8)


def test_real_files_are_as_documented(gru_config: Config) -> None:
    folder = data_folder()
    if folder is None:
        pytest.skip("GRU_TRAINING_DATA=none")
    training = load_series(folder / "PobleSec.csv", gru_config)
    test = load_series(folder / "PobleSec_test.csv", gru_config)
    assert (len(training), len(cut_windows(test, 10))) == (15927, 3972)
    assert test.seconds[0] - training.seconds[-1] == 120
    # The 11 rows without an uplink index: nothing was sent, and index and variance are filled with 0.
    names = gru_config.feature_names
    silent = training.values[(training.values[:, names.index("mcs_up")] == 0)]
    assert (silent[:, names.index("mcs_up_var")] == 0).all()
    assert (silent[:, names.index("up")] == 0).sum() >= 11
