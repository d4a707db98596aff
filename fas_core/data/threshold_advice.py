"""Whether a threshold can be recommended: only if it is fitted on sessions that the model was not trained on.

The model has also to be trained on two sessions at least, so that it has seen what a session changes.

Scores of attacks move from one recording session to the next. A threshold that is fitted in the sessions of
training, though on other people, does not hold elsewhere; docs/results.md has the figures for NUAA.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from attrs import frozen
from numpy.typing import NDArray

from fas_core.contracts import DatasetReader
from fas_core.data.folds import FoldAssignment, shared_groups
from fas_core.records.samples import SampleTable
from fas_core.scores.table import ScoreTable

LARGEST_GAP = 0.02
"""By how much the EER of all folds at one threshold may exceed the mean of the folds' own, as a fraction."""


@frozen
class ThresholdAdvice:
    """Whether the threshold of a run is recommended (None: not known), and why, in one line."""

    recommended: bool | None
    reason: str

    @classmethod
    def from_json(cls, record: Any) -> ThresholdAdvice | None:
        """Return what `to_json` stored; None for anything else, as of older runs."""
        if not isinstance(record, Mapping) or not isinstance(record.get("reason"), str):
            return None
        recommended = record.get("recommended")
        return cls(recommended if isinstance(recommended, bool) else None, record["reason"])

    def to_json(self) -> dict[str, Any]:
        """Return the record in results.json."""
        return {"recommended": self.recommended, "reason": self.reason}

    @property
    def note(self) -> str:
        """The line under tables and in the card."""
        if self.recommended is None:
            return self.reason
        return f"threshold {'' if self.recommended else 'not '}recommended: {self.reason}"


def advise(
    reader: DatasetReader, folds: str | None, seed: int, scores: ScoreTable | None = None
) -> ThresholdAdvice | None:
    """Return the advice on a threshold that is fitted on dev or, with a recipe's `folds`, on those.

    `scores` are those that it is fitted on. None where there is no dev, or nothing to train on. Raises as the
    data set, and as `FoldAssignment`.
    """
    if folds is not None:
        return advise_on_folds(FoldAssignment.parse(reader, folds, seed), scores)
    if not {"train", "dev"} <= set(reader.splits()):
        return None
    train, dev = reader.samples("train"), reader.samples("dev")
    advice = _compare_sessions([(_sessions(train), _sessions(dev))], "dev")
    shared = shared_groups(train, dev, "subject")
    if advice.recommended is None and shared is not None and shared[0]:
        people = f"dev shares {shared[0]} of its {shared[1]} subjects with train (--folds subject:5)"
        return ThresholdAdvice(None, f"{people}; sessions are not known")
    return advice


def advise_on_folds(folds: FoldAssignment, scores: ScoreTable | None = None) -> ThresholdAdvice:
    """Return the advice on a threshold that is fitted on out-of-fold scores.

    It is not recommended either where one threshold does not suit all folds: `scores` are in the order of
    `folds.scored`.
    """
    train, scored = _sessions(folds.train), _sessions(folds.scored)
    numbers = [folds.scored_numbers == fold for fold in range(1, folds.count + 1)]
    pairs = [(train[folds.trained_rows(fold)], scored[rows]) for fold, rows in enumerate(numbers, 1)]
    advice = _compare_sessions(pairs, "the fold that it scores")
    if not advice.recommended or scores is None or len(scores) != len(scored):
        return advice
    _, pooled = scores.rates.equal_error_threshold()
    errors = [
        ScoreTable(scores.table.filter(pa.array(rows))).rates.equal_error_threshold()[1] for rows in numbers
    ]
    mean = float(np.mean(errors))
    if pooled - mean <= LARGEST_GAP:
        return advice
    figures = f"EER {100 * pooled:.1f} %, own {100 * mean:.1f} %"
    return ThresholdAdvice(False, f"the folds' scores lie apart ({figures})")


def _sessions(samples: SampleTable) -> NDArray[np.object_]:
    return np.array(samples.column("session"), object)


def _compare_sessions(
    pairs: list[tuple[NDArray[np.object_], NDArray[np.object_]]], name: str
) -> ThresholdAdvice:
    """Compare the sessions of the samples trained on and scored, a pair for each model."""
    if any(session is None for pair in pairs for sessions in pair for session in sessions):
        return ThresholdAdvice(
            None, "sessions are not known: no threshold is known to hold in another session"
        )
    seen = sum(int(np.isin(scored.astype(str), trained.astype(str)).sum()) for trained, scored in pairs)
    total = sum(len(scored) for _, scored in pairs)
    if seen:
        return ThresholdAdvice(False, f"{seen} of its {total} samples are of sessions in training")
    if any(len(set(trained)) == 1 for trained, _ in pairs):
        return ThresholdAdvice(False, "a model was trained on a single session")
    return ThresholdAdvice(True, f"no model was trained on a session of {name}")
