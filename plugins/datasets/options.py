"""Options of the data sets: what a recipe may say under `data.options`."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen
from attrs.validators import deep_iterable, instance_of, matches_re, min_len


@frozen
class CasiaSurfOptions:
    """Options of `casia_surf`.

    Args:
        lists: folder of the list files, relative to the root.
    """

    lists: str = "."


@frozen
class CefaOptions:
    """Options of `cefa`.

    Args:
        protocol: a sub-protocol, each of which trains on one ethnicity and some attacks and tests on
            others; or `4@all`, the three together: 4@1 + 4@2 + 4@3.
    """

    protocol: Literal["4@1", "4@2", "4@3", "4@all"] = "4@all"


@frozen
class CelebaSpoofOptions:
    """Options of `celeba_spoof`.

    Args:
        protocol: `intra_test`, the whole set; `1`, across spoof types, environments and lights; or `2@high`,
            `2@middle` and `2@low`, which test on cameras of one quality and train on the others.
        boxes: whether the faces' boxes are read where there are any. It means a look into every photo's
            header: crop once with `fas data crop`, whose crops have none.
    """

    protocol: Literal["intra_test", "1", "2@high", "2@middle", "2@low"] = "intra_test"
    boxes: bool = True


@frozen
class FolderOptions:
    """Options of `folder`.

    Args:
        modalities: names that sub-folders and file suffixes are known by.
    """

    modalities: tuple[str, ...] = field(
        default=("rgb", "depth", "ir"),
        validator=[min_len(1), deep_iterable(matches_re(r"[a-z][a-z0-9]*"))],
    )


@frozen
class ManifestOptions:
    """Options of `manifest`.

    Args:
        modalities: columns that hold image paths; of those named by default, the ones that are there.
    """

    modalities: tuple[str, ...] = field(
        default=("rgb", "depth", "ir"), validator=[min_len(1), deep_iterable(instance_of(str))]
    )


@frozen
class NuaaOptions:
    """Options of `nuaa`.

    Args:
        protocol: `subject_disjoint` tests on people never trained on and has a dev split;
            `official` is the database's own split by session, without dev.
    """

    protocol: Literal["official", "subject_disjoint"] = "subject_disjoint"


@frozen
class OuluNpuOptions:
    """Options of `oulu_npu`.

    Args:
        protocol: 1 tests on an unseen session, 2 on unseen attack instruments, 3 on an unseen phone and
            4 on all of these; 3 and 4 have six sub-protocols each, `3@1` the first. `all`: every video, by
            the folders of the three splits, for which no lists are needed.
    """

    protocol: Literal[
        "all", "1", "2",
        "3@1", "3@2", "3@3", "3@4", "3@5", "3@6",
        "4@1", "4@2", "4@3", "4@4", "4@5", "4@6",
    ] = "all"  # fmt: skip


@frozen
class ReplayAttackOptions:
    """Options of `replay_attack`.

    Args:
        protocol: which attacks there are: all (`grandtest`), those on one medium (`print`, `mobile`,
            `highdef`), those that show a `photo` (printed or `digitalphoto`, on a screen) or a `video`.
        support: how attacks were held: before the camera on a stand (`fixed`), in the `hand`, or `all`.
    """

    protocol: Literal["grandtest", "print", "mobile", "highdef", "photo", "digitalphoto", "video"] = (
        "grandtest"
    )
    support: Literal["all", "fixed", "hand"] = "all"


@frozen
class WmcaOptions:
    """Options of `wmca`.

    Args:
        protocol: `grandtest` has all attacks in every split; of the others, each tests on a kind of attack
            that is left out of train and dev.
    """

    protocol: Literal[
        "grandtest",
        "LOO_fakehead",
        "LOO_flexiblemask",
        "LOO_glasses",
        "LOO_papermask",
        "LOO_prints",
        "LOO_replay",
        "LOO_rigidmask",
    ] = "grandtest"
