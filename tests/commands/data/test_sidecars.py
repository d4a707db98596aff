"""List files that are copied beside frames or crops."""

from __future__ import annotations

from pathlib import Path

from fas_plugins.commands.data.sidecars import copy_lists, write_lines


def test_lists_are_copied_and_images_are_not(tmp_path: Path) -> None:
    source, destination = tmp_path / "in", tmp_path / "out"
    (source / "lists").mkdir(parents=True)
    for name in ("lists/train.txt", "lists/photo.jpg", "other.txt"):
        (source / name).write_text(name)
    assert copy_lists(["lists/*", "none*"], source, destination) == [source / "lists/train.txt"]
    assert (destination / "lists/train.txt").read_text() == "lists/train.txt"
    assert not (destination / "lists/photo.jpg").exists()


def test_lines(tmp_path: Path) -> None:
    write_lines(tmp_path / "new/a.txt", ["a", "b"])
    assert (tmp_path / "new/a.txt").read_text() == "a\nb\n"
