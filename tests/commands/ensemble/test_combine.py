"""From score files to the ensemble's scores."""

from __future__ import annotations

from pathlib import Path

import pytest

from fas_core.errors import FasError
from fas_plugins.commands.ensemble.combine import combine_scores
from fas_plugins.commands.ensemble.members import ScoreSources


@pytest.fixture
def sources(tmp_path: Path) -> ScoreSources:
    """Two members with labelled scores of test and dev."""
    rows = {"a": (0.9, 0.2, 0.6, 0.1), "b": (0.7, 0.4, 0.8, 0.3)}
    for split in ("test", "dev"):
        for name, scores in rows.items():
            lines = [f"{split}{row},{score},{1 - row % 2}\n" for row, score in enumerate(scores)]
            (tmp_path / f"{name}_{split}.csv").write_text("id,score,label\n" + "".join(lines))
    members, dev = ([tmp_path / f"{name}_{split}.csv" for name in rows] for split in ("test", "dev"))
    return ScoreSources(members, dev=dev)


def test_a_mean_with_thresholds_of_dev(sources: ScoreSources) -> None:
    combined = combine_scores(sources, "mean", None)
    assert combined.scores.scores == pytest.approx([0.8, 0.3, 0.7, 0.2])
    assert combined.ensemble.threshold is not None
    assert combined.ensemble.threshold.policy == "eer"
    assert len(combined.agreements) == 1
    document = combined.to_json()
    assert (document["samples"], document["rule"]["name"]) == (4, "mean")
    assert document["agreement"][0]["second"] == "b_test"


def test_a_stored_ensemble_is_applied_unchanged_unless_a_policy_is_given(
    sources: ScoreSources, tmp_path: Path
) -> None:
    fitted = combine_scores(sources, "weighted", None).ensemble
    fitted.write(tmp_path / "stored.json")
    stored = str(tmp_path / "stored.json")
    assert combine_scores(sources, stored, None).ensemble == fitted
    fixed = combine_scores(sources, stored, "fixed:0.25").ensemble
    assert fixed.rule == fitted.rule
    assert fixed.threshold is not None
    assert fixed.threshold.value == 0.25


@pytest.mark.parametrize(
    ("rule", "policy", "message"),
    [
        ("maen", None, "no such rule .did you mean 'mean'"),
        ("mean", "best", "threshold 'best'"),
        ("none.json", None, "none.json: cannot be read"),
    ],
)
def test_a_wrong_argument_is_refused_before_scores_are_read(
    tmp_path: Path, rule: str, policy: str | None, message: str
) -> None:
    absent = ScoreSources([tmp_path / "a.csv", tmp_path / "b.csv"])
    with pytest.raises(FasError, match=message):
        combine_scores(absent, rule, policy)


def test_one_member_is_no_ensemble(sources: ScoreSources) -> None:
    with pytest.raises(FasError, match="two members or more"):
        combine_scores(ScoreSources(sources.members[:1]), "mean", None)
