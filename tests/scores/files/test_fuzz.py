"""1,000 damaged score files: the right table or one line, never a traceback and never a silent wrong figure.

What is right is said by a reader of a few lines below, which knows the file's format and guesses nothing.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Mapping
from math import isnan, nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attrs import evolve, frozen

from fas_core.config.recipe import Recipe
from fas_core.errors import FasError
from fas_core.evaluation import BoundMetric, bind_metrics, evaluate
from fas_core.registry import registry
from fas_core.scores.files import ScoreFile, read_scores
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold

CASES = 1000
CUT = Threshold(0.25, "fixed:0.25", "given")
WORDS = {"live": 1, "bona fide": 1, "attack": 0, "spoof": 0, "1": 1, "0": 0, "1.0": 1, "0.0": 0}
JUNK = (
    "abc",
    "",
    "nan",
    "NaN",
    "inf",
    "-inf",
    "0,93",
    "1e-3",
    "  0.5 ",
    "1",
    "0",
    '"',
    "a\nb",
    "live",
    "é",
    "0.5.1",
)
Row = tuple[str | None, float, int | None, str | None]
"""id (None where rows are numbered), score, label, species."""


class RefusedError(Exception):
    """What the simple reader cannot read either."""


@frozen
class Case:
    """A file to be: rows of text cells, and how they are written.

    Args:
        form: `csv`, `jsonl`, `parquet` or `submission`.
        labels: of a submission, the lines of its list.
        patch: what is done to the written bytes.
    """

    form: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    delimiter: str = ","
    header: bool = True
    labels: tuple[tuple[str, ...], ...] = ()
    patch: Callable[[bytes], bytes] | None = None

    def data(self) -> bytes:
        found = WRITERS[self.form](self)
        return found if self.patch is None else self.patch(found)


def valid(rng: np.random.Generator) -> Case:
    """A file that any of the formats could have."""
    form = str(rng.choice(["csv", "csv", "csv", "jsonl", "parquet", "submission"]))
    count = int(rng.integers(8, 25))
    labels = [1, 0, *rng.integers(0, 2, count - 2).tolist()]
    words = [("0", "1"), ("attack", "live"), ("spoof", "Bona_Fide"), ("0.0", "1.0")][rng.integers(4)]
    rows = []
    for index, label in enumerate(labels):
        species = "live" if label else str(rng.choice(["print", "replay", "mask"]))
        score = repr(round(float(rng.normal(label, 0.7)), 4))
        rows.append((f"d{index % 3}/{index:04}.jpg", score, words[label], species))
    if form == "submission":
        listing = tuple((row[0], str(label)) for row, label in zip(rows, labels, strict=True))
        return Case(form, ("id", "score"), tuple(row[:2] for row in rows), " ", False, listing)
    columns = ("id", "score", "label", "species")
    mark = str(rng.choice([",", ";", "\t", "|", " "])) if form == "csv" else ","
    return Case(form, columns, tuple(rows), mark, form != "csv" or bool(rng.random() < 0.6))


# Writing


def as_csv(case: Case) -> bytes:
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=case.delimiter, lineterminator="\n")
    writer.writerows([case.columns, *case.rows] if case.header else case.rows)
    return stream.getvalue().encode()


def as_jsonl(case: Case) -> bytes:
    """Numbers are written as numbers, whatever else stands there as strings, nothing as null."""
    lines = []
    for row in case.rows:
        cells = [
            f"{json.dumps(name)}: {typed(name, cell)}" for name, cell in zip(case.columns, row, strict=False)
        ]
        lines.append("{" + ", ".join(cells) + "}\n")
    return "".join(lines).encode()


def typed(name: str, cell: str) -> str:
    number = as_float(cell) if name in ("score", "label") else None
    if cell == "" or number is None:
        return "null" if cell == "" else json.dumps(cell)
    return json.dumps(number)


def as_parquet(case: Case) -> bytes:
    """As `ScoreTable.write` writes it, where it can be such a table; else as strings."""
    import pyarrow as pa
    import pyarrow.parquet

    columns = [pa.array(cells) for cells in zip(*squared(case), strict=True)] or [
        pa.array([], pa.string())
    ] * len(case.columns)
    stream = io.BytesIO()
    table = pa.Table.from_arrays(columns, names=list(case.columns))
    pa.parquet.write_table(table, stream, write_page_checksum=True)
    return stream.getvalue()


def squared(case: Case) -> list[tuple[str, ...]]:
    """Rows of as many cells as there are columns."""
    width = len(case.columns)
    return [(*row, "")[:width] for row in case.rows]


def as_submission(case: Case) -> bytes:
    return "".join(" ".join(row) + "\n" for row in case.rows).encode()


WRITERS = {"csv": as_csv, "jsonl": as_jsonl, "parquet": as_parquet, "submission": as_submission}

# Damaging


def damaged(case: Case, rng: np.random.Generator) -> Case:
    return DAMAGES[rng.integers(len(DAMAGES))](case, rng)


def drop_column(case: Case, rng: np.random.Generator) -> Case:
    at = int(rng.integers(len(case.columns)))
    columns, *rows = (line[:at] + line[at + 1 :] for line in (case.columns, *case.rows))
    return evolve(case, columns=columns, rows=tuple(rows))


def reorder_columns(case: Case, rng: np.random.Generator) -> Case:
    order = rng.permutation(len(case.columns))
    columns, *rows = (tuple(line[at] for at in order) for line in (case.columns, *case.rows))
    return evolve(case, columns=columns, rows=tuple(rows))


def rename_column(case: Case, rng: np.random.Generator) -> Case:
    if not case.header:
        return spoil_cells(case, rng)
    at = int(rng.integers(len(case.columns)))
    name = str(rng.choice(["foo", "prob", "path", "gt", "score", "label", "", "spoof_score", "0.5"]))
    return evolve(case, columns=(*case.columns[:at], name, *case.columns[at + 1 :]))


def repeat_column(case: Case, rng: np.random.Generator) -> Case:
    at = int(rng.integers(len(case.columns)))
    columns, *rows = ((*line, line[at]) for line in (case.columns, *case.rows))
    return evolve(case, columns=columns, rows=tuple(rows))


def set_cell(case: Case, row: int, column: int, cell: str) -> Case:
    rows = [list(line) for line in case.rows]
    rows[row][column] = cell
    return evolve(case, rows=tuple(map(tuple, rows)))


def spoil_cells(case: Case, rng: np.random.Generator) -> Case:
    for _ in range(rng.integers(1, 4)):
        row, column = int(rng.integers(len(case.rows))), int(rng.integers(len(case.columns)))
        case = set_cell(case, row, column, str(rng.choice(JUNK)))
    return case


def swap_cells(case: Case, rng: np.random.Generator) -> Case:
    """In one row, or in one column."""
    row, other = rng.choice(len(case.rows), 2, replace=False)
    column, next_to = rng.choice(len(case.columns), 2, replace=False)
    if rng.random() < 0.5:
        other = row
    else:
        next_to = column
    first, second = case.rows[row][column], case.rows[other][next_to]
    return set_cell(set_cell(case, row, column, second), other, next_to, first)


def widen_or_cut_row(case: Case, rng: np.random.Generator) -> Case:
    rows = list(case.rows)
    row = int(rng.integers(len(rows)))
    rows[row] = rows[row][:-1] if rng.random() < 0.5 else (*rows[row], "x")
    return evolve(case, rows=tuple(rows))


def repeat_or_drop_rows(case: Case, rng: np.random.Generator) -> Case:
    chosen = rng.integers(0, len(case.rows), len(case.rows)) if rng.random() < 0.3 else None
    if chosen is None:
        chosen = rng.choice(len(case.rows), int(rng.integers(0, len(case.rows) + 1)), replace=False)
    return evolve(case, rows=tuple(case.rows[row] for row in chosen))


def header_again(case: Case, rng: np.random.Generator) -> Case:
    at = int(rng.integers(1, len(case.rows)))
    return evolve(case, rows=(*case.rows[:at], case.columns, *case.rows[at:]))


def spoil_list(case: Case, rng: np.random.Generator) -> Case:
    labels = list(case.labels) or [("x", "1")]
    at = int(rng.integers(len(labels)))
    spoiled: list[tuple[str, ...]] = [
        ("x", "1"),
        (labels[at][0], "2"),
        (labels[at][0],),
        (labels[at][0], "live"),
    ]
    labels[at : at + 1] = [[], [spoiled[rng.integers(4)]], [labels[at]] * 2][rng.integers(3)]
    return evolve(case, labels=tuple(labels)) if case.labels else spoil_cells(case, rng)


def in_bytes(
    patch: Callable[[bytes, np.random.Generator], bytes],
) -> Callable[[Case, np.random.Generator], Case]:
    def done(case: Case, rng: np.random.Generator) -> Case:
        return evolve(case, patch=lambda data: patch(data, rng))

    return done


def flip(data: bytes, rng: np.random.Generator) -> bytes:
    at = int(rng.integers(len(data)))
    pool = b'0123456789.,;|"\t \n\r-einaNlv\x00\xff\xc3/{}:' if rng.random() < 0.7 else bytes(range(256))
    return data[:at] + bytes([pool[rng.integers(len(pool))]]) + data[at + 1 :]


def cut_out(data: bytes, rng: np.random.Generator) -> bytes:
    start = int(rng.integers(len(data)))
    return data[:start] + data[start + int(rng.integers(1, 30)) :]


def insert(data: bytes, rng: np.random.Generator) -> bytes:
    at = int(rng.integers(len(data) + 1))
    pieces = (
        b'"',
        b"\n",
        b"\r\n",
        b" ",
        b",",
        b"\xff",
        b"\x00",
        b"0",
        b"\n\n\n",
        "é".encode(),
        b"\xef\xbb\xbf",
        b";",
    )
    return data[:at] + pieces[rng.integers(len(pieces))] + data[at:]


def one_delimiter(data: bytes, rng: np.random.Generator) -> bytes:
    """In one line."""
    lines = data.split(b"\n")
    at = int(rng.integers(len(lines)))
    old, new = rng.choice([b",", b";", b"\t", b"|", b" "], 2, replace=False)
    lines[at] = lines[at].replace(bytes(old), bytes(new))
    return b"\n".join(lines)


DAMAGES = [
    drop_column,
    reorder_columns,
    rename_column,
    repeat_column,
    spoil_cells,
    spoil_cells,
    swap_cells,
    widen_or_cut_row,
    repeat_or_drop_rows,
    header_again,
    spoil_list,
    in_bytes(flip),
    in_bytes(flip),
    in_bytes(cut_out),
    in_bytes(insert),
    in_bytes(one_delimiter),
    in_bytes(lambda data, rng: data[: rng.integers(len(data))]),
    in_bytes(lambda data, rng: b"\xef\xbb\xbf" + data),
    in_bytes(lambda data, rng: data.replace(b"\n", b"\r\n")),
    in_bytes(lambda data, rng: data.replace(b"\n", b"\r")),
    in_bytes(lambda data, rng: data.decode("latin-1").encode("utf-16")),
    in_bytes(lambda data, rng: b""),
]

# Reading simply


def expected(case: Case, data: bytes) -> list[Row]:
    """The rows of a file whose format is known.

    Raises:
        RefusedError: they cannot be had.
    """
    if case.form == "parquet":
        # What is damaged behind the checksums is refused, or it is the same.
        return by_columns(case.columns, squared(case))
    text = decoded(data)
    if case.form == "jsonl":
        return of_objects(objects(text))
    if case.form == "submission":
        return joined(case, [line.split() for line in text.split("\n") if line.strip()])
    split = str.split if case.delimiter == " " and '"' not in text else None
    lines = [line for line in text.split("\n") if line]
    cells = [split(line) if split else one_line(line, case.delimiter) for line in lines]
    if not case.header:  # nothing tells that a column is the species
        return by_columns([name.replace("species", "?") for name in case.columns], cells)
    return by_columns([cell.strip() for cell in cells[0]] if cells else [], cells[1:])


def decoded(data: bytes) -> str:
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise RefusedError from error
    if "\0" in text:
        raise RefusedError
    return text.replace("\r\n", "\n").replace("\r", "\n")


def one_line(line: str, delimiter: str) -> list[str]:
    try:
        (cells,) = csv.reader([f"{line}\n"], delimiter=delimiter)
    except (csv.Error, ValueError) as error:
        raise RefusedError from error
    if "\n" in cells[-1]:  # a quote that is not closed
        raise RefusedError
    return cells


def objects(text: str) -> list[dict[str, Any]]:
    decoder, found, at = json.JSONDecoder(object_pairs_hook=once), [], 0
    try:
        while text[at:].strip():
            at += len(text[at:]) - len(text[at:].lstrip())
            value, at = decoder.raw_decode(text, at)
            if not isinstance(value, dict):
                raise RefusedError
            found.append(value)
    except ValueError as error:
        raise RefusedError from error
    return found


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key twice")
    return dict(pairs)


def of_objects(found: list[dict[str, Any]]) -> list[Row]:
    names = list(dict.fromkeys(name for row in found for name in row))
    cells = [["" if row.get(name) is None else str(row[name]) for name in names] for row in found]
    return by_columns(names, cells)


ALIASES = {"prob": "score", "path": "id", "gt": "label"}


def by_columns(names: Any, rows: Any) -> list[Row]:
    roles = [name if name == "path" and "id" in names else ALIASES.get(name, name) for name in names]
    if any(len(row) != len(roles) for row in rows) or "score" not in roles or not rows:
        raise RefusedError
    if roles.count("score") > 1 or roles.count("label") > 1:
        raise RefusedError
    found = [row_of({role: cell.strip() for role, cell in zip(roles, row, strict=True)}) for row in rows]
    ids = [row[0] for row in found]
    if "id" in roles and ("" in ids or len(set(ids)) < len(ids)):
        raise RefusedError
    if all(row[2] is None for row in found):
        raise RefusedError
    return found


def row_of(cells: dict[str, str]) -> Row:
    score = as_float(cells["score"]) if cells["score"] else nan
    if score is None:
        raise RefusedError
    species = cells.get("species") or None
    if "label" in cells:
        said = cells["label"].lower().replace("_", " ")
        if said and said not in WORDS:
            raise RefusedError
        label = WORDS[said] if said else None
    else:
        label = None if species is None else int(species == "live")
    return cells.get("id"), score, label, species


def as_float(cell: str) -> float | None:
    try:
        return None if "_" in cell else float(cell)
    except ValueError:
        return None


def joined(case: Case, lines: list[list[str]]) -> list[Row]:
    known = {line[0]: WORDS.get(line[1].lower()) for line in case.labels if len(line) == 2}
    if len(known) < len(case.labels) or None in known.values():
        raise RefusedError
    if "id" not in case.columns or any(len(line) != len(case.columns) for line in lines):
        raise RefusedError
    found = by_columns(("id", "score", "label"), [labelled(case, line, known) for line in lines])
    if {row[0] for row in found} != set(known):
        raise RefusedError
    return found


def labelled(case: Case, line: list[str], known: Mapping[str, int | None]) -> tuple[str, str, str]:
    cells = dict(zip(case.columns[::-1], line[::-1], strict=True))
    return cells["id"], cells.get("score", "no score"), str(known.get(cells["id"], ""))


# Comparing


def rows_of(found: ScoreFile) -> list[Row]:
    columns = [found.table.table.column(name).to_pylist() for name in ("id", "score", "label", "species")]
    return [(row[0] if found.has_ids else None, *row[1:]) for row in zip(*columns, strict=True)]


def same(ours: list[Row], theirs: list[Row]) -> bool:
    def key(row: Row) -> tuple[Any, ...]:
        score = "none" if isnan(row[1]) else row[1]
        return row[0], score, row[2], row[3] if row[2] == 0 else None

    return [key(row) for row in ours] == [key(row) for row in theirs]


def check_figures(table: ScoreTable, rows: list[Row], metrics: list[BoundMetric]) -> None:
    """The judged figures, against counting."""
    found = evaluate(table, metrics, CUT)
    scored = [row for row in rows if not isnan(row[1])]
    live = [score for _, score, label, _ in scored if label == 1]
    attack = [score for _, score, label, _ in scored if label == 0]
    assert found.counts["live"] == len(live)
    assert found.counts["attack"] == len(attack)
    assert found.counts["total"] == len(rows)
    if live:
        assert found.metrics["bpcer"] == sum(score < CUT.value for score in live) / len(live)
    if attack:
        assert found.metrics["apcer"] == sum(score >= CUT.value for score in attack) / len(attack)
    by_species = Counter(species or "unknown" for _, _, label, species in scored if label == 0)
    assert {name: part.count for name, part in found.species.items() if part.count} == by_species


@pytest.fixture(scope="module")
def metrics() -> list[BoundMetric]:
    return bind_metrics(Recipe().metrics, registry())


def run(case: Case, data: bytes, folder: Path) -> ScoreFile:
    names = {
        "csv": "scores.csv",
        "jsonl": "scores.jsonl",
        "parquet": "scores.parquet",
        "submission": "scores.txt",
    }
    path, listing = folder / names[case.form], folder / "list.txt"
    path.write_bytes(data)
    if not case.labels:
        return read_scores(path)
    listing.write_text("".join(" ".join(line) + "\n" for line in case.labels))
    return read_scores(path, labels=listing)


@pytest.mark.parametrize("seed", range(100))
def test_whole_files_are_read(seed: int, tmp_path: Path, metrics: list[BoundMetric]) -> None:
    case = valid(np.random.default_rng(seed))
    found = run(case, case.data(), tmp_path)
    rows = expected(case, case.data())
    assert same(rows_of(found), rows)
    check_figures(found.table, rows, metrics)


def test_damaged_files_give_the_right_table_or_one_line(tmp_path: Path, metrics: list[BoundMetric]) -> None:
    outcomes: Counter[str] = Counter()
    wrong: list[str] = []
    for seed in range(CASES):
        rng = np.random.default_rng([seed, 7])
        case = damaged(valid(rng), rng)
        data = case.data()
        said, problem = judged(case, data, tmp_path, metrics)
        outcomes[said] += 1
        if problem:
            wrong.append(f"seed {seed}: {case.form}: {problem}: {data[:2000]!r}")
    assert wrong == []
    assert min(outcomes["read"], outcomes["refused"]) > CASES / 5


def judged(case: Case, data: bytes, folder: Path, metrics: list[BoundMetric]) -> tuple[str, str]:
    """Whether a file was read, and what is wrong with that."""
    try:
        found = run(case, data, folder)
    except FasError as error:
        return "refused", "" if len(str(error).splitlines()) == 1 else f"several lines: {error}"
    try:
        rows = expected(case, data)
    except RefusedError:
        return "read", f"not to be read, and read as {found.description}"
    if not same(rows_of(found), rows):
        return "read", f"read wrongly, as {found.description}"
    check_figures(found.table, rows, metrics)
    return "read", ""
