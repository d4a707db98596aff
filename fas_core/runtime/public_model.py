"""Public models by name: the entries of the plugins' catalogues, and the folders of fetched models."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from attrs import evolve, field, frozen
from attrs import validators as v

from fas_core.component import NAME, NAME_RULE
from fas_core.config.plain import build_plain_converter, structure_plain
from fas_core.data.fetched_models import ENTRY_FILE
from fas_core.data.model_formats import list_suffixes
from fas_core.errors import ConfigError
from fas_core.package_files import Catalogue
from fas_core.registry import Registry
from fas_core.runtime.external_model import ExternalModel

FILE_NAME = re.compile(r"\w[\w .+-]*")
SHA256 = re.compile(r"[0-9a-f]{64}")
MAX_SIZE = 2**30
"""Bytes of a file."""
CHECKPOINTS = (".pth", ".pt", ".safetensors")
"""Suffixes of files that `fas import` makes a model of."""


def _check_url(_: object, attribute: Any, url: str) -> None:
    suffixes = (*list_suffixes(), *CHECKPOINTS)
    is_file = FILE_NAME.fullmatch(_file_name(url)) and _file_name(url).endswith(suffixes)
    if urlsplit(url).scheme != "https" or not is_file:
        rule = f"an https address of a file ({', '.join(suffixes)})"
        raise ValueError(f"'{attribute.name}' must be {rule}: {url!r}")


def _file_name(url: str) -> str:
    return unquote(urlsplit(url).path).rpartition("/")[2]


@frozen
class PublicFile:
    """A file of a public model: one network.

    Args:
        url: https address, at a pinned version of its source.
        sha256: digest of the file, 64 hex digits.
        size: of the file in bytes.
        terms: what the network takes and what its output means.
        import_options: options of `fas import` for a checkpoint, which is stored as an ONNX file; none for a
            file that an engine runs as it is.
    """

    url: str = field(validator=_check_url)
    sha256: str = field(validator=v.matches_re(SHA256))
    size: int = field(validator=[v.ge(1), v.le(MAX_SIZE)])
    terms: ExternalModel
    import_options: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of the published file."""
        return _file_name(self.url)

    @property
    def stored_name(self) -> str:
        """Name of the file in the model's folder."""
        return str(Path(self.name).with_suffix(".onnx")) if self.import_options else self.name


@frozen
class PublicModel:
    """An entry of a catalogue.

    Args:
        summary: what it is, in a few words.
        files: its networks; the score is the mean of their scores.
        threshold: accepted as live when `score >= threshold`: as its source decides.
        licence: SPDX identifier; `NOASSERTION` where the source states none.
        licence_url: address of the licence's text, or where it should be.
        source: address of the project.
        training_data: what it was trained on.
        classes: names of the classes of its output, in order.
        paper: title and arXiv number, or the like.
        notes: what else a user should know.
        plugin: distribution with the networks, for checkpoints.
        name: key of the entry.
    """

    summary: str
    files: tuple[PublicFile, ...] = field(validator=v.min_len(1))
    threshold: float
    licence: str = field(validator=v.min_len(1))
    licence_url: str
    source: str
    training_data: str
    classes: tuple[str, ...] = ()
    paper: str = ""
    notes: str = ""
    plugin: str = ""
    name: str = ""

    @files.validator
    def _check_names(self, attribute: Any, files: tuple[PublicFile, ...]) -> None:
        names = [file.stored_name for file in files]
        if len(set(names)) < len(names):
            raise ValueError(f"'{attribute.name}' must have different names: {names}")

    @property
    def size(self) -> int:
        """Bytes of all published files."""
        return sum(file.size for file in self.files)

    @classmethod
    def read(cls, folder: Path) -> PublicModel:
        """Read the entry of a fetched model; raise ConfigError if it is not one or cannot be read."""
        from fas_core.yaml_files import read_yaml

        path = folder / ENTRY_FILE
        return structure_plain(read_yaml(path), cls, str(path))

    def to_plain(self) -> dict[str, Any]:
        """Return the entry as plain data, which `read` reads."""
        return dict(build_plain_converter().unstructure(self))


def read_catalogues(registry: Registry) -> dict[str, PublicModel]:
    """Return the public models of all plugins' catalogues by name.

    Raises:
        ConfigError: a catalogue is not valid, or two have a model of one name.
        PluginError: a plugin lacks the file of its catalogue.
    """
    models: dict[str, PublicModel] = {}
    owners: dict[str, Catalogue] = {}
    for catalogue in registry.all(Catalogue):
        for name, model in parse_catalogue(catalogue.load(), str(catalogue)).items():
            if name in models:
                raise ConfigError(f"public model {name!r}: in {owners[name]} and in {catalogue}")
            models[name], owners[name] = model, catalogue
    return models


def parse_catalogue(text: str, where: str) -> dict[str, PublicModel]:
    """Return the models of a catalogue, a YAML mapping of names to entries; `where` is for messages.

    Raises:
        ConfigError: it is no such mapping, or an entry is not valid.
    """
    from fas_core.yaml_files import parse_yaml

    tree = parse_yaml(text, where)
    if not isinstance(tree, Mapping) or not tree:
        raise ConfigError(f"{where}: must be a mapping of names to public models")
    models = {}
    for name, entry in tree.items():
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise ConfigError(f"{where}: public model {name!r}: {NAME_RULE}")
        model = structure_plain(entry, PublicModel, f"{where}: {name}")
        models[name] = evolve(model, name=name)
    return models
