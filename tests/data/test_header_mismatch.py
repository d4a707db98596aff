"""Images whose header disagrees with their frames or chunks: a result or a reason, within 1 GB and 10 s."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
from faults.mutation import run_reader

from fas_core.data.images import decode

IMAGE = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8), (0, 0), 2)
HUGE, LARGE = 16_000, 7900
"""Sides of a square: beyond the limit of pixels, and just within."""


def encode(suffix: str, *options: int) -> bytes:
    return bytes(cv2.imencode(suffix, IMAGE, options)[1])


def patch(data: bytes, marker: bytes, skip: int, form: str, *values: int) -> bytes:
    """Write numbers at a distance from the first marker."""
    changed = bytearray(data)
    struct.pack_into(form, changed, data.index(marker) + skip, *values)
    return bytes(changed)


def webp(*chunks: bytes) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def webp_chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def canvas(side: int, flags: int = 0) -> bytes:
    size = struct.pack("<I", side - 1)[:3]
    return webp_chunk(b"VP8X", bytes([flags, 0, 0, 0]) + 2 * size)


def animation(side: int, frame_side: int, frame: bytes) -> bytes:
    size = struct.pack("<I", frame_side - 1)[:3]
    content = bytes(6) + 2 * size + b"\x64\0\0\0" + frame
    return webp(canvas(side, 2), webp_chunk(b"ANIM", bytes(6)), webp_chunk(b"ANMF", content))


LOSSLESS, LOSSY = encode(".webp")[12:], encode(".webp", cv2.IMWRITE_WEBP_QUALITY, 80)[12:]


def lossless(side: int) -> bytes:
    return patch(LOSSLESS, b"VP8L", 9, "<I", side - 1 | side - 1 << 14)


def lossy(side: int) -> bytes:
    return patch(LOSSY, b"VP8 ", 14, "<HH", side, side)


def gif(screen: int, frame: int, offset: int = 0, frames: int = 1) -> bytes:
    content = b"\x2c" + struct.pack("<4H", offset, offset, frame, frame) + b"\0\2\2\x4c\1\0"
    head = b"GIF89a" + struct.pack("<HH", screen, screen)
    return head + b"\x80\0\0\0\0\0\xff\xff\xff" + content * frames + b";"


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(*extra: bytes, side: int = 30) -> bytes:
    pixels = png_chunk(b"IDAT", zlib.compress(bytes(91 * 30)))
    return b"\x89PNG\r\n\x1a\n" + png_header(side) + b"".join(extra) + pixels + png_chunk(b"IEND", b"")


def png_header(side: int) -> bytes:
    return png_chunk(b"IHDR", struct.pack(">II5B", side, side, 8, 2, 0, 0, 0))


def png_animation(side: int, frames: int) -> bytes:
    control = png_chunk(b"fcTL", struct.pack(">5IHHBB", 0, side, side, 0, 0, 1, 10, 0, 0))
    return png(png_chunk(b"acTL", struct.pack(">II", frames, 0)), control)


def jpeg_of_two_frames() -> bytes:
    data = encode(".jpg")
    start = data.index(b"\xff\xc0")
    end = start + 2 + struct.unpack_from(">H", data, start + 2)[0]
    return data[:end] + patch(data[start:end], b"\xff\xc0", 5, ">HH", 65_000, 65_000) + data[end:]


def bmp(side: int, colours: int) -> bytes:
    head = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, 900, 0, 0, colours, 0)
    return b"BM" + struct.pack("<IHHI", 2000, 0, 0, 1078) + head + bytes(1024) + b"\xff\0" * 50 + b"\0\1"


MEGABYTES = zlib.compress(bytes(64 << 20), 9)
FILES = {
    "WebP, canvas beyond the limit": webp(canvas(HUGE), LOSSLESS),
    "WebP, small canvas, lossless frame": webp(canvas(16), lossless(HUGE)),
    "WebP, small canvas, lossy frame": webp(canvas(16), lossy(HUGE)),
    "WebP, a second frame": webp(canvas(64), LOSSLESS, lossless(HUGE)),
    "WebP, canvas behind the frame": webp(LOSSLESS, canvas(HUGE)),
    "WebP animation, large canvas": animation(LARGE, 64, LOSSLESS),
    "WebP animation, frame outside": animation(64, HUGE, lossless(HUGE)),
    "WebP animation, frame of another size": animation(64, 64, lossless(HUGE)),
    "GIF, frame outside the screen": gif(16, 65_535),
    "GIF, offset outside the screen": gif(16, 16, offset=60_000),
    "GIF, large screen": gif(LARGE, 16),
    "GIF, large frames": gif(LARGE, LARGE, frames=1000),
    "PNG, second header": png(png_header(HUGE)),
    "PNG, text": png(png_chunk(b"zTXt", b"x\0\0" + MEGABYTES)),
    "PNG, international text": png(png_chunk(b"iTXt", b"x\0\1\0\0\0" + MEGABYTES)),
    "PNG, profile": png(png_chunk(b"iCCP", b"x\0\0" + MEGABYTES)),
    "PNG, profile that declares 4 GB": png(
        png_chunk(b"iCCP", b"x\0\0" + zlib.compress(struct.pack(">I", 0xFFFFFFF0) + bytes(1 << 20)))
    ),
    "PNG animation, frame outside": png_animation(HUGE, 2),
    "PNG animation, a billion frames": png_animation(30, 10**9),
    "JPEG, second frame": jpeg_of_two_frames(),
    "JPEG 2000, grid beyond the limit": patch(encode(".jp2"), b"\xff\x51", 6, ">II", HUGE, HUGE),
    "JPEG 2000, huge tiles": patch(encode(".jp2"), b"\xff\x51", 22, ">II", 2**31, 2**31),
    "JPEG 2000, tiles of a pixel": patch(encode(".jp2"), b"\xff\x51", 22, ">II", 1, 1),
    "JPEG 2000, components": patch(encode(".jp2"), b"\xff\x51", 38, ">H", 16_384),
    "BMP, large, few runs": bmp(LARGE, 0),
    "BMP, two billion colours": bmp(16, 2**31),
    "Sun raster, large": struct.pack(">8I", 0x59A66A95, LARGE, LARGE, 24, LARGE**2 * 3, 2, 0, 0) + bytes(99),
}


def test_memory_and_time_are_bounded() -> None:
    assert run_reader(lambda data: decode(data, Path("a.png")), FILES.values()) == []
