"""The score table: what models give, metrics take, ensembles merge and submissions print."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
from attrs import frozen
from numpy.typing import NDArray

from fas_core.atomic import replacing
from fas_core.errors import DataError, format_list
from fas_core.records.samples import ATTACK, COLUMNS, LIVE, UNKNOWN, SampleTable
from fas_core.scores.rates import ErrorRates

LABEL_COLUMNS = tuple(name for name in COLUMNS if name not in ("id", "box"))
SCHEMA = pa.schema(
    [("id", pa.string()), ("score", pa.float64())]
    + [(name, COLUMNS[name]) for name in LABEL_COLUMNS]
    + [("modalities", pa.string())]
)
"""Every column of a score table. `modalities`: what the model was given of the sample, as `rgb+ir`, where
it can do without some."""


@frozen(eq=False)
class ScoreTable:
    """One score a sample, higher = more live, with what is known of the sample.

    A score that is NaN is a failure to respond: it is counted, and never compared. Build one with
    `of`, `from_samples` or `read`.

    Args:
        source: the table, or what makes it when it is first asked for.
        rates: its error rates, where they are known already, as of a bootstrap's draw.
    """

    _source: pa.Table | Callable[[], pa.Table]
    _rates: ErrorRates | None = None

    @cached_property
    def table(self) -> pa.Table:
        """The columns of `SCHEMA`, null where unknown."""
        return self._source() if callable(self._source) else self._source

    @classmethod
    def of(cls, columns: Mapping[str, Any], *, name: str = "score table") -> ScoreTable:
        """From `{column: values}`; `id` and `score` are required, absent columns become null.

        Args:
            columns: sequences or arrays of one length; other columns than `SCHEMA`'s are left out.
            name: what an error calls it.

        Raises:
            DataError: a required column is absent, or values are not what their column holds.
        """
        for required in ("id", "score"):
            if required not in columns:
                raise DataError(f"{name}: no {required!r} column (found: {', '.join(columns)})")
        rows = len(columns["score"])
        unknown = {kind: pa.nulls(rows, kind) for kind in set(SCHEMA.types)}
        arrays = [
            _array(name, column, columns[column], kind) if columns.get(column) is not None else unknown[kind]
            for column, kind in zip(SCHEMA.names, SCHEMA.types, strict=True)
        ]
        try:
            table = pa.Table.from_arrays(arrays, schema=SCHEMA)
        except pa.ArrowInvalid as error:
            raise DataError(f"{name}: columns of different lengths: {error}") from error
        labels = table.column("label").unique().drop_null().to_pylist()
        if wrong := sorted(set(labels) - {LIVE, ATTACK}):
            raise DataError(
                f"{name}: column 'label': must be 1 (live), 0 (attack) or empty: {format_list(wrong)}"
            )
        if empty := table.column("id").null_count:
            raise DataError(f"{name}: column 'id': {empty} of {rows} rows have none")
        return cls(table)

    @classmethod
    def from_samples(
        cls,
        samples: SampleTable,
        scores: NDArray[np.floating[Any]],
        modalities: Sequence[str] | None = None,
    ) -> ScoreTable:
        """Join scores (N,), and what they were given, to the samples they belong to, in row order."""
        table = samples.table.select(["id", *LABEL_COLUMNS])
        table = table.add_column(1, "score", pa.array(scores, pa.float64()))
        names = (
            pa.nulls(len(samples), pa.string()) if modalities is None else pa.array(modalities, pa.string())
        )
        return cls(table.append_column("modalities", names))

    @classmethod
    def read(cls, path: Path) -> ScoreTable:
        """Read `.csv` or `.parquet` as `write` wrote it; columns that are absent become null.

        Raises:
            DataError: the file is not there, is not such a table, lacks `id` or `score`, or repeats an id.
        """
        if not path.is_file():
            raise DataError(
                f"{path}: {'a folder, not a score file' if path.is_dir() else 'no such score file'}"
            )
        try:
            found = _read_parquet(path) if path.suffix == ".parquet" else _read_csv(path)
            names = found.column_names
        except (OSError, UnicodeDecodeError, pa.ArrowException) as error:
            raise DataError(f"{path}: cannot be read as a score table: {_line(error)}") from error
        if len(set(names)) < len(names):
            raise DataError(f"{path}: a column is given twice: {', '.join(names)}")
        scores = cls.of({name: found.column(name) for name in names}, name=str(path))
        counts = pc.value_counts(scores.table.column("id"))
        if len(counts) < len(scores):
            repeated = counts.filter(pc.greater(counts.field("counts"), 1)).field("values").to_pylist()
            raise DataError(f"{path}: {len(repeated)} ids are given more than once: {format_list(repeated)}")
        return scores

    def write(self, path: Path, also: Mapping[str, NDArray[Any]] | None = None) -> None:
        """Write CSV (scores in full, so that they read back as the same numbers) or, for `.parquet`, Parquet.

        CSV leaves out columns of which nothing is known.

        Args:
            path: the file.
            also: further columns, `{name: (N,)}`, which `read` passes over.

        Raises:
            FasError: the file cannot be written.
        """
        table, unknown = self.table, [name for name in SCHEMA.names if not self._worth_writing(name)]
        for name, values in (also or {}).items():
            table = table.append_column(name, pa.array(values))
        with replacing(path) as temporary:
            if path.suffix == ".parquet":
                pa.parquet.write_table(table, temporary, write_page_checksum=True)
            else:
                pa.csv.write_csv(table.drop_columns(unknown), temporary)

    def _worth_writing(self, name: str) -> bool:
        column = self.table.column(name)
        return name in ("id", "score", "label") or column.null_count < len(column)

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def scores(self) -> NDArray[np.float64]:
        """(N,) higher is more live, NaN where the system did not respond."""
        return np.asarray(self.table.column("score").to_numpy(), np.float64)

    @property
    def labels(self) -> NDArray[np.int8]:
        """(N,) 1 live, 0 attack, -1 unknown."""
        return np.asarray(self.table.column("label").fill_null(UNKNOWN).to_numpy(), np.int8)

    @property
    def live(self) -> NDArray[np.float64]:
        """Scores of the bona fide samples, ascending, without NaN."""
        return self.rates.live.expanded()

    @property
    def attack(self) -> NDArray[np.float64]:
        """Scores of the attacks, all species pooled, ascending, without NaN."""
        return self.rates.attack.expanded()

    @cached_property
    def rates(self) -> ErrorRates:
        """Error rates at any threshold, of the labelled samples that have a score; sorted once."""
        if self._rates is not None:
            return self._rates
        scores, labels = self.scores, self.labels
        names, codes = self.species_codes()
        attack, codes = scores[labels == ATTACK], codes[labels == ATTACK]
        parts = {name: attack[codes == code] for code, name in enumerate(names)}
        attacks = {name: parts[name] for name in sorted(parts) if len(parts[name])}
        return ErrorRates.of(scores[labels == LIVE], attack, attacks)

    def species_codes(self) -> tuple[list[str], NDArray[np.int32]]:
        """The names there are, `unknown` for none, and (N,) which of them each row has."""
        species = self.table.column("species").fill_null("unknown")
        names = species.unique()
        return names.to_pylist(), pc.index_in(species, names).to_numpy()

    def counts(self) -> dict[str, int]:
        """`live` and `attack` with a score, `unknown` labels, `no_response` (labelled, NaN), `total`."""
        live, attack = self.rates.live.total, self.rates.attack.total
        unknown = int((self.labels == UNKNOWN).sum())
        no_response = len(self) - live - attack - unknown
        found = {"live": live, "attack": attack, "unknown": unknown, "no_response": no_response}
        return found | {"total": len(self)}

    def is_labelled(self) -> bool:
        """Whether every sample is known to be live or attack."""
        return len(self) > 0 and self.table.column("label").null_count == 0


def _read_parquet(path: Path) -> pa.Table:
    # `write` gives pages a checksum, so that a damaged file is an error and no other score.
    return pa.parquet.read_table(path, page_checksum_verification=True)


def _read_csv(path: Path) -> pa.Table:
    # Only an empty unquoted cell is null, so that a species or subject called NA keeps its name.
    # One thread, because only then does an error say in which row it is.
    return pa.csv.read_csv(
        path,
        read_options=pa.csv.ReadOptions(use_threads=False),
        convert_options=pa.csv.ConvertOptions(
            column_types=dict(zip(SCHEMA.names, SCHEMA.types, strict=True)),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )


def _array(name: str, column: str, values: Any, kind: pa.DataType) -> pa.Array:
    try:
        if isinstance(values, pa.ChunkedArray):
            values = values.combine_chunks()
        elif pa.types.is_integer(kind) and not isinstance(values, pa.Array):
            values = pa.array(values)  # of a list of floats the whole part alone would be taken, silently
        array = values.cast(kind) if isinstance(values, pa.Array) else pa.array(values, kind)
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        wanted = "must be 1 (live), 0 (attack) or empty: " if column == "label" else ""
        raise DataError(f"{name}: column {column!r}: {wanted}{_line(error)}") from error
    return array.fill_null(np.nan) if column == "score" else array


def _line(error: Exception) -> str:
    """An error's text on one line."""
    return " ".join(str(error).split())
