"""CASIA-SURF: paired colour, depth and infrared crops of faces, listed in text files.

Zhang et al., "A Dataset and Benchmark for Large-scale Multi-modal Face Anti-spoofing" (CVPR 2019,
arXiv 1812.00408). A line is `color depth ir label`, 1 = live and 0 = attack as everywhere here; the
public lists have no label. Species and subject are folders of the path where it has them
(`Training/fake_part/CLKJ_AS0005/05_enm_s.rssdk/color/101.jpg`); a `manifest.csv` beside the lists, or in
the root, may say more: `id` (the colour path) and any of species, subject, group, session, device, video.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from attrs import field, frozen

from fas_core.data.text_lists import known_split, read_lines, refuse
from fas_core.errors import DataError
from fas_core.records.samples import SampleTable
from fas_plugins.datasets.options import CasiaSurfOptions

LISTS = {
    "train": ("train_list.txt",),
    "dev": ("val_private_list.txt", "val_public_list.txt"),
    "test": ("test_private_list.txt", "test_public_list.txt"),
}
MODALITIES = ("rgb", "depth", "ir")
FOLDERS = r"(?:^|/)(?:real|fake)_part/(?P<subject>[^/]+)/(?P<species>[^/]+?)(?:\.rssdk)?/"
JOINED = ("species", "subject", "group", "session", "device", "video")


@frozen
class CasiaSurf:
    """Reader of the lists; a split has the private, labelled list if it is there, else the public one."""

    options: CasiaSurfOptions
    root: Path = field(converter=Path)

    overlaps: tuple[tuple[str, str], ...] = field(default=(), init=False)
    notes: tuple[str, ...] = field(default=(), init=False)

    def prepare(self) -> None: ...

    def splits(self) -> tuple[str, ...]:
        """The splits that have a list.

        Raises:
            DataError: none has.
        """
        if not (found := tuple(self._lists())):
            raise DataError(f"{self.root / self.options.lists}: no list files here, such as train_list.txt")
        return found

    def samples(self, split: str) -> SampleTable:
        """Samples of one list, in its order; `id` is the colour path as it is written there.

        Raises:
            DataError: the list is not there, is empty or has malformed lines, all of which are named.
        """
        file = self._lists()[known_split(split, self.splits(), self.root)]
        columns = read_list(file)
        known = from_path(columns["rgb"])
        for manifest in (self.root / "manifest.csv", file.parent / "manifest.csv"):
            if manifest.is_file():
                for name, said in from_manifest(manifest, columns["rgb"]).items():
                    known[name] = pc.coalesce(said, known[name]) if name in known else said
        return SampleTable.of(
            {"id": columns["rgb"], "split": [split] * len(columns["rgb"]), **columns, **known},
            modalities=MODALITIES,
            root=self.root,
        )

    def _lists(self) -> dict[str, Path]:
        folder = self.root / self.options.lists
        return {
            split: folder / file
            for split, files in LISTS.items()
            if (file := next((name for name in files if (folder / name).is_file()), None))
        }


def read_list(path: Path) -> dict[str, pa.Array]:
    """Columns `rgb`, `depth`, `ir` and, in a list of four columns, `label`.

    Raises:
        DataError: the list is empty; or lines have other than three or four words, not as many as the
            first line, or a label other than 0 and 1.
    """
    numbered = [(number, line) for number, line in enumerate(read_lines(path), 1) if line]
    if not numbered:
        raise DataError(f"{path}: the list is empty")
    words = pc.ascii_split_whitespace(pa.array([line for _, line in numbered], pa.string()))
    lengths = pc.list_value_length(words).to_numpy()
    width = int(lengths[0]) if lengths[0] in (3, 4) else 4
    fits = lengths == width
    flat = words.flatten() if fits.all() else words.filter(pa.array(fits)).flatten()
    names = (*MODALITIES, "label")[:width]
    columns = {name: flat.take(pa.array(np.arange(at, len(flat), width))) for at, name in enumerate(names)}
    form = "'color depth ir label'" if width == 4 else "'color depth ir'"
    problems = [(row, f"{lengths[row]} columns, and not {form}") for row in np.flatnonzero(~fits)]
    if width == 4:
        known = pc.is_in(columns["label"], value_set=pa.array(["0", "1"])).to_numpy(zero_copy_only=False)
        wrong = zip(np.flatnonzero(fits)[~known], columns["label"].filter(pa.array(~known)), strict=True)
        problems += [(row, f"label {str(label)!r}, and not 1 (live) or 0 (attack)") for row, label in wrong]
    refuse(path, [f"{path}:{numbered[row][0]}: {problem}" for row, problem in sorted(problems)])
    return columns


def from_path(paths: pa.Array) -> dict[str, pa.Array]:
    """`species` and `subject` by the folders of the training set; null where the path is not like that."""
    found = pc.extract_regex(paths, FOLDERS)
    species, subject = pc.struct_field(found, "species"), pc.struct_field(found, "subject")
    return {"species": pc.if_else(pc.equal(species, "real"), "live", species), "subject": subject}


def from_manifest(path: Path, ids: pa.Array) -> dict[str, pa.Array]:
    """What a manifest says of these ids; null for those it does not name.

    Raises:
        DataError: it is not a CSV table with an `id` column.
    """
    convert = pa.csv.ConvertOptions(
        column_types=dict.fromkeys(("id", *JOINED), pa.string()), null_values=[""], strings_can_be_null=True
    )
    try:
        table = pa.csv.read_csv(path, convert_options=convert)
    except (OSError, pa.ArrowInvalid) as error:
        raise DataError(f"{path}: cannot be read as a CSV table: {error}") from error
    if "id" not in table.column_names:
        raise DataError(f"{path}: no 'id' column (found: {', '.join(table.column_names)})")
    rows = pc.index_in(ids, value_set=table.column("id").combine_chunks())
    names = [name for name in JOINED if name in table.column_names]
    return {name: table.column(name).combine_chunks().take(rows) for name in names}
