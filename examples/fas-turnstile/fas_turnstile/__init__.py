"""The data set Turnstile for fas. This module holds the descriptor only."""

from __future__ import annotations

from collections.abc import Iterator

from fas_core import Dataset, hookimpl
from fas_turnstile.options import GATES, INDEX, TurnstileOptions


@hookimpl
def fas_datasets() -> Iterator[Dataset]:
    yield Dataset(
        name="turnstile",
        summary="Turnstile: faces at three gates in a JSON index; sub-protocols leave one gate out",
        target="fas_turnstile.dataset:Turnstile",
        options=TurnstileOptions,
        markers=(INDEX,),
        sets={"gate": tuple(f"gate@{gate}" for gate in GATES)},
        submission="fas_turnstile.submission:build_submission",
    )
