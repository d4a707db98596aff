"""A strict disk, simulated: it keeps what was synced, and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

FSYNC = os.fsync


class Disk:
    """What a strict disk holds: the bytes of files and the names in folders as of their last sync.

    Without `is_simulated` it only records that something was synced, by the real `fsync`.
    """

    def __init__(self, root: Path, is_simulated: bool = True) -> None:
        self.is_simulated = is_simulated
        self.was_synced = False
        self.root = root.stat().st_ino
        self.files: dict[int, bytes] = {}
        self.folders: dict[int, dict[str, tuple[int, bool]]] = {self.root: _list(root)}
        self.open: list[int] = []

    def sync(self, descriptor: int) -> None:
        """Take the place of `os.fsync`."""
        self.was_synced = True
        if not self.is_simulated:
            FSYNC(descriptor)
            return
        self.open.append(os.dup(descriptor))  # so that no other file gets this number of an inode
        path, inode = Path(f"/proc/self/fd/{descriptor}").readlink(), os.fstat(descriptor).st_ino
        if path.is_dir():
            self.folders[inode] = _list(path)
        else:
            self.files[inode] = path.read_bytes()

    def write(self, name: str, destination: Path) -> None:
        """Write what the disk holds of a folder below the root; an empty folder where it holds none."""
        inode, _ = self.folders[self.root].get(name, (0, True))
        self._write_folder(inode, destination)

    def _write_folder(self, inode: int, destination: Path) -> None:
        destination.mkdir()
        for name, (child, is_folder) in self.folders.get(inode, {}).items():
            if is_folder:
                self._write_folder(child, destination / name)
            else:
                (destination / name).write_bytes(self.files.get(child, b""))


def _list(folder: Path) -> dict[str, tuple[int, bool]]:
    return {entry.name: (entry.inode(), entry.is_dir()) for entry in os.scandir(folder)}
