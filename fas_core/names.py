"""Names that strangers chose: as text for files and tables, and as text for a terminal.

The name of a file is bytes; Python holds those that are no UTF-8 as lone surrogates (U+DC80 to U+DCFF), which
no CSV, JSON, Parquet or Arrow file can hold. In such files the byte 0xNN is U+EFNN, a character for private
use (as in MirBSD's OPTU encodings): `to_text` writes it, `to_path` reads it. A name that has such a character
itself is read from a folder as its bytes (`from_file_system`), so that two names are never one text.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

SURROGATE, PRIVATE = 0xDC00, 0xEF00
_SURROGATES = re.compile("[\udc80-\udcff]")
_LONE_SURROGATES = re.compile("[\ud800-\udfff]")
_PRIVATE = re.compile("[\uef80-\uefff]")

_CONTROLS = re.compile(
    "[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\uef80-\uefff\ufff9-\ufffb]"
)
"""Control characters, line separators, marks and overrides of the direction of text, and bytes of names."""

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def from_file_system(name: str) -> str:
    """Return the name of a file as a folder lists it, with U+EF80 to U+EFFF as their bytes."""
    return _PRIVATE.sub(lambda match: match[0].encode().decode("ascii", "surrogateescape"), name)


def to_text(name: str) -> str:
    """Return a name as valid Unicode, for files and tables: a byte 0xNN that is no UTF-8 becomes U+EFNN.

    >>> to_text("b\\udcb2.png") == "b\\uefb2.png"
    True
    """
    if name.isascii():
        return name
    text = _SURROGATES.sub(lambda match: chr(ord(match[0]) - SURROGATE + PRIVATE), name)
    return _LONE_SURROGATES.sub("\N{REPLACEMENT CHARACTER}", text)  # not of a file: e.g. JSON's "\ud800"


def to_path(root: Path, text: str) -> Path:
    """Return the path of a file below `root` that `to_text` wrote as `text`.

    A text that someone else wrote may hold these characters as themselves.
    """
    path = root / text
    if text.isascii() or not _PRIVATE.search(text):
        return path
    decoded = root / _PRIVATE.sub(lambda match: chr(ord(match[0]) - PRIVATE + SURROGATE), text)
    return path if path.exists() and not decoded.exists() else decoded


def escape_controls(text: str) -> str:
    """Return text for a terminal: what would move its cursor, colour it or turn its direction is escaped.

    >>> escape_controls("a\\x1b[31m\\u202eb\\n")
    'a\\\\x1b[31m\\\\u202eb\\\\n'
    """
    return _CONTROLS.sub(lambda match: _escape(match[0]), text)


def escape_lines(text: str) -> str:
    """Return text of several lines for a terminal, each as by `escape_controls`."""
    return "\n".join(map(escape_controls, text.split("\n")))


def _escape(character: str) -> str:
    if short := _SHORT.get(character):
        return short
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF or 0xEF80 <= code <= 0xEFFF:
        return f"\\x{code & 0xFF:02x}"  # a byte
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}"


def shorten(name: str, suffix: str = "") -> str:
    """Return a file name with this suffix that a file system takes: a stem that is too long ends in its hash."""
    stem = name.removesuffix(suffix)
    if len(os.fsencode(name)) <= MAX_BYTES:
        return name
    import hashlib

    encoded = os.fsencode(stem)
    digest = hashlib.sha256(encoded).hexdigest()[:16]
    space = MAX_BYTES - len(digest) - 1 - len(os.fsencode(suffix))
    return f"{encoded[:space].decode(errors='ignore')}-{digest}{suffix}"


MAX_BYTES = 255
"""Of a file name, on the file systems of Linux; other systems count characters."""
