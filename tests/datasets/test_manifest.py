from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from fas_core import DataError
from fas_core.data.attributes import HasAttributes
from fas_plugins.datasets.manifest import Manifest
from fas_plugins.datasets.options import ManifestOptions


def reader(path: Path, content: str | dict[str, Any]) -> Manifest:
    if isinstance(content, str):
        path.write_text(content)
    else:
        pa.parquet.write_table(pa.table(content), path)
    return Manifest(ManifestOptions(), root=path)


def test_the_least_manifest(tmp_path: Path) -> None:
    manifest = reader(tmp_path / "m.csv", "path,label\na/1.jpg,1\na/2.jpg,0\na/3.jpg,\n")
    samples = manifest.samples("test")
    assert manifest.splits() == ("test",)
    assert manifest.notes == ()
    assert samples.column("id") == samples.column("rgb") == ["a/1.jpg", "a/2.jpg", "a/3.jpg"]
    assert samples.column("label") == [1, 0, None]
    assert samples.column("species") == ["live", None, None]
    assert samples.path(0, "rgb") == tmp_path / "a/1.jpg"


def test_every_column(tmp_path: Path) -> None:
    row = {
        "id": "x", "split": "dev", "label": "bonafide", "species": "live", "subject": "007", "group": "AF",
        "session": "2", "device": "cam", "video": "v1", "frame": "3", "box": "1 2.5 30 40",
    }  # fmt: skip
    names = ",".join([*row, "rgb", "depth", "ir"])
    samples = reader(
        tmp_path / "m.csv", f"\ufeff{names}\r\n{','.join(row.values())},c.jpg,d.png,i.png\r\n"
    ).samples("dev")
    assert set(samples.table.column_names) == {*row, "rgb", "depth", "ir"}
    assert samples.modalities == ("rgb", "depth", "ir")
    assert samples.column("subject") == ["007"]
    assert samples.column("frame") == [3]
    assert samples.column("label") == [1]
    assert samples.box(0) == (1, 2.5, 30, 40)
    assert samples.path(0, "ir") == tmp_path / "i.png"


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    content = {
        "path": ["a.jpg", "b.jpg"],
        "label": pa.array([1, None], pa.int64()),
        "subject": [7, 8],
        "box": [[0.0, 0.0, 5.0, 5.0], None],
        "split": ["train", "train"],
    }
    samples = reader(tmp_path / "m.parquet", content).samples("train")
    assert samples.column("label") == [1, None]
    assert samples.column("subject") == ["7", "8"]
    assert samples.box(0) == (0, 0, 5, 5)
    assert samples.box(1) is None


def test_splits_are_in_their_usual_order(tmp_path: Path) -> None:
    rows = "\n".join(f"{split}.jpg,{split}" for split in ("test", "extra", "dev", "train"))
    manifest = reader(tmp_path / "m.csv", f"path,split\n{rows}\n")
    assert manifest.splits() == ("train", "dev", "test", "extra")
    assert manifest.samples("extra").column("id") == ["extra.jpg"]
    with pytest.raises(DataError, match="no 'val' split"):
        manifest.samples("val")


def test_label_words(tmp_path: Path) -> None:
    words = {
        "1": 1,
        "Live": 1,
        "bonafide": 1,
        "bona fide": 1,
        "1.0": 1,
        "0": 0,
        "attack": 0,
        "SPOOF": 0,
        "fake": 0,
        "Bona-Fide": 1,
        "genuine": 1,
        "client": 1,
        "Imposters": 0,
        "non-live": 0,
        "true": 1,
        "False": 0,
    }
    rows = "\n".join(f"{number}.jpg,{word}" for number, word in enumerate(words))
    assert reader(tmp_path / "m.csv", f"path,label\n{rows}\n").samples("test").column("label") == list(
        words.values()
    )


def test_further_columns_are_attributes(tmp_path: Path) -> None:
    """Of all splits, by the samples' ids; the columns of the sample table are none of them."""
    head = "path,split,label,skin_tone,Site"
    rows = [head, "a.jpg,train,1,dark,", "b.jpg,test,0, light ,Rome", "c.jpg,test,0,,"]
    manifest = reader(tmp_path / "m.csv", "\n".join(rows) + "\n")
    assert isinstance(manifest, HasAttributes)
    assert manifest.attribute_names() == ("skin_tone", "Site")
    assert manifest.attribute("skin_tone") == {"a.jpg": "dark", "b.jpg": "light"}
    assert manifest.attribute("Site") == {"b.jpg": "Rome"}
    numbers = reader(tmp_path / "m.parquet", {"path": ["a.jpg"], "label": [1], "age": [31]})
    assert numbers.attribute("age") == {"a.jpg": "31"}


def test_unused_columns_are_noted(tmp_path: Path) -> None:
    manifest = reader(tmp_path / "m.csv", "path,specie,quality\na.jpg,print,3\n")
    assert manifest.notes == ("unused columns: specie, quality",)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("start", ["", "\ufeff", "sep={}\r\n", "\ufeffsep={}\n"])
def test_delimiters_are_recognised_or_declared(tmp_path: Path, delimiter: str, start: str) -> None:
    rows = ["path,split,label,species", "a b.jpg,train,real,", "b.jpg,train,spoof,print"]
    text = "\n".join(rows).replace(",", delimiter)
    samples = reader(tmp_path / "m.csv", f"{start.format(delimiter)}{text}\n").samples("train")
    assert samples.column("rgb") == ["a b.jpg", "b.jpg"]
    assert samples.column("label") == [1, 0]
    assert samples.column("species") == ["live", "print"]


