"""CASIA-SURF: paired colour, depth and infrared face crops, listed in text files.

Zhang et al., "A Dataset and Benchmark for Large-scale Multi-modal Face Anti-spoofing" (CVPR 2019, arXiv
1812.00408). A line is `color depth ir label` with label 1 = live, 0 = attack; public lists have no label.
Species and subject come from the folders of the path, where it has them
(`Training/fake_part/CLKJ_AS0005/05_enm_s.rssdk/color/101.jpg`). An optional `manifest.csv` in the root or
beside the lists adds columns: `id` (the colour path) and any of species, subject, group, session, device,
video.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from attrs import frozen

from fas_core.data.text_lists import read_lines, refuse
from fas_core.errors import DataError, format_list
from fas_core.records.samples import SampleTable
from fas_core.text_files import MAX_TABLE, read_text, refuse_many_columns
from fas_plugins.datasets.base import Reader
from fas_plugins.datasets.options import CasiaSurfOptions

LISTS = {
    "train": ("train_list.txt",),
    "dev": ("val_private_list.txt", "val_public_list.txt"),
    "test": ("test_private_list.txt", "test_public_list.txt"),
}
MODALITIES = ("rgb", "depth", "ir")
PATH_PATTERN = r"(?:^|/)(?:real|fake)_part/(?P<subject>[^/]+)/(?P<species>[^/]+?)(?:\.rssdk)?/"
MANIFEST_COLUMNS = ("species", "subject", "group", "session", "device", "video")


@frozen
class CasiaSurf(Reader[CasiaSurfOptions]):
    """Reader of the lists. A split reads the private, labelled list if it exists, else the public one."""

    def splits(self) -> tuple[str, ...]:
        """Return the splits that have a list.

        Raises:
            DataError: no split has one.
        """
        if splits := tuple(self._lists()):
            return splits
        raise DataError(f"{self.root / self.options.lists}: no list files here, such as train_list.txt")

    def _read(self, split: str) -> SampleTable:
        """Read the samples of one list in its order; `id` is the colour path as written in the list.

        Raises:
            DataError: the list is missing, empty or has malformed lines, all of which are named.
        """
        file = self._lists()[split]
        columns = read_list(file)
        metadata = parse_paths(columns["rgb"])
        for manifest in (self.root / "manifest.csv", file.parent / "manifest.csv"):
            if manifest.is_file():
                for name, values in read_manifest(manifest, columns["rgb"]).items():
                    metadata[name] = pc.coalesce(values, metadata[name]) if name in metadata else values
        return SampleTable.of(
            {"id": columns["rgb"], "split": [split] * len(columns["rgb"]), **columns, **metadata},
            modalities=MODALITIES,
            root=self.root,
        )

    def _lists(self) -> dict[str, Path]:
        """Return the list file of each split that has one."""
        folder = self.root / self.options.lists
        return {
            split: folder / file
            for split, files in LISTS.items()
            if (file := next((name for name in files if (folder / name).is_file()), None))
        }


def read_list(path: Path) -> dict[str, pa.Array]:
    """Read the columns `rgb`, `depth`, `ir` and, if the list has four columns, `label`.

    Raises:
        DataError: the list is empty, or lines have other than three or four columns, another number of
            columns than the first line, or a label other than 0 and 1.
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
    columns = {
        name: flat.take(pa.array(np.arange(index, len(flat), width))) for index, name in enumerate(names)
    }
    expected = "'color depth ir label'" if width == 4 else "'color depth ir'"
    problems = [(row, f"{lengths[row]} columns, expected {expected}") for row in np.flatnonzero(~fits)]
    if width == 4:
        valid = pc.is_in(columns["label"], value_set=pa.array(["0", "1"])).to_numpy(zero_copy_only=False)
        invalid = zip(np.flatnonzero(fits)[~valid], columns["label"].filter(pa.array(~valid)), strict=True)
        problems += [
            (row, f"label is {str(label)!r}, expected 1 (live) or 0 (attack)") for row, label in invalid
        ]
    refuse(path, [f"{path}:{numbered[row][0]}: {problem}" for row, problem in sorted(problems)])
    return columns


def parse_paths(paths: pa.Array) -> dict[str, pa.Array]:
    """Return `species` and `subject` by the folders of the training set; null for other paths."""
    folders = pc.extract_regex(pc.replace_substring(paths, "\\", "/"), PATH_PATTERN)
    species, subject = pc.struct_field(folders, "species"), pc.struct_field(folders, "subject")
    return {"species": pc.if_else(pc.equal(species, "real"), "live", species), "subject": subject}


def read_manifest(path: Path, ids: pa.Array) -> dict[str, pa.Array]:
    """Read the manifest's columns for these ids; null for ids that it does not list.

    Raises:
        DataError: the file is not a CSV table with one column `id`, and no name given twice.
    """
    convert = pa.csv.ConvertOptions(
        column_types=dict.fromkeys(("id", *MANIFEST_COLUMNS), pa.string()),
        null_values=[""],
        strings_can_be_null=True,
    )
    try:
        text = read_text(path, MAX_TABLE)
        refuse_many_columns(text.partition("\n")[0].count(",") + 1, str(path))
        table = pa.csv.read_csv(io.BytesIO(text.encode()), convert_options=convert)
    except pa.ArrowException as error:
        raise DataError(f"{path}: cannot be read as a CSV table: {' '.join(str(error).split())}") from error
    if len(set(table.column_names)) < table.num_columns:
        raise DataError(f"{path}: a column is given twice: {format_list(table.column_names, 12)}")
    if "id" not in table.column_names:
        raise DataError(f"{path}: no 'id' column (found: {format_list(table.column_names, 12)})")
    rows = pc.index_in(ids, value_set=table.column("id").combine_chunks())
    names = [name for name in MANIFEST_COLUMNS if name in table.column_names]
    return {name: table.column(name).combine_chunks().take(rows) for name in names}
