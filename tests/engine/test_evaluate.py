"""What stands under a table because of the protocol."""

from __future__ import annotations

from types import SimpleNamespace

from fas_core.engine.evaluate import protocol_notes


def test_shared_subjects_and_the_readers_own_notes_are_said() -> None:
    reader = SimpleNamespace(overlaps=(("train", "dev"),), notes=("46 photos are not there",))
    assert protocol_notes(reader) == (  # type: ignore[arg-type]
        "train and dev share subjects by the protocol's design",
        "46 photos are not there",
    )
