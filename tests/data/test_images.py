import struct
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fas_core import DataError
from fas_core.data.images import (
    as_image,
    box_overlaps,
    crop,
    encode,
    prepare,
    read_image,
    scale_box,
)
from fas_core.records.model_input import Resize

Image = NDArray[np.uint8]
Save = Callable[[Path, Image], Path]


def exif_orientation(value: int) -> bytes:
    """A JPEG APP1 segment that says how the camera was held."""
    entry = b"\x01\x12\x00\x03\x00\x00\x00\x01" + value.to_bytes(2, "big") + b"\x00\x00"
    body = b"Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01" + entry + b"\x00\x00\x00\x00"
    return b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body


def thumbnail(image: bytes) -> bytes:
    """A JPEG APP2 segment with a whole JPEG in it, as cameras write previews."""
    return b"\xff\xe2" + (len(image) + 2).to_bytes(2, "big") + image


def test_colours_are_red_green_blue(tmp_path: Path, noise: Image, save: Save) -> None:
    np.testing.assert_array_equal(read_image(save(tmp_path / "a.png", noise)), noise)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff", ".webp"])
def test_lossless_formats_come_back_as_they_were(tmp_path: Path, noise: Image, suffix: str) -> None:
    path = tmp_path / f"photo of Jürgen{suffix}"
    path.write_bytes(encode(noise, suffix))
    np.testing.assert_array_equal(read_image(path), noise)


def test_jpeg_keeps_colour_edges(noise: Image, tmp_path: Path) -> None:
    smooth = cv2.GaussianBlur(noise, (0, 0), 2).astype(np.uint8)
    (tmp_path / "a.jpg").write_bytes(encode(smooth, ".jpg"))
    assert np.abs(read_image(tmp_path / "a.jpg").astype(int) - smooth).mean() < 1.5


def test_grey_and_alpha(tmp_path: Path, noise: Image) -> None:
    cv2.imwrite(str(tmp_path / "grey.png"), noise[..., 0])
    np.testing.assert_array_equal(read_image(tmp_path / "grey.png"), np.repeat(noise[..., :1], 3, axis=2))
    alpha = np.dstack([noise, np.full(noise.shape[:2], 7, np.uint8)])
    cv2.imwrite(str(tmp_path / "alpha.png"), alpha)
    np.testing.assert_array_equal(read_image(tmp_path / "alpha.png"), noise[..., ::-1])


def test_sixteen_bit_grey_is_stretched_and_holes_stay_holes(tmp_path: Path) -> None:
    depth = np.array([[0, 600, 854], [1108, 727, 0]], np.uint16)
    cv2.imwrite(str(tmp_path / "depth.png"), depth)
    expected = np.array([[0, 1, 128], [255, 64, 0]], np.uint8)
    np.testing.assert_allclose(read_image(tmp_path / "depth.png")[..., 0], expected, atol=1)
    cv2.imwrite(str(tmp_path / "nothing.png"), np.zeros((2, 2), np.uint16))
    assert read_image(tmp_path / "nothing.png").max() == 0
    cv2.imwrite(str(tmp_path / "flat.png"), np.full((2, 2), 900, np.uint16))
    assert (read_image(tmp_path / "flat.png") == 1).all()


def test_sixteen_bit_colour_keeps_its_range(tmp_path: Path, noise: Image) -> None:
    cv2.imwrite(str(tmp_path / "deep.png"), noise[..., ::-1].astype(np.uint16) * 257)
    np.testing.assert_array_equal(read_image(tmp_path / "deep.png"), noise)


def test_photos_are_turned_upright(tmp_path: Path) -> None:
    left_white = np.zeros((40, 60, 3), np.uint8)
    left_white[:, :30] = 255
    data = encode(left_white, ".jpg")
    (tmp_path / "a.jpg").write_bytes(data[:2] + exif_orientation(6) + data[2:])
    image = read_image(tmp_path / "a.jpg")
    assert image.shape == (60, 40, 3)
    assert image[:25].mean() > 250
    assert image[35:].mean() < 5


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize("share", [0.5, 0.98])
def test_a_cut_off_image_is_refused(tmp_path: Path, noise: Image, suffix: str, share: float) -> None:
    data = encode(noise, suffix)
    path = tmp_path / f"a{suffix}"
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(DataError, match=rf"a\{suffix}: the image is cut off after \d+ bytes"):
        read_image(path)


