import numpy as np
import pytest
from attrs import evolve

from fas_plugins.datasets.simulator.light import Light, shade
from fas_plugins.datasets.simulator.surface import Surface

SIZE, EXTENT = 64, 1.2


def surface(height: np.ndarray | None = None, **changes: np.ndarray) -> Surface:
    plane = np.zeros((SIZE, SIZE), np.float32)
    flat = Surface(
        height=plane if height is None else height.astype(np.float32),
        color=np.full((SIZE, SIZE, 3), 0.5, np.float32),
        ir=np.full((SIZE, SIZE), 0.6, np.float32),
        gloss=plane,
        cover=plane + 1,
    )
    return evolve(flat, **changes)


def lamp(*direction: float) -> Light:
    return Light(tuple(np.array(direction) / np.linalg.norm(direction)), (1, 1, 1), (0, 0, 0))  # type: ignore[arg-type]


@pytest.mark.parametrize("direction", [(0, 0, 1), (0.6, 0, 0.8), (0, -0.6, 0.8)])
def test_a_flat_matt_surface_follows_lamberts_law(direction: tuple[float, float, float]) -> None:
    rgb, ir = shade(surface(), lamp(*direction), EXTENT)
    np.testing.assert_allclose(rgb, 0.5 * direction[2], rtol=1e-5)
    np.testing.assert_allclose(ir, 0.6, rtol=1e-5)


def test_a_slope_is_lit_by_the_cosine_of_its_normal_and_the_lamp() -> None:
    """A plane that rises 0.4 per unit to the right has the normal (-0.4, 0, 1) / sqrt(1.16)."""
    step = 2 * EXTENT / SIZE
    ramp = np.tile(np.arange(SIZE) * 40 * step, (SIZE, 1))
    for x, cosine in ((-0.6, (0.8 + 0.24) / 1.16**0.5), (0.6, (0.8 - 0.24) / 1.16**0.5)):
        rgb, _ = shade(surface(ramp), lamp(x, 0, 0.8), EXTENT)
        assert rgb[32, 32] == pytest.approx(0.5 * cosine, rel=1e-4)


def test_a_wall_casts_a_shadow_away_from_the_lamp() -> None:
    wall = np.zeros((SIZE, SIZE))
    wall[:, 30:34] = 60
    rgb, _ = shade(surface(wall), lamp(-0.6, 0, 0.8), EXTENT)
    assert rgb[32, 36, 0] < 0.5 * rgb[32, 27, 0]


def test_gloss_and_glow_add_light() -> None:
    plain, ir = shade(surface(), lamp(0, 0, 1), EXTENT)
    glossy, glint = shade(surface(gloss=np.full((SIZE, SIZE), 0.2, np.float32)), lamp(0, 0, 1), EXTENT)
    np.testing.assert_allclose(glossy - plain, 0.2, rtol=1e-4)
    np.testing.assert_allclose(glint - ir, 0.1, rtol=1e-4)
    glowing, _ = shade(surface(glow=np.full((SIZE, SIZE, 3), 0.3, np.float32)), lamp(0, 0, 1), EXTENT)
    np.testing.assert_allclose(glowing - plain, 0.3, rtol=1e-4)
