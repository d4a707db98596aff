"""Score files as people have them: every format, what is guessed, and one line for what cannot be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from fas_core.errors import DataError
from fas_core.scores.files import Reading, ScoreFile, read_scores, refuse_shared
from fas_core.scores.table import ScoreTable

Read = Callable[..., ScoreFile]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """`read(text, labels=text, name="scores.csv", **reading)`."""

    def done(
        text: str | bytes, labels: str | None = None, name: str = "scores.csv", **reading: Any
    ) -> ScoreFile:
        path, listing = tmp_path / name, tmp_path / "list.txt"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        if labels is not None:
            listing.write_text(labels)
        return read_scores(path, Reading(**reading), None if labels is None else listing)

    return done


def known(found: ScoreFile) -> dict[str, list[Any]]:
    """The columns in which anything is known."""
    return {name: cells for name, cells in found.table.table.to_pydict().items() if set(cells) != {None}}


ROWS = {"id": ["a.jpg", "b.jpg"], "score": [0.75, -2.0], "label": [1, 0]}
CSV = "id,score,label\na.jpg,0.75,1\nb.jpg,-2,0\n"


@pytest.mark.parametrize("mark", [",", ";", "\t", "|", " "])
@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_text_of_any_delimiter(read: Read, mark: str, header: bool, ending: str) -> None:
    text = CSV if header else CSV.partition("\n")[2]
    found = read(text.replace(",", mark).replace("\n", ending).encode("utf-8-sig"))
    assert known(found) == ROWS


@pytest.mark.parametrize(
    "text",
    [
        'id,score,label\n"a.jpg",0.75,1\n"b.jpg",-2,0',
        "id, score, label\n a.jpg, 0.75, 1\nb.jpg , -2 , 0\n\n\n",
        '"a.jpg" "0.75" "1"\n"b.jpg" "-2" "0"\n',
        "  a.jpg   0.75 1  \n b.jpg -2  0\n",
        "path;Live Score;Is-Live\na.jpg;7.5e-1;true\nb.jpg;-2.0;FALSE\n",
        "File\tPROB\tgt\na.jpg\t.75\tBona_Fide\nb.jpg\t-2.\tspoof\n",
        ",label,score,filename\n0,1.0,0.75,a.jpg\n1,0.0,-2,b.jpg\n",
    ],
)
def test_ways_of_writing_the_same(read: Read, text: str) -> None:
    assert known(read(text)) == ROWS


@pytest.mark.parametrize(
    "text",
    [
        "id;score;label\na.jpg;0,75;1\nb.jpg;-2;0\n",
        "a.jpg\t,750\t1\r\nb.jpg\t-2,000\t0\r\n",
        "a.jpg 75e-2 1\nb.jpg -0,02E2 0\n",
        'id,score,label\na.jpg,"0,750",1\nb.jpg,"-2,0",0\n',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_decimal_commas_of_a_spreadsheet(read: Read, text: str, encoding: str) -> None:
    found = read(text.encode(encoding))
    assert known(found) == ROWS
    assert "decimal comma" in found.description


@pytest.mark.parametrize(
    "text",
    [
        '{"id": "a.jpg", "score": 0.75, "label": 1}\n{"label": 0, "id": "b.jpg", "score": -2}\n',
        '{"id": "a.jpg", "score": "0.75", "label": true}\r\n\n{"id": "b.jpg", "score": "-2", "label": false}',
        '{"file": "a.jpg", "prob": 0.75, "gt": "live", "x": []}{"file": "b.jpg", "prob": -2, "gt": "fake"}',
    ],
)
def test_json_lines(read: Read, text: str) -> None:
    assert known(read(text, name="scores.txt")) == ROWS


def test_json_ids_that_look_like_dates_stay_text(read: Read) -> None:
    found = read(
        '{"id": "2020-01-01", "score": 1, "label": 1}\n{"id": "2020-01-02", "score": NaN, "label": 0}'
    )
    assert known(found)["id"] == ["2020-01-01", "2020-01-02"]
    assert found.table.counts()["no_response"] == 1


@pytest.mark.parametrize(
    "columns",
    [
        {"id": pa.array(["a.jpg", "b.jpg"]).dictionary_encode(), "score": pa.array([0.75, -2], pa.float16())},
        {"file": pa.array(["a.jpg", "b.jpg"], pa.large_string()), "prob": pa.array(["0.75", "-2"])},
        {"id": pa.array([b"a.jpg", b"b.jpg"]), "score": pa.array([0.75, -2]).dictionary_encode()},
    ],
)
def test_parquet_of_other_types(read: Read, tmp_path: Path, columns: dict[str, Any]) -> None:
    pa.parquet.write_table(pa.table({**columns, "label": [True, False]}), tmp_path / "theirs")
    assert known(read((tmp_path / "theirs").read_bytes())) == ROWS


@pytest.mark.parametrize("name", ["own.csv", "own.parquet"])
def test_what_fas_writes_is_read_as_fas_reads_it(tmp_path: Path, name: str) -> None:
    own = ScoreTable.of(
        {
            "id": ["a", "b", "c"],
            "score": [0.1, np.nan, np.inf],
            "label": [1, 0, 0],
            "species": ["live", "print", None],
            "subject": ["1", "2", "2"],
            "frame": [3, 4, None],
        }
    )
    own.write(tmp_path / name)
    found = read_scores(tmp_path / name)
    assert found.table.table.equals(own.table) or known(found)["species"] == ["live", "print", None]
    assert found.table.scores.tobytes() == own.scores.tobytes()
    assert found.table.table.drop(["score"]).equals(own.table.drop(["score"]))


@pytest.mark.parametrize("paths", [1, 3])
def test_a_submission_is_joined_with_the_published_list(read: Read, paths: int) -> None:
    lines = [" ".join(f"Val/{at}-{kind}.jpg" for kind in ("color", "depth", "ir")[:paths]) for at in range(3)]
    scores = "".join(f"{line} 0.{at}0000\n" for at, line in enumerate(lines))
    labels = "".join(f"{line} {at % 2} \r\n" for at, line in reversed(list(enumerate(lines))))
    found = read(scores, labels)
    assert known(found) == {
        "id": ["Val/0-color.jpg", "Val/1-color.jpg", "Val/2-color.jpg"],
        "score": [0.0, 0.1, 0.2],
        "label": [0, 1, 0],
    }


def test_a_table_of_labels_says_more(read: Read) -> None:
    found = read("a 0.75\nb -2\n", "path,gt,pai,client\nb,fake,print,7\na,real,,8\n")
    assert known(found) == {
        **{"id": ["a", "b"], "score": [0.75, -2.0], "label": [1, 0]},
        **{"species": ["live", "print"], "subject": ["8", "7"]},
    }


def test_a_labelled_file_takes_its_labels_from_the_list(read: Read) -> None:
    assert known(read(CSV, "a.jpg 0\nb.jpg 1\n"))["label"] == [0, 1]


def test_what_was_taken_is_said(read: Read) -> None:
    said = read("file;prob;gt;remark\na;0.5;1;x\nb;0.7;0;y\n").description
    assert said.endswith(
        "scores.csv: 2 rows, CSV (;): id is 'file', score is 'prob' (high = live), "
        "label is 'gt' (1 = live), not used: 'remark'"
    )


def test_columns_may_be_told(read: Read) -> None:
    text = "a,b,c,d\nx,0.1,0.9,1\ny,0.2,0.8,0\n"
    told = {"id": "a", "score": "c", "label": "4"}
    assert known(read(text, columns=told, header=True))["score"] == [0.9, 0.8]
    text = text.partition("\n")[2]
    assert known(read(text, columns={"score": "2"}))["score"] == [0.1, 0.2]
    both = "id,score,confidence,label\nx,0.1,0.9,1\ny,0.2,0.8,0\n"
    assert known(read(both, columns={"score": "confidence"}))["score"] == [0.9, 0.8]


def test_without_ids_rows_are_numbered(read: Read) -> None:
    found = read("score,label\n0.1,1\n0.1,0\n")
    assert known(found)["id"] == ["1", "2"]
    assert not found.has_ids


@pytest.mark.parametrize(
    ("reading", "labels", "scores"),
    [
        ({}, [1, 0], [0.75, -2.0]),
        ({"label_one": "attack"}, [0, 1], [0.75, -2.0]),
        ({"high_score": "attack"}, [1, 0], [-0.75, 2.0]),
        ({"label_one": "attack", "high_score": "attack"}, [0, 1], [-0.75, 2.0]),
    ],
)
def test_polarity(read: Read, reading: dict[str, str], labels: list[int], scores: list[float]) -> None:
    found = read(CSV, **reading)
    assert known(found)["label"] == labels
    assert known(found)["score"] == scores
    assert found.negated == ("high_score" in reading)


def test_words_mean_what_they_say_whatever_one_means(read: Read) -> None:
    text = "id,score,label\na,1,Genuine\nb,2,IMPOSTER\nc,3,\n"
    assert known(read(text, label_one="attack"))["label"] == [1, 0, None]


def test_labels_by_the_species(read: Read) -> None:
    found = read("id,score,species\na,1,live\nb,2,print\nc,3,\n")
    assert known(found)["label"] == [1, 0, None]


@pytest.mark.parametrize("nothing", ["", "none", "-", "N/A", "live", "Bona Fide"])
def test_live_samples_have_no_attack_species(read: Read, nothing: str) -> None:
    found = read(f"id,score,label,pai\na,1,1,{nothing}\nb,2,0,print\nc,3,0,\n")
    assert known(found)["species"] == ["live", "print", None]


@pytest.mark.parametrize("cell", ["", "nan", "NaN", " "])
def test_no_score_is_a_failure_to_respond(read: Read, cell: str) -> None:
    found = read(f"id,score,label\na,{cell},1\nb,0.5,0\n")
    assert found.table.counts()["no_response"] == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("\n \n", "empty"),
        ("id,score,label\n", "no rows below the header (id, score, label)"),
        (b"\xff\xfei\x00d", "not text in UTF-16"),
        (b"PK\x03\x04\x14", "a workbook or another ZIP archive: save what is in it as CSV"),
        (b"id,score,label\n\xe9,1,1\n", "not text in UTF-8 (byte 15 is not)"),
        (b"id,score,label\na\x00,1,1\n", "NUL"),
        (b"PAR1 and no more", "cannot be read as a table"),
        ("id,label\na,1\n", "no column that is plainly the score (found: id, label)"),
        ("id,score\na,1\n", "no labels (found: id, score): give --column label=NAME or --labels LIST"),
        ("id,score,prob,label\na,1,1,1\n", "2 columns could be the score: 'score', 'prob'"),
        ("id,score,label,gt\na,1,1,1\n", "2 columns could be the label: 'label', 'gt'"),
        ("a,0.5,0.7,1\n", "2 columns could be the score: column 2, column 3: say which by --column score=2"),
        ("a,1,1\nb,0,0\n", "2 columns could be the label: column 2, column 3"),
        ("id,score,score,label\na,1,1,1\n", "given twice: score"),
        (
            "id,score,label\na,x,1\nb,0.5,0\nc,,0\nd,1 %,1\n",
            "2 of 4 scores are not numbers: 'x' (a), '1 %' (d)",
        ),
        ("id;score;label\na;1,234;1\nb;2;0\n", "1 of 2 scores are not numbers: '1,234' (a)"),
        ("id;score;label\na;0,5;1\nb;0.5;0\n", "1 of 2 scores are not numbers: '0,5' (a)"),
        ("id;score;label\na;1,234,567;1\nb;0,5;0\n", "not numbers"),
        ("id,score,label\na,1,1\na,2,0\nb,1,1\nb,1,1\nc,1,1\n", "2 ids are given more than once: a, b"),
        ("id,score,label\n,1,1\nb,2,0\n", "1 of 2 rows have no id"),
        (
            "id,score,label\na,1,1\nb,2\n",
            "1 of the lines have other than 3 cells, as the first line has: 'b,2' (2)",
        ),
        ('id,score,label\n"a,1,1\n"b",2,0\n"c",1,1\n', "a quote is opened and not closed"),
        ("id,score,label\na,1,1\nb,2,spoof\n", "labels of several kinds, so none is clear: '1', 'spoof'"),
        ("id,score,label\na,1,2\nb,2,0\nc,2,2\n", "labels of 2 rows are not understood: '2'"),
        ("id,score,label\na,1,print\nb,2,live\n", "labels of 1 rows are not understood: 'print'"),
        ("id,spoof_score,label\na,1,1\n", "does a high 'spoof_score' mean attack? Say so by --high-score"),
        ("id,score,is_attack\na,1,1\n", "does 1 mean attack in column 'is_attack'? Say so by --label-one"),
        (
            "id,score,label,pai\na,1,1,print\nb,1,0,live\n",
            "label and species contradict each other in 2 rows",
        ),
        (
            "a,,live\nb,0.5,attack\nc,0.5,live\n",
            "cannot tell whether the first line is a header ('a', '', 'live')",
        ),
        ("file,wert\na,live\n", "no column that is plainly the score"),
        ('{"id": "a", "score": 1, "score": 2}\n', "specified twice"),
        ('{"id": "a", "score": 1, "label": 1}\n{"id": "b", "score": "x", "label": 1}', "changed from number"),
        ('{"id": "a", "score": {"live": 1}, "label": 1}\n', "cannot be the score: it holds struct"),
        ('{"id": "a\\nb", "score": 1, "label": 1}\n', "line breaks"),
    ],
)
def test_a_bad_file_is_one_line(read: Read, text: str | bytes, said: str) -> None:
    with pytest.raises(DataError) as refused:
        read(text)
    assert said in str(refused.value)
    assert "scores.csv" in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_a_json_array_is_told_what_to_be(read: Read) -> None:
    with pytest.raises(DataError, match="one object a line"):
        read('[{"id": "a", "score": 1}]', name="scores.json")


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ("a 1\nc 0\n", "1 of 2 ids have no label (b), 1 of 2 labelled ones no score (c)"),
        ("a 1\nb 0\nc 0\nd 0\n", "0 of 2 ids have no label, 2 of 4 labelled ones no score (c, d)"),
        ("a 1\nb 0\nb 1\n", "1 ids are given more than once: b"),
        ("a x.jpg\nb y.jpg\n", "cannot tell whether the first line is a header"),
        ("a 1\nb 2\n", "no labels (found: no header, 2 columns): give --column label=NAME"),
        ("a 1\nb\n", "1 of the lines have other than 2 cells"),
    ],
)
def test_a_list_that_does_not_fit_is_one_line(read: Read, labels: str, said: str) -> None:
    with pytest.raises(DataError) as refused:
        read("a 0.5\nb 0.7\n", labels)
    assert said in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_a_list_needs_ids(read: Read) -> None:
    with pytest.raises(DataError, match="no column of ids to look up"):
        read("score,label\n0.5,1\n", "a 1\n")


def test_a_told_column_must_be_there(read: Read) -> None:
    with pytest.raises(DataError, match=r"no column 'prop' for 'score' \(did you mean 'prob'"):
        read("id,prob,label\na,1,1\n", columns={"score": "prop"})
    with pytest.raises(DataError, match="no header; there are columns 1 to 3"):
        read("a,0.5,1\n", columns={"score": "4"})


def test_one_id_in_dev_and_test(read: Read) -> None:
    judged, dev = read(CSV, name="test.csv"), read(CSV.replace("a.jpg", "c.jpg"), name="dev.csv")
    with pytest.raises(DataError, match=r"^1 ids are in .*test.csv and in .*dev.csv, .*: b.jpg$"):
        refuse_shared(judged, dev)
    numbered = read("score,label\n1,1\n2,0\n")
    refuse_shared(numbered, read("score,label\n1,1\n2,0\n", name="dev.csv"))


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such score file"):
        read_scores(tmp_path / "scores.csv")
    with pytest.raises(DataError, match="a folder"):
        read_scores(tmp_path)


@pytest.mark.parametrize(
    ("column", "values", "stated"),
    [
        ("threshold", ["0.6", "0.4"], (0.4, 0.6)),
        ("Threshold", [" 0.5", ""], (0.5,)),
        ("threshold", ["nan", "inf"], ()),
        ("threshold", ["high", "0.5"], ()),
        ("cut", ["0.5", "0.5"], ()),
    ],
)
def test_the_thresholds_that_a_file_says(
    read: Read, column: str, values: list[str], stated: tuple[float, ...]
) -> None:
    found = read(f"id,score,label,{column}\na,0.75,1,{values[0]}\nb,0.25,0,{values[1]}\n")
    assert found.recorded_thresholds == stated
    assert ("threshold is said to be" in found.description) == bool(stated)
    assert ("not used" in found.description) != bool(stated)


def test_thresholds_are_turned_with_the_scores(read: Read, tmp_path: Path) -> None:
    table = pa.table({"id": ["a", "b"], "score": [0.75, 0.25], "label": [1, 0], "threshold": [0.5, 0.25]})
    pa.parquet.write_table(table, tmp_path / "scores.parquet")
    found = read_scores(tmp_path / "scores.parquet", Reading(high_score="attack"))
    assert found.recorded_thresholds == (-0.5, -0.25)
