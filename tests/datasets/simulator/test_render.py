"""What the simulator renders: reproducible captures, and no modality that sees through every attack."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fas_plugins.datasets.simulator.protocol import ATTACKS, LIVE, MODALITIES, SPECIES, Shot, get_split
from fas_plugins.datasets.simulator.render import render_shot

SIZE, SUBJECTS, TAKES = 80, 24, 3


def features(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Means over 6 x 6 cells of the picture, its gradients and its Laplacian: nothing learned."""
    image = picture.astype(np.float32) / 255
    edges = [cv2.Laplacian(image, cv2.CV_32F), *(cv2.Sobel(image, cv2.CV_32F, dx, 1 - dx) for dx in (0, 1))]
    maps = [image, *(np.abs(edge) for edge in edges)]
    return np.concatenate([cv2.resize(each, (6, 6), interpolation=cv2.INTER_AREA).ravel() for each in maps])


@pytest.fixture(scope="module")
def separability() -> dict[tuple[str, str], float]:
    """AUC of live against each species by each modality, on subjects that the classifier never saw."""
    shots = [
        Shot(subject, species, take)
        for subject, species in itertools.product(range(SUBJECTS), SPECIES)
        for take in range(TAKES * (3 if species == LIVE else 1))
    ]

    def described(shot: Shot) -> dict[str, NDArray[np.float32]]:
        return {name: features(picture) for name, picture in render_shot(shot, 0, SIZE).items()}

    with ThreadPoolExecutor(2) as pool:
        known = list(pool.map(described, shots))
    species = np.array([shot.species for shot in shots])
    test = np.array([get_split(shot.subject, SUBJECTS) == "test" for shot in shots])
    found = {}
    for modality, attack in itertools.product(MODALITIES, ATTACKS):
        values = np.stack([each[modality] for each in known])
        taken, live = np.isin(species, [LIVE, attack]), species == LIVE
        model = make_pipeline(StandardScaler(), LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"))
        model.fit(values[taken & ~test], live[taken & ~test])
        scores = model.decision_function(values[taken & test])
        found[modality, attack] = float(roc_auc_score(live[taken & test], scores))
    return found


@pytest.mark.parametrize(
    ("blind", "attack", "catchers"),
    [
        ("depth", "mask_3d", ["ir"]),
        ("color", "replay", ["depth", "ir"]),
        ("ir", "print", ["color", "depth"]),
    ],
)
def test_each_modality_fails_on_a_species_that_others_catch(
    separability: dict[tuple[str, str], float], blind: str, attack: str, catchers: list[str]
) -> None:
    assert separability[blind, attack] < 0.9
    for modality in catchers:
        assert separability[modality, attack] > 0.97


def test_together_they_catch_every_species(separability: dict[tuple[str, str], float]) -> None:
    for attack in ATTACKS:
        assert max(separability[modality, attack] for modality in MODALITIES) > 0.97


@pytest.mark.parametrize("species", SPECIES)
def test_capture_depends_on_nothing_but_its_arguments(species: str) -> None:
    shot = Shot(4, species, 1)
    first = render_shot(shot, 7, 64)
    render_shot(Shot(5, "replay", 0), 7, 64)
    again = render_shot(shot, 7, 64)
    assert all(np.array_equal(first[name], again[name]) for name in MODALITIES)


@pytest.mark.parametrize(
    "other",
    [(Shot(4, LIVE, 1), 0), (Shot(4, LIVE, 0), 1), (Shot(7, LIVE, 0), 0), (Shot(4, "mask_3d", 0), 0)],
    ids=["take", "seed", "subject", "species"],
)
def test_capture_changes_with_every_argument(other: tuple[Shot, int]) -> None:
    first, second = render_shot(Shot(4, LIVE, 0), 0, 64), render_shot(*other, 64)
    assert not any(np.array_equal(first[name], second[name]) for name in MODALITIES)


@pytest.mark.parametrize("size", [48, 101, 160])
def test_depth_and_infrared_are_smaller_than_colour(size: int) -> None:
    pictures = render_shot(Shot(0, LIVE, 0), 0, size)
    assert {name: picture.shape for name, picture in pictures.items()} == {
        "color": (size, size, 3),
        "depth": (size * 3 // 4,) * 2,
        "ir": (size * 3 // 4,) * 2,
    }
    assert all(picture.dtype == np.uint8 for picture in pictures.values())
