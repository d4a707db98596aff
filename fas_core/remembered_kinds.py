"""Descriptors of the components that `fas` remembers between calls: commands, runtimes and detectors.

They stand apart from those of `fas_core.descriptors`, so that a command starts without importing these.
"""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import field, frozen

from fas_core.component import (
    NAME,
    NAME_RULE,
    Component,
    check_optional_target,
    check_text,
    check_texts,
)
from fas_core.errors import PluginError

PANELS = ("Train and evaluate", "Ship and run", "Data", "Inspect")
"""Headings of `fas --help`, in order; further ones of plugins follow."""


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
    modules: tuple[str, ...] = field(default=(), validator=check_texts)
    hidden: bool = False


def _check_suffixes(owner: Component, attribute: Any, suffixes: tuple[str, ...]) -> None:
    check_texts(owner, attribute, suffixes)
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
    card_writer: str = field(default="", validator=check_optional_target)
    runs_code: bool = False
    devices: str = field(default="", validator=check_optional_target)

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
