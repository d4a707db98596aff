"""Scoring where modalities are missing, and what stands under a table because of the protocol."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fas_core import DataError, FasError
from fas_core.contracts import Images
from fas_core.inference.score_samples import protocol_notes, score_samples, threshold_notes
from fas_core.records.model_input import ModelInput
from fas_core.records.samples import SampleTable
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold

Make = Callable[..., SampleTable]


@pytest.fixture
def make_samples(tmp_path: Path) -> Make:
    """`make_samples(count, modalities, **columns)`: grey levels 0, 10, ...; of depth 1, 11, ..."""

    def make(count: int, modalities: tuple[str, ...] = ("rgb",), **columns: list[Any]) -> SampleTable:
        paths = {name: [f"{name}/{row}.png" for row in range(count)] for name in modalities}
        for place, name in enumerate(modalities):
            (tmp_path / name).mkdir()
            for row in range(count):
                cv2.imwrite(
                    str(tmp_path / f"{name}/{row}.png"), np.full((8, 8, 3), 10 * row + place, np.uint8)
                )
        known = {"id": [str(row) for row in range(count)], "label": [row % 2 for row in range(count)]}
        return SampleTable.of({**known, **paths, **columns}, modalities=modalities, root=tmp_path)

    return make


def test_shared_subjects_and_the_readers_own_notes_are_said() -> None:
    reader = SimpleNamespace(overlaps=(("train", "dev"),), notes=("46 photos are not there",))
    assert protocol_notes(reader) == (  # type: ignore[arg-type]
        "train and dev share subjects by the protocol's design",
        "46 photos are not there",
    )


def test_the_note_belongs_to_the_threshold_of_training() -> None:
    for source, expected in (("dev", ("note",)), ("out-of-fold session:3", ("note",)), ("given", ())):
        assert threshold_notes(Threshold(0.5, "eer", source), "note") == expected
    assert threshold_notes(None, "note") == ()
    assert threshold_notes(Threshold(0.5, "eer", "dev"), "") == ()


def levels(images: Images, presence: NDArray[np.bool_] | None = None, /) -> NDArray[np.float64]:
    """A scorer: the sum of the grey levels, and 1000 for each modality that is said to be there."""
    told = 0 if presence is None else 1000 * presence.sum(axis=1)
    return sum(pixels[:, 0, 0, 0].astype(float) for pixels in images.values()) + told


@pytest.fixture
def gappy(make_samples: Make) -> SampleTable:
    """Four samples: the second has no depth, the third no rgb."""
    samples = make_samples(4, ("rgb", "depth"))
    columns = {name: samples.column(name) for name in ("id", "label")}
    paths = {"rgb": ["rgb/0.png", "rgb/1.png", None, "rgb/3.png"], "depth": samples.column("depth")}
    paths["depth"][1] = None
    return SampleTable.of({**columns, **paths}, modalities=("rgb", "depth"), root=samples.root)


def score(samples: SampleTable, **options: Any) -> ScoreTable:
    model_input = ModelInput(("rgb", "depth"), 8, partial=options.pop("partial", False))
    return score_samples(levels, samples, model_input=model_input, **options)


def test_a_partial_model_is_told_what_each_sample_has(gappy: SampleTable) -> None:
    scores = score(gappy, partial=True)
    assert scores.scores.tolist() == [2001, 1010, 1021, 2061]
    assert scores.table.column("modalities").to_pylist() == ["rgb+depth", "rgb", "depth", "rgb+depth"]


def test_a_partial_model_can_be_given_less(make_samples: Make) -> None:
    scores = score(make_samples(3, ("rgb", "depth")), partial=True, only=["depth"])
    assert scores.scores.tolist() == [1001, 1011, 1021]
    assert scores.table.column("modalities").to_pylist() == ["depth"] * 3


def test_a_modality_that_the_data_does_not_have_at_all(make_samples: Make) -> None:
    scores = score(make_samples(2), partial=True)
    assert scores.table.column("modalities").to_pylist() == ["rgb", "rgb"]


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({}, "1 of 4 samples have no 'rgb' image"),
        ({"partial": True, "only": ["rgb"]}, "1 of 4 samples have none of rgb"),
        ({"partial": True, "only": ["ir"]}, "the model takes rgb, depth: no ir"),
    ],
)
def test_what_cannot_be_scored_is_refused(gappy: SampleTable, options: dict[str, Any], match: str) -> None:
    with pytest.raises(FasError, match=match):
        score(gappy, **options)


def test_a_box_needs_the_image_that_it_is_drawn_in(make_samples: Make) -> None:
    samples = make_samples(1, ("rgb", "depth"), box=[[0, 0, 9, 9]], rgb=[None])
    with pytest.raises(
        DataError, match="sample '0': its box is in pixels of its 'rgb' image, which it lacks"
    ):
        score(samples, partial=True)