def test_a_whole_thumbnail_in_a_cut_off_photo_does_not_hide_it(tmp_path: Path, noise: Image) -> None:
    data = encode(noise, ".jpg")
    whole = data[:2] + thumbnail(encode(noise[:8, :8], ".jpg")) + data[2:]
    (tmp_path / "whole.jpg").write_bytes(whole + b"trailing bytes that some phones write")
    assert read_image(tmp_path / "whole.jpg").shape == noise.shape
    (tmp_path / "cut.jpg").write_bytes(whole[:-500])
    with pytest.raises(DataError, match="is cut off"):
        read_image(tmp_path / "cut.jpg")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such image: check the list and the data set's root"),
        (b"", r"the image is empty \(0 bytes\)"),
        (b"not an image", "cannot be decoded"),
    ],
)
def test_what_is_no_image_is_refused(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "a.jpg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=rf"a\.jpg: {message}"):
        read_image(path)
    with pytest.raises(DataError, match="cannot be read: a folder, not a file"):
        read_image(tmp_path)


# 8 x 8 pixels of 0, 200, 200, 0 of 255 in cyan, magenta, yellow and black, stored inverted as Adobe does.
CMYK = (
    "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwADAgIDAgIDAwMDBAMDBAUIBQUEBAUKBwcGCAwKDAwLCgsLDQ4SEA0OEQ4LCxAWEBETFBUVFQ"
    "wPFxgWFBgSFBUU/8AAFAgACAAIBEMRAE0RAFkRAEsRAP/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYHCAkKC//EALUQAAIBAwMC"
    "BAMFBQQEAAABfQECAwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNERUZHSElKU1"
    "RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV1tfY2drh"
    "4uPk5ebn6Onq8fLz9PX29/j5+v/aAA4EQwBNAFkASwAAPwD9U6+PK+PK/VOv/9k="
)


def test_printers_colours_become_those_of_a_screen(tmp_path: Path) -> None:
    (tmp_path / "cmyk.jpg").write_bytes(b64decode(CMYK))
    np.testing.assert_allclose(read_image(tmp_path / "cmyk.jpg"), np.full((8, 8, 3), (255, 55, 55)), atol=2)


@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_of_an_animation_the_first_frame(tmp_path: Path, noise: Image, suffix: str) -> None:
    animation = cv2.Animation()
    animation.frames = [noise[..., ::-1].copy(), np.zeros_like(noise)]
    animation.durations = np.array([100, 100])
    assert cv2.imwriteanimation(str(tmp_path / f"a{suffix}"), animation, [cv2.IMWRITE_WEBP_QUALITY, 101])
    np.testing.assert_array_equal(read_image(tmp_path / f"a{suffix}"), noise)


def test_of_several_pages_the_first(tmp_path: Path, noise: Image) -> None:
    assert cv2.imwritemulti(str(tmp_path / "a.tiff"), [noise[..., ::-1], np.zeros_like(noise)])
    np.testing.assert_array_equal(read_image(tmp_path / "a.tiff"), noise)


def test_a_bomb_is_refused_before_it_goes_off(tmp_path: Path, noise: Image) -> None:
    data, path = encode(noise, ".png"), tmp_path / "bomb.png"
    path.write_bytes(data[:16] + struct.pack(">II", 10_000, 10_000) + data[24:])
    with pytest.raises(DataError, match=r"bomb\.png: 10000 x 10000 pixels, more than the 64 million"):
        read_image(path)


def test_arrays_are_taken_as_files_of_the_same_pixels_are_read(tmp_path: Path, noise: Image) -> None:
    grey, depth = noise[..., 0], noise[..., 0].astype(np.uint16) * 9
    assert cv2.imwrite(str(tmp_path / "grey.png"), grey)
    assert cv2.imwrite(str(tmp_path / "depth.png"), depth)
    np.testing.assert_array_equal(as_image(grey, "a"), read_image(tmp_path / "grey.png"))
    np.testing.assert_array_equal(as_image(grey[..., None], "a"), read_image(tmp_path / "grey.png"))
    np.testing.assert_array_equal(as_image(depth, "a"), read_image(tmp_path / "depth.png"))
    np.testing.assert_array_equal(as_image(noise, "a"), noise)
    np.testing.assert_array_equal(as_image(np.dstack([noise, grey]), "a"), noise)


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (np.zeros((4, 4, 3)), r"rgb: float64 \(4, 4, 3\): give uint8 \(height, width, 3\), RGB"),
        (np.zeros((1, 4, 4, 3), np.uint8), r"uint8 \(1, 4, 4, 3\)"),
        (np.zeros((0, 4, 3), np.uint8), r"uint8 \(0, 4, 3\)"),
        (np.zeros((3, 4, 5), np.uint8), "5 channels: give 3"),
    ],
)
def test_other_arrays_are_refused(pixels: Image, message: str) -> None:
    with pytest.raises(DataError, match=message):
        as_image(pixels, "rgb")


