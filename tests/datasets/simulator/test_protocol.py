"""Splits and paths of simulated captures."""

from __future__ import annotations

import pytest

from fas_plugins.datasets.simulator.options import SyntheticOptions
from fas_plugins.datasets.simulator.protocol import (
    GROUPS,
    PROTOCOLS,
    SPLITS,
    Shot,
    get_group,
    get_split,
    list_shots,
    select_shots,
)


def test_three_eighths_of_the_captures_are_live() -> None:
    shots = list_shots(SyntheticOptions(subjects=9, shots=2))
    assert len(shots) == len(set(shots)) == 9 * 2 * (5 + 3)
    assert sum(shot.species == "live" for shot in shots) == len(shots) * 3 / 8


@pytest.mark.parametrize(("subjects", "counts"), [(9, (1, 1, 1)), (42, (7, 3, 4)), (60, (10, 4, 6))])
def test_each_group_is_split_alike(subjects: int, counts: tuple[int, int, int]) -> None:
    """Half trains; of the rest two in five are dev, at least one."""
    for group in GROUPS:
        members = [number for number in range(subjects) if get_group(number) == group]
        splits = [get_split(number, subjects) for number in members]
        assert tuple(splits.count(split) for split in SPLITS) == counts


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_protocol_selects_captures_of_the_split_in_order(protocol: str) -> None:
    shots = list_shots(SyntheticOptions(subjects=12, shots=1))
    for split in SPLITS:
        selected = select_shots(protocol, split, shots, 12)
        assert selected == sorted(selected, key=shots.index)
        assert {get_split(shot.subject, 12) for shot in selected} == {split}


def test_paths_look_like_those_of_casia_surf() -> None:
    live, attack = Shot(4, "live", 11), Shot(12, "print_cut", 0)
    assert live.path("color") == "Images/real_part/S0004/real.rssdk/color/0011.jpg"
    assert attack.path("ir") == "Images/fake_part/S0012/print_cut.rssdk/ir/0000.jpg"
