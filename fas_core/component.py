"""What every kind of component has: a name, a summary, a target, options, and where it comes from.

A component's record imports nothing of it, so that listing plugins and validating recipes stay fast: its
target is resolved when the component is used, and its options class is beside the record.
"""

from __future__ import annotations

import importlib
import re
from contextlib import AbstractContextManager
from typing import Any, ClassVar, get_type_hints

from attrs import field, fields, frozen, has

from fas_core.errors import PluginError
from fas_core.failures import Provider, naming_failures, top_package

NAME = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")
NAME_RULE = "use lower-case letters and digits joined by '_' or '-'"
TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


@frozen
class NoOptions:
    """The options class of a component without options."""


def _check_name(owner: Component, _: object, name: str) -> None:
    if not NAME.fullmatch(name):
        raise PluginError(f"{owner.kind} name {name!r}: {NAME_RULE}")


def check_target(owner: Component, attribute: Any, target: str) -> None:
    """Validate a field that names code; raise PluginError unless it is `package.module:attribute`."""
    if not TARGET.fullmatch(target):
        component = f"{owner.kind} {owner.name!r}"
        raise PluginError(f"{component}: {attribute.name} {target!r} must read 'package.module:attribute'")


def _check_options(owner: Component, _: object, options: type[Any]) -> None:
    if not (isinstance(options, type) and has(options)):
        raise PluginError(f"{owner.kind} {owner.name!r}: options {options!r} must be an attrs class")
    try:
        get_type_hints(options)
    except Exception as error:
        raise PluginError(
            f"{owner.kind} {owner.name!r}: a type of options {options.__name__} cannot be read: {error}"
        ) from error
    for option in fields(options):
        if option.name in owner.reserved:
            raise PluginError(
                f"{owner.kind} {owner.name!r}: option {option.name!r} has a meaning of its own in recipes "
                f"(so do {', '.join(owner.reserved)}): rename it"
            )


def check_text(owner: Component, attribute: Any, text: str) -> None:
    """Validate a field of text; raise PluginError for a value of another type."""
    if not isinstance(text, str):
        raise PluginError(f"{owner.kind} {owner.name!r}: {attribute.name} must be text: {text!r}")


def check_optional_target(owner: Component, attribute: Any, target: str) -> None:
    """Validate a field that names code, or nothing, as `check_target`."""
    if target:
        check_target(owner, attribute, target)


def check_texts(owner: Component, attribute: Any, texts: tuple[str, ...]) -> None:
    """Refuse `markers="lab.json"`, which would be eight patterns of a letter."""
    if not isinstance(texts, tuple) or not all(isinstance(text, str) and text for text in texts):
        component = f"{owner.kind} {owner.name!r}"
        raise PluginError(f"{component}: {attribute.name} must be a tuple of texts: {texts!r}")


def load_target(target: str) -> Any:
    """Import the module of a target and return the object that it names."""
    module, _, attribute = target.partition(":")
    return getattr(importlib.import_module(module), attribute)


@frozen(kw_only=True)
class Component:
    """One component of a plugin.

    Args:
        summary: one line for `fas plugins list`.
        target: `"package.module:attribute"`; see `fas_core.contracts` for how each kind is called.
        options: attrs class of the recipe's options, without fields whose names are `reserved`.
        source: the paper (title, arXiv number), release or standard it comes from.
        provider: the distribution that it comes from; fas sets it when it finds the plugin.

    Raises:
        PluginError: the name, the target or the options class is not valid.
    """

    kind: ClassVar[str] = "component"
    hook: ClassVar[str]
    former_hooks: ClassVar[tuple[str, ...]] = ()
    """Former names of the hook, which plugins may implement for another release."""
    reserved: ClassVar[tuple[str, ...]] = ("name",)

    name: str = field(validator=_check_name)
    summary: str = field(validator=check_text)
    target: str = field(validator=check_target)
    options: type[Any] = field(default=NoOptions, validator=_check_options)
    source: str = field(default="", validator=check_text)
    provider: Provider | None = field(default=None, eq=False, repr=False)

    def __str__(self) -> str:
        """Return e.g. `metric 'gap' of acme-fas 1.0`."""
        return f"{self.kind} {self.name!r}" + (f" of {self.provider}" if self.provider else "")

    @property
    def qualified_name(self) -> str:
        """The name that no other component of this kind has: `acme-fas:gap`."""
        return f"{self.provider.distribution}:{self.name}" if self.provider else self.name

    def load(self) -> Any:
        """Import and return the object that `target` names."""
        return self._load(self.target)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Load the target and call it, as `fas_core.contracts` says for each kind.

        Raises:
            PluginError: it cannot be loaded, or raised an exception, and is not one of fas-core's own.
        """
        target = self.load()
        with self.naming_failures(target):
            return target(*args, **kwargs)

    def naming_failures(self, target: object = None) -> AbstractContextManager[None]:
        """Return a context in which errors name this component; see `fas_core.failures`."""
        return naming_failures(str(self), self.provider, top_package(self.target), target)

    def _load(self, target: str) -> Any:
        subject = f"{self}: loading {target}"
        with naming_failures(subject, self.provider, top_package(target)):
            loaded = load_target(target)
            if not callable(loaded):
                raise PluginError(f"{self}: {target} cannot be called: {loaded!r}")
            return loaded
