"""The packages that fas-core and its extras ask for, and which of them are installed."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata, requires, version

from attrs import frozen
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

DISTRIBUTION = "fas-core"


@frozen
class Package:
    """A distribution that is asked for.

    Args:
        needed: the versions that do, e.g. `>=2.8`.
        version: that is installed; None where there is none.
    """

    name: str
    needed: SpecifierSet
    version: str | None

    @property
    def problem(self) -> str | None:
        """What is wrong, in a few words; None where nothing is."""
        if self.version is None:
            return f"{self.name} is missing"
        if self.needed.contains(self.version, prereleases=True):
            return None
        return f"{self.name} {self.version} is installed, {self.needed} is needed"

    def text(self) -> str:
        """Return name and version."""
        return f"{self.name} {self.version}"


def list_extras() -> list[str]:
    """Return the names of fas-core's extras."""
    return sorted(metadata(DISTRIBUTION).get_all("Provides-Extra") or ())


def read_packages(extra: str = "") -> list[Package]:
    """Return the packages of an extra, those of extras in it included; without one those that fas needs.

    Raises:
        PackageNotFoundError: fas-core itself is not installed.
    """
    packages = {item.name: _look_up(item) for item in _read_requirements(extra)}
    return sorted(packages.values(), key=lambda package: package.name.lower())


def _read_requirements(extra: str) -> Iterator[Requirement]:
    for text in requires(DISTRIBUTION) or ():
        item = Requirement(text)
        of_base = item.marker is None or item.marker.evaluate({"extra": ""})
        if of_base if not extra else not of_base and item.marker and item.marker.evaluate({"extra": extra}):
            if canonicalize_name(item.name) == DISTRIBUTION:
                for other in sorted(item.extras):
                    yield from _read_requirements(other)
            else:
                yield item


def _look_up(item: Requirement) -> Package:
    try:
        installed = version(item.name)
    except PackageNotFoundError:
        installed = None
    return Package(item.name, item.specifier, installed)
