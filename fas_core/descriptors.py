"""Descriptors: the frozen records by which plugins register components, one class for each kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, get_args

from attrs import field, frozen

from fas_core.component import Component, check_optional_target, check_text, check_texts
from fas_core.errors import PluginError
from fas_core.package_files import Catalogue, RecipeFile
from fas_core.records.model_input import ScaledCrop
from fas_core.records.stage import Stage
from fas_core.remembered_kinds import Command, Detector, Runtime

AugmentationStep = Literal["crop", "faces", "batch"]


def _check_patterns(owner: Component, attribute: Any, patterns: tuple[str, ...]) -> None:
    check_texts(owner, attribute, patterns)
    if invalid := [text for text in patterns if text.startswith(("/", "~", ".."))]:
        component = f"{owner.kind} {owner.name!r}"
        raise PluginError(f"{component}: {attribute.name} must be patterns below a root: {invalid}")


@frozen(kw_only=True)
class Backbone(Component):
    """A network over one modality: `fas_core.contracts.BackboneModule`.

    The fields describe its published weights: `fas import` gives them to the recipe of a checkpoint.

    Args:
        input_size: side in pixels of its input.
        normalize: mean and standard deviation of red, green and blue, for pixels in [0, 1]; they are used
            where a recipe has none for a modality.
        reads_pixels: whether it takes pixels in [0, 1], whatever the recipe's normalisation: for networks
            that compute colours.
        channels: order in which it takes the colours.
        crop: how its input is cropped from a photo around the detected face; None: as `fas data crop` does.
        num_classes: number of classes of its classifier, if one of them is live.
        live_class: index of that class, from 0; the others are kinds of attack.
    """

    kind: ClassVar[str] = "backbone"
    hook: ClassVar[str] = "fas_backbones"

    input_size: int = 224
    normalize: tuple[tuple[float, float, float], tuple[float, float, float]] | None = None
    reads_pixels: bool = False
    channels: Literal["rgb", "bgr"] = "rgb"
    crop: ScaledCrop | None = None
    num_classes: int = 2
    live_class: int = field(default=1)

    @live_class.validator
    def _check_live_class(self, _: object, index: int) -> None:
        if not 0 <= index < self.num_classes:
            raise PluginError(f"backbone {self.name!r}: live_class {index} of {self.num_classes} classes")


@frozen(kw_only=True)
class Fusion(Component):
    """A module that combines the modalities: `fas_core.contracts.FusionModule`.

    It `takes` one stage of each branch as its input; later stages are not built.
    """

    kind: ClassVar[str] = "fusion"
    hook: ClassVar[str] = "fas_fusions"

    takes: Stage = field()

    @takes.validator
    def _known_stage(self, _: object, stage: str) -> None:
        if stage not in get_args(Stage):
            raise PluginError(f"fusion {self.name!r}: takes {stage!r}, not one of {get_args(Stage)}")


@frozen(kw_only=True)
class Dataset(Component):
    """A data set on disk: `fas_core.contracts.DatasetReader`.

    Args:
        markers: glob patterns below a root; one match identifies the layout, for `--data FOLDER`. A folder
            `{class}` or `{split}` is one with any usual name of a class or a split.
        suffixes: file name suffixes of a root that is one file, for `--data FILE`.
        makes: whether it generates its data, so that it needs no root.
        sets: protocols that are reported as mean and standard deviation over sub-protocols: name of the set
            -> values of the option `protocol`.
        submission: target of the `fas_core.contracts.SubmissionFunction` for `fas submit`; empty: none.
    """

    kind: ClassVar[str] = "dataset"
    hook: ClassVar[str] = "fas_datasets"
    reserved: ClassVar[tuple[str, ...]] = ("name", "root", "held_out", "train_on_dev")

    markers: tuple[str, ...] = field(default=(), validator=_check_patterns)
    suffixes: tuple[str, ...] = field(default=(), validator=check_texts)
    makes: bool = False
    sets: Mapping[str, tuple[str, ...]] = field(factory=dict, hash=False)
    submission: str = field(default="", validator=check_optional_target)

    def load_submission(self) -> Any:
        """Import and return the object that `submission` names."""
        return self._load(self.submission)


@frozen(kw_only=True)
class Augmentation(Component):
    """A change of the images that a model is trained on.

    Args:
        step: what it does: `crop` draws the part of a face that is read (`fas_core.contracts.DrawCrop`),
            `faces` changes the faces of a sample (`ChangeFaces`), `batch` makes each image of several ones of
            its batch (`MixBatch`).
    """

    kind: ClassVar[str] = "augmentation"
    hook: ClassVar[str] = "fas_augmentations"
    reserved: ClassVar[tuple[str, ...]] = ("name", "modalities", "only")

    step: AugmentationStep = field(default="faces")

    @step.validator
    def _known_step(self, _: object, step: str) -> None:
        if step not in get_args(AugmentationStep):
            known = get_args(AugmentationStep)
            raise PluginError(f"augmentation {self.name!r}: step {step!r}, not one of {known}")


@frozen(kw_only=True)
class Loss(Component):
    """A loss to train with: `fas_core.contracts.LossFunction`."""

    kind: ClassVar[str] = "loss"
    hook: ClassVar[str] = "fas_losses"


@frozen(kw_only=True)
class Optimizer(Component):
    """How gradients change the weights: `fas_core.contracts.OptimizerFunction`."""

    kind: ClassVar[str] = "optimizer"
    hook: ClassVar[str] = "fas_optimizers"


@frozen(kw_only=True)
class Schedule(Component):
    """How the learning rate changes in the course of a training: `fas_core.contracts.ScheduleFunction`."""

    kind: ClassVar[str] = "schedule"
    hook: ClassVar[str] = "fas_schedules"


@frozen(kw_only=True)
class Metric(Component):
    """A pure function of a score table: `fas_core.contracts.MetricFunction`."""

    kind: ClassVar[str] = "metric"
    hook: ClassVar[str] = "fas_metrics"


@frozen(kw_only=True)
class Exporter(Component):
    """A file format for trained models: `fas_core.contracts.ExporterFunction`.

    Args:
        suffix: suffix of the file, e.g. `.onnx`; empty for a folder.
        beside: suffixes of further files of the same stem, e.g. `.bin`.
        forms: of fp32, fp16, int8, pruned and pruned-int8; if several, the options have a field `form` to
            select one.
        fetches: what it gets from a host unless its options say where it is at hand; empty: nothing. The
            contract check is then left to tests of its own.
    """

    kind: ClassVar[str] = "exporter"
    hook: ClassVar[str] = "fas_exporters"

    suffix: str = field(validator=check_text)
    beside: tuple[str, ...] = field(default=(), validator=check_texts)
    forms: tuple[str, ...] = field(default=("fp32",), validator=check_texts)
    fetches: str = field(default="", validator=check_text)


@frozen(kw_only=True)
class Tracker(Component):
    """What records a run's figures elsewhere: `fas_core.contracts.RunTracker`."""

    kind: ClassVar[str] = "tracker"
    hook: ClassVar[str] = "fas_trackers"


KINDS: dict[str, type[Component]] = {
    cls.kind: cls
    for cls in (
        *(Backbone, Fusion, Dataset, Augmentation, Loss, Optimizer, Schedule, Metric),
        *(Exporter, Runtime, Detector, Command, Catalogue, RecipeFile, Tracker),
    )
}
"""The class of each kind of component; it names its hook in `fas_core.hookspecs`."""
