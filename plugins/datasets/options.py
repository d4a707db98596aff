"""Options of the data sets, as recipes set them under `data.options`."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen
from attrs.validators import deep_iterable, instance_of, matches_re, min_len, optional

from fas_core.urls import hide_credentials, is_url


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
        protocol: a sub-protocol, which trains on one ethnicity and some attacks and tests on others; or
            `4@all`, the three together.
    """

    protocol: Literal["4@1", "4@2", "4@3", "4@all"] = "4@all"


@frozen
class CelebaSpoofOptions:
    """Options of `celeba_spoof`.

    Args:
        protocol: `intra_test`, the whole set; `1`, across spoof types, environments and lights; or `2@high`,
            `2@middle` and `2@low`, which test on cameras of one quality and train on the others.
        boxes: whether to read the face boxes. That opens every photo's header, so it is faster to crop once
            with `fas data crop`; crops have no boxes.
    """

    protocol: Literal["intra_test", "1", "2@high", "2@middle", "2@low"] = "intra_test"
    boxes: bool = True


@frozen
class FolderOptions:
    """Options of `folder`.

    Args:
        modalities: names of modalities that sub-folders and file names may have.
    """

    modalities: tuple[str, ...] = field(
        default=("rgb", "depth", "ir"),
        validator=[min_len(1), deep_iterable(matches_re(r"[a-z][a-z0-9]*"))],
    )


@frozen
class ManifestOptions:
    """Options of `manifest`.

    Args:
        modalities: names of columns with image paths; those that the file lacks are ignored.
        image_root: path or URL (`s3://bucket/set`) of the folder that paths are relative to; None for the
            file's own.
    """

    modalities: tuple[str, ...] = field(
        default=("rgb", "depth", "ir"), validator=[min_len(1), deep_iterable(instance_of(str))]
    )
    image_root: str | None = field(default=None, validator=optional(instance_of(str)))

    @image_root.validator
    def _refuse_credentials(self, _: object, value: str | None) -> None:
        if value is not None and is_url(value) and hide_credentials(value) != value:
            raise ValueError(
                f"{hide_credentials(value)}: was given with credentials, which a recipe would keep: give "
                "them in the environment, as the package of the storage says"
            )


@frozen
class NuaaOptions:
    """Options of `nuaa`.

    Args:
        protocol: `subject_disjoint` tests on people who are not in train and has a dev split; `official` is
            the database's own split by session, without dev.
    """

    protocol: Literal["official", "subject_disjoint"] = "subject_disjoint"


@frozen
class OuluNpuOptions:
    """Options of `oulu_npu`.

    Args:
        protocol: 1 tests on an unseen session, 2 on unseen attack instruments, 3 on an unseen phone and
            4 on all of these; 3 and 4 have six sub-protocols each, `3@1` to `3@6`. `all` is every video of
            the three splits' folders and needs no lists.
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
        protocol: which attacks to read: all (`grandtest`), those on one medium (`print`, `mobile`,
            `highdef`), or those that show a `photo`, a `digitalphoto` (a photo on a screen) or a `video`.
        support: attacks on a stand (`fixed`), in the `hand`, or `all`.
    """

    protocol: Literal["grandtest", "print", "mobile", "highdef", "photo", "digitalphoto", "video"] = (
        "grandtest"
    )
    support: Literal["all", "fixed", "hand"] = "all"


@frozen
class WmcaOptions:
    """Options of `wmca`.

    Args:
        protocol: `grandtest` has all attacks in every split; each of the others tests on one kind of attack
            that is neither in train nor in dev.
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
