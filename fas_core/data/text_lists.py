"""Shared by data set readers: list files, file names, and errors that report all problems at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from fas_core.errors import DataError, format_list
from fas_core.text_files import MAX_TABLE, read_text, refuse_long_lines, refuse_long_numbers

MAX_PROBLEMS = 20
MAX_LIST_LINE = 1 << 15
"""Characters of a line: several of the longest paths."""
NO_FACE = "no_face.txt"
"""File beside crops: ids of the samples in which no face was found."""
IMAGE_SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".dib", ".webp", ".tif", ".tiff", ".gif"),
    *(".pgm", ".ppm", ".pbm", ".pnm", ".pam", ".avif", ".jp2", ".j2k", ".ras", ".sr"),
)
VIDEO_SUFFIXES = (
    *(
        ".avi",
        ".mov",
        ".mp4",
        ".mkv",
        ".m4v",
        ".webm",
        ".mpg",
        ".mpeg",
        ".wmv",
        ".3gp",
        ".3g2",
        ".flv",
        ".f4v",
    ),
    *(".mts", ".m2ts", ".mpe", ".m2v", ".ogv", ".vob", ".asf", ".divx", ".mxf", ".mjpeg", ".h264", ".hevc"),
)
MODALITIES = ("rgb", "depth", "ir")
SYNONYMS = {"color": "rgb", "colour": "rgb"}


def is_image(name: str) -> bool:
    """Whether a file name is an image's; hidden files do not count."""
    return _has_suffix(name, IMAGE_SUFFIXES)


def is_video(name: str) -> bool:
    """Whether a file name is a video's; hidden files do not count."""
    return _has_suffix(name, VIDEO_SUFFIXES)


def _has_suffix(name: str, suffixes: tuple[str, ...]) -> bool:
    return name.lower().endswith(suffixes) and not name.rpartition("/")[2].startswith(".")


def split_modality(path: str, modalities: Collection[str] = MODALITIES) -> tuple[str | None, str]:
    """Return the modality that a path names by a folder or the name's end, or None, and the rest of the path.

    Images whose rest, which has no suffix, is equal belong together.

    >>> split_modality("live/depth/07.png"), split_modality("live/07-colour.jpg"), split_modality("07.jpg")
    (('depth', 'live/07'), ('rgb', 'live/07'), (None, '07'))
    """

    def find(word: str) -> str | None:
        name = SYNONYMS.get(word.lower(), word.lower())
        return name if name in modalities else None

    *folders, name = path.split("/")
    stem = name.rpartition(".")[0] or name
    for index, folder in enumerate(folders):
        if modality := find(folder):
            return modality, "/".join([*folders[:index], *folders[index + 1 :], stem])
    for separator in "_-":
        start, _, end = stem.rpartition(separator)
        if start and (modality := find(end)):
            return modality, "/".join([*folders, start])
    return None, "/".join([*folders, stem])


def read_lines(path: Path) -> list[str]:
    """Read all lines of a text file, stripped; line ends are LF, CRLF or a lone CR.

    Raises:
        DataError: the file is missing, cannot be read, is not text, or has a line that is too long.
    """
    if not path.exists():
        raise DataError(f"{path}: no such list")
    text = read_text(path, MAX_TABLE)
    refuse_long_lines(text, str(path), limit=MAX_LIST_LINE)
    refuse_long_numbers(text.encode(), str(path))
    return [line.strip() for line in text.split("\n")]


def refuse(path: Path, problems: Sequence[str]) -> None:
    """Raise a DataError of the problems of a path, each `file:line: message`, if any; it lists 20."""
    if problems:
        rest = len(problems) - MAX_PROBLEMS
        lines = [*problems[:MAX_PROBLEMS], f"and {rest} more"] if rest > 0 else problems
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise DataError(f"{path}: {count}", lines)


def known_split(split: str, splits: Sequence[str], where: Path) -> str:
    """Return `split` if it is one of `splits`, else raise a DataError."""
    if split not in splits:
        raise DataError(f"{where}: no {split!r} split (there are: {format_list(splits, 12)})")
    return split
