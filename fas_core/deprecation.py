"""What of the public API goes: it works for another release, and warns once, naming who uses it.

`docs/api.md` has the promise. Python itself shows such warnings in tests alone; the command line shows all.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from types import FrameType
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_USER: ContextVar[str] = ContextVar("_USER", default="")
"""The plugin or component that fas has called."""

_PASSED_OVER = {"fas_core", "importlib", "_frozen_importlib", "_frozen_importlib_external"}
"""Top-level packages whose code only passes on what its caller asks for."""


class FasDeprecationWarning(DeprecationWarning):
    """Something of the public API goes with the next release; the message says what to use instead."""


@contextmanager
def naming_user(user: str) -> Iterator[None]:
    """Name a plugin or component, e.g. `plugin 'acme' of acme-fas 1.0`, in the warnings of its code."""
    token = _USER.set(user)
    try:
        yield
    finally:
        _USER.reset(token)


def warn_deprecated(former: str, replacement: str) -> None:
    """Warn that `former` is used, e.g. `module fas_core.rates`, and what to use instead.

    The warning is about the line that uses it. It names the plugin or component, if fas has called one, else
    the module.
    """
    frame = _find_user_frame()
    module = str(frame.f_globals.get("__name__"))
    warnings.warn_explicit(
        f"{_USER.get() or module}: {former} is deprecated: use {replacement}",
        FasDeprecationWarning,
        frame.f_code.co_filename,
        frame.f_lineno,
        module,
        frame.f_globals.setdefault("__warningregistry__", {}),
    )


def former_method(former: str, method: Callable[P, R]) -> Callable[P, R]:
    """Return a method under its former name, which warns: `judge = former_method("judge", predict)`."""
    owner = method.__qualname__.rpartition(".")[0]

    @wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        warn_deprecated(f"{owner}.{former}", f"{owner}.{method.__name__}")
        return method(*args, **kwargs)

    return call


@contextmanager
def naming_in_warnings(user: str) -> Iterator[None]:
    """Begin the deprecations that a library warns of in the block with the plugin in use, else `user`."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for item in caught:
        is_ours = issubclass(item.category, FasDeprecationWarning)
        text = f"{_USER.get() or user}: {item.message}" if is_ours else str(item.message)
        warnings.warn_explicit(text, item.category, item.filename, item.lineno)


@contextmanager
def showing_deprecations(show: Callable[[str], None]) -> Iterator[None]:
    """Pass the text of each deprecation in the block to `show`; Python hides them outside of tests."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", FasDeprecationWarning)
        show_others = warnings.showwarning

        def show_warning(message: Warning | str, category: type[Warning], *location: object) -> None:
            if issubclass(category, FasDeprecationWarning):
                show(str(message))
            else:
                show_others(message, category, *location)  # type: ignore[arg-type]

        warnings.showwarning = show_warning  # type: ignore[assignment]
        yield


def _find_user_frame() -> FrameType:
    """Return the innermost frame of code that uses the API, which is not fas-core's own."""
    frame = sys._getframe(1)
    while frame.f_back is not None and _is_passed_over(frame):
        frame = frame.f_back
    return frame


def _is_passed_over(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__")).partition(".")[0] in _PASSED_OVER
