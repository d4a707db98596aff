"""The built-in data set: simulated faces, rendered once and then read like CASIA-SURF.

Good scores on it show that a pipeline works, not that it protects real faces: see docs/simulator.md.
"""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from fas_core.console import console
from fas_core.data.parallel import cores
from fas_core.errors import DataError, FasError
from fas_core.records.samples import SampleTable
from fas_core.user_paths import cache_folder
from fas_plugins.datasets.base import Reader
from fas_plugins.datasets.casia_surf import CasiaSurf
from fas_plugins.datasets.options import CasiaSurfOptions
from fas_plugins.datasets.simulator.dataset_files import (
    NOTE,
    check_files,
    hash_options,
    is_written,
    write_dataset,
)
from fas_plugins.datasets.simulator.options import SyntheticOptions


@frozen(init=False)
class Synthetic(Reader[SyntheticOptions]):
    """Reader of simulated faces; `prepare` renders them.

    Args:
        options: what to render and which protocol to read.
        root: folder of the data. None for a folder in the user's cache whose name depends on the options.
    """

    def __init__(self, options: SyntheticOptions, root: Path | None = None) -> None:
        self.__attrs_init__(options, _cache_folder(options) if root is None else root)

    @property
    def notes(self) -> tuple[str, ...]:
        return (NOTE,)

    def prepare(self) -> None:
        """Render the data unless they are on disk.

        Raises:
            DataError: the root holds the data of other options, other files, or damaged ones.
            FasError: the root cannot be written; no partial data remain.
        """
        if is_written(self.root, self.options):
            check_files(self.root, workers=cores())
            return
        try:
            write_dataset(self.root, self.options, workers=cores())
        except FasError:
            # Another process may have written the same data meanwhile.
            if not is_written(self.root, self.options):
                raise
        else:
            console.info(f"{self.root}: simulated faces written")

    def splits(self) -> tuple[str, ...]:
        """Return `train`, `dev` and `test`."""
        return self._open().splits()

    def _read(self, split: str) -> SampleTable:
        """Read `rgb`, `depth` and `ir` paths, species, subject and group.

        Raises:
            DataError: the data are not rendered yet.
        """
        return self._open().samples(split)

    def _open(self) -> CasiaSurf:
        if not is_written(self.root, self.options):
            raise DataError(f"{self.root}: no simulated data yet: run `fas data make`")
        lists = "." if self.options.protocol == "grandtest" else self.options.protocol
        return CasiaSurf(CasiaSurfOptions(lists=lists), root=self.root)


def _cache_folder(options: SyntheticOptions) -> Path:
    """Return the folder of these options' data in the user's cache."""
    return cache_folder() / f"synthetic-{hash_options(options)}"
