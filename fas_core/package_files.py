"""Descriptors of components that are a file of their package: recipes, and lists of public models."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import ClassVar

from attrs import field, frozen

from fas_core.component import Component
from fas_core.errors import PluginError

FILE_TARGET = re.compile(r"[A-Za-z_][\w.]*:[\w-]+\.yaml")


def _check_file_target(owner: Component, _: object, target: str) -> None:
    if not FILE_TARGET.fullmatch(target):
        raise PluginError(f"{owner.kind} {owner.name!r}: target {target!r} must read 'package:file.yaml'")


@frozen(kw_only=True)
class PackageFile(Component):
    """A component that is a YAML file of its package.

    Args:
        target: `"package:file.yaml"`. It takes no options class.
    """

    target: str = field(validator=_check_file_target)

    @property
    def path(self) -> Path:
        """Where the file lies; raises PluginError if the package cannot be imported."""
        package, _, name = self.target.partition(":")
        with self.naming_failures():
            return Path(str(resources.files(package).joinpath(name)))

    def load(self) -> str:
        """Return the text of the file.

        Raises:
            PluginError: the package cannot be imported or has no such file.
        """
        with self.naming_failures():
            return self.path.read_text(encoding="utf-8")


@frozen(kw_only=True)
class Catalogue(PackageFile):
    """A list of public models that `fas models get` fetches: `fas_core.runtime.public_model` has its format.

    Args:
        target: `"package:file.yaml"`, a file that the package ships. It takes no options class.
    """

    kind: ClassVar[str] = "catalogue"
    hook: ClassVar[str] = "fas_public_models"


@frozen(kw_only=True)
class RecipeFile(PackageFile):
    """A recipe that is run by name: `fas train NAME`. `extends` in it names a recipe, or a file beside it.

    Args:
        target: `"package:file.yaml"`, a file that the package ships. It takes no options class.
    """

    kind: ClassVar[str] = "recipe"
    hook: ClassVar[str] = "fas_recipes"

    @classmethod
    def list_package(cls, package: str) -> Iterator[RecipeFile]:
        """Yield each YAML file of a package: its name is the file's, its summary the comment in line one."""
        for file in sorted(resources.files(package).iterdir(), key=lambda file: file.name):
            if file.name.endswith(".yaml"):
                with file.open(encoding="utf-8") as lines:
                    first = lines.readline().strip()
                summary = first.removeprefix("#").strip() if first.startswith("#") else ""
                name = file.name.removesuffix(".yaml")
                yield cls(name=name, summary=summary, target=f"{package}:{file.name}")
