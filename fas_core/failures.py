"""What a plugin's code raises, as one line that names the component, its distribution and the line of code.

`naming_failures` stands where a component is loaded and called. What its methods raise later, such as
`forward`, passes through to the command line, where `fas_core.registry.Registry.name_failure` finds the
plugin from the traceback. Both leave a `FasError` as it is, and fas-core's own plugins their traceback.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from attrs import frozen

from fas_core.deprecation import naming_user
from fas_core.errors import FasError, PluginError

CORE = re.compile(r"fas[-_.]core(?![-_.\w])", re.IGNORECASE)
"""The start of a requirement on fas-core."""

FAILURES = (Exception, SystemExit, GeneratorExit)
"""What counts as a failure of a plugin in use; Ctrl-C stays what it is."""


@frozen
class Provider:
    """The distribution that a component comes from."""

    distribution: str
    version: str

    @property
    def is_core(self) -> bool:
        """Whether it is fas-core itself."""
        return CORE.fullmatch(self.distribution) is not None

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}"


@contextmanager
def naming_failures(
    subject: str, provider: Provider | None, package: str, target: object = None
) -> Iterator[None]:
    """Raise what the block raises as a PluginError that begins with `subject`.

    Args:
        subject: what fails, e.g. `metric 'gap' of acme-fas 1.0`.
        provider: where it comes from; errors of fas-core's own components stay as they are.
        package: top-level package of its code.
        target: what is called, whose place in the code is named where an error came through no line of it.
    """
    try:
        with naming_user(subject):
            yield
    except FasError:
        raise
    except FAILURES as error:
        if provider is not None and provider.is_core:
            raise
        raise PluginError(describe_failure(subject, error, package, target)) from error


def describe_failure(subject: str, error: BaseException, package: str, target: object = None) -> str:
    """Return `metric 'gap' of acme-fas 1.0 failed: ZeroDivisionError: division by zero (acme_fas.py:7)`."""
    location = locate_error(error, package) or _locate_definition(target)
    return f"{subject} failed: {describe_error(error)}" + (f" ({location})" if location else "")


def describe_error(error: BaseException) -> str:
    """Return the type of an error and its message in one line, without the lines that only introduce it."""
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if type(error).__name__ == "PluginValidationError":  # of pluggy: the last line says what is wrong
        lines = ["; ".join(lines)]
    elif len(lines) > 1 and lines[0].endswith(":"):
        lines = [" ".join(lines[:2])]
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def locate_error(error: BaseException, package: str) -> str:
    """Return `FILE:LINE` of the innermost line of a package that an error came through, else empty text."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    from traceback import walk_tb  # slow to import, and rarely needed

    lines = [
        f"{frame.f_code.co_filename}:{line}"
        for frame, line in walk_tb(error.__traceback__)
        if top_package(module_of(frame)) == package
    ]
    return lines[-1] if lines else ""


def _locate_definition(target: object) -> str:
    """Return `FILE:LINE` of a function or of a class's constructor, else empty text."""
    for function in (target, getattr(target, "__init__", None)):
        if (code := getattr(function, "__code__", None)) is not None:
            return f"{code.co_filename}:{code.co_firstlineno}"
    return ""


def format_traceback(error: BaseException) -> str:
    """Return the traceback of an error, as Python prints it."""
    import traceback  # as above

    return "".join(traceback.format_exception(error)).rstrip()


def module_of(frame: FrameType) -> str:
    """Return the dotted name of the module whose code a frame runs."""
    return str(frame.f_globals.get("__name__", ""))


def top_package(module: str) -> str:
    """Return `acme` of `acme.losses.hinge`, or of `acme:hinge`."""
    return re.split(r"[.:]", module, maxsplit=1)[0]
