"""What attacks are made of: photos, paper, screens and mask shells."""

from __future__ import annotations

import cv2
import numpy as np
from attrs import evolve, frozen

from fas_plugins.datasets.simulator.head import Face
from fas_plugins.datasets.simulator.noise import Image, blurred, colored, sharpened, smooth, white
from fas_plugins.datasets.simulator.relief import PIVOT, REACH, Pose, Relief, grid, warped_relief
from fas_plugins.datasets.simulator.scene import exposure, head_pose, view


@frozen(eq=False)
class Photo:
    """A picture of a person: linear RGB (H, W, 3) and infrared (H, W), 0..1."""

    rgb: Image
    ir: Image


def photo(face: Face, rng: np.random.Generator, *, straight: bool = False) -> Photo:
    """A picture of the person, taken elsewhere; sharpened, as phones and photo printers do."""
    free = head_pose(rng)
    pose = Pose() if straight else Pose(yaw=free.yaw, pitch=free.pitch)
    seen = view(face.relief, pose, len(face.relief.ir), rng, reach=REACH)
    crisp = rng.uniform(0, 0.6)
    rgb, ir = sharpened(seen.rgb, crisp), sharpened(seen.ir, crisp)
    return Photo(np.clip(rgb * exposure(rgb, 0.25), 0, 1), np.clip(ir, 0, 1))


def paper(picture: Photo, rng: np.random.Generator) -> Relief:
    """A flat sheet with the picture on it."""
    size = len(picture.ir)
    grey = picture.rgb @ np.full(3, 1 / 3, np.float32)
    faded = colored(grey) + rng.uniform(0.65, 0.95) * (picture.rgb - colored(grey))
    black, white_paper = rng.uniform(0.03, 0.06), rng.uniform(0.65, 0.85)
    bands = np.sin(np.arange(size, dtype=np.float32) * rng.uniform(1.6, 2.6))[:, None]
    grain = rng.uniform(0.05, 0.1) * blurred(white(rng, size, size), 0.6) + rng.uniform(0.01, 0.04) * bands
    # Toner that is as dark in infrared as in colour, on paper as bright as skin: of what he prints,
    # the attacker has come near to how the person looks in infrared.
    infrared = picture.ir * (1 + rng.uniform(0, 0.5) * (grey - 0.25))
    return Relief(
        height=np.full_like(picture.ir, PIVOT),
        color=(black + (white_paper - black) * faded) * colored(1 + grain),
        ir=rng.uniform(0.93, 1.03) * infrared,
        gloss=np.full_like(picture.ir, rng.uniform(0.02, 0.12)),
        cover=np.ones_like(picture.ir),
    )


def outline(face: Face, rng: np.random.Generator, *, trimmed: float) -> Image:
    """A sheet's shape, (H, W) of 0 and 1: cut along the head with that probability, else a rectangle."""
    x, y = grid(len(face.relief.ir), REACH)
    if rng.random() < trimmed:
        inside = blurred(np.maximum(face.parts.oval, face.parts.hair), rng.uniform(1, 3)) > 0.3
    else:
        inside = (np.abs(x) < rng.uniform(1.1, 1.6)) & (np.abs(y) < rng.uniform(1.2, 1.6))
    return inside.astype(np.float32)


def bent(sheet: Relief, radius: float) -> Relief:
    """The sheet around an upright cylinder of that radius, units."""
    x, y = grid(len(sheet.ir), REACH)
    along = radius * np.arcsin(np.clip(x / radius, -0.97, 0.97))
    behind = radius - np.sqrt(np.maximum(radius**2 - x**2, 0.05 * radius**2))
    rolled = warped_relief(sheet, along, y, PIVOT - 100 * behind)
    return evolve(rolled, cover=rolled.cover * (np.abs(x) < 0.97 * radius))


def screen(picture: Photo, rng: np.random.Generator) -> Relief:
    """A tablet that shows the picture. Two in three have nothing of a cheap one: no moire, no glare."""
    size = len(picture.ir)
    x, y = grid(size, REACH)
    cheap = max(0.0, rng.uniform(-2, 1))
    tint = (1 - 0.08 * cheap, 1, 1 + 0.15 * cheap)
    # Its edges may come into the frame if it is a cheap one.
    half_width, half_height = 1.6 - cheap * rng.uniform(0, 0.4, 2)
    outside = np.maximum(np.abs(x) - half_width, np.abs(y) - half_height)
    glow = picture.rgb * colored((outside < 0).astype(np.float32), tint)
    return Relief(
        height=np.full_like(x, PIVOT),
        color=np.full((size, size, 3), 0.01, np.float32),
        # Black glass: a display gives off no infrared and returns little.
        ir=np.full_like(x, rng.uniform(0.04, 0.1)),
        gloss=np.full_like(x, 0.01 + 0.2 * cheap),
        cover=(outside < 0.12).astype(np.float32),
        glow=glow * (1 + 0.25 * cheap * _moire(x, y, rng)) + 0.06 * cheap,
    )


def shell(face: Face, rng: np.random.Generator) -> Relief:
    """A mask of the person: the relief and the colours are right, the material is not skin."""
    head, size = face.relief, len(face.relief.ir)
    # Its paint has no contrast in infrared; most materials are darker there than skin, some brighter.
    level = rng.uniform(0.2, 0.42) if rng.random() < 0.7 else rng.uniform(0.8, 0.92)
    return Relief(
        height=blurred(head.height, size / 160) + 1.5,
        color=blurred(head.color, size / 110) * colored(np.ones_like(head.ir), rng.uniform(0.92, 1.08, 3)),
        ir=level * (1 + 0.05 * smooth(rng, size, 8)),
        gloss=np.full_like(head.ir, rng.uniform(0.06, 0.25)),
        cover=np.ones_like(head.ir),
    )


def _moire(x: Image, y: Image, rng: np.random.Generator) -> Image:
    """Beats between the screen's pixels and the camera's: slow, wavy, coloured stripes, (H, W, 3)."""
    angle, pitch = rng.uniform(0, np.pi), rng.uniform(25, 70)
    phase = pitch * (x * np.cos(angle) + y * np.sin(angle)) + 6 * smooth(rng, len(x), 4)
    return np.asarray(
        cv2.merge([np.sin(phase + shift) for shift in rng.uniform(0, 2, 3).tolist()]), np.float32
    )
