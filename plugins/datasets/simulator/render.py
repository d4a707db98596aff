"""One capture: paired colour, depth and infrared pictures of one subject and species."""

from __future__ import annotations

from functools import lru_cache

from fas_plugins.datasets.simulator.attacks import present
from fas_plugins.datasets.simulator.head import Face, head
from fas_plugins.datasets.simulator.identity import identity
from fas_plugins.datasets.simulator.noise import generator
from fas_plugins.datasets.simulator.protocol import SPECIES, Shot, group_of
from fas_plugins.datasets.simulator.scene import view
from fas_plugins.datasets.simulator.sensor import (
    Picture,
    color_picture,
    depth_picture,
    from_aside,
    infrared_picture,
)


def capture(shot: Shot, seed: int, size: int) -> dict[str, Picture]:
    """What each camera takes: `color` (size, size, 3) BGR, `depth` and `ir` at 3/4 of the size, (h, w).

    It depends on nothing but the arguments: neither on order nor on which worker draws it.
    """
    rng = generator(seed, shot.subject, SPECIES.index(shot.species), shot.take)
    shown = present(shot.species, _face(seed, shot.subject, size), rng)
    seen = view(shown.relief, shown.pose, size, rng)
    beside = from_aside(seen, size * 3 // 4, rng)
    return {
        "color": color_picture(seen, rng),
        "depth": depth_picture(beside, rng),
        "ir": infrared_picture(beside, rng),
    }


# Captures come subject by subject; a few workers may be a subject or two apart.
@lru_cache(maxsize=8)
def _face(seed: int, subject: int, size: int) -> Face:
    rng = generator(seed, subject)
    return head(identity(rng, group_of(subject)), rng, size * 5 // 4)
