import numpy as np
import pytest

from fas_plugins.datasets.simulator.head import Head, build_head
from fas_plugins.datasets.simulator.identity import sample_identity
from fas_plugins.datasets.simulator.instruments import (
    Photo,
    bend_sheet,
    make_mask_shell,
    make_paper,
    make_screen,
    make_sheet_outline,
    take_photo,
)
from fas_plugins.datasets.simulator.noise import make_generator
from fas_plugins.datasets.simulator.surface import PIVOT, SURFACE_EXTENT, pixel_grid

SIZE = 96


@pytest.fixture(scope="module")
def head() -> Head:
    return build_head(sample_identity(make_generator(0), "light"), make_generator(0), SIZE)


@pytest.fixture(scope="module")
def photo(head: Head) -> Photo:
    return take_photo(head, make_generator(1))


def test_a_photo_is_exposed_for_its_middle(photo: Photo) -> None:
    assert photo.rgb.shape == (SIZE, SIZE, 3)
    assert photo.rgb[24:-24, 24:-24].mean() == pytest.approx(0.25, abs=0.03)
    assert 0 <= photo.rgb.min() <= photo.rgb.max() <= 1


def test_paper_is_flat_and_has_less_contrast_than_the_photo(photo: Photo) -> None:
    paper = make_paper(photo, make_generator(2))
    assert set(paper.height.ravel()) == {PIVOT}
    assert paper.color.std() < photo.rgb.std()
    assert np.corrcoef(paper.ir.ravel(), photo.ir.ravel())[0, 1] > 0.99


def test_a_sheet_is_cut_along_the_head_or_a_rectangle(head: Head) -> None:
    cut = make_sheet_outline(head, make_generator(0), cut_probability=1)
    rectangle = make_sheet_outline(head, make_generator(0), cut_probability=0)
    assert set(np.unique(cut)) == set(np.unique(rectangle)) == {0, 1}
    assert cut[head.regions.oval > 0.9].min() == 1
    assert cut.sum() < rectangle.sum()


def test_a_bent_sheet_is_a_cylinder(photo: Photo) -> None:
    bent = bend_sheet(make_paper(photo, make_generator(2)), radius=1.2)
    x, _ = pixel_grid(SIZE, SURFACE_EXTENT)
    inside = np.abs(x) < 1.1
    circle = PIVOT - 100 * (1.2 - np.sqrt(1.2**2 - x[inside] ** 2))
    np.testing.assert_allclose(bent.height[inside], circle, rtol=1e-4)
    assert not bent.cover[np.abs(x) > 1.2].any()


def test_a_screen_glows_and_is_dark_in_infrared(photo: Photo) -> None:
    screen = make_screen(photo, make_generator(3))
    assert screen.glow is not None
    assert np.corrcoef(screen.glow.ravel(), photo.rgb.ravel())[0, 1] > 0.9
    assert screen.ir.max() <= 0.1


def test_a_mask_shell_has_the_relief_but_one_material(head: Head) -> None:
    shell = make_mask_shell(head, make_generator(4))
    assert np.corrcoef(shell.height.ravel(), head.surface.height.ravel())[0, 1] > 0.99
    face = head.regions.mask_area > 0.9
    assert shell.ir[face].std() < 0.5 * head.surface.ir[face].std()
