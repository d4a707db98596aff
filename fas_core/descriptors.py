"""Descriptors: the frozen records by which plugins register components, one class for each kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, get_args

from attrs import field, frozen

from fas_core.component import NAME, NAME_RULE, Component, check_target, check_text
from fas_core.errors import PluginError
from fas_core.package_files import Catalogue, RecipeFile
from fas_core.records.model_input import ScaledCrop
from fas_core.records.stage import Stage

AugmentationStep = Literal["crop", "faces", "batch"]


def _check_optional_target(owner: Component, attribute: Any, target: str) -> None:
    if target:
        check_target(owner, attribute, target)


def _check_texts(owner: Component, attribute: Any, texts: tuple[str, ...]) -> None:
    """Refuse `markers="lab.json"`, which would be eight patterns of a letter."""
    if not isinstance(texts, tuple) or not all(isinstance(text, str) and text for text in texts):
        component = f"{owner.kind} {owner.name!r}"
        raise PluginError(f"{component}: {attribute.name} must be a tuple of texts: {texts!r}")


def _check_patterns(owner: Component, attribute: Any, patterns: tuple[str, ...]) -> None:
    _check_texts(owner, attribute, patterns)
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
    suffixes: tuple[str, ...] = field(default=(), validator=_check_texts)
    makes: bool = False
    sets: Mapping[str, tuple[str, ...]] = field(factory=dict, hash=False)
    submission: str = field(default="", validator=_check_optional_target)

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
    beside: tuple[str, ...] = field(default=(), validator=_check_texts)
    forms: tuple[str, ...] = field(default=("fp32",), validator=_check_texts)
    fetches: str = field(default="", validator=check_text)


def _check_command_name(_: Component, __: object, name: str) -> None:
    """Accept `upload`, or `config upload` for a sub-command."""
    words = name.split(" ")
    if len(words) > 2 or not all(NAME.fullmatch(word) for word in words):
        rule = f"{NAME_RULE}, for a sub-command after the name of its group and a space"
        raise PluginError(f"command name {name!r}: {rule}")


@frozen(kw_only=True)
class Command(Component):
    """A further `fas` command; `target` is a click command. It takes no options class.

    Args:
        name: its name after `fas`; `config upload` is a sub-command of the group `config`.
        panel: its heading in `fas --help`, one of `PANELS` or another.
        extra: the extra of its distribution that it, but not its help, needs, e.g. `serve`.
        modules: importable names; the extra is installed if all of them are.
    """

    kind: ClassVar[str] = "command"
    hook: ClassVar[str] = "fas_commands"

    name: str = field(validator=_check_command_name)
    panel: str = field(default="More commands", validator=check_text)
    extra: str = field(default="", validator=check_text)
    modules: tuple[str, ...] = field(default=(), validator=_check_texts)
    hidden: bool = False


def _check_suffixes(owner: Component, attribute: Any, suffixes: tuple[str, ...]) -> None:
    _check_texts(owner, attribute, suffixes)
    if invalid := [text for text in suffixes if not text.startswith(".") or text != text.lower()]:
        component = f"{owner.kind} {owner.name!r}"
        raise PluginError(f"{component}: {attribute.name} must be lower-case and begin with a dot: {invalid}")


@frozen(kw_only=True)
class Runtime(Component):
    """What opens model files of a format: `fas_core.contracts.RuntimeFunction`.

    Args:
        suffixes: endings of the files' names, e.g. `(".onnx",)`; of several runtimes that of the longest.
        beside: suffixes of further files of the same stem that belong to a model, e.g. `.bin`.
        card_writer: target of the `fas_core.contracts.CardWriter` for `fas calibrate`; empty: a calibration
            is a file beside the model.
        runs_code: whether to open a file can run code that it holds, as a pickle does: users must trust it.
        devices: target of the `fas_core.contracts.DeviceList` for `--device`; empty: it runs on the CPU
            alone, and is not called with a device.
    """

    kind: ClassVar[str] = "runtime"
    hook: ClassVar[str] = "fas_runtimes"

    suffixes: tuple[str, ...] = field(validator=_check_suffixes)
    beside: tuple[str, ...] = field(default=(), validator=_check_suffixes)
    card_writer: str = field(default="", validator=_check_optional_target)
    runs_code: bool = False
    devices: str = field(default="", validator=_check_optional_target)

    @suffixes.validator
    def _has_suffix(self, _: object, suffixes: tuple[str, ...]) -> None:
        if not suffixes:
            raise PluginError(f"runtime {self.name!r}: suffixes must be those of its files, one or more")

    def load_card_writer(self) -> Any:
        """Import and return the object that `card_writer` names."""
        return self._load(self.card_writer)

    def load_devices(self) -> Any:
        """Import and return the function that `devices` names."""
        return self._load(self.devices)


@frozen(kw_only=True)
class Detector(Component):
    """A face detector: `fas_core.contracts.DetectorFunction`.

    Args:
        landmarks: whether it finds the five points of `fas_core.DetectedFace`, too.
        suffixes: endings of the model files that it takes from users (`--detector NAME:FILE`); none for one
            that takes no file.
        fetched: name under which `fas models get` fetches its model; empty for one that needs none.
        sha256: digest of the fetched model.
    """

    kind: ClassVar[str] = "detector"
    hook: ClassVar[str] = "fas_detectors"

    landmarks: bool = True
    suffixes: tuple[str, ...] = field(default=(), validator=_check_suffixes)
    fetched: str = field(default="", validator=check_text)
    sha256: str = field(default="", validator=check_text)


@frozen(kw_only=True)
class Tracker(Component):
    """What records a run's figures elsewhere: `fas_core.contracts.RunTracker`."""

    kind: ClassVar[str] = "tracker"
    hook: ClassVar[str] = "fas_trackers"


PANELS = ("Train and evaluate", "Ship and run", "Data", "Inspect")
"""Headings of `fas --help`, in order; further ones of plugins follow."""

KINDS: dict[str, type[Component]] = {
    cls.kind: cls
    for cls in (
        *(Backbone, Fusion, Dataset, Augmentation, Loss, Optimizer, Schedule, Metric),
        *(Exporter, Runtime, Detector, Command, Catalogue, RecipeFile, Tracker),
    )
}
"""The class of each kind of component; it names its hook in `fas_core.hookspecs`."""
