"""Trained models as NumPy archives. This module holds the descriptor only."""

from __future__ import annotations

from collections.abc import Iterator

from fas_core import Exporter, hookimpl


@hookimpl
def fas_exporters() -> Iterator[Exporter]:
    yield Exporter(
        name="numpy",
        summary="A NumPy archive of weights and operations, for where nothing but NumPy runs",
        target="fas_numpy.exporter:export",
        suffix=".npz",
    )
