"""Protocols of the simulated data set: which capture is in which split, and the file names of a capture."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from fas_plugins.datasets.simulator.options import SyntheticOptions

LIVE = "live"
ATTACKS = ("print", "print_bent", "print_cut", "replay", "mask_3d")
SPECIES = (LIVE, *ATTACKS)
UNSEEN_SPECIES = ("print_cut", "mask_3d")
"""Test species of the protocol `unseen_species`: flat or bent sheets train, face relief tests."""

GROUPS = ("light", "medium", "dark")
UNSEEN_GROUP = "dark"

PROTOCOLS = ("grandtest", "unseen_species", "unseen_group")
SPLITS = ("train", "dev", "test")
MODALITIES = ("color", "depth", "ir")
LIVE_SHOTS = 3
"""Live captures for each capture of an attack species, so that 3/8 of the samples are live."""


@frozen(order=True)
class Shot:
    """One capture: the subject, the species in front of the cameras, and the take number."""

    subject: int
    species: str
    take: int

    @property
    def subject_name(self) -> str:
        """The subject's name in paths and tables, e.g. `S0004`."""
        return f"S{self.subject:04d}"

    def path(self, modality: str) -> str:
        """Image path relative to the root, in folders like those of CASIA-SURF's training set."""
        label, video = ("real_part", "real") if self.species == LIVE else ("fake_part", self.species)
        return f"Images/{label}/{self.subject_name}/{video}.rssdk/{modality}/{self.take:04d}.jpg"


def get_group(subject: int) -> str:
    """Return the skin-tone group of a subject."""
    return GROUPS[subject % len(GROUPS)]


def get_split(subject: int, subjects: int) -> str:
    """Return the split of a subject, the same under every protocol.

    Half of each group trains; of the rest, two in five are dev and three in five test.

    Args:
        subject: number of the subject, from 0.
        subjects: how many there are.
    """
    group = range(subject % len(GROUPS), subjects, len(GROUPS))
    position, size = group.index(subject), len(group)
    train = size // 2
    dev = max(1, round((size - train) * 0.4))
    return "train" if position < train else "dev" if position < train + dev else "test"


def list_shots(options: SyntheticOptions) -> list[Shot]:
    """List every capture of the data set, subject by subject."""
    return [
        Shot(subject, species, take)
        for subject in range(options.subjects)
        for species in SPECIES
        for take in range(options.shots * (LIVE_SHOTS if species == LIVE else 1))
    ]


def select_shots(protocol: str, split: str, shots: Iterable[Shot], subjects: int) -> list[Shot]:
    """Select the captures of one split of a protocol, in their order."""
    return [
        shot
        for shot in shots
        if get_split(shot.subject, subjects) == split and _is_in_protocol(protocol, split, shot)
    ]


def _is_in_protocol(protocol: str, split: str, shot: Shot) -> bool:
    test = split == "test"
    if protocol == "unseen_species":
        return shot.species == LIVE or (shot.species in UNSEEN_SPECIES) == test
    if protocol == "unseen_group":
        return (get_group(shot.subject) == UNSEEN_GROUP) == test
    return True
