"""Presentations to the cameras: a live person, or a print, a screen or a mask of that person.

As in CASIA-SURF (Zhang et al., "A Dataset and Benchmark for Large-scale Multi-modal Face Anti-spoofing",
arXiv 1812.00408), a cut print shows its wearer's own face, so real skin and relief show through the holes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from attrs import evolve, frozen

from fas_plugins.datasets.simulator.head import Head
from fas_plugins.datasets.simulator.instruments import (
    bend_sheet,
    make_mask_shell,
    make_paper,
    make_screen,
    make_sheet_outline,
    take_photo,
)
from fas_plugins.datasets.simulator.scene import sample_head_pose, sample_sheet_pose
from fas_plugins.datasets.simulator.surface import Pose, Surface, overlay


@frozen(eq=False)
class Presentation:
    """The surface in front of the cameras, and its pose."""

    surface: Surface
    pose: Pose


def make_presentation(species: str, head: Head, rng: np.random.Generator) -> Presentation:
    """Make a random presentation of one species by one person."""
    return _BUILDERS[species](head, rng)


def _make_live(head: Head, rng: np.random.Generator) -> Presentation:
    return Presentation(head.surface, sample_head_pose(rng))


def _make_print(head: Head, rng: np.random.Generator) -> Presentation:
    paper = make_paper(take_photo(head, rng), rng)
    sheet = evolve(paper, cover=make_sheet_outline(head, rng, cut_probability=0.15))
    return Presentation(sheet, sample_sheet_pose(rng))


def _make_bent_print(head: Head, rng: np.random.Generator) -> Presentation:
    paper = make_paper(take_photo(head, rng), rng)
    sheet = evolve(paper, cover=make_sheet_outline(head, rng, cut_probability=0.5))
    return Presentation(bend_sheet(sheet, rng.uniform(0.85, 1.5)), sample_sheet_pose(rng))


def _make_cut_print(head: Head, rng: np.random.Generator) -> Presentation:
    sheet = make_paper(take_photo(head, rng, frontal=True), rng)
    if rng.random() < 0.5:
        sheet = bend_sheet(sheet, rng.uniform(0.85, 1.3))
    regions = head.regions
    holes = (regions.eye_holes, regions.nose_hole, regions.mouth_hole)[: rng.integers(1, 4)]
    mask = make_sheet_outline(head, rng, cut_probability=0.7) * (1 - np.maximum.reduce(holes))
    # The sheet rests on the cheeks; a nose without a hole pushes it out.
    worn_sheet = evolve(sheet, height=sheet.height + rng.uniform(24, 34))
    return Presentation(overlay(worn_sheet, mask, head.surface), sample_head_pose(rng))


def _make_replay(head: Head, rng: np.random.Generator) -> Presentation:
    return Presentation(make_screen(take_photo(head, rng), rng), sample_head_pose(rng))


def _make_3d_mask(head: Head, rng: np.random.Generator) -> Presentation:
    mask = head.regions.mask_area * (1 - head.regions.eye_holes)
    return Presentation(overlay(make_mask_shell(head, rng), mask, head.surface), sample_head_pose(rng))


_BUILDERS: dict[str, Callable[[Head, np.random.Generator], Presentation]] = {
    "live": _make_live,
    "print": _make_print,
    "print_bent": _make_bent_print,
    "print_cut": _make_cut_print,
    "replay": _make_replay,
    "mask_3d": _make_3d_mask,
}
