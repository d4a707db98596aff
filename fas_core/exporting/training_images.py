"""The training images of a run, for exporters that train what they have pruned."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from functools import cached_property

from attrs import frozen

from fas_core.data.loader import TrainingLoader, training_loader
from fas_core.data.open import open_choice
from fas_core.errors import ConfigError, DataError
from fas_core.records.outputs import Batch
from fas_core.runs.run import Run


@frozen(eq=False, slots=False)
class RunImages:
    """The batches of a run's training: read, augmented and mixed as its recipe says, by its seed.

    Nothing is read before the first call.
    """

    run: Run

    @cached_property
    def _loader(self) -> TrainingLoader:
        """The loader; raises FasError as `read`."""
        run = self.run
        if run.recipe.model.patches is not None:
            raise ConfigError(
                "recovery: this model scores patches of a face, and its training shows single ones: leave "
                "--recover out"
            )
        try:
            samples = open_choice(run.recipe.data, run.registry).samples("train")
            samples = samples.need(run.recipe.modalities)
            return training_loader(samples, run.recipe, registry=run.registry)
        except DataError as error:
            raise DataError(f"{run.path}: its training data is needed to recover: {error.message}") from error

    def count(self, epochs: float) -> int:
        """Return the number of batches of so many epochs, at least one; raise FasError as `read`."""
        return max(round(epochs * len(self._at(0))), 1)

    def read(self, epochs: float) -> Iterator[Batch]:
        """Yield the batches of so many epochs.

        Raises:
            ConfigError: the model scores patches, which its training shows alone.
            DataError: the run's data is missing, or cannot be read.
        """
        remaining, epoch = self.count(epochs), 0
        while remaining > 0:
            with closing(self._at(epoch)) as loader:
                for batch in loader:
                    yield batch
                    remaining -= 1
                    if not remaining:
                        return
            epoch += 1

    def _at(self, epoch: int) -> TrainingLoader:
        self._loader.start_epoch(epoch)
        return self._loader
