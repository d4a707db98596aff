"""A run, as one tree of frozen attrs classes. A recipe is this tree as YAML; see `fas_core.config.load`.

Everything has a default, so a recipe says only what it changes. Components are chosen by name, with
their options beside it: `loss: focal` or `loss: {name: focal, gamma: 2}`.
"""

from __future__ import annotations

import re
from math import inf
from pathlib import Path
from typing import Any, ClassVar, Literal

from attrs import field, frozen
from attrs import validators as v

from fas_core.descriptors import Backbone, Component, Dataset, Fusion, Loss, Metric, NoOptions
from fas_core.errors import ConfigError
from fas_core.scores.thresholds import POLICIES, parse_policy


@frozen
class Choice:
    """A component chosen by name, and its options as its own options class."""

    component: ClassVar[type[Component]]

    name: str
    options: Any = field(factory=NoOptions)


@frozen
class BackboneChoice(Choice):
    component = Backbone


@frozen
class FusionChoice(Choice):
    component = Fusion


@frozen
class LossChoice(Choice):
    component = Loss


@frozen
class MetricChoice(Choice):
    component = Metric


def _at_most_folds(choice: HeldOut, attribute: Any, value: int) -> None:
    if value > choice.folds:
        raise ValueError(f"'{attribute.name}' must be at most folds, {choice.folds}: {value}")


@frozen
class HeldOut:
    """One fold of the train split: it is left out of train and stands in for dev. See `fas_core.data.folds`.

    Args:
        by: column of the sample table; samples of the same value are in the same fold.
        folds: how many there are.
        fold: which one is held out, from 1.
        seed: of who is in which.
    """

    by: str
    folds: int = field(validator=v.ge(2))
    fold: int = field(validator=[v.ge(1), _at_most_folds])
    seed: int = field(default=14, validator=v.ge(0))


@frozen
class DatasetChoice(Choice):
    """A data set: its options.

    Args:
        root: where it lies; None: where the data set itself keeps it.
        train_on_dev: whether train has dev's labelled samples, too, and there is no dev: for folds.
        held_out: the fold of its train split that is its dev instead; None: dev is what it says itself.
    """

    component = Dataset

    root: Path | None = None
    train_on_dev: bool = False
    held_out: HeldOut | None = None


def _unit_mean(_: object, attribute: Any, value: tuple[float, ...]) -> None:
    if not all(0 <= number <= 1 for number in value):
        raise ValueError(f"'{attribute.name}' must be between 0 and 1: {list(value)}")


def _positive(_: object, attribute: Any, value: tuple[float, ...]) -> None:
    if not all(number > 0 for number in value):
        raise ValueError(f"'{attribute.name}' must be > 0: {list(value)}")


def _range(low: float, high: float) -> Any:
    def check(_: object, attribute: Any, value: tuple[float, float]) -> None:
        if not low < value[0] <= value[1] <= high:
            raise ValueError(
                f"'{attribute.name}' must be a pair low <= high in ({low:g}, {high:g}]: {list(value)}"
            )

    return check


@frozen
class Normalize:
    """Mean and standard deviation per channel, for pixels in [0, 1]. `fas data stats` measures them."""

    mean: tuple[float, float, float] = field(default=(0.5, 0.5, 0.5), validator=_unit_mean)
    std: tuple[float, float, float] = field(default=(0.5, 0.5, 0.5), validator=_positive)


@frozen
class Resize:
    """From a face image to the model's input, for judging: a central square, then a resize.

    Args:
        crop: side of the square as a fraction of the shorter side. 0.875 is the published rule
            (shorter side to 256, central 224).
    """

    crop: float = field(default=0.875, validator=[v.gt(0), v.le(1)])


@frozen
class Augment:
    """From a face image to the model's input, for training: the same geometry for every modality.

    Args:
        crop_scale: area of the random crop as a fraction of the image, (low, high).
        crop_ratio: aspect ratio (width / height) of the crop, (low, high), log-uniform.
        flip: probability of a horizontal flip.
        lighting: standard deviation of the PCA colour noise (AlexNet, NeurIPS 2012, section 4.1).
        mix: chance that the quarters of a batch's images change places within their class, see
            `fas_core.data.mixing`.
    """

    crop_scale: tuple[float, float] = field(default=(0.08, 1.0), validator=_range(0, 1))
    crop_ratio: tuple[float, float] = field(default=(0.75, 4 / 3), validator=_range(0, 100))
    flip: float = field(default=0.5, validator=[v.ge(0), v.le(1)])
    lighting: float = field(default=0.1, validator=[v.ge(0), v.lt(inf)])
    mix: float = field(default=0.0, validator=[v.ge(0), v.le(1)])


@frozen
class Patches:
    """Judging a face by the mean of what patches of it say, each as large as the network's input.

    As FaceBagNet (CVPR Workshops 2019) is trained on patches: what is too small to show a person shows the
    texture. Training's random crops (`augment.crop_scale`) are to be of about the same share of the face.

    Args:
        grid: patches a side, `grid` x `grid` in all, spread evenly from edge to edge; 1 is the central one.
        share: side of a patch as a fraction of the face's.
    """

    grid: int = field(default=3, validator=v.ge(1))
    share: float = field(default=0.5, validator=[v.gt(0), v.le(1)])


