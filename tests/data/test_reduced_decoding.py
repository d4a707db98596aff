"""Training crops of JPEGs decoded at a half, a quarter or an eighth of their size."""

from __future__ import annotations

import struct
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from faults.mutation import run_reader
from numpy.typing import NDArray

from fas_core import DataError
from fas_core.config.recipe import Augment, Recipe
from fas_core.data.augment import Augmentations
from fas_core.data.images import decode_pixels
from fas_core.data.reading import read_faces
from fas_core.data.reduced_decoding import Photo, read_reduced_crops
from fas_core.records.samples import SampleTable
from fas_core.registry import registry

Image = NDArray[np.uint8]
AUGMENT = Augment(quality=0.5)
LIVE = 1


def draw_photo(height: int, width: int) -> Image:
    """Smooth colours, so that a crop is recognised however it is averaged."""
    noise = np.random.default_rng(0).integers(64, 192, (-(-height // 100), -(-width // 100), 3), np.uint8)
    return np.asarray(cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC))


def exif(orientation: int) -> bytes:
    tiff = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 274, 3, 1, orientation, 0, 0)
    return b"\xff\xe1" + struct.pack(">H", len(tiff) + 8) + b"Exif\0\0" + tiff


def encode(image: Image, *options: int, orientation: int = 0, suffix: str = ".jpg") -> bytes:
    data = bytes(cv2.imencode(suffix, image[..., ::-1], options)[1])
    return data[:2] + exif(orientation) + data[2:] if orientation else data


def table(root: Path, modalities: tuple[str, ...] = ("rgb",), **columns: Any) -> SampleTable:
    paths = {name: [f"{name}.jpg"] for name in modalities}
    return SampleTable.of({"id": ["a"], "label": [1], **paths, **columns}, modalities=modalities, root=root)


def build(augment: Augment, modalities: tuple[str, ...]) -> Augmentations:
    return Augmentations.build(Recipe(augment=augment), registry(), modalities)


def read_whole(samples: SampleTable, size: int, seed: int, augment: Augment = AUGMENT) -> dict[str, Image]:
    rng, augmentations = np.random.default_rng(seed), build(augment, samples.modalities)
    crops = augmentations.crop(read_faces(samples, 0, samples.modalities), size, rng)
    return augmentations.change(crops, LIVE, rng)


def read_reduced(samples: SampleTable, size: int, seed: int, augment: Augment = AUGMENT) -> dict[str, Image]:
    rng, augmentations = np.random.default_rng(seed), build(augment, samples.modalities)
    draw = partial(augmentations.draw_crop, rng=rng)
    crops = read_reduced_crops(samples, 0, samples.modalities, size, draw)
    return augmentations.change(crops, LIVE, rng)


@pytest.fixture
def reductions(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The scales at which images are decoded, in order."""
    calls: list[int] = []

    def decode(data: bytes, path: Path, reduction: int = 1) -> Any:
        calls.append(reduction)
        return decode_pixels(data, path, reduction)

    monkeypatch.setattr("fas_core.data.reduced_decoding.decode_pixels", decode)
    return calls


def test_where_nothing_is_reduced_it_is_bit_identical(tmp_path: Path, reductions: list[int]) -> None:
    """Of JPEGs too small for it, other formats and 16-bit depth, with and without a box."""
    photo = draw_photo(120, 140)
    (tmp_path / "rgb.jpg").write_bytes(encode(photo))
    (tmp_path / "ir.jpg").write_bytes(encode(np.repeat(photo, 4, axis=0), suffix=".png"))
    depth = np.linspace(500, 900, 200 * 210).reshape(200, 210).astype(np.uint16)
    (tmp_path / "depth.jpg").write_bytes(bytes(cv2.imencode(".png", depth)[1]))
    modalities = ("rgb", "ir", "depth")
    for samples in (table(tmp_path, modalities), table(tmp_path, modalities, box=[[20.4, 10.6, 90.3, 101]])):
        for seed in range(10):
            whole, reduced = (read(samples, 64, seed) for read in (read_whole, read_reduced))
            for name in modalities:
                np.testing.assert_array_equal(whole[name], reduced[name])
    assert set(reductions) == {1}


@pytest.mark.parametrize("orientation", [0, 3, 6, 8])
@pytest.mark.parametrize("box", [None, [[100, 150, 620, 600]]], ids=["whole", "box"])
def test_reduced_crops_show_the_same(
    tmp_path: Path, reductions: list[int], orientation: int, box: list[list[float]] | None
) -> None:
    """To within half a pixel of the network's input, which the sides' rounding up may cost."""
    (tmp_path / "rgb.jpg").write_bytes(encode(draw_photo(811, 1203), orientation=orientation))
    samples = table(tmp_path, box=box)
    augment = Augment(crop_scale=(0.1, 1.0), lighting=0.3)
    for seed in range(12):
        whole, reduced = (read(samples, 48, seed, augment)["rgb"] for read in (read_whole, read_reduced))
        error, mirrored = (np.abs(whole.astype(int) - image).mean() for image in (reduced, reduced[:, ::-1]))
        assert error < min(5, mirrored / 3)
    assert {2, 4} <= set(reductions)


@pytest.mark.parametrize(("side", "expected"), [(1023, 4), (1024, 8), (512, 4), (256, 2), (255, 1)])
def test_a_crop_keeps_twice_the_inputs_side(
    tmp_path: Path, reductions: list[int], side: int, expected: int
) -> None:
    (tmp_path / "rgb.jpg").write_bytes(encode(draw_photo(side, side)))
    augment = Augment(crop_scale=(1.0, 1.0), crop_ratio=(1.0, 1.0))
    read_reduced(table(tmp_path), 64, 0, augment)
    assert reductions == [expected]


def test_the_box_is_in_pixels_of_the_whole_first_image(tmp_path: Path, reductions: list[int]) -> None:
    """Also where that image is not read itself, and where another modality has another size."""
    for name, side in (("rgb", 800), ("ir", 400)):
        photo = np.zeros((side, side, 3), np.uint8)
        photo[: side // 2, side // 4 : 3 * side // 4] = 200
        (tmp_path / f"{name}.jpg").write_bytes(encode(photo))
    samples = table(tmp_path, ("rgb", "ir"), box=[[200, 0, 400, 400]])
    augment = Augment(crop_scale=(1.0, 1.0), crop_ratio=(1.0, 1.0))
    draw = partial(build(augment, ("rgb", "ir")).draw_crop, rng=np.random.default_rng(0))
    for modalities in (["rgb", "ir"], ["ir"]):
        crops = read_reduced_crops(samples, 0, modalities, 32, draw)
        assert list(crops) == modalities
        assert all(crop.min() > 190 for crop in crops.values())
    assert reductions == [4, 2, 2]
    outside = table(tmp_path, ("rgb", "ir"), box=[[900, 0, 400, 400]])
    with pytest.raises(DataError, match=r"rgb\.jpg: box .* lies outside the image of 800 x 800 pixels"):
        read_reduced(outside, 32, 0)


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def zero(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes(1000) + data[middle + 1000 :]


def resize_header(data: bytes) -> bytes:
    position = data.index(b"\xff\xc0") + 5
    return data[:position] + struct.pack(">HH", 60_000, 60_000) + data[position + 4 :]


def repeat_scans(data: bytes) -> bytes:
    start = data.index(b"\xff\xda")
    return data[:start] + data[start:-2] * 40 + data[-2:]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (cut, "is cut off after"),
        (zero, "zeros instead of pixels"),
        (resize_header, "60000 x 60000 pixels, more than the 64 million"),
        (repeat_scans, "refused: more than 32 scans"),
    ],
)
def test_what_is_refused_at_full_size_is_refused(tmp_path: Path, damage: Any, reason: str) -> None:
    data = damage(encode(draw_photo(600, 600)))
    for reduction in (1, 2, 8):
        with pytest.raises(DataError, match=reason):
            decode_pixels(data, tmp_path / "a.jpg", reduction)
    (tmp_path / "rgb.jpg").write_bytes(data)
    with pytest.raises(DataError, match=reason):
        read_reduced(table(tmp_path), 32, 0)


def test_an_upright_size_that_the_decoder_reads_otherwise_is_refused(tmp_path: Path) -> None:
    """A crop would be taken from elsewhere."""
    path, data = tmp_path / "rgb.jpg", encode(draw_photo(400, 600), orientation=6)
    assert Photo(path, data, (600, 400), None).crop((0, 0, 400, 600), 2).shape == (300, 200, 3)
    with pytest.raises(DataError, match=r"rgb\.jpg: its header says 600 x 400 pixels, and its frame another"):
        Photo(path, data, (400, 600), None).crop((0, 0, 600, 400), 2)


def test_kinds_of_jpeg_are_read_at_any_scale(tmp_path: Path) -> None:
    """Progressive, grey, with restarts and of any subsampling; sides are rounded up."""
    photo = draw_photo(203, 331)
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    kinds = [
        encode(photo, cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        encode(photo, cv2.IMWRITE_JPEG_RST_INTERVAL, 4),
        encode(photo, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),
        encode(photo, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_411),
        bytes(cv2.imencode(".jpg", grey)[1]),
    ]
    for data in kinds:
        path = tmp_path / "a.jpg"
        path.write_bytes(data)
        assert Photo.read(path).pixels is None
        for reduction in (2, 4, 8):
            reduced = decode_pixels(data, path, reduction)
            assert reduced.shape == (-(-203 // reduction), -(-331 // reduction), 3)
            height, width = 203 // reduction, 331 // reduction
            whole = decode_pixels(data, path)[: height * reduction, : width * reduction]
            averaged = cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)
            assert np.abs(averaged.astype(int) - reduced[:height, :width]).mean() < 4


def test_memory_and_time_of_altered_files_are_bounded() -> None:
    """As in `test_header_mismatch`, at an eighth."""
    data = encode(draw_photo(200, 300))
    start = data.index(b"\xff\xc0")
    end = start + 2 + struct.unpack_from(">H", data, start + 2)[0]
    frame = resize_header(data[start:end])
    files = [data[:end] + frame + data[end:], data[:start] + frame + data[start:], resize_header(data)]
    assert run_reader(lambda file: decode_pixels(file, Path("a.jpg"), 8), files) == []
