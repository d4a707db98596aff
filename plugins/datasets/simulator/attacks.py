"""What is put before the cameras: a person, or a print, a screen or a mask of the person.

As in CASIA-SURF (Zhang et al., "A Dataset and Benchmark for Large-scale Multi-modal Face
Anti-spoofing", arXiv 1812.00408), a cut print shows its holder's own face and is worn before it, so
that real skin and relief show through the holes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from attrs import evolve, frozen

from fas_plugins.datasets.simulator.head import Face
from fas_plugins.datasets.simulator.media import bent, outline, paper, photo, screen, shell
from fas_plugins.datasets.simulator.relief import Pose, Relief, over
from fas_plugins.datasets.simulator.scene import hand_pose, head_pose


@frozen(eq=False)
class PictureOptions:
    """What stands before the cameras, and how."""

    relief: Relief
    pose: Pose


def present(species: str, face: Face, rng: np.random.Generator) -> PictureOptions:
    """What a capture of a species shows."""
    return _PRESENTED[species](face, rng)


def _live(face: Face, rng: np.random.Generator) -> PictureOptions:
    return PictureOptions(face.relief, head_pose(rng))


def _print(face: Face, rng: np.random.Generator) -> PictureOptions:
    sheet = evolve(paper(photo(face, rng), rng), cover=outline(face, rng, trimmed=0.15))
    return PictureOptions(sheet, hand_pose(rng))


def _print_bent(face: Face, rng: np.random.Generator) -> PictureOptions:
    sheet = evolve(paper(photo(face, rng), rng), cover=outline(face, rng, trimmed=0.5))
    return PictureOptions(bent(sheet, rng.uniform(0.85, 1.5)), hand_pose(rng))


def _print_cut(face: Face, rng: np.random.Generator) -> PictureOptions:
    sheet = paper(photo(face, rng, straight=True), rng)
    if rng.random() < 0.5:
        sheet = bent(sheet, rng.uniform(0.85, 1.3))
    parts = face.parts
    holes = (parts.eye_holes, parts.nose_hole, parts.mouth_hole)[: rng.integers(1, 4)]
    mask = outline(face, rng, trimmed=0.7) * (1 - np.maximum.reduce(holes))
    # It rests on the cheeks, and is pushed out where the nose has no hole.
    worn = evolve(sheet, height=sheet.height + rng.uniform(24, 34))
    return PictureOptions(over(worn, mask, face.relief), head_pose(rng))


def _replay(face: Face, rng: np.random.Generator) -> PictureOptions:
    return PictureOptions(screen(photo(face, rng), rng), head_pose(rng))


def _mask_3d(face: Face, rng: np.random.Generator) -> PictureOptions:
    mask = face.parts.front * (1 - face.parts.eye_holes)
    return PictureOptions(over(shell(face, rng), mask, face.relief), head_pose(rng))


_PRESENTED: dict[str, Callable[[Face, np.random.Generator], PictureOptions]] = {
    "live": _live,
    "print": _print,
    "print_bent": _print_bent,
    "print_cut": _print_cut,
    "replay": _replay,
    "mask_3d": _mask_3d,
}
