"""Whether a threshold can be recommended: only if it is fitted on sessions that the model was not trained on.

Scores of attacks move from one recording session to the next. A threshold that is fitted in the sessions of
training, though on other people, does not hold elsewhere; docs/results.md has the figures for NUAA.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from fas_core.contracts import DatasetReader
from fas_core.data.folds import FoldAssignment, shared_groups
from fas_core.records.samples import SampleTable


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


def advise(reader: DatasetReader, folds: str | None, seed: int) -> ThresholdAdvice | None:
    """Return the advice on a threshold that is fitted on dev or, with a recipe's `folds`, on those.

    None where there is no dev, or nothing to train on. Raises as the data set, and as `FoldAssignment`.
    """
    if folds is not None:
        return advise_on_folds(FoldAssignment.parse(reader, folds, seed))
    if not {"train", "dev"} <= set(reader.splits()):
        return None
    train, dev = reader.samples("train"), reader.samples("dev")
    advice = _advise([(_sessions(train), _sessions(dev))], "dev")
    shared = shared_groups(train, dev, "subject")
    if advice.recommended is None and shared is not None and shared[0]:
        people = f"dev shares {shared[0]} of its {shared[1]} subjects with train"
        return ThresholdAdvice(
            None, f"{people}: --folds subject:5 fits the threshold on others; {advice.reason}"
        )
    return advice


def advise_on_folds(folds: FoldAssignment) -> ThresholdAdvice:
    """Return the advice on a threshold that is fitted on out-of-fold scores."""
    train, scored = _sessions(folds.train), _sessions(folds.scored)
    pairs = [
        (train[folds.trained_rows(fold)], scored[folds.scored_numbers == fold])
        for fold in range(1, folds.count + 1)
    ]
    return _advise(pairs, "the scored folds")


def _sessions(samples: SampleTable) -> NDArray[np.object_]:
    return np.array(samples.column("session"), object)


def _advise(pairs: list[tuple[NDArray[np.object_], NDArray[np.object_]]], name: str) -> ThresholdAdvice:
    """Compare the sessions of the samples trained on and scored, a pair for each model."""
    if any(session is None for pair in pairs for sessions in pair for session in sessions):
        return ThresholdAdvice(
            None, "sessions are not known: whether the threshold holds in another session is not known either"
        )
    seen = sum(int(np.isin(scored.astype(str), trained.astype(str)).sum()) for trained, scored in pairs)
    total = sum(len(scored) for _, scored in pairs)
    if seen:
        return ThresholdAdvice(
            False,
            f"{seen} of the {total} samples that it is fitted on are of sessions in training; scores move "
            "between sessions: --folds session holds each out",
        )
    return ThresholdAdvice(True, f"no model was trained on a session of {name}, on which it is fitted")
