"""The score table: exact round trips, what it counts, and one line for every file that is not one."""

from __future__ import annotations

from math import inf, isnan, nan
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fas_core.errors import DataError, FasError
from fas_core.records.samples import SampleTable
from fas_core.scores.table import SCHEMA, ScoreTable

COLUMNS: dict[str, Any] = {
    "id": ["a/0001.jpg", 'b "two", c', "  spaced ", "ünï", "e", "NA"],
    "score": [1 / 3, 1e-300, inf, -inf, nan, 0.1 + 0.2],
    "label": [1, 0, None, 0, 1, 0],
    "species": ["live", "NA", None, "null", "", "nan"],
    "subject": ["0001", "1", None, None, "true", "1e3"],
    "frame": [1, 2, None, 4, 5, 6],
}


@pytest.fixture
def table() -> ScoreTable:
    return ScoreTable.of(COLUMNS)


@pytest.mark.parametrize("name", ["scores.csv", "scores.parquet", "deep/down/scores.csv"])
def test_round_trip_is_exact(table: ScoreTable, tmp_path: Path, name: str) -> None:
    table.write(tmp_path / name)
    back = ScoreTable.read(tmp_path / name)
    assert back.scores.tobytes() == table.scores.tobytes()
    assert back.table.drop(["score"]).equals(table.table.drop(["score"]))
    assert list((tmp_path / name).parent.iterdir()) == [tmp_path / name]


@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(scores=st.lists(st.floats(width=64, allow_nan=False), min_size=1, max_size=20))
def test_any_number_survives_csv(tmp_path: Path, scores: list[float]) -> None:
    path = tmp_path / "scores.csv"
    ScoreTable.of({"id": list(map(str, range(len(scores)))), "score": scores}).write(path)
    assert ScoreTable.read(path).scores.tobytes() == np.array(scores).tobytes()


def test_csv_leaves_out_what_is_not_known(tmp_path: Path) -> None:
    ScoreTable.of({"id": ["a"], "score": [0.5]}).write(tmp_path / "scores.csv")
    assert (tmp_path / "scores.csv").read_text().splitlines() == ['"id","score","label"', '"a",0.5,']


def test_a_file_by_another_program(tmp_path: Path) -> None:
    path = tmp_path / "theirs.csv"
    path.write_text("score,id,remark,label\r\n0.5,007,good,1\r\n,008,,0\r\nNaN,009,,0\r\n")
    found = ScoreTable.read(path)
    assert found.table.column("id").to_pylist() == ["007", "008", "009"]
    assert found.labels.tolist() == [1, 0, 0]
    assert found.scores[0] == 0.5
    assert np.isnan(found.scores[1:]).all()
    assert found.table.schema == SCHEMA


def test_parquet_of_other_types_is_cast(tmp_path: Path) -> None:
    path = tmp_path / "theirs.parquet"
    pa.parquet.write_table(
        pa.table(
            {
                "id": pa.array(["a", "b"], pa.large_string()),
                "score": pa.array([0.5, 1.0], pa.float32()),
                "label": pa.array([1, 0], pa.int64()),
                "species": pa.array(["live", "print"]).dictionary_encode(),
            }
        ),
        path,
    )
    found = ScoreTable.read(path)
    assert found.table.schema == SCHEMA
    assert found.counts() == {"live": 1, "attack": 1, "unknown": 0, "no_response": 0, "total": 2}


