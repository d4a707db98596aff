import numpy as np
import pytest

from fas_plugins.datasets.simulator.head import Head, build_head
from fas_plugins.datasets.simulator.identity import sample_identity
from fas_plugins.datasets.simulator.noise import make_generator
from fas_plugins.datasets.simulator.presentation import make_presentation
from fas_plugins.datasets.simulator.protocol import SPECIES
from fas_plugins.datasets.simulator.surface import PIVOT


@pytest.fixture(scope="module")
def head() -> Head:
    return build_head(sample_identity(make_generator(0), "dark"), make_generator(0), 96)


@pytest.mark.parametrize("species", SPECIES)
def test_every_species_has_a_surface_of_the_heads_size(head: Head, species: str) -> None:
    surface = make_presentation(species, head, make_generator(1)).surface
    assert surface.height.shape == head.surface.height.shape
    assert np.isfinite(surface.color).all()


def test_live_is_the_head_itself(head: Head) -> None:
    assert make_presentation("live", head, make_generator(1)).surface is head.surface


@pytest.mark.parametrize("species", ["print", "replay"])
def test_prints_and_screens_are_flat(head: Head, species: str) -> None:
    assert set(make_presentation(species, head, make_generator(1)).surface.height.ravel()) == {PIVOT}


@pytest.mark.parametrize("species", ["print_cut", "mask_3d"])
def test_the_wearers_eyes_show_through_the_holes(head: Head, species: str) -> None:
    surface = make_presentation(species, head, make_generator(1)).surface
    pupils = head.regions.pupils > 0.9
    np.testing.assert_allclose(surface.color[pupils], head.surface.color[pupils], atol=1e-5)
    skin = (head.regions.mask_area > 0.9) & (head.regions.eye_holes < 0.1)
    assert not np.allclose(surface.ir[skin], head.surface.ir[skin], atol=0.02)
