"""Errors as counts of samples, what they mean in plain words, and warnings where a model is of no use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import ceil, isfinite
from typing import Any

from attrs import frozen

from fas_core.evaluation.formatting import figure_name

CHANCE = (0.45, 0.55)
"""An AUC between these is that of chance, below them that of inverted labels or scores."""

MAX_SPECIES = 3
"""The most PAI species that a sentence lists."""

Values = Mapping[str, float | None]


@frozen
class ErrorCounts:
    """Wrong verdicts, of the samples that have one: those with a score that is not uncertain.

    Args:
        accepted: number of attacks accepted.
        attacks: number of attacks.
        refused: number of live samples refused.
        live: number of live samples.
        species: `{PAI species: (attacks accepted, attacks)}`.
        uncertain: number of attacks and of live samples with an uncertain score.
    """

    accepted: int
    attacks: int
    refused: int
    live: int
    species: Mapping[str, tuple[int, int]]
    uncertain: tuple[int, int] = (0, 0)

    def describe(self) -> str:
        """Return e.g. `12 of 540 attacks accepted, all mask_3d; 12 of 324 live refused`.

        Uncertain samples are not among these, and are added: `; uncertain: 3 attacks and 2 live more`.
        """
        attacks = f"{self.accepted} of {self.attacks} attacks accepted{self._describe_species()}"
        live = f"{self.refused} of {self.live} live refused"
        text = f"{attacks if self.attacks else 'no attacks'}; {live if self.live else 'no live samples'}"
        if not any(self.uncertain):
            return text
        return f"{text}; uncertain: {self.uncertain[0]} attacks and {self.uncertain[1]} live more"

    def to_json(self) -> dict[str, int]:
        """Plain data; counts by species are in the result's `species`."""
        return {
            "attacks_accepted": self.accepted,
            "attacks": self.attacks,
            "live_refused": self.refused,
            "live": self.live,
            "attacks_uncertain": self.uncertain[0],
            "live_uncertain": self.uncertain[1],
        }

    def _describe_species(self) -> str:
        accepted = {name: counts for name, counts in self.species.items() if counts[0]}
        if len(accepted) < 2:
            return f", all {next(iter(accepted))}" if accepted and len(self.species) > 1 else ""
        names = sorted(accepted, key=lambda name: -accepted[name][0] / accepted[name][1])
        texts = [f"{accepted[name][0]} of {accepted[name][1]} {name}" for name in names[:MAX_SPECIES]]
        others = len(names) - MAX_SPECIES
        return f" ({', '.join(texts)}{f' and {others} further species' if others > 0 else ''})"


def looks_inverted(metrics: Values) -> bool:
    """Return whether attacks score clearly higher than live samples."""
    auc = metrics.get("auc")
    return auc is not None and auc < CHANCE[0]


def find_warnings(metrics: Values, errors: ErrorCounts | None) -> list[str]:
    """Return one sentence for each way in which a model is of no use."""
    warnings = []
    auc = metrics.get("auc")
    if auc is not None and looks_inverted(metrics):
        warnings.append(
            f"AUC {auc:.3f}: attacks score higher than live samples: labels or scores may be inverted"
        )
    elif auc is not None and auc <= CHANCE[1]:
        warnings.append(f"AUC {auc:.3f}: the scores tell live samples from attacks no better than chance")
    if errors is None:
        return warnings
    if any(errors.uncertain) and not errors.live and not errors.attacks:
        warnings.append("every sample is uncertain: the model gives no verdict at all")
    if errors.live and errors.refused == errors.live:
        warnings.append(f"BPCER 100 %: all {errors.live} live samples are refused at this threshold")
    if errors.attacks and errors.accepted == errors.attacks:
        warnings.append(f"APCER 100 %: all {errors.attacks} attacks are accepted at this threshold")
    else:
        for name, (accepted, attacks) in errors.species.items():
            if attacks and accepted == attacks:
                warnings.append(f"APCER 100 %: all {attacks} {name} attacks are accepted at this threshold")
    return warnings


@frozen
class SmallCount:
    """A rate at a target of 1 in `needed` that stands on fewer samples, `count` of the kind `samples`."""

    count: int
    needed: int
    samples: str

    def describe(self, key: str) -> str:
        """Return one sentence about the metric of this name."""
        return f"{figure_name(key)} stands on {self.count} {self.samples}, fewer than {self.needed:,}"

    def to_json(self) -> dict[str, Any]:
        return {"count": self.count, "needed": self.needed, "samples": self.samples}


def find_small_counts(
    metrics: Values, counts: Mapping[str, int], species: Mapping[str, int]
) -> dict[str, SmallCount]:
    """Return the metrics at a target rate f that stand on fewer than 1 / f samples, which cannot show f.

    Args:
        metrics: values by name, e.g. `tpr@fpr=1e-3`, `bpcer20`, `apcer@bpcer=1e-2`.
        counts: number of samples of `live` and `attack`.
        species: number of attacks of each PAI species.
    """
    small: dict[str, SmallCount] = {}
    for key, value in metrics.items():
        needed = _samples_needed(key)
        if not needed or not counts or value is None or not isfinite(value):
            continue
        if "@fpr=" in key:
            item = SmallCount(counts["attack"], needed, "attacks")
        elif "@bpcer=" in key:
            item = SmallCount(counts["live"], needed, "live samples")
        else:
            name = min(filter(species.get, species), key=lambda name: species[name], default="")
            item = SmallCount(species.get(name, 0), needed, f"{name} attacks")
        if item.count < needed:
            small[key] = item
    return small


def _samples_needed(key: str) -> int:
    """Return 1 / f for a metric at a target rate f; 0 for other metrics."""
    if match := re.fullmatch(r"bpcer(\d+)", key):
        return int(match[1])
    match = re.fullmatch(r"(?:tpr@fpr|bpcer@apcer_max|apcer(?:_max)?@bpcer)=([\d.]+(?:e-?\d+)?)", key)
    target = float(match[1]) if match else 0.0
    return ceil(1 / target - 1e-9) if target else 0
