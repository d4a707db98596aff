"""What a plugin registers: small frozen records that name a component and point at its code.

A descriptor imports nothing: `target` is a `"package.module:attribute"` string that is resolved
when the component is used, and `options` is an attrs class that lives beside the descriptor, so
that listing plugins and validating recipes stay light.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, get_args

from attrs import field, frozen

from fas_core.errors import PluginError

NAME = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")
TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")

Stage = Literal["inputs", "maps", "embeddings", "logits"]


@frozen
class NoOptions:
    """The options of a component that has none."""


def _check_name(owner: Component, _: object, name: str) -> None:
    if not NAME.fullmatch(name):
        raise PluginError(
            f"{owner.kind} name {name!r}: use lower-case letters and digits joined by '_' or '-'"
        )


def _check_target(owner: Component, attribute: Any, target: str) -> None:
    if not TARGET.fullmatch(target):
        raise PluginError(
            f"{owner.kind} {owner.name!r}: {attribute.name} {target!r} must read 'package.module:attribute'"
        )


def _check_any_target(owner: Component, attribute: Any, target: str) -> None:
    if target:
        _check_target(owner, attribute, target)


def load_target(target: str) -> Any:
    """The object that a target points at; the first use of it imports its module."""
    module, _, attribute = target.partition(":")
    return getattr(importlib.import_module(module), attribute)


@frozen(kw_only=True)
class Component:
    """One thing that a plugin provides.

    Args:
        name: what recipes and flags call it.
        summary: one line for `fas plugins list`.
        target: `"package.module:attribute"`; see `fas_core.contracts` for how each kind is called.
        options: attrs class that the recipe's options are structured into.
        source: the paper (title, arXiv number), release or standard it comes from.
    """

    kind: ClassVar[str] = "component"
    hook: ClassVar[str]

    name: str = field(validator=_check_name)
    summary: str
    target: str = field(validator=_check_target)
    options: type[Any] = NoOptions
    source: str = ""

    def load(self) -> Any:
        """The object that `target` points at; the first use of it imports its module."""
        return load_target(self.target)


@frozen(kw_only=True)
class Backbone(Component):
    """A network over one modality: `fas_core.contracts.BackboneModule`.

    Args:
        input_size: side of the input that it was published with, in pixels.
        normalize: mean and standard deviation per channel, for pixels in [0, 1], that its published weights
            expect; None where that is the recipe's matter.
    """

    kind: ClassVar[str] = "backbone"
    hook: ClassVar[str] = "fas_backbones"

    input_size: int = 224
    normalize: tuple[tuple[float, float, float], tuple[float, float, float]] | None = None


@frozen(kw_only=True)
class Fusion(Component):
    """What joins the modalities: `fas_core.contracts.FusionModule`.

    Args:
        takes: the stage of each branch that it is given; later stages are not built.
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
        markers: glob patterns below a root, any of which tells that the root has this layout
            (for `--data FOLDER`).
        suffixes: name endings of the root, where it is one file (for `--data FILE`).
        makes: whether it makes its data itself, so that no root need be given.
        sets: protocols that are reported as mean and standard deviation over sub-protocols: name of the set
            -> values of the options' `protocol`.
        submission: `"package.module:attribute"` of what says how a file for the challenge with this data set
            reads, for `fas submit`: `fas_core.contracts.SubmissionFunction`; empty where there is none.
    """

    kind: ClassVar[str] = "dataset"
    hook: ClassVar[str] = "fas_datasets"

    markers: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    makes: bool = False
    sets: Mapping[str, tuple[str, ...]] = field(factory=dict, hash=False)
    submission: str = field(default="", validator=_check_any_target)

    def load_submission(self) -> Any:
        """What `submission` points at."""
        return load_target(self.submission)


@frozen(kw_only=True)
class Loss(Component):
    """What training minimises: `fas_core.contracts.LossModule`."""

    kind: ClassVar[str] = "loss"
    hook: ClassVar[str] = "fas_losses"


@frozen(kw_only=True)
class Metric(Component):
    """A pure function of a score table: `fas_core.contracts.MetricFunction`."""

    kind: ClassVar[str] = "metric"
    hook: ClassVar[str] = "fas_metrics"


@frozen(kw_only=True)
class Exporter(Component):
    """What writes a trained model for other runtimes: `fas_core.contracts.ExporterFunction`.

    Args:
        suffix: the file name ending it writes, e.g. `.onnx`; empty for a folder.
        beside: endings of further files of the same name, e.g. `.bin`.
        forms: what it can be written as, of fp32, fp16, int8 and pruned; where there are several, the
            options have a `form` that is one of them.
    """

    kind: ClassVar[str] = "exporter"
    hook: ClassVar[str] = "fas_exporters"

    suffix: str
    beside: tuple[str, ...] = ()
    forms: tuple[str, ...] = ("fp32",)


def _check_command_name(_: Component, __: object, name: str) -> None:
    """`upload`, or below a group of commands `config upload`."""
    words = name.split(" ")
    if len(words) > 2 or not all(NAME.fullmatch(word) for word in words):
        raise PluginError(
            f"command name {name!r}: use lower-case letters and digits joined by '_' or '-', "
            f"for a sub-command after the name of its group and a space"
        )


@frozen(kw_only=True)
class Command(Component):
    """A further `fas` command; `target` is a click command. It takes no options class.

    Args:
        name: what is typed after `fas`; `config upload` is a sub-command of the group `config`.
        panel: heading that `fas --help` lists it under, one of `PANELS` or one of your own.
        extra: optional dependencies of its distribution that it cannot run without, e.g. `serve` for
            `pip install 'acme-fas[serve]'`; its help needs none of them.
        modules: importable names that tell whether these are installed.
        hidden: whether it runs without being listed.
    """

    kind: ClassVar[str] = "command"
    hook: ClassVar[str] = "fas_commands"

    name: str = field(validator=_check_command_name)
    panel: str = "More commands"
    extra: str = ""
    modules: tuple[str, ...] = ()
    hidden: bool = False


PANELS = ("Train and evaluate", "Ship and run", "Data", "Inspect")
"""Headings of `fas --help`, in order; those of plugins' own follow."""

KINDS: dict[str, type[Component]] = {
    cls.kind: cls for cls in (Backbone, Fusion, Dataset, Loss, Metric, Exporter, Command)
}
"""Every kind of component by its name; each class names its hook in `fas_core.hookspecs`."""