def test_lines_are_counted_from_the_top_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        reader(tmp_path / "m.csv", "sep=;\npath;label\na.jpg;maybe\n").splits()
    assert error.value.problems[0].startswith(f"{tmp_path / 'm.csv'}:3: label is 'maybe'")


def test_utf_16_is_read(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_bytes("path,label\nä.jpg,1\n".encode("utf-16"))
    assert Manifest(ManifestOptions(), root=tmp_path / "m.csv").samples("test").column("rgb") == ["ä.jpg"]


def test_words_for_splits_are_read_as_train_dev_and_test(tmp_path: Path) -> None:
    manifest = reader(tmp_path / "m.csv", "path,split\na,Training\nb,valid\nc,eval\nd,training\n")
    assert manifest.splits() == ("train", "dev", "test")
    assert manifest.samples("train").column("id") == ["a", "d"]
    assert manifest.samples("train").column("split") == ["train", "train"]
    (note,) = manifest.notes
    assert "'valid' as 'dev'" in note
    assert "'eval' as 'test'" in note


def test_usual_names_of_columns(tmp_path: Path) -> None:
    manifest = reader(
        tmp_path / "m.csv", "File_Path,Class,Client_ID,attack type,subset\na.jpg,spoof,7,mask,devel\n"
    )
    samples = manifest.samples("dev")
    columns = ("rgb", "label", "subject", "species")
    assert [samples.column(name) for name in columns] == [["a.jpg"], [0], ["7"], ["mask"]]
    assert "'Client_ID' as 'subject'" in manifest.notes[0]


def test_a_column_where_one_means_attack_is_no_label(tmp_path: Path) -> None:
    manifest = reader(tmp_path / "m.csv", "path,is_attack\na.jpg,1\n")
    assert manifest.samples("test").column("label") == [None]
    assert manifest.notes == ("unused columns: is_attack",)


def test_a_path_is_the_only_modality(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("path,label\na.png,1\n")
    manifest = Manifest(ManifestOptions(modalities=("thermal",)), root=tmp_path / "m.csv")
    assert manifest.samples("test").column("thermal") == ["a.png"]


def test_all_problems_are_named_with_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "m.csv"
    manifest = reader(
        file,
        "path,split,label,frame,box\n"
        "a.jpg,train,maybe,1,\n"
        ",train,1,2,\n"
        "c.jpg,,0,x,1 2 3\n"
        "d.jpg,test,0,1,0 0 -5 5\n",
    )
    with pytest.raises(DataError, match="6 problems") as error:
        manifest.splits()
    label, *others = error.value.problems
    assert label.startswith(f"{file}:2: label is 'maybe', expected 1 or 0, or a word: ")
    assert "bona fide" in label
    assert others == [
        f"{file}:3: no id",
        f"{file}:4: box is '1 2 3', expected 'x y w h' in pixels",
        f"{file}:4: frame is 'x', expected a whole number",
        f"{file}:4: no split",
        f"{file}:5: box is '0 0 -5 5', expected 'x y w h' in pixels",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the file is empty"),
        ("sep=;\n", "no rows below the header"),
        ("path,val_split,label\na.jpg,x\n", "cannot be read as a table.*Expected 3 columns, got 2"),
        ("path,split\na.jpg,val\nb.jpg,dev\n", "'dev' and 'val' both mean 'dev'"),
        ("path,split\na.jpg,eval\nb.jpg,test\n", "'eval' and 'test' both mean 'test'"),
        ("image,file,label\na.jpg,b.jpg,1\n", "2 columns could be 'rgb': file, image: rename .* to 'path'"),
        ("path,gt,target\na.jpg,1,1\n", "2 columns could be 'label': gt, target"),
        ("path,label\n", "no rows below the header"),
        (
            "photo,label\na.jpg,1\n",
            r"no image column, one of path, rgb, depth, ir \(found: photo, label\); name .*modalities=",
        ),
        ("path,label\na.jpg\n", "cannot be read as a table.*Expected 2 columns, got 1"),
        ("path,label,label\na.jpg,1,1\n", "column given twice: label"),
        ("path\na.jpg\na.jpg\n", "id given twice: a.jpg"),
    ],
)
def test_what_is_no_manifest_is_refused(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        reader(tmp_path / "m.csv", content).samples("test")


def test_a_file_that_is_not_there_or_not_parquet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.csv: cannot be read"):
        Manifest(ManifestOptions(), root=tmp_path / "none.csv").splits()
    with pytest.raises(DataError, match=r"m\.parquet: cannot be read"):
        reader(tmp_path / "m.parquet", "path\na.jpg\n").splits()


def test_images_at_urls(tmp_path: Path) -> None:
    text = "path\nhttps://me:secret@host/1.png?key=abcdef\ns3://bucket//a@2.png\nb/3.png\n"
    samples = reader(tmp_path / "m.csv", text).samples("test")
    assert samples.column("id") == ["https://host/1.png?key=***", "s3://bucket//a@2.png", "b/3.png"]
    assert samples.column("rgb")[0] == "https://me:secret@host/1.png?key=abcdef"
    *remote, local = samples.paths("rgb")
    assert list(map(str, remote)) == samples.column("id")[:2]  # as text it has no credentials
    assert local == tmp_path / "b/3.png"


def test_a_root_of_images(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("path\na/1.png\n")
    for root, path in (
        (str(tmp_path), str(tmp_path / "a/1.png")),
        ("s3://bucket/set", "s3://bucket/set/a/1.png"),
    ):
        samples = Manifest(ManifestOptions(image_root=root), root=tmp_path / "m.csv").samples("test")
        assert list(map(str, samples.paths("rgb"))) == [path]
        assert samples.column("id") == ["a/1.png"]
    with pytest.raises(ValueError, match="https://host/set: was given with credentials"):
        ManifestOptions(image_root="https://me:secret@host/set")
