"""What a run is trained with: its recipe, its data, and the versions of the programs. And how two differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen

from fas_core.config.load import to_plain
from fas_core.contracts import DatasetReader
from fas_core.data.fingerprint import SplitFingerprint
from fas_core.digests import hash_file, read_weights_digest
from fas_core.registry import Registry
from fas_core.runs import files
from fas_core.runs.environment import read_environment, required_plugins
from fas_core.runs.run import Run, structure_recipe
from fas_core.text_files import shorten

CHANGED_BY_RESUME = frozenset(
    {
        "train.epochs",
        "train.workers",
        "train.cache",
        "train.device",
        "train.checkpoint_minutes",
        "train.on_usr1",
        "train.trackers",
        "train.peer_timeout",
        "train.distillation.run",
        "data.root",
        "data.image_root",
        "tags",
    }
)
"""Keys of a recipe that a training may go on with changed."""

TEACHER = "weights of the teacher"

HARMLESS_VERSIONS = frozenset({"python", "pyarrow"})
"""Programs that no figure of a run depends on."""


@frozen
class Differences:
    """What differs between two conditions, a line each: `decisive` would change figures, `harmless` not."""

    decisive: tuple[str, ...]
    harmless: tuple[str, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        return self.decisive + self.harmless


@frozen
class Conditions:
    """What a run is trained with.

    Args:
        recipe: the resolved recipe as plain data.
        data: the samples of each split.
        versions: of Python, of fas and of the packages that it uses, without their builds (`+cpu`).
        plugins: versions of the plugins that the recipe needs, by distribution.
        teacher: digest of the weights of `train.distillation.run`; None without distillation.
    """

    recipe: dict[str, Any]
    data: dict[str, SplitFingerprint]
    versions: dict[str, str]
    plugins: dict[str, str]
    teacher: str | None = None

    @classmethod
    def of(cls, run: Run, reader: DatasetReader) -> Conditions:
        """Return what the run would be trained with now; `reader` is of its data set."""
        environment = read_environment()
        versions = {"python": environment["python"], **environment["packages"]}
        plugins = required_plugins(run.recipe, run.registry)
        return cls(
            recipe=to_plain(run.recipe, run.registry),
            data={split: SplitFingerprint.of(reader.samples(split)) for split in reader.splits()},
            versions={name: version.partition("+")[0] for name, version in versions.items()},
            plugins={name: str(plugin["version"]) for name, plugin in plugins.items()},
            teacher=_digest_teacher(run),
        )

    def compare(self, before: Conditions, registry: Registry) -> Differences:
        """Return how these differ from earlier ones.

        Raises:
            ConfigError: the earlier recipe is none.
        """
        earlier = structure_recipe(before.recipe, registry, f"the recipe in {files.HISTORY}")
        recipe = _compare(flatten_recipe(to_plain(earlier, registry)), flatten_recipe(self.recipe))
        versions = _compare(before.versions, self.versions)
        plugins = _compare(before.plugins, self.plugins)
        decisive = [
            *_compare_data(before.data, self.data),
            *(f"recipe: {line}" for key, line in recipe.items() if key not in CHANGED_BY_RESUME),
            *(line for name, line in versions.items() if name not in HARMLESS_VERSIONS),
            *(f"plugin {line}" for line in plugins.values()),
            *_compare({TEACHER: before.teacher}, {TEACHER: self.teacher}).values(),
        ]
        harmless = [line for name, line in versions.items() if name in HARMLESS_VERSIONS]
        return Differences(tuple(decisive), tuple(harmless))


def _digest_teacher(run: Run) -> str | None:
    """Return the digest of the weights that a run is distilled from; raise ModelError if they are damaged."""
    config = run.recipe.train.distillation
    if config is None:
        return None
    weights = Run(config.run, run.recipe, run.registry).weights()
    return read_weights_digest(weights) or hash_file(weights)


def _compare_data(
    before: Mapping[str, SplitFingerprint], now: Mapping[str, SplitFingerprint]
) -> Iterator[str]:
    for split in dict.fromkeys([*before, *now]):
        if split not in now:
            yield f"data: there is no split {split} any more"
        elif split not in before:
            yield f"data: there was no split {split}"
        else:
            yield from (f"data, {split}: {line}" for line in now[split].describe_changes(before[split]))


def flatten_recipe(tree: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """Return a recipe as `{"train.lr": 0.01, ...}`."""
    values: dict[str, Any] = {}
    for key, value in tree.items():
        name = f"{path}{key}"
        values |= flatten_recipe(value, f"{name}.") if isinstance(value, dict) else {name: value}
    return values


def _compare(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, str]:
    """Return a line for each key whose value differs, e.g. `train.lr: 0.02, was 0.01`."""
    keys = [key for key in dict.fromkeys([*before, *now]) if before.get(key) != now.get(key)]
    return {
        key: f"{key}: {shorten(str(now.get(key, 'none')))}, was {shorten(str(before.get(key, 'none')))}"
        for key in keys
    }
