"""Lists of SHA-256 digests of a data set's files, as `sha256sum` writes and checks them.

A folder has them in its `SHA256SUMS`; a manifest in `MANIFEST.sha256` beside it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from fas_core.atomic import replacing
from fas_core.console import console
from fas_core.data.parallel import ordered
from fas_core.digests import hash_file
from fas_core.errors import DataError

FOLDER_LIST = "SHA256SUMS"
LINE = re.compile(rb"(\\?)([0-9a-f]{64}) [ *](.+)")
ESCAPES = {b"\\\\": b"\\", b"\\n": b"\n", b"\\r": b"\r"}
"""In a name of a line that begins with a backslash."""


def digest_list_path(root: Path) -> Path:
    """Return where the digests of a folder or a manifest are listed."""
    return root / FOLDER_LIST if root.is_dir() else root.with_name(f"{root.name}.sha256")


def list_folder(root: Path) -> list[Path]:
    """Return all regular files below a folder by name, without hidden ones and the list."""
    paths: list[Path] = []
    for parent, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        files = (Path(parent, name) for name in sorted(names) if not name.startswith("."))
        paths += [path for path in files if path.is_file() and path != root / FOLDER_LIST]
    return paths


def write_digests(file: Path, paths: Iterable[Path], workers: int) -> int:
    """Write the list of the files' digests, named relative to the list; return their number.

    Raises:
        FasError: a file cannot be read, or the list cannot be written.
    """
    unique = list(dict.fromkeys(paths))
    digests = _hash_files(unique, workers)
    with replacing(file) as temporary, temporary.open("wb") as stream:
        for path, digest in zip(unique, digests, strict=True):
            if digest is None:
                raise DataError(f"{path}: cannot be read: no digest of it can be written")
            stream.write(_format_line(os.path.relpath(path, file.parent), digest))
    return len(unique)


def find_changes(file: Path, workers: int) -> list[str]:
    """Return a line for each listed file that is missing or whose bytes have changed.

    Raises:
        DataError: the list cannot be read.
    """
    listed = read_digests(file)
    current = _hash_files(list(listed), workers)
    return [
        f"{path}: {'missing' if digest is None else 'changed'} since {file.name} was written: "
        f"restore a copy of it, or make it again"
        for (path, expected), digest in zip(listed.items(), current, strict=True)
        if digest != expected
    ]


def read_digests(file: Path) -> dict[Path, str]:
    """Return `{path: digest}` of a list; raise DataError if it is missing or damaged."""
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {error.strerror}") from error
    digests: dict[Path, str] = {}
    for number, line in enumerate(lines, 1):
        match = LINE.fullmatch(line)
        if match is None or b"\0" in line:
            raise DataError(f"{file}:{number}: not a line of sha256sum (digest, two spaces, name)")
        escaped, digest, name = match.groups()
        name = re.sub(rb"\\.", lambda escape: ESCAPES.get(escape[0], escape[0]), name) if escaped else name
        digests[file.parent / os.fsdecode(name)] = digest.decode()
    return digests


def _format_line(name: str, digest: str) -> bytes:
    text = os.fsencode(name)
    escaped = text
    for escape, character in ESCAPES.items():
        escaped = escaped.replace(character, escape)
    return (b"" if escaped == text else b"\\") + digest.encode() + b"  " + escaped + b"\n"


def _hash_files(paths: list[Path], workers: int) -> list[str | None]:
    digests: list[str | None] = []
    with console.progress("computing digests", len(paths), "files") as bar:
        for digest in ordered(_hash, paths, workers):
            digests.append(digest)
            bar.advance()
    return digests


def _hash(path: Path) -> str | None:
    """Return the digest; None of what is missing, no regular file, or cannot be read."""
    try:
        return hash_file(path) if path.is_file() else None
    except OSError:
        return None
