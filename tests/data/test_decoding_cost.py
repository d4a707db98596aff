"""Small files that would cost a decoder minutes or gigabytes: each is refused at once."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from faults.counts import count
from faults.mutation import mutations, run_reader

from fas_core import DataError
from fas_core.data import images
from fas_core.data.decoding_cost import MAX_COMPRESSED_CHUNKS, MAX_SCANS, find_excess
from fas_core.data.image_size import pixel_size, read_shape
from fas_core.data.images import decode
from fas_core.data.video import frames

IMAGE = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8), (0, 0), 2)
PROGRESSIVE = [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]


def encoded(suffix: str, options: list[int] | None = None, image: np.ndarray = IMAGE) -> bytes:
    return bytes(cv2.imencode(suffix, image, options or [])[1])


def with_scans(count: int, side: int = 7900) -> bytes:
    """A progressive JPEG that repeats its last scan."""
    data = bytearray(encoded(".jpg", PROGRESSIVE, np.zeros((16, 16), np.uint8)))
    frame = data.index(b"\xff\xc2")
    data[frame + 5 : frame + 9] = struct.pack(">HH", side, side)
    last = data.rindex(b"\xff\xda")
    return bytes(data[:last] + data[last:-2] * (count - data.count(b"\xff\xda") + 1) + b"\xff\xd9")


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(rows: int = 30, bits: int = 8, extra: bytes = b"", side: int = 30) -> bytes:
    pixels = zlib.compress((b"\0" * (1 + side * 3 * bits // 8)) * rows, 9)
    header = struct.pack(">IIBBBBB", side, side, bits, 2, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    return start + extra + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def tiff(sizes: list[int], bits: int = 8) -> bytes:
    """A TIFF that gives its width and height once for each of the sizes."""
    entries = [(tag, size) for tag in (256, 257) for size in sizes]
    entries += [(258, bits), (259, 5), (262, 1), (273, 200), (277, 1), (278, max(sizes)), (279, 50)]
    body = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + body + bytes(400)


def tiled_tiff(tile: int) -> bytes:
    """A TIFF of 16 x 16 pixels whose one tile is far larger."""
    entries = [(256, 16), (257, 16), (258, 8), (259, 5), (262, 1), (277, 1)]
    entries += [(322, tile), (323, tile), (324, 200), (325, 50)]
    body = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + body + bytes(400)


def avif(side: int) -> bytes:
    """An AVIF whose boxes say 16 x 16, which the decoder does not compare with its frames."""
    fast = [cv2.IMWRITE_AVIF_SPEED, 10]
    data = encoded(".avif", fast, np.zeros((side, side), np.uint8))
    size = b"ispe" + bytes(4)
    return data.replace(size + struct.pack(">II", side, side), size + struct.pack(">II", 16, 16))


TEXT = chunk(b"zTXt", b"x\0\0" + zlib.compress(bytes(1 << 20)))
BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "scans": (lambda: with_scans(8000), f"more than {MAX_SCANS} scans"),
    "segments": (lambda: with_segments(10_000), "segments or more"),
    "rows": (lambda: png(rows=3_000_000), "more data than its pixels have"),
    "texts": (lambda: png(extra=TEXT * 1000), f"more than {MAX_COMPRESSED_CHUNKS} compressed texts"),
    "tags twice": (lambda: tiff([16, 16_000]), "16000 x 16000 pixels, more than the 64 million"),
    "tags twice, reversed": (lambda: tiff([16_000, 16]), "16000 x 16000 pixels, more than the 64 million"),
    "tiles": (lambda: tiled_tiff(32_000), "32000 x 32000 pixels, more than the 64 million"),
    "boxes of AVIF": (lambda: avif(8400), "8400 x 8400 pixels, more than the 64 million"),
    "16 bits": (
        lambda: png(rows=1, bits=16, side=7900),
        "7900 x 7900 pixels of 16 bits a channel, more than the 32 million",
    ),
    "16 bits of TIFF": (lambda: tiff([7900], bits=16), "of 16 bits a channel, more than the 32 million"),
    "16 bits of PNM": (lambda: b"P6 7900 7900 65535\n" + bytes(9), "of 16 bits a channel"),
    "16 bits of PAM": (
        lambda: b"P7\nWIDTH 7900\nHEIGHT 7900\nDEPTH 3\nMAXVAL 65535\nENDHDR\n" + bytes(9),
        "of 16 bits a channel",
    ),
    "filling bytes": (lambda: b"\xff\xd8" + b"\xff" * 3_000_000, "is cut off"),
    "words of a header": (lambda: b"P7\n" + b"WIDTH 1 " * 300_000, "not a JPEG, PNG"),
    "digits": (lambda: b"P5 " + b"9" * 5000 + b" 1 255\n", "not a JPEG, PNG"),
}


def with_segments(count: int) -> bytes:
    data = encoded(".jpg")
    scan = data.index(b"\xff\xda")
    return data[:scan] + b"\xff\xfe\0\2" * count + data[scan:]


@pytest.mark.parametrize("name", BOMBS)
def test_bombs(name: str) -> None:
    build, reason = BOMBS[name]
    data = build()
    count("bombs")
    start = time.monotonic()
    with pytest.raises(DataError, match=rf"bomb\.jpg: .*{reason}") as caught:
        decode(data, Path("bomb.jpg"))
    assert time.monotonic() - start < 5
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [
        encoded(".jpg", PROGRESSIVE),
        encoded(".jpg", [cv2.IMWRITE_JPEG_RST_INTERVAL, 1], cv2.resize(IMAGE, (800, 600))),
        encoded(".png", [cv2.IMWRITE_PNG_COMPRESSION, 0]),
        png(extra=TEXT * 3),
        png(extra=chunk(b"iTXt", b"x\0\0\0\0\0plain") * 100),
    ],
    ids=["progressive", "restart markers", "not compressed", "texts", "plain texts"],
)
def test_what_encoders_write_is_read(data: bytes) -> None:
    assert find_excess(data) == ""
    decode(data, Path("a.jpg"))


def test_scans_up_to_the_limit_are_read() -> None:
    assert find_excess(with_scans(MAX_SCANS)) == ""
    assert find_excess(with_scans(MAX_SCANS + 1)) == f"more than {MAX_SCANS} scans"


def test_scans_are_counted_behind_an_end_that_is_none() -> None:
    """A comment that holds the bytes of an end does not hide the scans behind it."""
    data = with_scans(100)
    first = data.index(b"\xff\xda")
    assert find_excess(data[:first] + b"\xff\xfe\0\4\xff\xd9" + data[first:]) != ""


def test_the_decoder_has_the_limit_itself(tmp_path: Path) -> None:
    """Whatever size our reader of headers takes a file for."""
    paths = [tmp_path / f"a{suffix}" for suffix in (".jpg", ".png", ".webp", ".jp2", ".tiff", ".bmp", ".gif")]
    for path in paths:
        path.write_bytes(encoded(path.suffix, image=np.zeros((100, 110, 3), np.uint8)))
    code = (
        "import sys, pathlib, fas_core; from fas_core.data import images\n"
        "images.pixel_size = lambda data: (16, 16)\n"
        "for path in sys.argv[1:]:\n"
        "    try: images.read_image(pathlib.Path(path))\n"
        "    except fas_core.DataError as error: print(error)"
    )
    environment = os.environ | {"OPENCV_IO_MAX_IMAGE_PIXELS": "10000", "PYTHONPATH": ":".join(sys.path)}
    command = [sys.executable, "-c", code, *paths]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    reason = "cannot be decoded: its header hides that it has more than 64 million pixels"
    assert done.stdout.splitlines() == [f"{path}: {reason}" for path in paths]
    assert done.stderr == ""


def test_the_size_is_checked_after_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    """For an application that imported OpenCV before the limit could be set."""
    monkeypatch.setattr(images, "pixel_size", lambda _: (16, 16))
    monkeypatch.setattr(images, "MAX_PIXELS", 1000)
    with pytest.raises(DataError, match="64 x 48 pixels, more than"):
        decode(encoded(".bmp"), Path("a.bmp"))


def test_frames_of_a_video_are_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    writer.write(IMAGE)
    writer.release()
    assert len(list(frames(path))) == 1
    monkeypatch.setattr("fas_core.data.video.MAX_PIXELS", 1000)
    with pytest.raises(DataError, match="frames of 64 x 48 pixels, more than"):
        list(frames(path))


def originals() -> list[bytes]:
    files = [encoded(suffix) for suffix in (".jpg", ".png", ".bmp", ".tiff", ".webp", ".gif", ".ppm", ".pam")]
    files += [encoded(suffix) for suffix in (".avif", ".jp2", ".ras")]
    files += [encoded(suffix, image=IMAGE.astype(np.uint16) * 200) for suffix in (".png", ".tiff")]
    return [
        *files,
        encoded(".jpg", PROGRESSIVE),
        encoded(".webp", [cv2.IMWRITE_WEBP_QUALITY, 80]),
        png(extra=TEXT),
    ]


def check_mutations(path: Path, count: int, seed: int) -> None:
    def read(data: bytes) -> object:
        path.write_bytes(data)
        pixel_size(data)
        read_shape(path)
        return decode(data, path)

    assert run_reader(read, mutations(originals(), count, seed)) == []


def test_mutations(tmp_path: Path) -> None:
    check_mutations(tmp_path / "a.jpg", 1000, seed=0)


@pytest.mark.long
def test_many_mutations(tmp_path: Path) -> None:
    check_mutations(tmp_path / "a.jpg", 50_000, seed=1)
