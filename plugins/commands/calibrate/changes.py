"""What a new threshold changes against the shipped one: error rates at the site, on attacks and on dev."""

from __future__ import annotations

from collections.abc import Callable
from math import isnan, nan
from typing import Any

from attrs import asdict, frozen

from fas_core.card import Card
from fas_core.evaluation.calibration import share_below
from fas_core.scores.calibration import Calibration
from fas_core.scores.live_scores import group_live_scores
from fas_core.scores.table import ScoreTable
from fas_core.text_table import Table

Rate = Callable[[float], float]

DEV_NOTE = "dev: of the scores that the shipped threshold was fitted on, interpolated between their quantiles"


@frozen
class Change:
    """An error rate at both thresholds.

    Args:
        name: of the data.
        rate: `BPCER` or `APCER`.
        samples: number of scores; None where only quantiles are known.
        shipped: NaN where there is no shipped threshold.
    """

    name: str
    rate: str
    samples: int | None
    shipped: float
    calibrated: float

    def to_json(self) -> dict[str, Any]:
        values = asdict(self)
        return values | {"shipped": None if isnan(self.shipped) else self.shipped}


def compare_thresholds(
    card: Card, calibration: Calibration, site: ScoreTable, attacks: ScoreTable | None
) -> list[Change]:
    """Return the rates at the shipped and at the calibrated threshold.

    Args:
        card: of the model; its reference stands for dev.
        site: the live photos that the threshold was set on; every person weighs the same.
        attacks: None for no attacks.
    """
    people = group_live_scores(site) or [site.live]
    rates: list[tuple[str, str, int | None, Rate]] = [
        ("site", "BPCER", len(site.live), lambda value: share_below(people, value))
    ]
    if attacks is not None:
        attack_rates = attacks.rates
        count = attack_rates.attack.total
        rates.append(("attacks", "APCER", count, lambda value: float(attack_rates.apcer(value))))
    if card.reference is not None:
        rates.append(("dev", "BPCER", None, card.reference.bpcer))
        rates.append(("dev", "APCER", None, card.reference.apcer))
    shipped, calibrated = calibration.shipped, calibration.threshold.value
    return [
        Change(name, kind, samples, nan if shipped is None else rate(shipped.value), rate(calibrated))
        for name, kind, samples, rate in rates
    ]


def changes_table(changes: list[Change]) -> Table:
    """Return the table of the changes, rates in %."""
    rows = [
        (
            f"{change.name}, {'live' if change.rate == 'BPCER' else 'attacks'}".removeprefix("attacks, "),
            "" if change.samples is None else str(change.samples),
            change.rate,
            *("" if isnan(rate) else f"{100 * rate:.2f}" for rate in (change.shipped, change.calibrated)),
        )
        for change in changes
    ]
    note = DEV_NOTE if any(change.name == "dev" for change in changes) else ""
    columns = ("", "samples", "rate", "shipped", "calibrated")
    return Table("Error rates in %, by threshold", columns, rows, note, left=(0, 2))
