"""What an exporter wrote, and how far it is from the model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from attrs import field, frozen


@frozen
class Verification:
    """Difference between an exported model and the model, on real samples.

    Args:
        samples: number of samples that both scored.
        split: the split that they are from.
        max_difference: largest |exported score - model score|.
        mean_difference: mean of the same.
        threshold: the model's threshold; None where it has none.
        changed: number of samples that the exported model decides otherwise at this threshold.
        acer_before: ACER of the model at this threshold, on labelled samples of dev, species pooled.
        acer_after: ACER of the exported model, likewise.
        latency: median milliseconds from the bytes of one sample to its score, on one thread of this machine.
        unverified: what could not be verified and why, one line each.
    """

    samples: int
    split: str
    max_difference: float
    mean_difference: float
    threshold: float | None = None
    changed: int | None = None
    acer_before: float | None = None
    acer_after: float | None = None
    latency: float | None = None
    unverified: tuple[str, ...] = ()


@frozen
class Exported:
    """The files that an exporter wrote.

    Args:
        path: the file, or the folder.
        verification: the result of `verify`.
        beside: further files that belong to it.
        facts: what else users should know, e.g. `{"opset": 18}`.
    """

    path: Path
    verification: Verification
    beside: tuple[Path, ...] = ()
    facts: Mapping[str, str | int] = field(factory=dict)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(path.stat().st_size for path in (self.path, *self.beside))
