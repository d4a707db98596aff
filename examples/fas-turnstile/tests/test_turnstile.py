"""The contract check of every protocol, its splits, mistakes in the index, and the submission."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fas_core import DataError
from fas_core.testing import check_dataset
from fas_turnstile.dataset import Turnstile
from fas_turnstile.options import PROTOCOLS, TurnstileOptions
from fas_turnstile.submission import build_submission


def read_records(root: Path) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = json.loads((root / "turnstile.json").read_text())["photos"]
    return records


def write_records(root: Path, records: object) -> None:
    (root / "turnstile.json").write_text(json.dumps({"photos": records}))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_contract(root: Path, protocol: str) -> None:
    check_dataset("turnstile", root, TurnstileOptions(protocol))


@pytest.mark.parametrize(
    ("protocol", "trained", "tested"), [("all", {1, 2, 3}, {1, 2, 3}), ("gate@2", {1, 3}, {2})]
)
def test_a_sub_protocol_is_tested_on_the_gate_that_it_is_not_trained_on(
    root: Path, protocol: str, trained: set[int], tested: set[int]
) -> None:
    reader = Turnstile(TurnstileOptions(protocol), root)
    for split, gates in (("train", trained), ("dev", trained), ("test", tested)):
        samples = reader.samples(split)
        assert set(samples.column("device")) == {f"gate {gate}" for gate in gates}
        assert samples.counts() == {"live": 2 * len(gates), "attack": 2 * len(gates), "total": 4 * len(gates)}
    assert reader.notes == ()


def test_photos_without_a_class_are_unknown(root: Path) -> None:
    records = read_records(root)
    write_records(
        root, [record | ({"class": None} if record["split"] == "test" else {}) for record in records]
    )
    reader = Turnstile(TurnstileOptions(), root)
    assert reader.samples("test").counts() == {"unknown": 12, "total": 12}
    assert reader.notes == ("12 of 36 photos have no class",)


def test_all_mistakes_are_reported_at_once(root: Path) -> None:
    records: list[Any] = read_records(root)[:5]
    records[0] = records[0] | {"gate": 4, "class": "paper"}
    records[1] = records[1] | {"file": "photos/none.png"}
    records[2] = records[2] | {"person": 7}
    records[3] = "photos/1.png"
    write_records(root, records)
    with pytest.raises(DataError) as caught:
        Turnstile(TurnstileOptions(), root).samples("train")
    assert [problem.partition(":")[0] for problem in caught.value.problems] == [
        "photos[0]",
        "photos[0]",
        "photos[1]",
        "photos[2]",
        "photos[3]",
    ]
    assert "gate must be one of 1, 2, 3: 4" in str(caught.value)
    assert "no such file: photos/none.png" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "no JSON"),
        ("[]", "a list `photos`"),
        ('{"photos": []}', "at least one"),
        (None, "cannot be read"),
    ],
)
def test_an_index_that_is_none(root: Path, text: str | None, message: str) -> None:
    index = root / "turnstile.json"
    index.unlink()
    if text is not None:
        index.write_text(text)
    with pytest.raises(DataError, match=message):
        Turnstile(TurnstileOptions(), root).samples("train")


def test_a_split_that_a_protocol_lacks(root: Path) -> None:
    write_records(root, [record for record in read_records(root) if record["gate"] != 2])
    with pytest.raises(DataError, match=r"gate@2: no photos in 'test'"):
        Turnstile(TurnstileOptions("gate@2"), root).samples("test")
    with pytest.raises(DataError, match="no test photos of gate 2"):
        build_submission(TurnstileOptions(), root, "test")


def test_the_submission_has_the_test_photos_gate_after_gate(root: Path) -> None:
    submission = build_submission(TurnstileOptions(), root, "test")
    assert [(part.system, len(part.ids)) for part in submission.parts] == [
        ("gate@1", 4),
        ("gate@2", 4),
        ("gate@3", 4),
    ]
    assert submission.parts[1].lines[0] == "photos/test-2-live-1.png"
    assert (submission.splits, submission.decimals) == (("test",), 6)
    with pytest.raises(DataError, match="not of dev"):
        build_submission(TurnstileOptions(), root, "dev")


def test_an_unknown_protocol_is_refused() -> None:
    with pytest.raises(ValueError, match="protocol"):
        TurnstileOptions("gate@4")
