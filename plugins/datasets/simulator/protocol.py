"""Who and what is in which split, and what its files are called. Nothing is drawn here."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from fas_plugins.datasets.simulator.options import SyntheticOptions

LIVE = "live"
ATTACKS = ("print", "print_bent", "print_cut", "replay", "mask_3d")
SPECIES = (LIVE, *ATTACKS)
UNSEEN_SPECIES = ("print_cut", "mask_3d")
"""Of the protocol of that name: it trains on whole flat or bent media, and tests on those with relief."""

GROUPS = ("light", "medium", "dark")
UNSEEN_GROUP = "dark"

PROTOCOLS = ("grandtest", "unseen_species", "unseen_group")
SPLITS = ("train", "dev", "test")
MODALITIES = ("color", "depth", "ir")
LIVE_SHOTS = 3
"""Live shots for each shot of an attack species, so that 3/8 of the samples are live."""


@frozen(order=True)
class Shot:
    """One capture: a subject, what is shown to the cameras, and which take of it."""

    subject: int
    species: str
    take: int

    @property
    def person(self) -> str:
        """The subject's name."""
        return f"S{self.subject:04d}"

    def path(self, modality: str) -> str:
        """Where its image is below the root, in folders like those of CASIA-SURF's training set."""
        part, video = ("real_part", "real") if self.species == LIVE else ("fake_part", self.species)
        return f"Images/{part}/{self.person}/{video}.rssdk/{modality}/{self.take:04d}.jpg"


def group_of(subject: int) -> str:
    """The skin-tone group of a subject."""
    return GROUPS[subject % len(GROUPS)]


def split_of(subject: int, subjects: int) -> str:
    """The one split that a subject is in, under every protocol.

    Half of each group's people train, and of the rest three in five test.
    """
    members = range(subject % len(GROUPS), subjects, len(GROUPS))
    place, size = members.index(subject), len(members)
    train = size // 2
    dev = max(1, round((size - train) * 0.4))
    return "train" if place < train else "dev" if place < train + dev else "test"


def shots(options: SyntheticOptions) -> list[Shot]:
    """Every capture of the data set, each once."""
    return [
        Shot(subject, species, take)
        for subject in range(options.subjects)
        for species in SPECIES
        for take in range(options.shots * (LIVE_SHOTS if species == LIVE else 1))
    ]


def members(protocol: str, split: str, taken: Iterable[Shot], subjects: int) -> list[Shot]:
    """The captures of one split of a protocol, in order."""
    return [
        shot
        for shot in taken
        if split_of(shot.subject, subjects) == split and _takes_part(protocol, split, shot)
    ]


def _takes_part(protocol: str, split: str, shot: Shot) -> bool:
    test = split == "test"
    if protocol == "unseen_species":
        return shot.species == LIVE or (shot.species in UNSEEN_SPECIES) == test
    if protocol == "unseen_group":
        return (group_of(shot.subject) == UNSEEN_GROUP) == test
    return True
