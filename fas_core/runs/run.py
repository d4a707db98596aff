"""The run folder: everything a run leaves, enough to judge, resume and export it from the folder alone.

```
recipe.yaml          the resolved recipe        metrics.jsonl        a line an epoch
environment.json     versions, machine          scores/SPLIT.csv     of the best weights
best.safetensors     by dev EER or the last     state.pt             what resuming needs
last.safetensors     of the last epoch          results.json         the tables at the end
```

Where the recipe has folds, `scores/out_of_fold.csv` is what the threshold is fitted on.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from attrs import frozen

from fas_core import __version__
from fas_core.atomic import replacing
from fas_core.card import Card
from fas_core.config.load import merge, nest, read_mapping, to_plain, to_yaml
from fas_core.config.recipe import Recipe
from fas_core.config.structure import structure
from fas_core.errors import FasError, ModelError
from fas_core.models import PRETRAINED
from fas_core.registry import Registry
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold, fit_threshold

if TYPE_CHECKING:
    from fas_core.models.model import Model

Weights = Literal["best", "last"]
OUT_OF_FOLD = "out_of_fold"
"""What the scores of folds are called, beside those of splits."""

FOLDS_FILE, PROTOCOLS_FILE = "folds.yaml", "protocol_set.yaml"
"""Of a folder of folds, or of sub-protocols, which is no run itself."""

PACKAGES = ("torch", "numpy", "opencv-python-headless", "onnxruntime", "accelerate", "pyarrow")


@frozen
class Run:
    """A run folder and the recipe in it."""

    path: Path
    recipe: Recipe
    registry: Registry

    @classmethod
    def open(cls, path: Path, registry: Registry) -> Run:
        """A run that is there.

        Raises:
            FasError: the folder is no run folder.
        """
        file = path / "recipe.yaml"
        if (path / FOLDS_FILE).is_file():
            raise FasError(f"{path}: holds folds, each a run of its own: give {path / 'final'}")
        if not file.is_file():
            raise FasError(f"{path}: not a run folder (no recipe.yaml in it): give what `fas train` wrote")
        return cls(path, structure(read_mapping(file), Recipe, registry, str(file)), registry)

    def create(self) -> None:
        """Make the folder and write what is known before training.

        Raises:
            FasError: a run is there already, or the place cannot be written.
        """
        refuse_taken(self.path)
        self.write_text("environment.json", json.dumps(environment(), indent=2) + "\n")
        self.write_recipe()

    def write_recipe(self) -> None:
        """Write the resolved recipe."""
        self.write_text("recipe.yaml", to_yaml(to_plain(self.recipe, self.registry)))

    def changed(self, overrides: Mapping[str, Any]) -> Run:
        """The same run with some of its recipe changed, `{"train.epochs": 20}`; nothing is written.

        Raises:
            ConfigError: a value is wrong.
        """
        tree = to_plain(self.recipe, self.registry)
        for path, value in overrides.items():
            tree = merge(tree, nest(path, value))
        return Run(self.path, structure(tree, Recipe, self.registry, str(self.path)), self.registry)

    def write_text(self, name: str, text: str) -> None:
        """Write one file of the folder, whole or not at all."""
        with replacing(self.path / name) as temporary:
            temporary.write_text(text, encoding="utf-8")

    def weights(self, which: Weights = "best") -> Path:
        return self.path / f"{which}.safetensors"

    def scores(self, split: str) -> Path:
        return self.path / "scores" / f"{split}.csv"

    def model(self, which: Weights = "best") -> Model:
        """The model with trained weights, in eval mode on the CPU.

        Raises:
            ModelError: weights are missing or do not fit the recipe.
        """
        from fas_core.models.build import build_model
        from fas_core.models.checkpoint import load_weights

        if not self.weights(which).is_file() and (self.path / PRETRAINED).is_file():
            raise ModelError(
                f"{self.path}: holds pretrained weights only, of other classes than live and attack, and no "
                f"score: train from them, e.g. fas train {self.path / 'recipe.yaml'} --data ROOT_OR_NAME"
            )
        model = build_model(self.recipe, self.registry)
        load_weights(model, self.weights(which))
        return model.eval()

    @property
    def fitted_on(self) -> str:
        """What thresholds are fitted on: dev, or where the recipe has folds what other runs left of train."""
        return "dev" if self.recipe.folds is None else f"out-of-fold {self.recipe.folds}"

    def fitting_scores(self) -> ScoreTable | None:
        """The scores of that, by the best weights or the models of the folds; None where there are none."""
        return self.kept_scores("dev" if self.recipe.folds is None else OUT_OF_FOLD)

    def kept_scores(self, split: str) -> ScoreTable | None:
        """What the best weights (or the folds' models) gave a split, as far as it was scored."""
        path = self.scores(split)
        return ScoreTable.read(path) if path.is_file() else None

    def threshold(self) -> Threshold:
        """By the recipe's policy, from those scores.

        Raises:
            DataError: the policy is fitted and the run has no such scores.
        """
        return fit_threshold(self.recipe.threshold, self.fitting_scores(), self.fitted_on)

    def append_metrics(self, record: dict[str, Any]) -> None:
        """Add a line to metrics.jsonl.

        Raises:
            FasError: it cannot be written.
        """
        file = self.path / "metrics.jsonl"
        try:
            with file.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(record) + "\n")
        except OSError as error:
            raise FasError(f"{file}: cannot be written: {error.strerror}") from error

    def metrics(self) -> list[dict[str, Any]]:
        """The lines of metrics.jsonl."""
        file = self.path / "metrics.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.is_file() else []

    def card(self) -> Card:
        """What an export of this run carries."""
        try:
            threshold = self.threshold()
        except FasError:
            threshold = None
        results = self.path / "results.json"
        return Card(
            input=self.recipe.input,
            threshold=threshold,
            recipe=to_plain(self.recipe, self.registry),
            data=json.loads(results.read_text())["data"] if results.is_file() else {},
            versions=environment()["packages"],
        )


def refuse_taken(path: Path) -> None:
    """Refuse a folder that holds a run, or a set of them.

    Raises:
        FasError: it does.
    """
    if is_taken(path):
        what = "a run" if (path / "recipe.yaml").exists() else "runs"
        raise FasError(f"{path}: holds {what}: choose another --name, or --resume {path}")


def is_taken(path: Path) -> bool:
    """Whether a folder holds a run or a set of runs."""
    return any((path / name).exists() for name in ("recipe.yaml", PROTOCOLS_FILE, FOLDS_FILE))


def environment() -> dict[str, Any]:
    """Versions and machine, for the record."""
    packages = {"fas-core": __version__}
    for name in PACKAGES:
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            continue
    return {"packages": packages, "python": platform.python_version(), "platform": platform.platform()}
