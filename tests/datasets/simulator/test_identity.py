import pytest

from fas_plugins.datasets.simulator.identity import MELANIN, Identity, sample_identity
from fas_plugins.datasets.simulator.noise import make_generator


def sample_people(group: str) -> list[Identity]:
    return [sample_identity(make_generator(0, subject), group) for subject in range(20)]


@pytest.mark.parametrize("group", ["light", "medium", "dark"])
def test_melanin_is_in_the_range_of_the_group(group: str) -> None:
    low, high = MELANIN[group]
    assert all(low <= person.melanin <= high for person in sample_people(group))


def test_skin_of_darker_groups_is_darker_in_colour_and_hardly_in_infrared() -> None:
    light, dark = sample_people("light"), sample_people("dark")
    assert max(sum(person.skin) for person in dark) < 0.6 * min(sum(person.skin) for person in light)
    assert min(person.skin_ir for person in dark) > 0.75 * max(person.skin_ir for person in light)


def test_people_differ() -> None:
    people = sample_people("medium")
    assert len({person.width for person in people}) == len(people)
