"""Folds of train: which subjects are in which, and the data set that holds one out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold

from fas_core.contracts import DatasetReader
from fas_core.data.fold_numbers import fold_numbers
from fas_core.data.folds import FoldAssignment, shared_groups, straddling_subjects
from fas_core.errors import ConfigError, DataError, FasError
from fas_core.records.samples import SampleTable

Rows = list[tuple[Any, Any, Any]]


def table(rows: Rows, **further: Any) -> SampleTable:
    """Of (subject, label, species)."""
    subjects, labels, species = zip(*rows, strict=True)
    names = [f"{row}.png" for row in range(len(rows))]
    columns = {"id": names, "rgb": names, "label": labels, "species": species, "subject": subjects}
    return SampleTable.of(columns | further, modalities=("rgb",), root=Path("faces"))


def person(name: str, live: int = 2, prints: int = 1, replays: int = 1) -> Rows:
    return [(name, 1, "live")] * live + [(name, 0, "print")] * prints + [(name, 0, "replay")] * replays


def people(count: int, **samples: int) -> Rows:
    return [row for number in range(count) for row in person(f"p{number:03}", **samples)]


some_people = st.lists(
    st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(0, 6)), min_size=2, max_size=25
)


@settings(deadline=None, max_examples=60)
@given(sizes=some_people, count=st.integers(2, 6), seed=st.integers(0, 2**40))
def test_no_subject_is_in_two_folds_and_every_row_is_in_one(
    sizes: list[tuple[int, int, int]], count: int, seed: int
) -> None:
    rows = [row for number, size in enumerate(sizes) for row in person(f"p{number}", *size)]
    samples = table(rows)
    try:
        numbers = fold_numbers(samples, "subject", count, seed)
    except DataError:
        assert len(sizes) < count  # everybody has both classes, so that nothing else can be wrong
        return
    assert set(numbers.tolist()) == set(range(1, count + 1))
    of_person = {(subject, number) for (subject, _, _), number in zip(rows, numbers.tolist(), strict=True)}
    assert len(of_person) == len(sizes)
    for label in (0, 1):
        assert set(numbers[samples.labels == label].tolist()) == set(range(1, count + 1))
    np.testing.assert_array_equal(numbers, fold_numbers(samples, "subject", count, seed))


@pytest.mark.parametrize(("subjects", "count"), [(9, 3), (10, 5), (11, 4), (40, 5), (7, 7)])
def test_folds_of_equal_people_have_as_many_of_each_species_as_can_be(subjects: int, count: int) -> None:
    rows = people(subjects)
    numbers = fold_numbers(table(rows), "subject", count, seed=3)
    for species, each in (("live", 2), ("print", 1), ("replay", 1)):
        found = Counter(int(number) for number, row in zip(numbers, rows, strict=True) if row[2] == species)
        few, many = each * (subjects // count), each * -(-subjects // count)
        assert all(few <= found[fold] <= many for fold in range(1, count + 1))


def test_a_species_of_few_people_is_spread_over_the_folds() -> None:
    """Every third of 12 people has replays; by chance alone a fold would have none now and then."""
    rows = [row for n in range(12) for row in person(f"p{n:02}", replays=9 * (n % 3 == 0))]
    for seed in range(10):
        numbers = fold_numbers(table(rows), "subject", 4, seed)
        with_replays = {int(n) for n, row in zip(numbers, rows, strict=True) if row[2] == "replay"}
        assert with_replays == {1, 2, 3, 4}


def test_a_class_comes_before_its_species() -> None:
    """Two people give the attacks, each another species: they are not to be in one fold."""
    rows = [*person("a", 9, 0, 0), *person("b", 1, 0, 0), *person("c", 0, 0, 1), *person("d", 0, 2, 0)]
    for seed in range(5):
        numbers = fold_numbers(table(rows), "subject", 2, seed)
        assert {tuple(sorted(set(numbers[table(rows).labels == label].tolist()))) for label in (0, 1)} == {
            (1, 2)
        }


def test_the_order_of_samples_does_not_matter_and_the_seed_does() -> None:
    rows = people(20)
    first = fold_numbers(table(rows), "subject", 5, seed=1)
    turned = fold_numbers(table(rows[::-1]), "subject", 5, seed=1)
    np.testing.assert_array_equal(first, turned[::-1])
    assert any((fold_numbers(table(rows), "subject", 5, seed=seed) != first).any() for seed in (2, 3))


def test_by_other_columns() -> None:
    rows = people(6)
    videos = [f"{subject}/{label}/{row % 2}" for row, (subject, label, _) in enumerate(rows)]
    frames = list(range(len(rows)))
    samples = table(rows, video=videos, frame=frames)
    by_video = fold_numbers(samples, "video", 3, seed=0)
    assert len(set(zip(videos, by_video.tolist(), strict=True))) == len(set(videos))
    assert set(fold_numbers(samples, "frame", 3, seed=0).tolist()) == {1, 2, 3}


UNLABELLED = [("p9", None, "print")]


@pytest.mark.parametrize(
    ("rows", "by", "count", "error", "said"),
    [
        (people(4), "subjct", 2, ConfigError, "no such column (did you mean 'subject'?)"),
        (people(4), "box", 2, ConfigError, "no such column"),
        (people(4), "rgb", 2, ConfigError, "no such column"),
        (people(4), "video", 2, DataError, "it is not known of 16 of 16 training samples"),
        ([*people(4), (None, 1, "live")], "subject", 2, DataError, "it is not known of 1 of 17"),
        (people(4), "subject", 5, DataError, "5 folds by subject: train has only 4 subjects"),
        (
            [*people(2), *person("p8", live=0)],
            "subject",
            3,
            DataError,
            "train has only 2 subjects with live samples",
        ),
        (people(4, prints=0, replays=0), "subject", 2, DataError, "train has only 0 subjects with attacks"),
        (people(4), "species", 2, DataError, "train has only 1 species with live samples"),
        ([*people(4), *UNLABELLED], "subject", 2, DataError, "1 training samples have no label"),
    ],
)
def test_a_mistake_is_one_line(rows: Rows, by: str, count: int, error: type[FasError], said: str) -> None:
    with pytest.raises(error) as caught:
        fold_numbers(table(rows), by, count, seed=0)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_fold_without_one_of_the_classes_is_refused() -> None:
    """The two largest, who are dealt out first, have one class each, and the third can join only one."""
    rows = [*person("a", 1, 2, 0), *person("b", 0, 6, 0), *person("c", 6, 0, 0)]
    with pytest.raises(DataError, match=r"fold [12] of 2 by subject has no .*: take fewer folds$"):
        fold_numbers(table(rows), "subject", 2, seed=0)


def test_folds_are_as_even_as_scikit_learns() -> None:
    """StratifiedGroupKFold deals groups out greedily, too; over many random tables ours are no worse."""
    rng = np.random.default_rng(1)
    ours, theirs = [], []
    for trial in range(40):
        sizes = rng.integers(1, 15, (int(rng.integers(10, 30)), 3)).tolist()
        samples = table([row for number, size in enumerate(sizes) for row in person(f"p{number}", *size)])
        species, count = np.array(samples.column("species")), 2 + trial % 4
        split = StratifiedGroupKFold(count, shuffle=True, random_state=0)
        reference = np.zeros(len(samples), np.intp)
        parts = split.split(species, species, samples.column("subject"))
        for number, (_, held_out) in enumerate(parts, 1):
            reference[held_out] = number
        for found, numbers in (
            (ours, fold_numbers(samples, "subject", count, seed=0)),
            (theirs, reference),
        ):
            shares = [
                [np.mean(numbers[species == name] == f + 1) for f in range(count)] for name in set(species)
            ]
            found.append(float(np.std(shares, axis=1).mean()))
    assert np.mean(ours) <= np.mean(theirs)


class Reader:
    """A data set of given tables, which counts how often each is read."""

    overlaps = (("train", "dev"), ("dev", "test"), ("train", "test"))
    notes = ("as it is",)

    def __init__(self, **splits: SampleTable) -> None:
        self.tables = splits
        self.read: Counter[str] = Counter()

    def prepare(self) -> None: ...

    def splits(self) -> tuple[str, ...]:
        return tuple(self.tables)

    def samples(self, split: str) -> SampleTable:
        self.read[split] += 1
        return self.tables[split]


def test_a_data_set_that_holds_a_fold_out() -> None:
    train, test = table(people(6)), table(people(2))
    reader = Reader(train=train, dev=table(person("else")), test=test)
    folds = FoldAssignment.parse(reader, "subject:3", seed=5)
    ids: list[str] = []
    for fold in (1, 2, 3):
        view: DatasetReader = folds.hold_out(fold)
        assert view.splits() == ("train", "dev", "test")
        rest, held_out = view.samples("train"), view.samples("dev")
        assert not set(rest.column("subject")) & set(held_out.column("subject"))
        assert sorted(rest.column("id") + held_out.column("id")) == sorted(train.column("id"))
        assert view.samples("test") is test
        assert view.overlaps == (("train", "test"),)  # nothing of its own dev is in this one
        assert view.notes == ("as it is", f"dev: fold {fold} of 3 by subject, which train leaves out")
        ids += held_out.column("id")
    assert sorted(ids) == sorted(train.column("id"))
    assert folds.groups == (2, 2, 2)
    assert reader.read == {"train": 1, "dev": 1, "test": 3}


def test_devs_samples_of_the_people_held_out_are_scored_with_them() -> None:
    train, same = table(people(6)), people(4)
    others = [("p000", None, None), (None, 1, "live"), *person("else")]
    names = [f"dev-{row}.png" for row in range(len(same) + len(others))]
    dev = table([*same, *others], id=names, rgb=names)
    folds = FoldAssignment.parse(Reader(train=train, dev=dev), "subject:3", seed=5)
    subjects = dict(zip(train.column("id"), train.column("subject"), strict=True))
    subjects |= {name: subject for name, (subject, _, _) in zip(names, same, strict=False)}
    ids: list[str] = []
    for fold in (1, 2, 3):
        view = folds.hold_out(fold)
        rest, held_out = view.samples("train"), view.samples("dev")
        people_held_out = set(held_out.column("subject"))
        assert not set(rest.column("subject")) & people_held_out
        assert set(rest.column("id")) <= set(train.column("id"))
        assert held_out.column("id") == [name for name in subjects if subjects[name] in people_held_out]
        ids += held_out.column("id")
    assert folds.scored.column("id") == list(subjects)
    assert sorted(ids) == sorted(subjects)
    assert folds.groups == (2, 2, 2)
    before = FoldAssignment.parse(Reader(train=train), "subject:3", seed=5)
    assert before.numbers.tolist() == folds.numbers.tolist()  # dev does not choose who is in which
    assert before.digest() != folds.digest()


def test_the_digest_changes_with_the_samples_and_with_the_folds() -> None:
    def digest(rows: Rows, seed: int = 1, spec: str = "subject:3") -> str:
        return FoldAssignment.parse(Reader(train=table(rows)), spec, seed).digest()

    rows = people(9)
    assert digest(rows) == digest(rows)
    swapped = [*rows[4:8], *rows[:4], *rows[8:]]  # two people change places
    assert len({digest(rows), digest(rows, spec="subject:2"), digest(rows[4:]), digest(rows, seed=2)}) == 4
    assert digest(swapped) != digest(rows)


@pytest.mark.parametrize("spec", ["subject:", ":5", "subject:five", "subject:5:6", "subject-5"])
def test_another_spelling_is_refused(spec: str) -> None:
    with pytest.raises(ConfigError, match=r"must be COLUMN:K, e\.g\. subject:5"):
        FoldAssignment.parse(SimpleNamespace(), spec, seed=0)  # type: ignore[arg-type]


def test_an_unknown_column_is_refused_whatever_is_asked_first() -> None:
    folds = FoldAssignment.parse(Reader(train=table(people(4))), "subjct:2", seed=0)
    for read in (lambda: folds.numbers, lambda: folds.scored, folds.digest):
        with pytest.raises(ConfigError, match=r"no such column \(did you mean 'subject'\?\)"):
            read()


def test_what_two_splits_share() -> None:
    assert shared_groups(table(people(4)), table(people(6)), "subject") == (4, 6)
    assert shared_groups(table(people(4)), table(person("else")), "subject") == (0, 1)
    assert shared_groups(table(people(4)), table(people(4)), "video") is None


def test_people_in_several_folds() -> None:
    samples = table([*person("a"), *person("b"), (None, 1, "live"), (None, 1, "live")])
    assert straddling_subjects(samples, np.array([1, 1, 1, 1, 1, 2, 2, 2, 1, 2])) == (1, 2)


def meetings(people: str, sessions: str) -> Rows:
    """Live samples and a print of each person in each session."""
    return [row for name in people for _ in sessions for row in person(name, live=2, prints=1, replays=0)]


def with_sessions(people: str, sessions: str) -> SampleTable:
    return table(
        meetings(people, sessions), session=[name for _ in people for name in sessions for _ in range(3)]
    )


def test_a_fold_for_each_session() -> None:
    folds = FoldAssignment.parse(Reader(train=with_sessions("abcd", "123")), "session", seed=0)
    assert folds.spec == "session:3"
    for fold in (1, 2, 3):
        train, dev = (folds.hold_out(fold).samples(split) for split in ("train", "dev"))
        assert len(set(dev.column("session"))) == 1
        assert not set(dev.column("session")) & set(train.column("session"))
        assert set(dev.column("subject")) == set("abcd")


def test_people_and_a_session_are_held_out_together() -> None:
    """Of six people in three sessions, each of three folds is two people in a session that differs."""
    reader = Reader(train=with_sessions("abcdef", "123"))
    folds = FoldAssignment.parse(reader, "subject+session:3", seed=0)
    assert sorted(folds.held_out_sessions) == ["1", "2", "3"]
    assert folds.groups == (2, 2, 2)
    assert len(folds.scored) == 3 * 2 * 3  # folds, people, samples in a session
    for fold in (1, 2, 3):
        train, dev = (folds.hold_out(fold).samples(split) for split in ("train", "dev"))
        assert len(train) == 4 * 2 * 3
        for column in ("subject", "session"):
            assert not set(dev.column(column)) & set(train.column(column))


def test_dev_is_scored_in_sessions_that_the_model_has_not_seen() -> None:
    """Dev has everybody in session 3, which train lacks, and in session 1, which one of the folds lacks."""
    people = "abcd"
    train = with_sessions(people, "12")
    dev = with_sessions(people, "13")
    dev = SampleTable(
        dev.table.set_column(0, "id", [[f"dev{row}" for row in range(len(dev))]]), ("rgb",), dev.root
    )
    folds = FoldAssignment.parse(Reader(train=train, dev=dev), "subject+session:2", seed=0)
    assert sorted(folds.held_out_sessions) == ["1", "2"]
    rows = [row for row in folds.scored.column("id") if row.startswith("dev")]
    assert folds.scored_dev == len(rows) == 4 * 3 + 2 * 3
    for fold in (1, 2):
        train_of, dev_of = (folds.hold_out(fold).samples(split) for split in ("train", "dev"))
        assert not set(dev_of.column("session")) & set(train_of.column("session"))


def test_folds_without_a_session_to_hold_out_are_refused() -> None:
    reader = Reader(train=with_sessions("abcd", "1"))
    with pytest.raises(DataError, match="no session with live samples and attacks that can be held out"):
        _ = FoldAssignment.parse(reader, "subject+session:2", seed=0).scored
    with pytest.raises(DataError, match="train has 1 values"):
        FoldAssignment.parse(reader, "session", seed=0)
