"""The score table: what models give, metrics take, ensembles merge and submissions print."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from attrs import frozen
from numpy.typing import NDArray

from fas_core.atomic import replacing
from fas_core.data.samples import COLUMNS, UNKNOWN, SampleTable
from fas_core.errors import DataError

LABEL_COLUMNS = tuple(name for name in COLUMNS if name not in ("id", "box"))
SCHEMA = pa.schema(
    [("id", pa.string()), ("score", pa.float64())] + [(name, COLUMNS[name]) for name in LABEL_COLUMNS]
)


@frozen(eq=False)
class ScoreTable:
    """One score a sample, higher = more live, with what is known of the sample.

    Args:
        table: `id`, `score` and the columns of `LABEL_COLUMNS`; build one with `of` or `read`.
    """

    table: pa.Table

    @classmethod
    def of(cls, columns: Mapping[str, Any]) -> ScoreTable:
        """From `{column: values}`; `id` and `score` are required, absent columns become null."""
        rows = len(columns["score"])
        arrays = [
            pa.array(columns[name], kind) if columns.get(name) is not None else pa.nulls(rows, kind)
            for name, kind in zip(SCHEMA.names, SCHEMA.types, strict=True)
        ]
        return cls(pa.Table.from_arrays(arrays, schema=SCHEMA))

    @classmethod
    def from_samples(cls, samples: SampleTable, scores: NDArray[np.floating[Any]]) -> ScoreTable:
        """Join scores (N,) to the samples they belong to, in row order."""
        table = samples.table.select(["id", *LABEL_COLUMNS])
        return cls(table.add_column(1, "score", pa.array(scores, pa.float64())))

    @classmethod
    def read(cls, path: Path) -> ScoreTable:
        """Read `.csv` or `.parquet` as `write` wrote it; columns that are absent become null.

        Raises:
            DataError: the file is not there, is not such a table, or lacks `id` or `score`.
        """
        try:
            if path.suffix == ".parquet":
                found = pa.parquet.read_table(path)
            else:
                convert = pa.csv.ConvertOptions(
                    column_types={name: SCHEMA.field(name).type for name in SCHEMA.names},
                    strings_can_be_null=True,
                )
                found = pa.csv.read_csv(path, convert_options=convert)
        except (OSError, pa.ArrowInvalid) as error:
            raise DataError(f"{path}: cannot be read as a score table: {error}") from error
        for name in ("id", "score"):
            if name not in found.column_names:
                raise DataError(f"{path}: no {name!r} column (found: {', '.join(found.column_names)})")
        return cls.of({name: found.column(name).combine_chunks() for name in found.column_names})

    def write(self, path: Path) -> None:
        """Write CSV (scores in full, as `repr` gives them) or, for `.parquet`, Parquet."""
        with replacing(path) as temporary:
            if path.suffix == ".parquet":
                pa.parquet.write_table(self.table, temporary)
            else:
                known = [name for name in self.table.column_names if self._worth_writing(name)]
                pa.csv.write_csv(self.table.select(known), temporary)

    def _worth_writing(self, name: str) -> bool:
        column = self.table.column(name)
        return name in ("id", "score", "label") or column.null_count < len(column)

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def scores(self) -> NDArray[np.float64]:
        """(N,) higher is more live."""
        return np.asarray(self.table.column("score").to_numpy(), np.float64)

    @property
    def labels(self) -> NDArray[np.int8]:
        """(N,) 1 live, 0 attack, -1 unknown."""
        return np.asarray(self.table.column("label").fill_null(UNKNOWN).to_numpy(), np.int8)

    @property
    def live(self) -> NDArray[np.float64]:
        """Scores of the bona fide samples."""
        return self.scores[self.labels == 1]

    @property
    def attack(self) -> NDArray[np.float64]:
        """Scores of the attacks, all species pooled."""
        return self.scores[self.labels == 0]

    def attack_by_species(self) -> dict[str, NDArray[np.float64]]:
        """Scores of the attacks by species (`unknown` where none is given), in name order."""
        scores, attack = self.scores, self.labels == 0
        species = np.asarray(self.table.column("species").fill_null("unknown").to_pylist(), object)
        return {name: scores[attack & (species == name)] for name in sorted(set(species[attack]))}

    def is_labelled(self) -> bool:
        """Whether every sample is known to be live or attack."""
        return len(self) > 0 and self.table.column("label").null_count == 0