BAD: dict[str, tuple[bytes, str]] = {
    "empty.csv": (b"", "Empty CSV"),
    "no_score.csv": (b"id,label\na,1\n", "no 'score' column (found: id, label)"),
    "no_id.csv": (b"score\n0.5\n", "no 'id' column"),
    "text.csv": (b"id,score\na,0.5\nb,high\n", "invalid value 'high'"),
    "word_label.csv": (b"id,score,label\na,0.5,live\n", "invalid value 'live'"),
    "other_label.csv": (
        b"id,score,label\na,0.5,2\nb,0.5,-1\n",
        "must be 1 (live), 0 (attack) or empty: -1, 2",
    ),
    "ragged.csv": (b"id,score\na,0.5,1\n", "Expected 2 columns, got 3"),
    "twice.csv": (b"id,score,score\na,0.5,0.5\n", "a column is given twice"),
    "same_id.csv": (b"id,score\na,0.5\na,0.6\nb,0.7\n", "1 ids are given more than once: a"),
    "null_id.csv": (b"id,score\n,0.5\nb,1\n", "column 'id': 1 of 2 rows have none"),
    "binary.csv": (b"\xff\xfe\x00\x01" * 20, "cannot be read"),
    "empty.parquet": (b"", "cannot be read"),
    "text.parquet": (b"id,score\na,0.5\n", "cannot be read"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_one_line(name: str, tmp_path: Path) -> None:
    content, expected = BAD[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        ScoreTable.read(tmp_path / name)
    message = str(caught.value)
    assert message.startswith(str(tmp_path / name))
    assert expected in message
    assert "\n" not in message


def test_the_row_of_a_bad_score_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.csv").write_bytes(BAD["text.csv"][0])
    with pytest.raises(DataError, match="Row #3"):
        ScoreTable.read(tmp_path / "text.csv")


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such score file"):
        ScoreTable.read(tmp_path / "absent.csv")
    with pytest.raises(DataError, match="a folder, not a score file"):
        ScoreTable.read(tmp_path)


def test_a_parquet_column_of_lists_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lists.parquet"
    pa.parquet.write_table(pa.table({"id": ["a"], "score": [[0.5]]}), path)
    with pytest.raises(DataError, match="column 'score'"):
        ScoreTable.read(path)


def test_writing_where_a_file_stands_in_the_way(table: ScoreTable, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FasError, match="cannot be written"):
        table.write(tmp_path / "file" / "scores.csv")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"id": ["a"]}, "no 'score' column"),
        ({"id": [1], "score": [0.5]}, "column 'id'"),
        ({"id": ["a"], "score": ["high"]}, "column 'score'"),
        ({"id": ["a", "b"], "score": [0.5]}, "different lengths"),
        ({"id": ["a"], "score": [0.5], "label": [7]}, "column 'label'"),
        ({"id": ["a"], "score": [0.5], "label": [700]}, "column 'label'"),
    ],
)
def test_bad_columns(columns: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        ScoreTable.of(columns)


@pytest.mark.parametrize(
    "labels",
    [[1, 0], ["1", "0"], [True, False], [1.0, 0.0], np.array([1, 0], np.uint64), np.array(["1", "0"])],
)
def test_labels_are_one_and_nought_however_they_are_held(labels: Any) -> None:
    assert ScoreTable.of({"id": ["a", "b"], "score": [0.5, 0.1], "label": labels}).labels.tolist() == [1, 0]


@pytest.mark.parametrize(
    "labels", [["live", "attack"], [1.5, 0], ["1", 0], [300, 0], [nan, 1.0], np.array(["real", "0"])]
)
def test_other_labels_are_never_guessed(labels: Any) -> None:
    with pytest.raises(
        DataError, match=r"column 'label': must be 1 \(live\), 0 \(attack\) or empty"
    ) as caught:
        ScoreTable.of({"id": ["a", "b"], "score": [0.5, 0.1], "label": labels})
    assert "\n" not in str(caught.value)


def test_what_it_holds_by_class(table: ScoreTable) -> None:
    assert table.labels.tolist() == [1, 0, -1, 0, 1, 0]
    assert table.live.tolist() == [1 / 3]
    assert table.attack.tolist() == [-inf, 1e-300, 0.1 + 0.2]
    assert {name: part.scores.tolist() for name, part in table.rates.species.items()} == {
        "NA": [1e-300],
        "null": [-inf],
        "nan": [0.1 + 0.2],
    }
    assert list(table.rates.species) == sorted(table.rates.species)
    assert table.counts() == {"live": 1, "attack": 3, "unknown": 1, "no_response": 1, "total": 6}
    assert not table.is_labelled()
    assert isnan(table.scores[4])


def test_attacks_without_species_are_of_an_unknown_one() -> None:
    table = ScoreTable.of({"id": ["a", "b"], "score": [0.1, 0.2], "label": [0, 0]})
    assert {name: part.scores.tolist() for name, part in table.rates.species.items()} == {
        "unknown": [0.1, 0.2]
    }
    assert table.is_labelled()


def test_an_empty_table_has_no_rates() -> None:
    table = ScoreTable.of({"id": [], "score": []})
    assert len(table) == 0
    assert not table.is_labelled()
    assert isnan(table.rates.auc())


def test_scores_join_their_samples_in_order() -> None:
    samples = SampleTable.of(
        {"id": ["x", "y"], "rgb": ["x.png", "y.png"], "label": [1, 0], "species": ["live", "print"]},
        modalities=["rgb"],
        root="data",
    )
    table = ScoreTable.from_samples(samples, np.array([0.75, 0.25], np.float32))
    assert table.table.schema == SCHEMA
    assert table.table.select(["id", "score", "label", "species"]).to_pylist() == [
        {"id": "x", "score": 0.75, "label": 1, "species": "live"},
        {"id": "y", "score": 0.25, "label": 0, "species": "print"},
    ]
