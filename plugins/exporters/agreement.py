"""Whether all outputs of an exported graph are torch's, which its scores alone would not show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fas_core.contracts import Images
from fas_core.errors import ModelError
from fas_plugins.exporters.tracing import Traced

Run = Callable[[Images, NDArray[np.bool_] | None], Mapping[str, NDArray[Any]]]


def agree(run: Run, traced: Traced, tolerance: float, who: str) -> None:
    """Run the samples that were traced, as one batch and one by one.

    Args:
        run: gives the graph's outputs by name.
        tolerance: largest |difference| of a score, and of a logit in units of the largest |logit| (of 1 where
            all are smaller).
        who: the start of the message, up to the engine's name.

    Raises:
        ModelError: some output differs by more.
    """
    # A score near 0 or 1 hides what is wrong before the softmax, so logits count as well.
    for name, difference in _differences(run, traced).items():
        expected = traced.expected[name]
        unit = 1.0 if name == "score" else max(1.0, float(np.abs(expected).max()))
        if not difference.max() <= tolerance * unit:  # so that NaN fails too
            raise ModelError(
                f"{who} and torch differ by {difference.max():.2g} in {name} on {len(expected)} samples, "
                f"more than {tolerance * unit:.2g} allows"
            )


def _differences(run: Run, traced: Traced) -> dict[str, NDArray[Any]]:
    """|engine - torch|, (2, N, ...) by output."""
    samples, presence, expected = traced.samples, traced.presence, traced.expected
    together = run(samples, presence)
    singles = [
        run(
            {name: pixels[row : row + 1] for name, pixels in samples.items()},
            None if presence is None else presence[row : row + 1],
        )
        for row in range(len(expected["score"]))
    ]
    alone = {name: np.concatenate([single[name] for single in singles]) for name in expected}
    return {name: np.abs(np.stack([together[name], alone[name]]) - value) for name, value in expected.items()}
