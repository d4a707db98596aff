"""Samples that command line arguments name."""

from __future__ import annotations

from pathlib import Path

import pytest

from fas_core import DataError
from fas_core.runtime.inputs import InputFinder, InputSample, VideoInput, count_samples, read_samples


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def find(*arguments: object, modalities: tuple[str, ...] = ("rgb", "depth"), **options: int) -> list:
    return list(InputFinder(modalities, **options).find(map(str, arguments)))


def test_images_that_differ_in_their_modality_are_one_sample(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "b/x_depth.png",
        "b/x_rgb.jpg",
        "b/y.jpg",
        "rgb/z.jpg",
        "depth/z.png",
        ".hidden.jpg",
        "a.txt",
    )
    samples = {sample.name.removeprefix(f"{tmp_path}/"): sample for sample in find(tmp_path)}
    assert list(samples) == ["b/x_rgb.jpg", "b/y.jpg", "rgb/z.jpg"]
    assert list(samples["b/x_rgb.jpg"].images) == list(samples["rgb/z.jpg"].images) == ["rgb", "depth"]
    assert samples["b/y.jpg"].images == {"rgb": tmp_path / "b/y.jpg"}
    assert samples["rgb/z.jpg"].copy_path == "rgb/z.jpg"


def test_single_files_are_grouped_like_those_of_a_folder(tmp_path: Path) -> None:
    touch(tmp_path, "rgb/x.jpg", "depth/x.png")
    (sample,) = find(tmp_path / "depth/x.png", tmp_path / "rgb/x.jpg")
    assert sample.images == {"rgb": tmp_path / "rgb/x.jpg", "depth": tmp_path / "depth/x.png"}


def test_files_of_one_modality_and_name_are_two_samples(tmp_path: Path) -> None:
    touch(tmp_path, "x.jpg", "x.png")
    assert [list(sample.images) for sample in find(tmp_path)] == [["rgb"], ["rgb"]]


def test_an_image_whose_path_names_no_modality_is_the_models_first(tmp_path: Path) -> None:
    touch(tmp_path, "x.jpg")
    (sample,) = find(tmp_path / "x.jpg", modalities=("ir", "depth"))
    assert list(sample.images) == ["ir"]


def test_videos_and_cameras_are_not_counted(tmp_path: Path) -> None:
    touch(tmp_path, "a/clip.mov", "a/x.jpg")
    sample, video = find(tmp_path, every=2, frames=5)
    assert count_samples([sample]) == 1
    assert count_samples([sample, video]) is None
    assert video == VideoInput(
        str(tmp_path / "a/clip.mov"), tmp_path / "a/clip.mov", "rgb", "a/clip", every=2, limit=5
    )
    (camera,) = find("camera:1")
    assert (camera.source, camera.copy_path, camera.limit) == (1, "camera-1", 1)


def test_what_cannot_be_read_is_a_sample_with_its_reason(tmp_path: Path) -> None:
    touch(tmp_path, "empty.mov")
    inputs = find(tmp_path / "none.jpg", tmp_path / "none.mov", tmp_path / "empty.mov")
    samples = list(read_samples(inputs))
    assert [sample.reason for sample in samples] == ["no such file", "no such file", "empty (0 bytes)"]
    assert all(isinstance(sample, InputSample) and not sample.images for sample in samples)


def test_empty_folders_and_cameras_without_a_number_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no images or videos in this folder"):
        find(tmp_path)
    with pytest.raises(DataError, match=r"camera:front: give the camera's number, e\.g\. camera:0"):
        find("camera:front")


def test_a_manifest_has_columns_of_the_modalities_of_the_model(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("thermal,nir,label\na.png,b.png,1\n,c.png,0\n")
    samples = list(read_samples(InputFinder(("thermal", "nir")).find([str(tmp_path / "m.csv")])))
    assert [sample.images for sample in samples] == [
        {"thermal": tmp_path / "a.png", "nir": tmp_path / "b.png"},
        {"nir": tmp_path / "c.png"},
    ]


def test_a_manifest_has_boxes(tmp_path: Path) -> None:
    touch(tmp_path, "x.jpg")
    (tmp_path / "m.csv").write_text("id,rgb,box\na,x.jpg,1 2 3 4\nb.png,x.jpg,\n")
    samples = find(tmp_path / "m.csv")
    assert [(sample.name, sample.copy_path, sample.box) for sample in samples] == [
        ("a", "a.jpg", (1, 2, 3, 4)),
        ("b.png", "b.png", None),
    ]


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("rtsp://10.0.0.5:554/cam?channel=1&subtype=0", "rtsp://10.0.0.5:554/cam?channel=1&subtype=0"),
        ("http://user:p@ss?w#rd/x@host/video", "http://host/video"),
        ("http://host/x.mjpg?token", "http://host/x.mjpg?***"),
        ("http://host/x?user=admin&pwd=12345&n=2#top", "http://host/x?user=***&pwd=***&n=2"),
        ("RTSP://user@host", "RTSP://host"),
    ],
)
def test_a_stream_is_named_without_secrets(url: str, name: str) -> None:
    (stream,) = find(url, frames=7)
    assert (stream.source, stream.name, stream.limit) == (url, name, 7)
    assert "/" not in stream.copy_path


def test_a_folder_has_samples_of_all_its_images(tmp_path: Path) -> None:
    touch(tmp_path, "clip.mp4/1.pgm", "a.heic", "b.jfif", ".ipynb_checkpoints/c.jpg", "notes.txt")
    assert [sample.copy_path for sample in find(tmp_path)] == ["a.heic", "b.jfif", "clip.mp4/1.pgm"]
