"""The trials of a study as records, in a table and as JSON."""

from __future__ import annotations

import json
from typing import Any

import optuna
from attrs import frozen
from optuna.trial import FrozenTrial, TrialState

from fas_core.evaluation.formatting import percent
from fas_core.text_table import Table
from fas_plugins.commands.tune.space import Choices, Space

STATES = {
    TrialState.COMPLETE: "finished",
    TrialState.PRUNED: "pruned",
    TrialState.RUNNING: "running",
    TrialState.WAITING: "waiting",
    TrialState.FAIL: "failed",
}
STOPPED = "stopped"


@frozen
class TrialRecord:
    """A trial.

    Args:
        state: one of `STATES`; `stopped` where it was killed or ended by Ctrl-C, and was entered anew.
        run: name of its run folder; empty where none was begun.
        eer: on dev, a fraction; of a pruned one after its last epoch.
        values: what it changed in the recipe, by key.
        reason: why it failed by itself.
    """

    number: int
    state: str
    run: str
    eer: float | None
    values: dict[str, Any]
    reason: str

    @classmethod
    def of(cls, trial: FrozenTrial, space: Space) -> TrialRecord:
        """Return the record of one of Optuna's trials."""
        state, reason = STATES[trial.state], trial.user_attrs.get("reason", "")
        if trial.state == TrialState.FAIL and not reason:
            state = STOPPED
        values = {
            key: json.loads(value) if isinstance(space.get(key), Choices) else value
            for key, value in trial.params.items()
        }
        return cls(trial.number, state, trial.user_attrs.get("run", ""), trial.value, values, reason)

    def to_json(self) -> dict[str, Any]:
        """Return plain data; the EER as a fraction, null where there is none."""
        return {
            "trial": self.number,
            "state": self.state,
            "run": self.run or None,
            "eer": self.eer,
            "values": self.values,
            "reason": self.reason or None,
        }


def list_trials(study: optuna.Study, space: Space) -> list[TrialRecord]:
    """Return all trials: those that finished by their EER, then the others by number."""
    records = [TrialRecord.of(trial, space) for trial in study.trials]
    finished = [record for record in records if record.state == "finished"]
    finished.sort(key=lambda record: record.eer or 0.0)
    return finished + [record for record in records if record.state != "finished"]


def format_value(value: Any) -> str:
    """Return a value for people, numbers with four digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def trials_table(records: list[TrialRecord], space: Space) -> Table:
    """Return a row for each trial: EER on dev in %, state, and the values."""
    rows = [
        (
            record.run or f"trial-{record.number}",
            record.state,
            percent(record.eer),
            *(format_value(record.values[key]) if key in record.values else "-" for key in space),
        )
        for record in records
    ]
    return Table("Trials, by the EER on dev in %", ("run", "state", "EER", *space), rows, left=(0, 1))
