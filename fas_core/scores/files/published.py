"""Score files and lists in forms of their own, as they are published, turned into tables with named columns.

- bob (Idiap), text: `claimed real path score`, or with the model's name after `claimed`. A sample is bona
  fide where `real` is the claimed client; else `real` is the kind of attack, e.g. `attack/print`. Where it is
  another client, the row is a zero-effort impostor of a verification system and no presentation attack: it is
  left out.
- bob, CSV: `claimed_id,test_label,is_bonafide,attack_type,score`.
- OULU-NPU, lists: `+1,6_3_20_1`: label, and the video as phone_session_user_file.

In the first two a path has several rows where a video has several scores: they get ids of their own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc
from attrs import evolve, frozen

from fas_core.scores.files.columns import RawTable
from fas_core.scores.files.labels import SIGNED_NUMBERS, parse_numbers
from fas_core.scores.label_words import parse_class
from fas_core.scores.table import ATTACK, LIVE

BOB_COLUMNS = {"claimed_id", "test_label", "score"}
OULU_VIDEO = re.compile(r"(?P<phone>[1-6])_(?P<session>[1-3])_(?P<user>\d\d)_(?P<file>[1-5])")
OULU_SPECIES = {"1": "live", "2": "print", "3": "print", "4": "replay", "5": "replay"}


@frozen(eq=False)
class PublishedTable:
    """A file's table, its columns named where the file has one of the forms of this module.

    Args:
        raw: the table.
        impostors: number of rows of zero-effort impostors that are left out.
        has_classes: whether the labels are by the clients, as in bob's text files.
    """

    raw: RawTable
    impostors: int = 0
    has_classes: bool = False


def name_columns(raw: RawTable) -> PublishedTable:
    """Return a table of scores with named columns if it has one of bob's forms, else as it is."""
    if raw.named:
        if not set(raw.names) >= BOB_COLUMNS:
            return PublishedTable(raw)
        return PublishedTable(_number_samples(raw, raw.names.index("test_label")))
    if not _is_of_clients(raw):
        return PublishedTable(raw)
    columns = [column.to_pylist() for column in raw.table.columns]
    claimed, real = columns[0], columns[-3]
    clients, pairs = set(claimed), list(zip(claimed, real, strict=True))
    table = pa.table(
        {
            "subject": claimed,
            "label": ["live" if client == other else "attack" for client, other in pairs],
            "species": ["live" if client == other else _parse_species(other) for client, other in pairs],
            "id": columns[-2],
            "score": columns[-1],
        }
    ).filter(pa.array([client == other or other not in clients for client, other in pairs]))
    impostors = len(pairs) - len(table)
    form = f"text of bob ({'claimed model' if len(columns) == 5 else 'claimed'} real path score)"
    form += f", {impostors} rows of zero-effort impostors left out" if impostors else ""
    named = evolve(raw, form=form, table=table, named=True)
    return PublishedTable(_number_samples(named, named.names.index("id")), impostors, has_classes=True)


def name_list_columns(raw: RawTable) -> RawTable:
    """Return a list of labels with named columns if it is one of OULU-NPU's, else as it is."""
    if raw.named or len(raw.names) != 2:
        return raw
    labels, videos = (column.to_pylist() for column in raw.table.columns)
    matches = [OULU_VIDEO.fullmatch(video or "") for video in videos]
    if not all(matches) or any(label not in SIGNED_NUMBERS for label in labels):
        return raw
    values = [match.groupdict() for match in matches if match]
    return evolve(
        raw,
        form="list of OULU-NPU (label,video)",
        named=True,
        table=pa.table(
            {
                "label": ["live" if SIGNED_NUMBERS[label] == LIVE else "attack" for label in labels],
                "id": videos,
                "species": [OULU_SPECIES[value["file"]] for value in values],
                "subject": [value["user"] for value in values],
                "session": [value["session"] for value in values],
                "device": [value["phone"] for value in values],
            }
        ),
    )


def _is_of_clients(raw: RawTable) -> bool:
    """Whether a file without header has bob's columns: clients of several rows, paths and scores.

    The other files of four columns, `path path path score`, name each image once.
    """
    if len(raw.names) not in (4, 5) or raw.form != "text":
        return False
    columns = [pc.fill_null(column.combine_chunks(), "") for column in raw.table.columns]
    claimed, real, path, score = columns[0], columns[-3], columns[-2], columns[-1]
    if parse_numbers(score) is None or parse_numbers(path) is not None:
        return False
    if any(parse_class(word) is not None for word in pc.unique(path)[:3].to_pylist()):
        return False
    same = pc.any(pc.equal(claimed, real)).as_py()
    return bool(same or len(pc.unique(claimed)) < len(claimed) or _are_attacks(pc.unique(real).to_pylist()))


def _are_attacks(words: Sequence[str]) -> bool:
    return all(parse_class(word.partition("/")[0]) == ATTACK for word in words)


def _parse_species(real: str) -> str:
    """Return `print` for `attack/print`, and nothing where only the class is known."""
    first, _, rest = real.partition("/")
    return rest if parse_class(first) == ATTACK else real


def _number_samples(raw: RawTable, index: int) -> RawTable:
    """Return the table with a column `id`, distinct for all rows, and `video` where paths have several."""
    paths = raw.table.column(index).to_pylist()
    ids = number_repeated(paths)
    table = raw.table.remove_column(index)
    if ids != paths and "video" not in table.column_names:
        table = table.append_column("video", pa.array(paths, pa.string()))
    return evolve(raw, table=table.append_column("id", pa.array(ids, pa.string())))


def number_repeated(names: Iterable[str]) -> list[str]:
    """Return the names, those that occur several times with `#1`, `#2`, ... at their end."""
    names = list(names)
    totals, counts = Counter(names), Counter[str]()
    numbered = []
    for name in names:
        counts[name] += 1
        numbered.append(f"{name}#{counts[name]}" if totals[name] > 1 else name)
    return numbered
