"""The data set behind a system's scores: its photos, its further columns, and what a check of it finds."""

from __future__ import annotations

from functools import cached_property

from attrs import evolve, frozen

from fas_core.config.components import DatasetChoice
from fas_core.contracts import DatasetReader
from fas_core.data.attributes import HasAttributes
from fas_core.data.dataset_check import DatasetCheck, inspect_dataset
from fas_core.data.open import open_choice, replace_dataset, resolve_dataset
from fas_core.data.parallel import cores
from fas_core.descriptors import Dataset
from fas_core.errors import FasError
from fas_core.records.samples import SampleTable, concat
from fas_core.registry import Registry
from fas_plugins.commands.report.score_source import ScoreSource

NO_DATA = "a score file does not say where its photos are (give --data)"


@frozen(eq=False, slots=False)
class SourceData:
    """A data set, if it is known.

    Args:
        choice: the data set; None where it is not known.
        registry: provides it.
        problem: one sentence that says why it is not known; else empty.
    """

    choice: DatasetChoice | None
    registry: Registry
    problem: str = ""

    @cached_property
    def reader(self) -> DatasetReader | str:
        """The opened data set, or one sentence that says why it cannot be opened."""
        if self.choice is None:
            return self.problem
        try:
            return open_choice(self.choice, self.registry, make=False)
        except FasError as error:
            return error.message

    @property
    def simulated(self) -> bool:
        """Whether the data set makes its data itself."""
        return (
            self.choice is not None
            and not self.choice.absence
            and self.registry.find(Dataset, self.choice.name).makes
        )

    def find_photos(self, source: ScoreSource) -> SampleTable | str:
        """Return the samples with their image paths, or one sentence that says why they are missing."""
        reader = self.reader
        if isinstance(reader, str):
            return reader
        try:
            samples = concat(
                [reader.samples(split) for split in reader.splits() if source.split in (None, split)]
            )
        except FasError as error:
            return error.message
        recorded = source.results.get("data", {}).get(source.split)
        if recorded is not None and recorded != samples.fingerprint():
            return (
                f"{samples.root} now holds other samples (fingerprint {samples.fingerprint()}) "
                f"than were evaluated"
            )
        return samples

    def check(self, with_files: bool) -> DatasetCheck | str:
        """Return what `fas data check` finds, or one sentence that says why there is no data set to check."""
        if isinstance(self.reader, str):
            return self.reader
        try:
            return inspect_dataset(self.reader, cores(), with_files=with_files)
        except FasError as error:
            return error.message

    def attributes(self) -> HasAttributes | None:
        """Return the reader of the columns beyond those of a sample table; None where there are none."""
        if self.choice is None:
            return None
        try:
            # All samples, in whatever part of a cross-validation they are.
            choice = evolve(self.choice, train_on_dev=False, held_out=None)
            reader = open_choice(choice, self.registry, make=False)
        except FasError:
            return None  # the page says why the data set cannot be opened
        return reader if isinstance(reader, HasAttributes) else None


def open_source_data(source: ScoreSource, data: str | None, registry: Registry) -> SourceData:
    """Return the data set that `data` names, or by default that of the run's recipe."""
    original = None if source.run is None else source.run.recipe.data
    if data is None:
        return SourceData(original, registry, "" if original else NO_DATA)
    try:
        choice = (
            resolve_dataset(data, None, registry)
            if original is None
            else replace_dataset(data, original, registry)
        )
    except FasError as error:
        return SourceData(None, registry, error.message)
    return SourceData(choice, registry)
