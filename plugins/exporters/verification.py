"""Verification of a written file: all outputs against torch's in fp32, then the scores.

The outputs are compared first because scores alone can hide an error: near 0 or 1 the softmax hides what is
wrong with the logits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fas_core.contracts import Images, Verification, Verify
from fas_core.errors import DataError, ModelError
from fas_core.records.novelty import NOVELTY
from fas_core.runtime import ModelFile
from fas_plugins.exporters.options import GraphOptions, OpenVinoOptions
from fas_plugins.exporters.tracing import Traced

NOVELTY_UNITS = 10.0
"""A distance divides by small variances, and so do the engines' rounding differences."""

Run = Callable[[Images, NDArray[np.bool_] | None], Mapping[str, NDArray[Any]]]


def verify_file(
    path: Path,
    options: GraphOptions | OpenVinoOptions,
    traced: Traced,
    verify: Verify,
    engine: str,
    destination: Path,
) -> Verification:
    """Open a written file and compare it with the model.

    Args:
        path: the file under its temporary name.
        options: form, tolerance and allowed loss of ACER.
        traced: samples, and torch's outputs for them.
        verify: the exporter's `verify`.
        engine: onnxruntime or OpenVINO, for messages.
        destination: the file under its final name, for messages.

    Raises:
        ModelError: outputs, scores or error rates differ by more than the options allow.
        DataError: the form is pruned, and there is neither an error rate nor a tolerance to check it by.
    """
    written = ModelFile(path, threads=1)
    tolerance = options.choose_tolerance(options.form)
    if options.form == "fp32" and tolerance is not None:
        check_outputs(written.outputs, traced, tolerance, f"{destination}: not written: {engine}")
    verification = verify(written, tolerance=tolerance, acer_loss=options.acer_loss)
    if options.form.startswith("pruned") and tolerance is None and verification.acer_after is None:
        reasons = "".join(f" ({line})" for line in verification.unverified)
        raise DataError(
            f"{destination}: not written: the ACER on dev decides how much can be pruned, and it is unknown "
            f"here{reasons}: limit the change of scores with --set tolerance=0.2 instead"
        )
    return verification


def check_outputs(run: Run, traced: Traced, tolerance: float, prefix: str) -> None:
    """Compare an engine's outputs with torch's on the traced samples, as one batch and one by one.

    Args:
        run: returns the graph's outputs by name.
        tolerance: largest |difference| of a score, of a logit in units of the largest |logit| (at least 1),
            and of a novelty in `NOVELTY_UNITS` times the largest novelty (at least 1).
        prefix: the start of the message, up to the engine's name.

    Raises:
        ModelError: an output differs by more.
    """
    for name, differences in _measure_differences(run, traced).items():
        expected = traced.expected[name]
        unit = 1.0 if name == "score" else max(1.0, float(np.abs(expected).max()))
        unit *= NOVELTY_UNITS if name == NOVELTY else 1.0
        if not differences.max() <= tolerance * unit:  # so that NaN fails too
            raise ModelError(
                f"{prefix} and torch differ by {differences.max():.2g} in {name} on {len(expected)} samples, "
                f"more than {tolerance * unit:.2g} allows"
            )


def _measure_differences(run: Run, traced: Traced) -> dict[str, NDArray[Any]]:
    """Return |engine - torch|, (2, N, ...) by output: as one batch, and one by one."""
    samples, presence, expected = traced.samples, traced.presence, traced.expected
    batched = run(samples, presence)
    singles = [
        run(
            {name: pixels[row : row + 1] for name, pixels in samples.items()},
            None if presence is None else presence[row : row + 1],
        )
        for row in range(len(expected["score"]))
    ]
    single = {name: np.concatenate([outputs[name] for outputs in singles]) for name in expected}
    return {
        name: np.abs(np.stack([batched[name], single[name]]) - values) for name, values in expected.items()
    }