def test_floating_point_images_are_refused(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.tiff"), np.ones((4, 4, 3), np.float32))
    with pytest.raises(DataError, match="float32 pixels: save it with 8 or 16 bits"):
        read_image(tmp_path / "a.tiff")
    cv2.imwrite(str(tmp_path / "b.tiff"), np.ones((4, 4), np.float32))
    with pytest.raises(DataError, match="cannot be decoded: not an image of 8 or 16 bits"):
        read_image(tmp_path / "b.tiff")


def test_of_a_bad_file_opencv_prints_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    cv2.imwrite(str(tmp_path / "b.tiff"), np.ones((4, 4), np.float32))
    with pytest.raises(DataError):
        read_image(tmp_path / "b.tiff")
    assert capfd.readouterr() == ("", "")


def test_the_published_evaluation_rule() -> None:
    """Shorter side to 256, central 224 x 224: of a 512 x 640 image the central 448, at half size."""
    image = np.random.default_rng(1).integers(0, 256, (512, 640, 3), np.uint8)
    central = image[32:480, 96:544].astype(float)
    expected = central.reshape(224, 2, 224, 2, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(prepare(image, 224, Resize(0.875)), expected, atol=1)


def test_a_box_is_cut_out_pixel_by_pixel(noise: Image) -> None:
    face = prepare(crop(noise, (10, 5, 20, 20)), 20, Resize(crop=1.0))
    np.testing.assert_array_equal(face, noise[5:25, 10:30])


def test_small_images_grow(noise: Image) -> None:
    made = prepare(noise, 100, Resize(crop=1.0))
    expected = cv2.resize(noise[:, 10:50], (100, 100), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_array_equal(made, expected)


def test_boxes_are_clipped_to_the_image(noise: Image) -> None:
    np.testing.assert_array_equal(crop(noise, (-5, -5, 15, 10)), noise[:5, :10])
    np.testing.assert_array_equal(crop(noise, (50, 30, 100, 100)), noise[30:, 50:])
    assert crop(noise, (3.2, 3.2, 0.1, 0.1)).shape == (1, 1, 3)


def test_boxes_follow_the_images_size() -> None:
    assert scale_box((10, 20, 30, 40), (100, 200, 3), (50, 400, 3)) == (20, 10, 60, 20)


@pytest.mark.parametrize("suffix", [".dib", ".ppm", ".pgm", ".pam", ".jp2", ".ras", ".gif", ".avif"])
def test_rarer_formats_are_read(tmp_path: Path, noise: Image, suffix: str) -> None:
    smooth = cv2.GaussianBlur(np.kron(noise, np.ones((4, 4, 1), np.uint8)), (0, 0), 9)
    pixels = smooth[..., 0] if suffix == ".pgm" else smooth
    (tmp_path / "a").write_bytes(bytes(cv2.imencode(suffix, pixels)[1]))
    expected = np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels[..., ::-1]
    error = np.abs(read_image(tmp_path / "a").astype(int) - expected).mean()
    assert error < (30 if suffix == ".gif" else 2)  # OpenCV writes GIF with few colours


@pytest.mark.parametrize("suffix", [".gif", ".pgm", ".avif", ".upload", ""])
def test_crops_keep_their_colours_whatever_their_name(tmp_path: Path, noise: Image, suffix: str) -> None:
    (tmp_path / f"a{suffix}").write_bytes(encode(noise, suffix))
    np.testing.assert_array_equal(read_image(tmp_path / f"a{suffix}"), noise)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        (
            "a.heic",
            b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
            "a HEIC image, which is not supported: save it as JPEG",
        ),
        ("a.dng", b"II*\0\x08\0\0\0", "a camera's raw file, which is not supported: save it as JPEG"),
        ("a.jpg", b"\xff\x0a" + bytes(9), "a JPEG XL image"),
    ],
)
def test_an_unsupported_format_is_named(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=f"cannot be decoded: {reason}"):
        read_image(tmp_path / name)


def test_a_box_is_in_an_image_if_its_centre_is() -> None:
    assert box_overlaps((-9, -9, 20, 20), (40, 60, 3))
    assert not box_overlaps((-11, 0, 20, 20), (40, 60, 3))
    assert not box_overlaps((0, 35, 20, 20), (40, 60, 3))
