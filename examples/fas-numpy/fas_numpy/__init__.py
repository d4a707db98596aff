"""Trained models as NumPy archives, and the runtime that scores with them. Holds the descriptors only."""

from __future__ import annotations

from collections.abc import Iterator

from fas_core import Exporter, Runtime, hookimpl


@hookimpl
def fas_exporters() -> Iterator[Exporter]:
    yield Exporter(
        name="numpy",
        summary="A NumPy archive of weights and operations, for where nothing but NumPy runs",
        target="fas_numpy.exporter:export",
        suffix=".npz",
    )


@hookimpl
def fas_runtimes() -> Iterator[Runtime]:
    yield Runtime(
        name="numpy",
        summary="NumPy archives, by NumPy alone",
        target="fas_numpy.runtime:NumpyEngine",
        suffixes=(".npz",),
    )
