"""Rendering of one capture: paired colour, depth and infrared pictures of one subject and species."""

from __future__ import annotations

from functools import lru_cache

from fas_plugins.datasets.simulator.head import Head, build_head
from fas_plugins.datasets.simulator.identity import sample_identity
from fas_plugins.datasets.simulator.noise import make_generator
from fas_plugins.datasets.simulator.presentation import make_presentation
from fas_plugins.datasets.simulator.protocol import SPECIES, Shot, get_group
from fas_plugins.datasets.simulator.scene import render_view
from fas_plugins.datasets.simulator.sensor import (
    Picture,
    shift_viewpoint,
    take_color_picture,
    take_depth_picture,
    take_infrared_picture,
)


def render_shot(shot: Shot, seed: int, size: int) -> dict[str, Picture]:
    """Render the pictures of one capture: `color` (size, size, 3) BGR, `depth` and `ir` at 3/4 of the size.

    The result depends only on the arguments, not on the order of captures or the worker.
    """
    rng = make_generator(seed, shot.subject, SPECIES.index(shot.species), shot.take)
    presentation = make_presentation(shot.species, _build_head(seed, shot.subject, size), rng)
    view = render_view(presentation.surface, presentation.pose, size, rng)
    infrared_view = shift_viewpoint(view, size * 3 // 4, rng)
    return {
        "color": take_color_picture(view, rng),
        "depth": take_depth_picture(infrared_view, rng),
        "ir": take_infrared_picture(infrared_view, rng),
    }


# Captures come subject by subject; workers may be a subject or two apart.
@lru_cache(maxsize=8)
def _build_head(seed: int, subject: int, size: int) -> Head:
    rng = make_generator(seed, subject)
    return build_head(sample_identity(rng, get_group(subject)), rng, size * 5 // 4)
