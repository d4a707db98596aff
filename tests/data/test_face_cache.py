"""Decoded faces on disk: equal to those decoded anew, never stale, whatever is killed or damaged."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import cv2
import numpy as np
import pytest
from attrs import evolve
from numpy.typing import NDArray

from fas_core import ConfigError, DataError, FasError
from fas_core.config.recipe import Augment, Recipe
from fas_core.data.detectors import FaceDetector
from fas_core.data.face_cache import FaceCache
from fas_core.data.loader import copy_loader, training_loader
from fas_core.data.reading import read_faces
from fas_core.records.detected_face import DetectedFace
from fas_core.records.model_input import ModelInput, ScaledCrop
from fas_core.records.outputs import Batch
from fas_core.records.samples import SampleTable
from fas_core.urls import Url

Image = NDArray[np.uint8]
SIDES = {"rgb": 90, "depth": 60, "ir": 70}


@pytest.fixture
def samples(tmp_path: Path) -> SampleTable:
    """Five samples of three JPEGs each, every other one with a box."""
    rng = np.random.default_rng(0)
    for name, side in SIDES.items():
        (tmp_path / name).mkdir()
        for row in range(5):
            image = rng.integers(0, 256, (side, side + 10 * row, 3), np.uint8)
            cv2.imwrite(str(tmp_path / f"{name}/{row}.jpg"), image)
    columns: dict[str, Any] = {name: [f"{name}/{row}.jpg" for row in range(5)] for name in SIDES}
    columns |= {"id": list("abcde"), "label": [1, 0, 1, 0, 1]}
    columns["box"] = [[10, 12, 40.5, 50], None] * 2 + [[-5, 3, 60, 60]]
    return SampleTable.of(columns, modalities=list(SIDES), root=tmp_path)


@pytest.fixture
def cache(samples: SampleTable, tmp_path: Path) -> FaceCache:
    return FaceCache(tmp_path / "cache", samples, samples.modalities)


def read(cache: FaceCache, row: int = 0) -> dict[str, Image]:
    return cache.read(row, lambda: read_faces(cache.samples, row, cache.modalities))


def decoded_again(*_: object) -> NoReturn:
    raise AssertionError("decoded again")


def files(cache: FaceCache) -> list[Path]:
    return sorted(path for path in cache.folder.rglob("*") if path.is_file())


def assert_same(faces: dict[str, Image], others: dict[str, Image]) -> None:
    assert list(faces) == list(others)
    for name, face in faces.items():
        assert face.dtype == np.uint8
        np.testing.assert_array_equal(face, others[name])


def recipe(workers: int, cache: Path | None, batch_size: int = 2) -> Recipe:
    plain = Recipe(augment=Augment(lighting=0.2, quality=0.3, mix=0.5))
    train = evolve(plain.train, workers=workers, batch_size=batch_size, cache=cache, modality_dropout=0.2)
    return evolve(plain, model=evolve(plain.model, input_size=32), train=train)


def load(samples: SampleTable, recipe: Recipe) -> list[Batch]:
    """Return the batches of two epochs."""
    loader = training_loader(samples, recipe)
    try:
        first = list(loader)
        loader.start_epoch(1)
        return first + list(loader)
    finally:
        loader.close()


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_are_bit_identical(samples: SampleTable, tmp_path: Path, workers: int) -> None:
    plain = load(samples, recipe(workers, None))
    for _ in range(2):
        cached = load(samples, recipe(workers, tmp_path / "cache"))
        for batch, other in zip(plain, cached, strict=True):
            for name, pixels in batch.images.items():
                np.testing.assert_array_equal(pixels, other.images[name])
            np.testing.assert_array_equal(batch.index, other.index)
            np.testing.assert_array_equal(batch.presence, other.presence)


def test_later_epochs_and_copies_decode_nothing(
    samples: SampleTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = recipe(0, tmp_path / "cache", batch_size=5)
    list(training_loader(samples, cached))
    monkeypatch.setattr("fas_core.data.training_faces.read_faces", decoded_again)
    list(training_loader(samples, cached, epoch=7))
    list(copy_loader(samples, cached, epoch=1, batch_size=2))


def test_images_at_urls_are_left_to_the_cache_of_fsspec(samples: SampleTable, tmp_path: Path) -> None:
    remote = evolve(samples, root=Url("memory://photos"))
    with pytest.raises(ConfigError, match=r"train\.cache: images at URLs are cached by fsspec"):
        training_loader(remote, recipe(0, tmp_path / "cache"))


def test_faces_are_the_decoded_ones(cache: FaceCache) -> None:
    for row in range(len(cache.samples)):
        first, again = read(cache, row), cache.read(row, decoded_again)
        assert_same(first, read_faces(cache.samples, row, cache.modalities))
        assert_same(again, first)


@pytest.mark.parametrize("changed", ["rgb", "ir"])
def test_a_changed_image_is_decoded_anew(cache: FaceCache, tmp_path: Path, changed: str) -> None:
    """By its size, or by its time alone; the sample's file is replaced."""
    path = tmp_path / changed / "0.jpg"
    before = read(cache)
    for level in (50, 200):
        cv2.imwrite(str(path), np.full((SIDES[changed], SIDES[changed], 3), level, np.uint8))
        os.utime(path, ns=(level, level))
        after = read(cache)
        assert (after[changed] == level).all()
        assert_same(cache.read(0, decoded_again), after)
        assert (before[changed] != level).any()  # what was mapped stays as it was
    assert len(files(cache)) == 1


