"""The run folder: all that a run leaves, enough to evaluate, resume and export it from the folder alone.

```
recipe.yaml          the resolved recipe        metrics.jsonl        a line an epoch
environment.json     versions, machine          scores/SPLIT.csv     scores by the best weights
history.json         what it was trained with   owner.json           who trains it, meanwhile
best.safetensors     lowest dev EER, or last    state.pt             what resuming needs
last.safetensors     of the last epoch          results.json         the tables at the end
calibration.json     threshold set for a site
novelty.safetensors  what `fas export --novelty` fitted
```

`scores/train_live.csv` has the scores of some live samples of train, for the card's reference.

Where the recipe has folds, the threshold is fitted on `scores/out_of_fold.csv`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from attrs import frozen

from fas_core.atomic import write_text
from fas_core.component import Component
from fas_core.config.load import FORMAT, apply_overrides, read_mapping, to_plain, to_yaml
from fas_core.config.plain import structure_plain
from fas_core.config.recipe import Recipe
from fas_core.config.structure import structure
from fas_core.digests import read_metadata, read_weights_digest
from fas_core.errors import DataError, FasError, ModelError
from fas_core.models import PRETRAINED
from fas_core.records.novelty import NoveltyLimit
from fas_core.registry import Registry
from fas_core.runs import files, score_files
from fas_core.runs.environment import read_environment, read_required, required_plugins
from fas_core.runs.metrics_file import read_metrics, write_metrics
from fas_core.runs.results import read_results
from fas_core.runtime.calibration_file import read_calibration
from fas_core.scores.calibration import Calibration
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold, fit_threshold
from fas_core.text_files import parse_json

if TYPE_CHECKING:
    from fas_core.models.model import Model

Weights = Literal["best", "last"]


@frozen
class Run:
    """A run folder and the recipe in it.

    Plugins that the recipe needs may be absent: only what uses them fails, and names them.
    """

    path: Path
    recipe: Recipe
    registry: Registry

    @classmethod
    def open(cls, path: Path, registry: Registry) -> Run:
        """Open an existing run folder; raise FasError if it is none."""
        file = path / files.RECIPE
        if (path / files.FOLDS).is_file():
            raise FasError(f"{path}: holds folds, each a run of its own: give {path / 'final'}")
        if not file.is_file():
            raise FasError(f"{path}: not a run folder (no {files.RECIPE} in it): give what `fas train` wrote")
        registry = registry.requiring(read_required(path))
        return cls(path, structure_recipe(read_mapping(file), registry, str(file)), registry)

    def create(self) -> None:
        """Make the folder and write what is known before training; raises as `claim_folder` does."""
        claim_folder(self.path)
        environment = read_environment() | {"plugins": required_plugins(self.recipe, self.registry)}
        self.write_text(files.ENVIRONMENT, json.dumps(environment, indent=2) + "\n")
        self.write_recipe()

    def require_folder(self) -> None:
        """Raise FasError if the folder has been removed: it must not come back without its recipe."""
        if not (self.path / files.RECIPE).is_file():
            problem = "no recipe.yaml in it" if self.path.is_dir() else "no such folder"
            raise FasError(f"{self.path}: cannot be written: {problem}; was it removed during the run?")

    def write_recipe(self) -> None:
        """Write the resolved recipe."""
        self.write_text(files.RECIPE, to_yaml({"format": FORMAT, **to_plain(self.recipe, self.registry)}))

    def changed(self, overrides: Mapping[str, Any]) -> Run:
        """Return the run with some of its recipe changed, `{"train.epochs": 20}`; nothing is written."""
        tree = apply_overrides(to_plain(self.recipe, self.registry), overrides)
        return Run(self.path, structure_recipe(tree, self.registry, str(self.path)), self.registry)

    def write_text(self, name: str, text: str) -> None:
        """Write one file of the folder, whole or not at all."""
        write_text(self.path / name, text)

    def weights(self, which: Weights = "best") -> Path:
        return self.path / f"{which}.safetensors"

    def save_weights(self, model: Model, which: Weights) -> None:
        """Write a model's weights; raise FasError as `require_folder`, or if they cannot be written."""
        from fas_core.models.checkpoint import save_weights

        self.require_folder()
        save_weights(model, self.weights(which))

    def scores(self, split: str) -> Path:
        return files.score_file(self.path, split)

    def model(self, which: Weights = "best") -> Model:
        """Build the trained model, in eval mode on the CPU; raise ModelError if its weights do not fit."""
        from fas_core.models.build import build_model
        from fas_core.models.checkpoint import load_weights
        from fas_core.models.novelty import load_novelty

        if not self.weights(which).is_file() and (self.path / PRETRAINED).is_file():
            raise ModelError(
                f"{self.path}: holds pretrained weights only, of other classes than live and attack, and no "
                f"score: train from them, e.g. fas train {self.path / files.RECIPE} --data ROOT_OR_NAME"
            )
        model = build_model(self.recipe, self.registry)
        load_weights(model, self.weights(which))
        if which == "best" and self.novelty() is not None:
            model.novelty = load_novelty(self.path / files.NOVELTY)
        return model.eval()

    @property
    def fitted_on(self) -> str:
        """What thresholds are fitted on: `dev`, or `out-of-fold subject:5` where the recipe has folds."""
        return "dev" if self.recipe.folds is None else f"out-of-fold {self.recipe.folds}"

    def fitting_scores(self) -> ScoreTable | None:
        """Read dev's scores by the best weights, or with folds the out-of-fold scores; None if missing."""
        return self.stored_scores("dev" if self.recipe.folds is None else files.OUT_OF_FOLD)

    def stored_scores(self, split: str) -> ScoreTable | None:
        """Read the scores by the best weights that the run holds of a split; None where it holds none."""
        return score_files.read_scores(self.path, split)

    def has_scores(self, split: str) -> bool:
        """Return whether the run holds undamaged scores of a split by its best weights."""
        return score_files.has_scores(self.path, split)

    def write_scores(
        self,
        split: str,
        scores: ScoreTable,
        columns: Mapping[str, Any] | None = None,
        weights: Sequence[Path] | None = None,
    ) -> None:
        """Write a split's scores by the best weights, or by other `weights`: see `score_files`."""
        score_files.write_scores(self.path, split, scores, columns, weights)

    def threshold(self) -> Threshold:
        """Return the threshold that was calibrated, else the one that training leaves, see there."""
        calibration = self.calibration()
        return self.trained_threshold() if calibration is None else calibration.threshold

    def trained_threshold(self) -> Threshold:
        """Fit the threshold by the recipe's policy; raise DataError if the scores it needs are missing."""
        recipe = self.recipe
        return fit_threshold(recipe.threshold, self.fitting_scores(), self.fitted_on, reject=recipe.reject)

    def novelty(self) -> NoveltyLimit | None:
        """Read the limit of the novelty of the best weights; None where it was not fitted for these."""
        metadata = read_metadata(self.path / files.NOVELTY)
        if not metadata or metadata.get("weights") != (read_weights_digest(self.weights()) or ""):
            return None
        where = f"{self.path / files.NOVELTY}"
        return structure_plain(parse_json(metadata.get("novelty", ""), where), NoveltyLimit, where)

    def calibration(self) -> Calibration | None:
        """Read how the threshold was set for a site; None where it was not, ModelError for other weights."""
        return read_calibration(self.path, read_weights_digest(self.weights()))

    def append_metrics(self, record: dict[str, Any]) -> None:
        """Add an epoch's line to metrics.jsonl; raise FasError if it cannot be written.

        Lines of this and later epochs, which a killed process left, are replaced.
        """
        self.require_folder()
        records = [earlier for earlier in self.metrics() if earlier["epoch"] < record["epoch"]]
        write_metrics(self.path / files.METRICS, [*records, record])

    def metrics(self) -> list[dict[str, Any]]:
        """Read the lines of metrics.jsonl, one an epoch; raise DataError as `read_metrics`."""
        return read_metrics(self.path / files.METRICS)

    def results(self) -> dict[str, Any]:
        """Read results.json, empty where the run is not finished; raise DataError as `read_results`."""
        return read_results(self.path)

    def train_hours(self) -> float:
        """Return the hours that the finished run was trained; raise DataError if they are not recorded."""
        hours = self.results().get("train_hours")
        if hours is None:
            raise DataError(f"{self.path / files.RESULTS}: no train_hours: not what `fas train` writes")
        return float(hours)

    def is_finished(self) -> bool:
        """Return whether the run was trained to its last epoch, and evaluated.

        That is the last one of its recipe, or the one after which `train.patience` ended it.
        """
        records = self.metrics()
        last = records[-1] if records else {"epoch": 0}
        trained = last["epoch"] >= self.recipe.train.last_epoch or last.get("stopped_early") is True
        return trained and (self.path / files.RESULTS).is_file()


def structure_recipe(tree: object, registry: Registry, where: str) -> Recipe:
    """Return the recipe of a run or a group of runs, whose plugins may be absent."""
    return structure(tree, Recipe, registry, where, absent=(Component,))


def claim_folder(path: Path) -> None:
    """Make a folder free for a new run or group of runs.

    A run that was killed before it saved its first training state is forgotten, for nothing is lost with it.

    Raises:
        FasError: the folder holds a run that has more to show, or a group of runs.
    """
    if files.is_untrained_run(path):
        (path / files.RECIPE).unlink()
    elif files.holds_runs(path):
        content = "a run" if (path / files.RECIPE).exists() else "runs"
        raise FasError(f"{path}: holds {content}: choose another --name, or --resume {path}")
