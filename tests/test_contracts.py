"""The contracts of components: the records that they exchange, importable without torch."""

from __future__ import annotations

import inspect
import pydoc
import re
import subprocess
import sys

import pytest
from attrs.exceptions import FrozenInstanceError

from fas_core import contracts
from fas_core.contracts import Submission, SubmissionPart
from fas_core.records import outputs

PART = SubmissionPart("dev", ("a/1", "a/2"), ("a/1.jpg", "a/2.jpg"))


def test_every_exported_name_exists_and_is_documented() -> None:
    assert len(contracts.__all__) == len(set(contracts.__all__))
    for name in contracts.__all__:
        assert getattr(contracts, name).__doc__, name


@pytest.mark.parametrize(
    "name", [name for name in contracts.__all__ if getattr(getattr(contracts, name), "_is_protocol", False)]
)
def test_the_help_of_a_contract_has_its_own_members_alone_each_with_a_text(name: str) -> None:
    contract = getattr(contracts, name)
    text = pydoc.plain(pydoc.render_doc(contract))
    members = [member for member in vars(contract) if not member.startswith("_") or member == "__call__"]
    for member in members:
        assert inspect.getdoc(getattr(contract, member))
    shown = re.findall(r"^ \|  (\w+)(?:\(| = |$)", text, re.MULTILINE)
    assert set(shown) <= {name, *members}
    for noise in ("_no_init", "__subclasshook__", "__annotations__", "Generic classes", "weak references"):
        assert noise not in text


def test_the_help_of_the_module_begins_with_how_each_kind_is_called() -> None:
    start = pydoc.plain(pydoc.render_doc(contracts)).partition("CLASSES")[0]
    for kind in ("backbone", "fusion", "dataset", "loss", "metric", "exporter", "tracker"):
        assert re.search(rf"^    \| {kind} +\| `target\(options", start, re.MULTILINE)


@pytest.mark.parametrize("name", ["Batch", "BranchSize", "Exported", "Outputs", "Verification"])
def test_the_records_of_models_are_importable_from_here(name: str) -> None:
    assert name in contracts.__all__
    assert getattr(contracts, name) is getattr(outputs, name)


def test_importing_the_contracts_does_not_import_torch() -> None:
    code = "import sys, fas_core.contracts; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_submission_is_of_frames_with_all_decimals_by_default() -> None:
    submission = Submission((PART,), ("dev", "test"))
    assert (submission.videos, submission.decimals) == (False, None)
    assert submission.parts[0].system == ""


def test_submissions_are_values() -> None:
    assert Submission((PART,), ("dev",)) == Submission((PART,), ("dev",))
    assert Submission((PART,), ("dev",)) != Submission((PART,), ("dev",), decimals=5)
    assert SubmissionPart("dev", PART.ids, PART.lines, system="4@1") != PART
    with pytest.raises(FrozenInstanceError):
        PART.system = "4@1"  # type: ignore[misc]


def test_a_submission_needs_splits_and_a_part_its_lines() -> None:
    with pytest.raises(TypeError, match="splits"):
        Submission((PART,))  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="lines"):
        SubmissionPart("dev", ("a",))  # type: ignore[call-arg]
