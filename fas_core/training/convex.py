"""The convex solver: every training sample's embedding once, then a logistic regression as the classifier.

The network keeps the weights that it starts from (`model.pretrained`, or fresh ones); only the linear layer
that turns its embedding into logits is fitted, with the standardisation of the embedding folded into it. So
the model is an ordinary one. Embeddings lie in `features/` of the run folder while it is trained, so that a
run continues where it stopped.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from attrs import define, field, frozen
from numpy.typing import NDArray
from torch import Tensor, nn

from fas_core.atomic import replacing
from fas_core.config.recipe import Recipe
from fas_core.console import console
from fas_core.data.loader import copy_loader
from fas_core.data.reading import batches
from fas_core.errors import ConfigError, DataError, ModelError
from fas_core.interruption import Interruption, interruptible
from fas_core.models.build import build_model
from fas_core.models.checkpoint import load_state, save_state
from fas_core.models.linear_head import capture_input, find_classifier, write_classifier
from fas_core.models.model import Model
from fas_core.models.pickled import DAMAGE
from fas_core.records.samples import SampleTable
from fas_core.runs import files
from fas_core.runs.run import Run
from fas_core.training.dev import evaluate_dev
from fas_core.training.follow import Following
from fas_core.training.logistic import (
    LinearClassifier,
    Selection,
    balance_weights,
    fit_copies,
    select_regularization,
)
from fas_core.training.progress import TrainingProgress

BATCH_SIZE = 32
STORED_BATCHES = 32
"""Batches of embeddings in a file: what a killed process loses at most."""

Features = NDArray[np.float32]


@frozen
class FeatureStore:
    """Embeddings in files of successive rows, in a folder; a file appears whole or not at all."""

    folder: Path

    def read(self) -> list[Features]:
        """Return the stored rows, a table for each file; raise DataError if a file is damaged."""
        tables: list[Features] = []
        while (file := self._file(sum(map(len, tables)))).is_file():
            try:
                tables.append(np.load(file))
            except (ValueError, OSError, EOFError) as error:
                raise DataError(f"{file}: damaged: remove the folder {self.folder} and resume") from error
        return tables

    def append(self, start: int, features: Features) -> None:
        """Write the embeddings of rows from `start`."""
        with replacing(self._file(start)) as temporary, temporary.open("wb") as file:
            np.save(file, features)

    def _file(self, start: int) -> Path:
        return self.folder / f"{start:08}.npy"


@define
class ConvexTraining:
    """A run in training, with the methods of `fas_core.training.trainer.Training`."""

    run: Run
    train: SampleTable
    dev: SampleTable | None
    accelerator: Accelerator
    model: Model
    classifier: nn.Linear
    progress: TrainingProgress = field(factory=TrainingProgress)
    following: Following = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.following = Following(self.run)

    @classmethod
    def prepare(
        cls, run: Run, train: SampleTable, dev: SampleTable | None, accelerator: Accelerator
    ) -> ConvexTraining:
        """Build the model with seeded weights, and find its classifier.

        Raises:
            ConfigError: the recipe has no linear classifier of two classes, or an option that does not apply.
        """
        recipe = run.recipe
        if accelerator.num_processes > 1:
            raise ConfigError("train.solver convex computes in one process: start it without torchrun")
        if recipe.train.modality_dropout and not recipe.train.copies:
            raise ConfigError(
                "train.modality_dropout: the convex solver applies it to train.copies, and there are none"
            )
        torch.manual_seed(recipe.train.seed)
        model = build_model(recipe, run.registry).eval()
        classifier = find_classifier(model)
        return cls(run, train, dev, accelerator, model.to(accelerator.device), classifier)

    @property
    def recipe(self) -> Recipe:
        return self.run.recipe

    @property
    def trained_module(self) -> nn.Module:
        """What is trained: the linear layer alone."""
        return self.classifier

    def fit(self, after_epoch: Callable[[], None] | None = None) -> None:
        """Compute the embeddings that are missing, fit the classifier, save the model and evaluate dev.

        `after_epoch` is called at the end, which is that of the one epoch.

        Raises:
            Interrupted: by a signal; what was computed is saved, and `restore` continues.
            FasError: an image cannot be read, or train.C cannot be chosen by these samples.
        """
        start = time.perf_counter() - self.progress.seconds
        self._save_state()
        with interruptible() as interruption:
            interruption.continue_on_usr1 = self.recipe.train.on_usr1 == "continue"
            try:
                with interruption.stepping():
                    features = [
                        self._read_features(copy, interruption)
                        for copy in range(1 + self.recipe.train.copies)
                    ]
            finally:
                self.progress.seconds = time.perf_counter() - start
                self._save_state()
        fitted, selection = self._fit_classifier(features)
        write_classifier(self.classifier, fitted.weights, fitted.bias)
        self.progress.seconds = time.perf_counter() - start
        self._finish(fitted, selection, len(features))
        if after_epoch is not None:
            after_epoch()

    def _read_features(self, copy: int, interruption: Interruption) -> Features:
        """(N, E) embeddings of the samples (`copy` 0) or of an augmented copy, with those stored before."""
        store = FeatureStore(self.run.path / "features" / str(copy))
        tables = store.read()
        done = sum(map(len, tables))
        pending: list[Features] = []
        name = f"copy {copy}/{self.recipe.train.copies}" if copy else "features"
        with console.progress(name, len(self.train), "samples", done=done) as shown:
            for batch in self._compute(copy, done):
                pending.append(batch)
                shown.advance(len(batch))
                self.following.advance(len(batch))
                count, stops = sum(map(len, pending)), interruption.requested
                is_full = len(pending) == STORED_BATCHES or done + count == len(self.train)
                if is_full or stops or interruption.take_save_request():
                    tables.append(np.concatenate(pending))
                    self.run.require_folder()
                    store.append(done, tables[-1])
                    done, pending = done + count, []
                if stops:
                    interruption.check()
        return np.concatenate(tables)

    def _compute(self, copy: int, start: int) -> Iterator[Features]:
        """Yield the embeddings of batches of samples, from row `start`."""
        for images, presence in self._load(copy, start):
            faces = {name: pixels.to(self.accelerator.device) for name, pixels in images.items()}
            mask = None if presence is None else presence.to(self.accelerator.device)
            _, embedding = capture_input(self.model, self.classifier, faces, mask)
            yield embedding.cpu().numpy().astype(np.float32)

    def _load(self, copy: int, start: int) -> Iterator[tuple[dict[str, Tensor], Tensor | None]]:
        """Yield the images of batches of samples, from row `start`, and which modalities are present."""
        recipe = self.recipe
        if copy:
            loader = copy_loader(
                self.train,
                recipe,
                epoch=copy,
                batch_size=BATCH_SIZE,
                start=start,
                registry=self.run.registry,
            )
            with closing(loader):
                for batch in loader:
                    yield batch.images, batch.presence
            return
        rows = self.train.take(np.arange(start, len(self.train)))
        for images in batches(rows, recipe.input, BATCH_SIZE, recipe.train.workers):
            yield {name: torch.from_numpy(pixels) for name, pixels in images.items()}, None

    def _fit_classifier(self, features: list[Features]) -> tuple[LinearClassifier, Selection | None]:
        """Fit the classifier with the recipe's C, or with one chosen by cross-validation."""
        samples, config, selection = self.train, self.recipe.train, None
        if not all(np.isfinite(table).all() for table in features):
            raise ModelError(f"{self.run.path}: embeddings that are not finite numbers: look at its weights")
        weights, live = balance_weights(samples), samples.labels == 1
        value = config.C
        if value is None:
            selection = select_regularization(features, samples, weights, config.seed)
            value = selection.C
            errors = ", ".join(f"{C:g}: {100 * error:.2f}" for C, error in selection.errors.items())
            console.info(f"C {value:g}, by the mean EER in % of {selection.by} held out: {errors}")
        return fit_copies(features, live, weights, value), selection

    def _finish(self, fitted: LinearClassifier, selection: Selection | None, tables: int) -> None:
        """Save the model, evaluate dev and write the run's one line of metrics.jsonl."""
        model, run = self.model.cpu(), self.run
        run.save_weights(model, "last")
        run.save_weights(model, "best")
        seconds, count = self.progress.seconds, tables * len(self.train)
        record: dict[str, Any] = {"epoch": 1, "loss": fitted.loss, "seconds": seconds}
        record |= {"images_per_second": count / max(seconds, 1e-9), "C": fitted.C}
        record |= {"features": len(fitted.weights)}
        if selection is not None:
            record["held_out_eer"] = {f"{C:g}": error for C, error in selection.errors.items()}
            record["held_out_by"] = selection.by
        if self.dev is not None:
            scores, metrics = evaluate_dev(run, model, self.dev)
            run.write_scores("dev", scores)
            record |= {"dev": metrics, "best": True}
        run.append_metrics(record)
        self.following.finish_epoch(record)
        self.progress = self.progress.next_epoch()
        self._save_state()
        shutil.rmtree(run.path / "features", ignore_errors=True)

    def _save_state(self) -> None:
        self.run.require_folder()
        state = {
            "solver": "convex",
            "samples": self.train.fingerprint(),
            "model": self.model.state_dict(),
            "seconds": self.progress.seconds,
        }
        save_state(state, self.run.path / files.STATE)
        self.following.tell_checkpoint(self.run.path / files.STATE, self.progress)

    def restore(self) -> None:
        """Continue with the weights in the run folder, whose embeddings are kept.

        Raises:
            ModelError: the state is missing or does not fit.
            DataError: the training samples have changed.
        """
        path = self.run.path / files.STATE
        state = load_state(path)
        try:
            if state["samples"] != self.train.fingerprint():
                raise DataError(f"{self.run.path}: its training samples have changed since: train anew")
            self.model.load_state_dict(state["model"])
            self.progress = TrainingProgress(seconds=float(state["seconds"]))
        except DAMAGE as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise ModelError(f"{path}: does not fit this run: {reason}") from error
