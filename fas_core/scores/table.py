"""The score table: what models produce, metrics read, ensembles merge and submissions print."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
from attrs import frozen
from numpy.typing import NDArray

from fas_core.atomic import replacing
from fas_core.errors import DataError, format_list
from fas_core.scores.parquet import read_parquet
from fas_core.scores.rates import ErrorRates
from fas_core.text_files import read_bytes, refuse_long_lines, refuse_long_numbers, refuse_many_columns

LIVE, ATTACK, UNKNOWN = 1, 0, -1

LABEL_COLUMNS: dict[str, pa.DataType] = {
    "split": pa.string(),
    "label": pa.int8(),
    **dict.fromkeys(("species", "subject", "group", "session", "device", "video"), pa.string()),
    "frame": pa.int32(),
}
"""What every table has of a sample. `label`: 1 live, 0 attack, null unknown. `species`: of the attack
instrument; `live` for live samples."""

SCHEMA = pa.schema(
    [("id", pa.string()), ("score", pa.float64()), *LABEL_COLUMNS.items(), ("modalities", pa.string())]
)
"""Every column of a score table. `modalities`: which of the sample's images the model received, as
`rgb+ir`, where it can do without some."""


class Samples(Protocol):
    """A sample table, or anything else with at least `id` and `LABEL_COLUMNS`."""

    @property
    def table(self) -> pa.Table: ...


@frozen(eq=False)
class ScoreTable:
    """One score per sample, higher = more live, with the sample's label columns.

    A NaN score is a failure to respond: it is counted, and never compared. Build one with `of`,
    `from_samples` or `read`. `source` may be a function that builds the table on first use; `rates` are its
    error rates where they are known already, as those of a bootstrap replicate.
    """

    _source: pa.Table | Callable[[], pa.Table]
    _rates: ErrorRates | None = None

    @cached_property
    def table(self) -> pa.Table:
        """The columns of `SCHEMA`, null where unknown."""
        return self._source() if callable(self._source) else self._source

    @classmethod
    def of(cls, columns: Mapping[str, Any], *, name: str = "score table") -> ScoreTable:
        """Build from `{column: values}`; `id` and `score` are required, absent columns become null.

        Values are sequences or arrays of one length; columns outside `SCHEMA` are ignored. `name` is the
        table's, for messages. Raises DataError where a required column is absent or values do not fit theirs.
        """
        for required in ("id", "score"):
            if required not in columns:
                raise DataError(f"{name}: no {required!r} column (found: {format_list(columns, 12)})")
        rows = len(columns["score"])
        nulls = {kind: pa.nulls(rows, kind) for kind in set(SCHEMA.types)}
        present = {column: values for column, values in columns.items() if values is not None}
        arrays = [_convert(name, field, present.get(field.name, nulls[field.type])) for field in SCHEMA]
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
        cls, samples: Samples, scores: NDArray[np.floating[Any]], modalities: Sequence[str] | None = None
    ) -> ScoreTable:
        """Join scores (N,), and the modalities behind each, to their samples, in row order."""
        table = samples.table.select(["id", *LABEL_COLUMNS])
        table = table.add_column(1, "score", pa.array(scores, pa.float64()))
        names = pa.nulls(len(table), pa.string()) if modalities is None else pa.array(modalities, pa.string())
        return cls(table.append_column("modalities", names))

    @classmethod
    def read(cls, path: Path) -> ScoreTable:
        """Read `.csv` or `.parquet` as `write` wrote it; absent columns become null.

        Raises DataError where the file is missing, is no such table, lacks `id` or `score`, or repeats an id.
        """
        if path.is_dir() or not path.exists():
            reason = "a folder, not a score file" if path.is_dir() else "no such score file"
            raise DataError(f"{path}: {reason}")
        try:
            table = _read_table(path)
            names = table.column_names
        except (OSError, UnicodeDecodeError, pa.ArrowException) as error:
            raise DataError(f"{path}: cannot be read as a score table: {_one_line(error)}") from error
        if len(set(names)) < len(names):
            raise DataError(f"{path}: a column is given twice: {format_list(names)}")
        scores = cls.of({name: table.column(name) for name in names}, name=str(path))
        refuse_repeated_ids(scores.table.column("id"), path)
        return scores

    def write(self, path: Path, also: Mapping[str, NDArray[Any]] | None = None) -> None:
        """Write CSV (scores in full, so that they read back as the same numbers) or, for `.parquet`, Parquet.

        CSV omits columns that hold only nulls. `also`: further columns, `{name: (N,)}`, which `read` ignores.
        Raises FasError where the file cannot be written.
        """
        table = self.table
        for name, values in (also or {}).items():
            table = table.append_column(name, pa.array(values))
        with replacing(path) as temporary:
            if path.suffix == ".parquet":
                with temporary.open("wb") as stream:  # Arrow takes no path that is not UTF-8
                    pa.parquet.write_table(table, stream, write_page_checksum=True)
            else:
                optional = [name for name in SCHEMA.names if name not in ("id", "score", "label")]
                empty = [name for name in optional if self.table.column(name).null_count == len(self)]
                with temporary.open("wb") as stream:
                    pa.csv.write_csv(table.drop_columns(empty), stream)

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
        return self.rates.live.expand()

    @property
    def attack(self) -> NDArray[np.float64]:
        """Scores of the attacks, all PAI species pooled, ascending, without NaN."""
        return self.rates.attack.expand()

    @cached_property
    def rates(self) -> ErrorRates:
        """Error rates at any threshold, of the labelled samples that have a score; sorted once."""
        if self._rates is not None:
            return self._rates
        scores, labels = self.scores, self.labels
        names, codes = self.encode_species()
        attack, codes = scores[labels == ATTACK], codes[labels == ATTACK]
        by_species = {name: attack[codes == code] for code, name in enumerate(names)}
        attacks = {name: by_species[name] for name in sorted(by_species) if len(by_species[name])}
        return ErrorRates.of(scores[labels == LIVE], attack, attacks)

    def without_responses(self, low: float, high: float) -> ScoreTable:
        """Return the table with NaN for `low <= score < high`, as of a system without a response there."""
        scores = self.scores
        responses = np.where((low <= scores) & (scores < high), np.nan, scores)
        column = self.table.column_names.index("score")
        return ScoreTable(self.table.set_column(column, "score", pa.array(responses)))

    def encode_species(self) -> tuple[list[str], NDArray[np.int32]]:
        """Return the species' names, `unknown` for null, and (N,) the index of each row's name."""
        species = self.table.column("species").fill_null("unknown")
        names = species.unique()
        return names.to_pylist(), pc.index_in(species, names).to_numpy()

    def counts(self) -> dict[str, int]:
        """`live` and `attack` with a score, `unknown` labels, `no_response` (labelled, NaN), `total`."""
        live, attack = self.rates.live.total, self.rates.attack.total
        unknown = int((self.labels == UNKNOWN).sum())
        no_response = len(self) - live - attack - unknown
        counts = {"live": live, "attack": attack, "unknown": unknown, "no_response": no_response}
        return counts | {"total": len(self)}

    def is_labelled(self) -> bool:
        """Whether every sample is known to be live or attack."""
        return len(self) > 0 and self.table.column("label").null_count == 0


def refuse_repeated_ids(ids: pa.Array | pa.ChunkedArray, path: Path) -> None:
    """Raise a DataError where an id occurs twice."""
    counts = pc.value_counts(ids)
    if len(counts) < len(ids):
        repeated = counts.filter(pc.greater(counts.field("counts"), 1)).field("values").to_pylist()
        raise DataError(f"{path}: {len(repeated)} ids are given more than once: {format_list(repeated)}")


def _read_table(path: Path) -> pa.Table:
    if path.suffix == ".parquet":
        # `write` gives pages a checksum, so that a damaged file is an error and not another score.
        return read_parquet(path)
    data = read_bytes(path)
    text = data.decode()
    refuse_long_lines(text, str(path))
    refuse_long_numbers(data, str(path))
    refuse_many_columns(text.partition("\n")[0].count(",") + 1, str(path))
    # Only an empty unquoted cell is null, so that a species or subject called NA keeps its name.
    # Errors state the row only when a single thread reads.
    options = pa.csv.ConvertOptions(
        column_types=SCHEMA, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
    )
    one_thread = pa.csv.ReadOptions(use_threads=False)
    return pa.csv.read_csv(io.BytesIO(data), read_options=one_thread, convert_options=options)


def _convert(name: str, field: pa.Field, values: Any) -> pa.Array:
    try:
        if isinstance(values, pa.ChunkedArray):
            values = values.combine_chunks()
        elif pa.types.is_integer(field.type) and not isinstance(values, pa.Array):
            values = pa.array(values)  # pa.array(values, kind) would silently truncate a list of floats
        array = values.cast(field.type) if isinstance(values, pa.Array) else pa.array(values, field.type)
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        wanted = "must be 1 (live), 0 (attack) or empty: " if field.name == "label" else ""
        raise DataError(f"{name}: column {field.name!r}: {wanted}{_one_line(error)}") from error
    return array.fill_null(np.nan) if field.name == "score" else array


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