def test_the_image_of_the_box_counts_where_it_is_not_read(cache: FaceCache, tmp_path: Path) -> None:
    """The same box is another part of an infrared image once the colour image has another size."""
    infrared = evolve(cache, modalities=("ir",))
    before = read(infrared)["ir"].shape
    cv2.imwrite(str(tmp_path / "rgb/0.jpg"), np.zeros((180, 180, 3), np.uint8))
    assert read(infrared)["ir"].shape == tuple(read_faces(cache.samples, 0, ["ir"])["ir"].shape) != before


def test_another_box_or_modality_has_a_file_of_its_own(cache: FaceCache) -> None:
    table = cache.samples.table
    other = table.set_column(
        table.column_names.index("box"), "box", table.column("box").take([1, 0, 1, 1, 1])
    )
    moved = evolve(cache, samples=evolve(cache.samples, table=other))
    for view in (cache, moved, evolve(cache, modalities=("ir", "rgb"))):
        assert_same(read(view), read_faces(view.samples, 0, view.modalities))
    assert len(files(cache)) == 3
    assert_same(cache.read(0, decoded_again), read(cache))


def cut(data: bytes) -> bytes:
    return data[:-100]


def flip(data: bytes) -> bytes:
    return data[:5000] + bytes([data[5000] ^ 1]) + data[5001:]


def enlarge(data: bytes) -> bytes:
    return data[:20] + b"\xff\xff\xff\xff" + data[24:]


@pytest.mark.parametrize(
    "damage",
    [cut, flip, enlarge, lambda _: b"", lambda _: b"FAS", lambda data: data + b"\0", lambda _: bytes(9999)],
)
def test_a_damaged_file_is_decoded_anew(cache: FaceCache, damage: Callable[[bytes], bytes]) -> None:
    expected = read(cache)
    (file,) = files(cache)
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    assert_same(read(evolve(cache)), expected)  # as another process
    assert file.read_bytes() == whole


@pytest.mark.parametrize("damage", [cut, lambda data: b"", lambda data: data + b"\0"])
def test_a_file_of_another_length_is_noticed_at_once(
    cache: FaceCache, damage: Callable[[bytes], bytes]
) -> None:
    """Its CRC is computed once, its length compared each time."""
    expected = read(cache)
    cache.read(0, decoded_again)
    (file,) = files(cache)
    file.write_bytes(damage(file.read_bytes()))
    assert_same(read(cache), expected)


def test_an_image_that_is_replaced_while_it_is_read_is_not_kept(cache: FaceCache, tmp_path: Path) -> None:
    def decode() -> dict[str, Image]:
        faces = read_faces(cache.samples, 0, cache.modalities)
        cv2.imwrite(str(tmp_path / "ir/0.jpg"), np.full((70, 70, 3), 99, np.uint8))
        return faces

    assert (cache.read(0, decode)["ir"] != 99).any()
    assert files(cache) == []
    assert (read(cache)["ir"] == 99).all()


def test_a_missing_image_is_the_error_that_it_always_is(samples: SampleTable, tmp_path: Path) -> None:
    list(training_loader(samples, recipe(0, tmp_path / "cache")))
    (tmp_path / "ir/1.jpg").unlink()
    with pytest.raises(DataError, match=r"ir/1\.jpg: no such image"):
        list(training_loader(evolve(samples), recipe(0, tmp_path / "cache"), start_batch=0))


READ = """
import sys
from pathlib import Path
import pyarrow.feather
from fas_core.data.face_cache import FaceCache
from fas_core.data.reading import read_faces
from fas_core.records.samples import SampleTable
root, modalities = Path(sys.argv[1]), ("rgb", "depth", "ir")
samples = SampleTable(pyarrow.feather.read_table(root / "table"), modalities, root)
cache = FaceCache(root / "cache", samples, modalities)
forever = sys.argv[2] == "forever"
print("ready", flush=True)
while True:
    for row in range(len(samples)):
        cache.read(row, lambda: read_faces(samples, row, modalities))
    if not forever:
        break
    for file in cache.folder.glob("*/*.faces"):  # not those that are being written
        file.unlink(missing_ok=True)
"""


