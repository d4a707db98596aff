"""The table of a manifest file, and the columns of a sample table in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fas_core import DataError
from fas_plugins.datasets.manifest_table import match_columns, read_table

FILE = Path("m.csv")
RGB = ("rgb", "depth", "ir")


def test_own_names_win_over_synonyms() -> None:
    assert match_columns(["file", "path", "rgb", "label", "gt"], RGB, FILE) == {
        "rgb": "rgb",
        "label": "label",
    }
    assert match_columns(["file", "path"], RGB, FILE) == {"path": "rgb"}


def test_spellings_and_synonyms() -> None:
    names = ["Image Path", "Depth", "Client-ID", "attack_type", "subset", "is_live", "quality"]
    assert match_columns(names, RGB, FILE) == {
        "Image Path": "rgb",
        "Depth": "depth",
        "Client-ID": "subject",
        "attack_type": "species",
        "subset": "split",
        "is_live": "label",
    }


def test_two_synonyms_of_a_column_are_refused() -> None:
    with pytest.raises(DataError, match=r"m\.csv: 2 columns could be 'subject': subject_id, client: rename"):
        match_columns(["path", "client", "subject_id"], RGB, FILE)


def test_the_header_gives_the_delimiter(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text("path;label;note, long\na.jpg;real;x, y\n")
    assert read_table(path, ("path", "label")).to_pydict() == {
        "path": ["a.jpg"],
        "label": ["real"],
        "note, long": ["x, y"],
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            ",".join(f"c{column}" for column in range(20_000)) + "\n1\n",
            r"20,000 columns: at most 4,096 are read$",
        ),
        ("path\n" + "x" * (1 << 21) + "\n", r"m\.csv:2: a line of more than 1,048,576 characters$"),
    ],
    ids=["columns", "line"],
)
def test_manifests_of_strangers_are_read_within_limits(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "m.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        read_table(tmp_path / "m.csv", ("path",))
