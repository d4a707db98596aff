"""Names that strangers chose: as text for files and tables, and as text for a terminal.

The name of a file is bytes, of which Python holds those that are no UTF-8 as lone surrogates (U+DC80 to
U+DCFF), which no CSV, JSON, Parquet or Arrow file can hold. Control characters break the lines of files. In
tables and files, each byte 0xNN of these is U+EFNN, a character for private use (MirBSD's OPTU-8, extended):
`to_text` writes it, `to_path` reads it. A name that has such a character itself is read from a folder as its
bytes (`from_file_system`), so that two names are never one text.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

BYTE = 0xEF00
"""Private character of the byte 0."""

CONTROLS = r"[\x00-\x1f\x7f-\x{9f}\x{2028}\x{2029}]"
"""Characters that are not in a text of one line, as a regular expression of Arrow."""

_LINE_CONTROLS = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029]")
_PRIVATE = re.compile("[\uef00-\uefff]+")
_BYTES = re.compile("[\udc80-\udcff]+")
_SURROGATES = re.compile("[\ud800-\udfff]")

_CONTROLS = re.compile(
    "[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\uef00-\uefff\ufff9-\ufffb]"
)
"""Control characters, line separators, marks and overrides of the direction of text, and bytes of names."""

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def from_file_system(name: str) -> str:
    """Return the name of a file as a folder lists it, with U+EF00 to U+EFFF as their bytes."""
    return _PRIVATE.sub(lambda match: match[0].encode().decode("ascii", "surrogateescape"), name)


def to_text(name: str) -> str:
    """Return a name as one line of valid Unicode, for a cell of a table.

    >>> to_text("b\\udcb2\\n.png") == "b\\uefb2\\uef0a.png"
    True
    """
    return replace_surrogates(_LINE_CONTROLS.sub(_to_private, name))


def replace_surrogates(text: str) -> str:
    """Return a text of several lines, with the bytes of names as private characters."""
    if text.isascii():
        return text
    return _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", _BYTES.sub(_to_private, text))


def to_json(text: str) -> str:
    """Return a text, or a name as of `to_text`, as valid Unicode with its control characters."""
    if text.isascii():
        return text
    decoded = _PRIVATE.sub(lambda match: _to_bytes(match).decode(errors="surrogateescape"), text)
    return replace_surrogates(from_file_system(decoded))


def to_path(root: Path, text: str) -> Path:
    """Return the path of a file below `root` that `to_text` wrote as `text`.

    A text that someone else wrote may hold private characters as themselves.
    """
    path = root / text
    if text.isascii() or not _PRIVATE.search(text):
        return path
    decoded = root / _PRIVATE.sub(lambda match: _to_bytes(match).decode("ascii", "surrogateescape"), text)
    return path if path.exists() and not decoded.exists() else decoded


def _to_private(match: re.Match[str]) -> str:
    return "".join(chr(BYTE + byte) for byte in match[0].encode(errors="surrogateescape"))


def _to_bytes(match: re.Match[str]) -> bytes:
    return bytes(ord(character) - BYTE for character in match[0])


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
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF or BYTE <= code <= BYTE + 0xFF:
        code %= 256
        return _SHORT.get(chr(code), f"\\x{code:02x}")
    return _SHORT.get(character, f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}")


def shorten(name: str, suffix: str = "") -> str:
    """Return a file name with this suffix that a file system takes: a long stem ends in its hash."""
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
