"""Read text and JSON of any origin within limits, so that a file's cost grows with its size, not faster.

| limit | of | what it prevents |
|---|---|---|
| `MAX_DOCUMENT` bytes | YAML and JSON documents | gigabytes of Python objects |
| `MAX_TABLE` bytes | score files, manifests, lists | a file that does not fit the memory |
| `MAX_LINE` characters | their lines | one line that is the whole file |
| `MAX_COLUMNS` | tables | work that grows with the square of the columns |
| `MAX_DIGITS` in a row | numbers | work that grows with the square of the digits |
| `MAX_DEPTH` levels | YAML and JSON | a full stack of the interpreter |

Problems are errors of the class that the caller gives, of one line that begins with the file's name.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fas_core.errors import DataError, FasError

MAX_DOCUMENT = 16 << 20
MAX_TABLE = 1 << 30
MAX_LINE = 1 << 20
MAX_COLUMNS = 4096
MAX_DIGITS = 1000
"""More than any double needs: its exact decimals are at most 767 significant digits."""
MAX_DEPTH = 50
MAX_EXCERPT = 60
"""Characters that messages show of a text."""

_BLOCK = 1 << 24
_DIGITS = bytes(ord("0") if chr(byte).isdigit() and byte < 128 else ord("x") for byte in range(256))
_PIPES = ("/dev/", "/proc/")
"""Where a shell puts the pipes of `<(command)`. Any other pipe may have no writer, and would wait forever."""


def read_bytes(path: Path, limit: int = MAX_TABLE, error: type[FasError] = DataError) -> bytes:
    """Read a file of at most `limit` bytes.

    Raises:
        FasError: it cannot be read, is no file but a folder, device or pipe, or is larger.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise error(f"{path}: cannot be read: a folder, not a file")
        is_pipe = stat.S_ISFIFO(mode) and str(path).startswith(_PIPES)
        if not (stat.S_ISREG(mode) or is_pipe):
            raise error(f"{path}: cannot be read: a device, pipe or socket, not a file")
        with path.open("rb") as file:
            size, blocks = 0, []
            while size <= limit and (block := file.read(_BLOCK)):
                size += len(block)
                blocks.append(block)
    except OSError as reason:
        raise error(f"{path}: cannot be read: {reason.strerror or reason}") from reason
    except ValueError as reason:  # a NUL in the path
        raise error(f"{str(path)!r}: not a path: {reason}") from reason
    if size > limit:
        raise error(f"{path}: larger than {_format_size(limit)}, the limit for such files")
    return blocks[0] if len(blocks) == 1 else b"".join(blocks)


def read_text(path: Path, limit: int = MAX_DOCUMENT, error: type[FasError] = DataError) -> str:
    """Read a file of UTF-8 text, with or without a byte order mark, its line ends turned into LF.

    Raises:
        FasError: as `read_bytes`; it is not UTF-8 or has a NUL.
    """
    data = read_bytes(path, limit, error)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as reason:
        raise error(f"{path}: not a text file in UTF-8 (byte {reason.start} is not)") from None
    if "\0" in text:
        raise error(f"{path}: a NUL at character {text.index(chr(0))}: not a text file, or a damaged one")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_json(path: Path, error: type[FasError] = DataError, limit: int = MAX_DOCUMENT) -> Any:
    """Read a JSON document; raises as `read_text` and `parse_json`."""
    return parse_json(read_text(path, limit, error), str(path), error)


def parse_json(text: str, where: str, error: type[FasError] = DataError) -> Any:
    """Parse JSON, which may have NaN and infinities as Python writes them.

    Raises:
        FasError: it is not JSON, or exceeds `MAX_DIGITS` or `MAX_DEPTH`; the message begins with `where`.
    """
    refuse_long_numbers(text.encode(errors="replace"), where, error)
    try:
        value = json.loads(text)
    except RecursionError:
        raise error(f"{where}: nested more than {MAX_DEPTH} levels deep") from None
    except ValueError as reason:
        raise error(f"{where}: not JSON: {' '.join(str(reason).split())}") from reason
    _check_values(value, where, error)
    return value


def refuse_long_numbers(data: bytes, where: str, error: type[FasError] = DataError) -> None:
    """Raise a FasError if there are more than `MAX_DIGITS` digits in a row; it names the line."""
    for start in range(0, len(data), _BLOCK):
        block = data[start : start + _BLOCK + MAX_DIGITS]
        index = block.translate(_DIGITS).find(b"0" * (MAX_DIGITS + 1))
        if index >= 0:
            line = data.count(b"\n", 0, start + index) + 1
            raise error(f"{where}:{line}: a number of more than {MAX_DIGITS} digits")


def refuse_long_lines(
    text: str, where: str, error: type[FasError] = DataError, limit: int = MAX_LINE
) -> None:
    """Raise a FasError if a line has more than `limit` characters; it names the line."""
    start = 0
    while len(text) - start > limit:
        end = text.rfind("\n", start, start + limit + 1)
        if end < 0:
            line = text.count("\n", 0, start) + 1
            raise error(f"{where}:{line}: a line of more than {limit:,} characters")
        start = end + 1


def refuse_many_columns(count: int, where: str, error: type[FasError] = DataError) -> None:
    """Raise a FasError if a table has more than `MAX_COLUMNS`."""
    if count > MAX_COLUMNS:
        raise error(f"{where}: {count:,} columns: at most {MAX_COLUMNS:,} are read")


def shorten(text: str, length: int = MAX_EXCERPT) -> str:
    """Return a text for a message: its beginning, if it is long."""
    return text if len(text) <= length else f"{text[: length - 3]}..."


def describe_bad_text(text: str) -> str:
    """Return why a text cannot be a name or a path, or an empty text."""
    if "\0" in text:
        return "a text with a NUL"
    try:
        text.encode("utf-8", "surrogateescape")  # bytes of file names that are not UTF-8 are fine
    except UnicodeEncodeError:
        return "a text with half a character (a lone surrogate)"
    return ""


def _check_values(value: Any, where: str, error: type[FasError]) -> None:
    """Refuse values that are nested too deep, and texts that can be no name, level by level."""
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH + 1):
        containers = [item for item in level if isinstance(item, (dict, list))]
        for text in _list_texts(level, containers):
            if problem := describe_bad_text(text):
                raise error(f"{where}: {problem}: {shorten(text)!r}")
        if not containers:
            return
        level = [
            child
            for item in containers
            for child in (item.values() if isinstance(item, dict) else item)
            if isinstance(child, (dict, list, str))
        ]
    raise error(f"{where}: nested more than {MAX_DEPTH} levels deep")


def _list_texts(level: Iterable[Any], containers: Iterable[Any]) -> Iterable[str]:
    yield from (item for item in level if isinstance(item, str))
    yield from (key for item in containers if isinstance(item, dict) for key in item)


def _format_size(size: int) -> str:
    return f"{size >> 30} GiB" if size >= 1 << 30 else f"{size >> 20} MiB"
