"""The recipe of a run, as frozen attrs classes; a recipe file is this tree in YAML.

It is the reference of a recipe's keys, all with defaults. Components are chosen by name, with their options
beside it: `loss: focal` or `loss: {name: focal, gamma: 2}`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from attrs import field, frozen
from attrs import validators as v

from fas_core.config.augment import Augment
from fas_core.config.components import (
    AugmentationChoice,
    BackboneChoice,
    Choice,
    DatasetChoice,
    FusionChoice,
    LossChoice,
    MetricChoice,
)
from fas_core.config.plain import SECTION
from fas_core.config.train import TrainConfig
from fas_core.config.validators import (
    check_between_0_and_1,
    check_distilled_folds,
    check_folds,
    check_modalities,
    check_patches,
    check_policy,
    check_positive,
    check_reduced_decoding,
    check_reject,
)
from fas_core.records.model_input import MAX_SIDE, ModelInput, Resize, ScaledCrop, check_crops


@frozen
class Normalize:
    """How pixels are normalised: `(pixel / 255 - mean) / std`. `fas data stats` measures both.

    Args:
        mean: of red, green and blue, for pixels in [0, 1].
        std: standard deviations, likewise; 1/255 each, with mean 0, leaves bytes as they are.
        channels: order in which the network takes the colours.
    """

    mean: tuple[float, float, float] = field(default=(0.5, 0.5, 0.5), validator=check_between_0_and_1)
    std: tuple[float, float, float] = field(default=(0.5, 0.5, 0.5), validator=check_positive)
    channels: Literal["rgb", "bgr"] = "rgb"


@frozen
class Patches:
    """Evaluate a face by the mean logits of patches of it, each as large as the network's input.

    As in FaceBagNet (Shen et al., CVPR Workshops 2019). The random crops of training, `augment.crop_scale`,
    should have about the area of a patch, see `fas_core.config.advice`.

    Args:
        grid: `grid` x `grid` patches, spread evenly from edge to edge; 1 is the central one.
        share: side of a patch as a fraction of the face's side.
    """

    grid: int = field(default=3, validator=v.ge(1))
    share: float = field(default=0.5, validator=[v.gt(0), v.le(1)])


@frozen
class ModelConfig:
    """The section `model`.

    Args:
        backbone: one for all modalities, or one for each: `{rgb: feathernet_a, depth: feathernet_b}`.
        fusion: what joins the modalities; `single` for one alone.
        input_size: side of the network's square input in pixels.
        patches: evaluate by patches of that size; None: the whole face is resized to it.
        normalize: for each modality (others than the model's are ignored); empty: each backbone's published
            one, or `Normalize()`.
        num_classes: K of the classifiers, of which 0 is attack and 1 live; more than 2 for imported networks
            that tell kinds of attack apart.
        pretrained: path of a published checkpoint whose weights, except the classifier's, training starts
            from, or the name of weights that the backbone finds, e.g. `imagenet`; one for every backbone or,
            as `{rgb: PATH}`, for some.
    """

    backbone: BackboneChoice | dict[str, BackboneChoice] = field(
        factory=lambda: BackboneChoice("feathernet_b")
    )
    fusion: FusionChoice = field(factory=lambda: FusionChoice("concat_linear"))
    input_size: int = field(default=224, validator=[v.ge(16), v.le(MAX_SIDE)])
    patches: Patches | None = field(default=None, validator=check_patches, metadata={SECTION: Patches})
    normalize: dict[str, Normalize] = field(factory=dict)
    num_classes: int = field(default=2, validator=v.ge(2))
    pretrained: Path | dict[str, Path] | None = None

    @property
    def face_size(self) -> int:
        """Side in pixels of the faces that the model takes; patches are cut from them at full resolution."""
        return self.input_size if self.patches is None else round(self.input_size / self.patches.share)


PUBLISHED_METRICS = ("acc", "eer", "tpr_at_fpr", "apcer", "bpcer", "acer", "auc")


@frozen
class Recipe:
    """The recipe of a run.

    Args:
        data: where samples come from; `--data` sets it, too.
        modalities: the model's inputs, in order.
        model: the networks, and what they take.
        augment: augmentations in training, in order, e.g. `[crop, {name: flip, probability: 0.3}]`, or the
            numbers of the published ones; an empty list: training sees faces as evaluation does.
        resize: how a face becomes as large as the model takes it, in evaluation and in use.
        crops: for each modality how it is cropped from a photo around the face, in place of `resize`; empty:
            samples are face crops, or have a box that is one.
        loss: what training makes small.
        train: how the weights are found.
        metrics: the metrics of every score table.
        threshold: `eer`, `min-acer`, `apcer:X`, `apcer_max:X`, `bpcer:X` (fitted on dev) or `fixed:VALUE`.
        reject: `LOW:HIGH`: scores around the threshold without a verdict; `error:X`: the narrowest such band
            outside of which the error on dev is at most X; None: every score has a verdict.
        folds: `COLUMN:K`: fit the threshold on cross-validated scores of train, where each of K models scores
            the fold that it was not trained on; `session`: a fold for each session; `subject+session:K`: each
            model scores its fold of people in sessions that it was not trained on; None: fit it on dev.
        tags: words to find the runs of this recipe by, with `fas runs list`; they change nothing.
    """

    data: DatasetChoice = field(factory=lambda: DatasetChoice("synthetic"))
    modalities: tuple[str, ...] = field(default=("rgb", "depth", "ir"), validator=check_modalities)
    model: ModelConfig = field(factory=ModelConfig, metadata={SECTION: ModelConfig})
    augment: Augment | tuple[AugmentationChoice, ...] = field(factory=Augment, metadata={SECTION: Augment})
    resize: Resize = field(factory=Resize, metadata={SECTION: Resize})
    crops: dict[str, ScaledCrop] = field(factory=dict, validator=check_crops)
    loss: LossChoice = field(factory=lambda: LossChoice("focal"))
    train: TrainConfig = field(
        factory=TrainConfig, validator=check_reduced_decoding, metadata={SECTION: TrainConfig}
    )
    metrics: tuple[MetricChoice, ...] = field(factory=lambda: tuple(map(MetricChoice, PUBLISHED_METRICS)))
    threshold: str = field(default="eer", validator=check_policy)
    reject: str | None = field(default=None, validator=check_reject)
    folds: str | None = field(default=None, validator=[check_folds, check_distilled_folds])
    tags: tuple[str, ...] = ()

    def describe(self) -> str:
        """Return e.g. `feathernet_b, concat_linear of rgb, depth, ir at 128 px, on synthetic`."""
        backbone = self.model.backbone
        names = {item.name for item in backbone.values()} if isinstance(backbone, dict) else {backbone.name}
        return (
            f"{' + '.join(sorted(names))}, {self.model.fusion.name} of {', '.join(self.modalities)} "
            f"at {self.model.input_size} px, on {self.data.name}"
        )

    def choices(self) -> Iterator[Choice]:
        """Iterate over every component that the recipe chooses, those in options of others too."""
        backbone, train = self.model.backbone, self.train
        chosen = [
            self.data,
            *(backbone.values() if isinstance(backbone, dict) else [backbone]),
            self.model.fusion,
            *(() if isinstance(self.augment, Augment) else self.augment),
            *(self.loss, train.optimizer, train.schedule),
            *self.metrics,
            *train.trackers,
        ]
        for choice in chosen:
            yield from choice.walk()

    @property
    def input(self) -> ModelInput:
        """How images become what the model of this recipe takes."""
        return ModelInput(
            self.modalities,
            self.model.face_size,
            self.model.input_size,
            self.resize,
            partial=self.train.modality_dropout > 0,
            crops=self.crops,
        )
