"""The splits that a training reads, checked."""

from __future__ import annotations

from fas_core.config.recipe import Recipe
from fas_core.console import console
from fas_core.contracts import DatasetReader
from fas_core.errors import DataError
from fas_core.records.samples import SampleTable


def training_splits(reader: DatasetReader, recipe: Recipe) -> tuple[SampleTable, SampleTable | None]:
    """Return train and dev, checked; dev is None where the protocol has none, or it cannot be evaluated.

    Raises DataError if there is no train split, it has one class, or a modality is missing.
    """
    if "train" not in reader.splits():
        splits = ", ".join(reader.splits())
        hint = "`fas data split` makes splits"
        raise DataError(f"data set {recipe.data.name!r}: has no train split (it has {splits}): {hint}")
    train = reader.samples("train").need(recipe.input.photos)
    check_trainable(train)
    if "dev" not in reader.splits():
        return train, None
    dev = reader.samples("dev").need(recipe.input.photos)
    counts = dev.counts()
    if not (counts.get("live") and counts.get("attack")) or counts.get("unknown"):
        console.warn(f"dev ({format_counts(dev)}) cannot be evaluated: the last weights are kept as the best")
        return train, None
    return train, dev


def format_counts(samples: SampleTable) -> str:
    """Return e.g. `1200 samples (400 live, 800 attack)`."""
    counts = samples.counts()
    total = counts.pop("total")
    return f"{total} samples ({', '.join(f'{count} {name}' for name, count in counts.items())})"


def check_trainable(samples: SampleTable) -> None:
    """Raise DataError unless every sample has a label, and there are live samples and attacks."""
    counts = samples.counts()
    if counts.get("unknown"):
        raise DataError(f"{samples.root}: {counts['unknown']} training samples have no label")
    if not (counts.get("live") and counts.get("attack")):
        only = "live samples" if counts.get("live") else "attacks"
        raise DataError(f"{samples.root}: training needs both classes, and there are only {only}")
