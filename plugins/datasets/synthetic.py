"""The embedded data set: a presentation-attack simulator's faces, made once and read like CASIA-SURF.

Scores on it say that a pipeline works, not that faces are protected: see docs/simulator.md.
"""

from __future__ import annotations

import os
from pathlib import Path

from attrs import field, frozen
from platformdirs import user_cache_path

from fas_core.console import console
from fas_core.data.parallel import cores
from fas_core.errors import DataError, FasError
from fas_core.records.samples import SampleTable
from fas_plugins.datasets.casia_surf import CasiaSurf
from fas_plugins.datasets.options import CasiaSurfOptions
from fas_plugins.datasets.simulator.options import SyntheticOptions
from fas_plugins.datasets.simulator.write import NOTE, digest, is_made, make


def cache_folder(options: SyntheticOptions) -> Path:
    """Where these options' data are kept when no root is given, below FAS_CACHE_DIR if that is set."""
    base = os.environ.get("FAS_CACHE_DIR")
    return (Path(base).expanduser() if base else user_cache_path("fas")) / f"synthetic-{digest(options)}"


@frozen(init=False)
class Synthetic:
    """Reader, and on `prepare` the maker, of simulated faces.

    Args:
        options: what to make and which protocol to read.
        root: folder of the data; None for one in the user's cache that no other options share.
    """

    options: SyntheticOptions
    root: Path

    overlaps: tuple[tuple[str, str], ...] = field(default=(), init=False)
    notes: tuple[str, ...] = field(default=(NOTE,), init=False)

    def __init__(self, options: SyntheticOptions, root: Path | None = None) -> None:
        self.__attrs_init__(options, cache_folder(options) if root is None else Path(root))

    def prepare(self) -> None:
        """Make the data unless they are there.

        Raises:
            DataError: the root holds other options' data, or something else.
            FasError: the root cannot be written; nothing is left there then.
        """
        if is_made(self.root, self.options):
            return
        try:
            make(self.root, self.options, workers=cores())
        except FasError:
            # Another process may have made the same meanwhile.
            if not is_made(self.root, self.options):
                raise
        else:
            console.info(f"{self.root}: simulated faces written")

    def splits(self) -> tuple[str, ...]:
        """`train`, `dev` and `test`."""
        return self._written().splits()

    def samples(self, split: str) -> SampleTable:
        """Samples of a split of the protocol: `rgb`, `depth` and `ir` paths, species, subject, group.

        Raises:
            DataError: the data are not made yet, or there is no such split.
        """
        return self._written().samples(split)

    def _written(self) -> CasiaSurf:
        if not is_made(self.root, self.options):
            raise DataError(f"{self.root}: not made yet: run `fas data make`")
        lists = "." if self.options.protocol == "grandtest" else self.options.protocol
        return CasiaSurf(CasiaSurfOptions(lists=lists), root=self.root)
