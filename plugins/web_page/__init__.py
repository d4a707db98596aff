"""What the pages of `fas serve` and of `fas export --format web` share: their looks, tiles and verdicts."""

from __future__ import annotations

from importlib import resources


def read_page(package: str, folder: str) -> dict[str, bytes]:
    """Return the files of a page by name: its own, in a folder of its package, and those that pages share."""
    folders = (resources.files(__package__) / "files", resources.files(package) / folder)
    return {file.name: file.read_bytes() for files in folders for file in files.iterdir() if file.is_file()}
