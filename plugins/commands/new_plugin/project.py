"""The distribution that `fas plugins new` writes: the files of a template, with the names filled in.

The templates of a kind are the files of `templates/KIND`, after those of `templates/common`. Each ends in
`.tmpl` and is a `string.Template` (`$name`, and `$$` for a dollar sign); the folder `package` gets the name
of the package. `about.toml` says what the component does, how it is used, and what its tests need.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import Any

from attrs import frozen

from fas_core import API_VERSION, __version__
from fas_core.atomic import replacing
from fas_core.component import NAME, NAME_RULE
from fas_core.descriptors import KINDS
from fas_core.errors import ConfigError
from fas_core.registry import registry
from fas_core.remembered_kinds import Command

TEMPLATES = Path(__file__).parent / "templates"
COMMON, ABOUT, SUFFIX = "common", "about.toml", ".tmpl"


@frozen
class Names:
    """The names of a component and of what it is in.

    Args:
        name: of the component, e.g. `soft-hinge`.
        distribution: e.g. `fas-soft-hinge`; `package` is `fas_soft_hinge`.
        prefix: start of the names of classes, e.g. `SoftHinge`.
    """

    name: str
    distribution: str
    package: str
    prefix: str

    @classmethod
    def of(cls, text: str) -> Names:
        """Return the names for `soft-hinge`, or for a distribution `fas-soft-hinge`.

        Raises:
            ConfigError: it cannot be the name of a component.
        """
        name = re.sub(r"^fas[-_]", "", text)
        if not NAME.fullmatch(name):
            raise ConfigError(f"plugin name {text!r}: {NAME_RULE}")
        words = re.split("[-_]", name)
        package = "_".join(("fas", *words))
        return cls(name, package.replace("_", "-"), package, "".join(word.capitalize() for word in words))


def write_project(text: str, kind: str, parent: Path) -> tuple[Path, list[Path]]:
    """Write a distribution into a new folder of `parent`; return the folder, and its files relative to it.

    Args:
        text: name of the component; the distribution's is the same after `fas-`.
        kind: a key of `KINDS`.

    Raises:
        ConfigError: the name is not valid or is taken, or the folder exists.
        FasError: the folder cannot be written.
    """
    names = Names.of(text)
    folder = parent / names.distribution
    _check_free(names, kind, folder)
    files = dict(sorted(render(names, kind)))
    with replacing(folder) as temporary:
        for path, content in files.items():
            file = temporary / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8", newline="\n")
    return folder, list(files)


def _check_free(names: Names, kind: str, folder: Path) -> None:
    """Refuse a name of another component, of an installed package or of a folder."""
    if providers := registry().providers(KINDS[kind], names.name):
        raise ConfigError(f"{kind} {names.name!r} is provided by {providers[0]}: choose another name")
    if KINDS[kind] is Command and names.name in _list_core_commands():
        raise ConfigError(f"command {names.name!r} is one of fas-core: choose another name")
    if find_spec(names.package) is not None:
        raise ConfigError(f"the package {names.package} is installed already: choose another name")
    if folder.exists():
        raise ConfigError(f"{folder} exists: choose another name, or another folder by --into")


def _list_core_commands() -> tuple[str, ...]:
    from fas_core.cli import COMMANDS

    return tuple(name for name, *_ in COMMANDS)


def render(names: Names, kind: str) -> Iterator[tuple[Path, str]]:
    """Yield the path in the distribution and the text of every file."""
    about: dict[str, Any] = tomllib.loads((TEMPLATES / kind / ABOUT).read_text(encoding="utf-8"))
    major, minor, *_ = __version__.split(".")
    values = {
        "name": names.name,
        "distribution": names.distribution,
        "package": names.package,
        "prefix": names.prefix,
        "kind": kind,
        "api": API_VERSION,
        "core": f">={major}.{minor},<{int(major) + 1}",
    }
    values |= {key: Template(value).substitute(values).strip() for key, value in about.items()}
    for template in (COMMON, kind):
        root = TEMPLATES / template
        for file in sorted(root.rglob(f"*{SUFFIX}")):
            path = file.relative_to(root)
            parts = [names.package if part == "package" else part for part in path.parts]
            text = Template(file.read_text(encoding="utf-8")).substitute(values)
            yield Path(*parts).with_suffix(""), text