def test_two_processes_that_write_and_are_killed_leave_whole_files(cache: FaceCache, tmp_path: Path) -> None:
    import pyarrow.feather

    pyarrow.feather.write_feather(cache.samples.table, str(tmp_path / "table"))
    expected = [read_faces(cache.samples, row, cache.modalities) for row in range(5)]
    command = [sys.executable, "-c", READ, str(tmp_path)]
    writers = [subprocess.Popen([*command, "forever"], stdout=subprocess.PIPE) for _ in range(2)]
    try:
        for writer in writers:
            assert writer.stdout is not None
            writer.stdout.readline()
        for _ in range(40):
            for row in range(5):
                assert_same(read(cache, row), expected[row])
            time.sleep(0.005)
    finally:
        for writer in writers:
            writer.send_signal(signal.SIGKILL)
            writer.communicate()
    for row in range(5):
        assert_same(read(cache, row), expected[row])
    for file in cache.folder.glob("*/*.faces"):
        file.unlink()
    subprocess.run([*command, "once"], check=True, capture_output=True)  # removes what the killed ones left
    assert [path.suffix for path in files(cache)] == [".faces"] * 5


@pytest.fixture
def small_files() -> Iterator[None]:
    """Files of at most 4 kB, in place of a disk that is full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_face_that_cannot_be_written_is_one_line(cache: FaceCache, small_files: None) -> None:
    with pytest.raises(FasError) as raised:
        read(cache)
    assert "\n" not in str(raised.value)
    assert str(raised.value).startswith(f"train.cache: {cache.folder}/")
    assert "cannot be written: File too large: free space there, or leave train.cache out" in str(
        raised.value
    )
    assert files(cache) == []


def test_a_folder_that_cannot_be_is_one_line(samples: SampleTable, tmp_path: Path) -> None:
    with pytest.raises(FasError, match=r"train\.cache: .*/rgb/0\.jpg: File exists"):
        training_loader(samples, recipe(0, tmp_path / "rgb/0.jpg"))


def test_its_size_is_told_and_must_fit(
    samples: SampleTable, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "cache"
    filling = recipe(0, folder, batch_size=5)
    list(training_loader(samples, filling))
    written = sum(path.stat().st_size for path in folder.rglob("*.faces"))
    training_loader(samples, filling)
    about = f"cache {folder}: about {written / 1e9:.3g} GB for 5 samples, of which"
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{about} 0 GB are there; ")
    assert lines[1].startswith(f"{about} {written / 1e9:.3g} GB are there; ")
    training_loader(samples, filling, rank=1, world_size=2)
    assert capsys.readouterr().out == ""
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": written - 1}))
    training_loader(samples, filling)  # all is there
    with pytest.raises(FasError, match=r"train\.cache: .*: about .* there, and .* GB are free: free more"):
        training_loader(samples, recipe(0, tmp_path / "other"))


CROPS = {"near": ScaledCrop(1.0, "rgb"), "far": ScaledCrop(2.0, "rgb")}


def test_crops_around_detected_faces_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until another detector is fetched, or the folder is said to hold crops."""
    photo = np.random.default_rng(0).integers(0, 256, (100, 100, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), photo)
    columns = {"id": ["a", "b"], "label": [1, 0], "rgb": ["a.png", "a.png"]}
    samples = SampleTable.of(columns, modalities=["rgb"], root=tmp_path)
    plain = Recipe(modalities=("near", "far"), crops=CROPS, augment=Augment(lighting=0.0))
    train = evolve(plain.train, workers=0, batch_size=2, cache=tmp_path / "cache")
    cached = evolve(plain, model=evolve(plain.model, input_size=20), train=train)
    searched: list[int] = []

    def search(image: Image) -> list[DetectedFace]:
        searched.append(len(image))
        return [DetectedFace((30, 30, 40, 40))]

    monkeypatch.setattr("fas_core.data.reading._detector", lambda _: FaceDetector("fake", search))
    monkeypatch.setenv("FAS_MODELS_DIR", str(tmp_path / "models"))
    first, again = (next(iter(training_loader(samples, cached))) for _ in range(2))
    np.testing.assert_array_equal(first.images["far"], again.images["far"])
    assert len(searched) == 1
    (tmp_path / "models").mkdir()
    (tmp_path / "models/centerface.onnx").touch()
    list(training_loader(samples, cached))
    assert len(searched) == 2
    (tmp_path / "crops.jsonl").touch()
    whole = next(iter(training_loader(samples, cached)))
    assert len(searched) == 2
    assert not np.array_equal(first.images["near"], whole.images["near"])


def test_other_crops_have_files_of_their_own(cache: FaceCache) -> None:
    inputs = [ModelInput(("near", "far"), side, crops=CROPS) for side in (20, 24)]
    for model_input in inputs:
        view = evolve(cache, modalities=("near", "far"), model_input=model_input)
        side = model_input.face_size
        faces = dict.fromkeys(view.modalities, np.full((side, side, 3), side, np.uint8))
        view.read(0, lambda faces=faces: faces)
        assert_same(view.read(0, decoded_again), faces)
    assert len(files(cache)) == 2
