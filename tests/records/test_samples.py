from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from fas_core import DataError
from fas_core.records.samples import COLUMNS, SampleTable, concat


def table(count: int = 3, **columns: object) -> SampleTable:
    known = {"id": [f"s{row}" for row in range(count)], "rgb": [f"{row}.jpg" for row in range(count)]}
    return SampleTable.of({**known, **columns}, modalities=["rgb"], root="/data")


def test_columns_that_are_not_given_are_null() -> None:
    samples = table(2, label=[1, 0])
    assert samples.table.column_names == [*COLUMNS, "rgb"]
    assert samples.column("subject") == [None, None]
    assert samples.path(1, "rgb") == Path("/data/1.jpg")
    assert samples.paths("rgb") == [Path("/data/0.jpg"), Path("/data/1.jpg")]


def test_live_samples_are_of_the_species_live_unless_told() -> None:
    samples = table(4, label=[1, 1, 0, None], species=[None, "twin", None, None])
    assert samples.column("species") == ["live", "twin", None, None]


def test_labels_and_counts() -> None:
    samples = table(4, label=[1, 0, None, 0])
    np.testing.assert_array_equal(samples.labels, [1, 0, -1, 0])
    assert samples.counts() == {"live": 1, "attack": 2, "unknown": 1, "total": 4}
    assert table(2, label=[1, 1]).counts() == {"live": 2, "total": 2}


def test_rows_are_taken_by_index_or_mask() -> None:
    samples = table(4)
    assert samples.take([2, 0]).column("id") == ["s2", "s0"]
    assert samples.take(np.array([True, False, False, True])).column("id") == ["s0", "s3"]
    assert len(concat([samples.take([1]), samples.take([3])])) == 2


def test_arrow_columns_are_taken_as_they_are() -> None:
    chunked = pa.chunked_array([["a"], ["b", "c"]])
    assert table(3, subject=chunked, group=pa.array([1, 2, None])).column("group") == ["1", "2", None]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"specie": ["x"]}, "specie: unknown column"),
        ({"rgb": None}, None),
        ({"label": ["yes"]}, "column 'label'"),
        ({"frame": ["first"]}, "column 'frame'"),
        ({"box": [[1, 2, 3]]}, "column 'box'"),
    ],
)
def test_what_does_not_fit_is_refused(columns: dict[str, object], message: str | None) -> None:
    if message is None:
        with pytest.raises(DataError, match="rgb: missing column"):
            SampleTable.of({"id": ["a"]}, modalities=["rgb"], root="/data")
    else:
        with pytest.raises(DataError, match=message):
            table(1, **columns)


def test_repeated_ids_are_refused() -> None:
    with pytest.raises(DataError, match="id given twice: b, c"):
        table(5, id=["a", "b", "b", "c", "c"])


def test_needed_modalities() -> None:
    samples = SampleTable.of(
        {"id": ["a", "b"], "rgb": ["x", "y"], "ir": ["z", None]}, modalities=["rgb", "ir"], root="/d"
    )
    assert samples.need(["rgb"]) is samples
    with pytest.raises(DataError, match="1 of 2 samples have no 'ir' image"):
        samples.need(["rgb", "ir"])
    with pytest.raises(DataError, match=r"no 'depth' images, which the model takes \(there are: rgb, ir\)"):
        samples.need(["depth"])


def test_the_fingerprint_changes_with_the_list() -> None:
    first = table(2, label=[1, 0]).fingerprint()
    assert first == table(2, label=[1, 0]).fingerprint()
    assert len({first, table(2, label=[0, 0]).fingerprint(), table(3, label=[1, 0, 0]).fingerprint()}) == 3


def test_paths_of_windows_are_used_if_the_files_are_there(tmp_path: Path) -> None:
    (tmp_path / "odd\\name.jpg").touch()
    paths = ["a\\b\\c.jpg", "odd\\name.jpg", None, "d/e.jpg"]
    samples = SampleTable.of({"id": list("abcd"), "rgb": paths}, modalities=["rgb"], root=tmp_path)
    assert samples.column("rgb") == ["a/b/c.jpg", "odd\\name.jpg", None, "d/e.jpg"]
