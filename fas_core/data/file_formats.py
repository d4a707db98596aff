"""Formats of images and videos by the first bytes of a file, and whether their pixels can be decoded."""

from __future__ import annotations

import re
from enum import Enum

from attrs import frozen

HEADER_BYTES = 512
"""So many bytes of a file are enough to identify its format."""

RAW_SUFFIXES = (".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf", ".pef", ".srw")
"""Raw files of cameras. Some begin like TIFF files, whose decoder would return the thumbnail."""


class FileKind(Enum):
    """What a file is: an image or a video that is read, an undecodable image, or something else."""

    IMAGE = "image"
    VIDEO = "video"
    UNDECODABLE = "undecodable"
    OTHER = "other"


@frozen
class FileFormat:
    """A file format: its name, empty if it is unknown, and its kind."""

    name: str
    kind: FileKind


UNKNOWN = FileFormat("", FileKind.OTHER)

IMAGE_SIGNATURES: dict[str, re.Pattern[bytes]] = {
    name: re.compile(pattern, re.DOTALL)
    for name, pattern in {
        "JPEG": rb"\xff\xd8\xff",
        "PNG": rb"\x89PNG\r\n\x1a\n",
        "GIF": rb"GIF8[79]a",
        "BMP": rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0",  # with the size of the second header
        "WebP": rb"RIFF.{4}WEBP",
        "TIFF": rb"II\*\0|MM\0\*",
        "PNM": rb"P[1-6]\s+[0-9#]|P7\nWIDTH",
        "AVIF": rb".{4}ftyp(?:avif|avis)",
        "JPEG 2000": rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51",
        "Sun raster": rb"\x59\xa6\x6a\x95",
    }.items()
}
UNDECODABLE_SIGNATURES: dict[str, re.Pattern[bytes]] = {
    name: re.compile(pattern, re.DOTALL)
    for name, pattern in {
        "HEIC": rb".{4}ftyp(?:hei[cxmsf]|hev[cmsx]|mif1|msf1)",
        "JPEG XL": rb"\xff\x0a|\0\0\0\x0cJXL ",
        "Photoshop": rb"8BPS",
        "OpenEXR": rb"\x76\x2f\x31\x01",
        "Radiance HDR": rb"#\?R(?:ADIANCE|GBE)",
        "PFM": rb"P[Ff]\s+[0-9]",
        "BigTIFF": rb"II\+\0|MM\0\+",
        "Canon CR3": rb".{4}ftypcrx ",
    }.items()
}
VIDEO_SIGNATURES: dict[str, re.Pattern[bytes]] = {
    name: re.compile(pattern, re.DOTALL)
    for name, pattern in {
        "MP4": rb".{4}ftyp(?!M4[AB] )|.{4}(?:moov|mdat|wide)",
        "AVI": rb"RIFF.{4}AVI ",
        "Matroska": rb"\x1a\x45\xdf\xa3",
        "MPEG": rb"\0\0\x01[\xba\xb3]",
        "MPEG-TS": rb"\x47.{187}\x47.{187}\x47",
        "ASF": rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11",
        "Flash video": rb"FLV\x01",
    }.items()
}


def identify_format(header: bytes) -> FileFormat:
    """Return the format that the first `HEADER_BYTES` of a file have."""
    for kind, signatures in (
        (FileKind.IMAGE, IMAGE_SIGNATURES),
        (FileKind.UNDECODABLE, UNDECODABLE_SIGNATURES),
        (FileKind.VIDEO, VIDEO_SIGNATURES),
    ):
        for name, signature in signatures.items():
            if signature.match(header):
                return FileFormat(name, kind)
    return UNKNOWN
