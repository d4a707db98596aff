"""What readers share: text as people and Windows leave it, and all problems at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fas_core.errors import DataError

SHOWN = 20
NO_FACE = "no_face.txt"
"""Beside crops: ids of the samples in which no face was found."""
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
VIDEO_SUFFIXES = (".avi", ".mov", ".mp4", ".mkv", ".m4v", ".webm", ".mpg", ".mpeg", ".wmv", ".3gp")


def is_image(name: str) -> bool:
    """Whether a file's name is an image's; hidden files are not."""
    return name.lower().endswith(IMAGE_SUFFIXES) and not name.rpartition("/")[2].startswith(".")


def is_video(name: str) -> bool:
    """Whether a file's name is a video's; hidden files are not."""
    return name.lower().endswith(VIDEO_SUFFIXES) and not name.rpartition("/")[2].startswith(".")


def read_lines(path: Path) -> list[str]:
    """Lines of a text file without their ends (LF, CRLF or a lone CR) and without surrounding blanks.

    Blank lines are kept as empty strings, so that index + 1 is the line's number.

    Raises:
        DataError: the file is not there, cannot be read or is not text.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")  # translates all three line ends to LF
    except FileNotFoundError:
        raise DataError(f"{path}: no such list") from None
    except UnicodeDecodeError:
        raise DataError(f"{path}: not a text file in UTF-8") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    return [line.strip() for line in text.split("\n")]


def refuse(path: Path, problems: Sequence[str]) -> None:
    """Raise what is wrong with a file, every problem on a line of its own; nothing when there is none.

    Args:
        path: the file or folder that was read.
        problems: each in the form `file:line: what`.

    Raises:
        DataError: there are problems; of very many the first 20 are shown.
    """
    if problems:
        rest = len(problems) - SHOWN
        shown = [*problems[:SHOWN], f"and {rest} more"] if rest > 0 else problems
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise DataError(f"{path}: {count}", shown)


def known_split(split: str, splits: Sequence[str], where: Path) -> str:
    """The split again, if it is one of those that there are.

    Raises:
        DataError: it is not.
    """
    if split not in splits:
        raise DataError(f"{where}: no {split!r} split (there are: {', '.join(splits)})")
    return split