@frozen
class ModelConfig:
    """What is built.

    Args:
        backbone: one for all modalities, or one for each: `{rgb: feathernet_a, depth: feathernet_b}`.
        fusion: what joins the branches.
        input_size: side of the network's square input in pixels.
        patches: judge by the mean over patches of that size; None: the whole face is scaled to it.
        normalize: for each modality (those not taken are ignored), or empty: `Normalize()` for all.
        pretrained: published checkpoint whose weights training starts from, all but the classifier's; one for
            every backbone or, as `{rgb: PATH}`, for some.
    """

    backbone: BackboneChoice | dict[str, BackboneChoice] = field(
        factory=lambda: BackboneChoice("feathernet_b")
    )
    fusion: FusionChoice = field(factory=lambda: FusionChoice("concat_linear"))
    input_size: int = field(default=224, validator=v.ge(16))
    patches: Patches | None = None
    normalize: dict[str, Normalize] = field(factory=dict)
    pretrained: Path | dict[str, Path] | None = None

    @property
    def face_size(self) -> int:
        """Side in pixels of the faces that the model judges: patches are cut at their full resolution."""
        return self.input_size if self.patches is None else round(self.input_size / self.patches.share)


@frozen
class TrainConfig:
    """How it is trained.

    Args:
        schedule: `step` multiplies the rate by `decay` every `every_decay` epochs (as published),
            `cosine` falls to 0 over all epochs, `constant` stays.
        modality_dropout: chance that a training sample is without a modality, for each of them (one is always
            left); more than 0 makes a model that scores samples of which modalities are missing. As ModDrop
            (Neverova et al., arXiv 1501.00102).
        average: decay in [0, 1) of a running mean of the weights over the updates, which is then judged and
            kept (Polyak and Juditsky, Acceleration of Stochastic Approximation by Averaging, 1992); 0: none.
        select: which epoch's weights are the `best` ones, that are judged and exported: `best` those of the
            lowest dev EER, `last` those of the last epoch, whatever dev says.
        judge_every: dev is scored after every so many epochs, and after the last.
        seed: of the weights, the order of samples, the augmentation and the modalities left out.
        workers: processes that read images.
        device: `auto` (an accelerator if there is one), `cpu`, `cuda`, ...
        amp: mixed precision; `fp32` is none.
    """

    epochs: int = field(default=10, validator=v.ge(1))
    batch_size: int = field(default=32, validator=v.ge(2))
    optimizer: Literal["sgd", "adamw"] = "sgd"
    lr: float = field(default=0.01, validator=[v.gt(0), v.lt(inf)])
    momentum: float = field(default=0.9, validator=[v.ge(0), v.lt(1)])
    weight_decay: float = field(default=1e-4, validator=[v.ge(0), v.lt(inf)])
    schedule: Literal["step", "cosine", "constant"] = "step"
    every_decay: int = field(default=60, validator=v.ge(1))
    decay: float = field(default=0.1, validator=[v.gt(0), v.le(1)])
    modality_dropout: float = field(default=0.0, validator=[v.ge(0), v.lt(1)])
    average: float = field(default=0.0, validator=[v.ge(0), v.lt(1)])
    select: Literal["best", "last"] = "best"
    judge_every: int = field(default=1, validator=v.ge(1))
    seed: int = field(default=14, validator=v.ge(0))
    workers: int = field(default=2, validator=v.ge(0))
    device: str = "auto"
    amp: Literal["fp32", "fp16", "bf16"] = "fp32"


PUBLISHED_METRICS = ("acc", "eer", "tpr_at_fpr", "apcer", "bpcer", "acer", "auc")


def _published_metrics() -> tuple[MetricChoice, ...]:
    return tuple(MetricChoice(name) for name in PUBLISHED_METRICS)


def _policy(_: object, attribute: Any, value: str) -> None:
    """Refuse what `parse_policy` refuses, and oracles: a recipe's threshold never sees test scores."""
    try:
        valid = not parse_policy(value).oracle
    except ConfigError:
        valid = False
    if not valid:
        raise ValueError(f"'{attribute.name}' must be {POLICIES}: {value!r}")


def _distinct(_: object, attribute: Any, value: tuple[str, ...]) -> None:
    if odd := [name for name in value if not re.fullmatch(r"[A-Za-z]\w*", name)]:
        raise ValueError(f"'{attribute.name}' must be names of letters, digits and '_': {odd}")
    if not value or len(set(value)) != len(value):
        raise ValueError(f"'{attribute.name}' must name at least one modality, none twice: {list(value)}")


FOLDS = re.compile(r"(\w+):(\d{1,9})")
"""COLUMN:K of `Recipe.folds`."""


def _folds(_: object, attribute: Any, value: str | None) -> None:
    found = None if value is None else FOLDS.fullmatch(value)
    if value is not None and (found is None or int(found[2]) < 2):
        raise ValueError(
            f"'{attribute.name}' must be COLUMN:K, K folds of at least 2, e.g. subject:5: {value!r}"
        )


@frozen
class Recipe:
    """A whole run.

    Args:
        data: the data set.
        modalities: what the model takes, in order.
        threshold: `eer`, `min-acer`, `apcer:X`, `apcer_max:X`, `bpcer:X` (fitted on dev) or `fixed:VALUE`.
        metrics: what is computed of every score table.
        folds: `COLUMN:K`: the threshold is fitted on what K models gave the samples of train that each of
            them was not trained on, in place of dev's scores; None: on dev.
    """

    data: DatasetChoice = field(factory=lambda: DatasetChoice("synthetic"))
    modalities: tuple[str, ...] = field(default=("rgb", "depth", "ir"), validator=_distinct)
    model: ModelConfig = field(factory=ModelConfig)
    augment: Augment = field(factory=Augment)
    resize: Resize = field(factory=Resize)
    loss: LossChoice = field(factory=lambda: LossChoice("focal"))
    train: TrainConfig = field(factory=TrainConfig)
    metrics: tuple[MetricChoice, ...] = field(factory=_published_metrics)
    threshold: str = field(default="eer", validator=_policy)
    folds: str | None = field(default=None, validator=_folds)
