"""Fitting a run's novelty: the distance on training samples, its limit on dev."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from fas_core.console import console
from fas_core.data.open import open_choice
from fas_core.data.reading import batches
from fas_core.digests import read_weights_digest
from fas_core.errors import ConfigError, DataError
from fas_core.exporting.verify import spread
from fas_core.models.model import Model
from fas_core.models.novelty import fit_distance, save_novelty
from fas_core.records.novelty import NoveltyLimit
from fas_core.records.samples import LIVE, SampleTable
from fas_core.runs import files
from fas_core.runs.run import Run

QUANTILE = 0.99
"""Of dev's distances: the limit."""

SAMPLES = 2000
"""At most so many samples of train, and of dev."""

BATCH_SIZE = 32


def fit_novelty(run: Run) -> NoveltyLimit:
    """Fit the novelty of a run's best weights, and write it into the run folder.

    Without a dev split the limit is of each fourth training sample, which the distance is not fitted on.

    Raises:
        ConfigError: the model has no embedding, or accepts missing modalities.
        DataError: the run's data cannot be read.
    """
    recipe = run.recipe
    if recipe.input.partial:
        raise ConfigError(
            "--novelty: this model accepts missing modalities, whose embeddings have no class of their own"
        )
    reader = open_choice(recipe.data, run.registry)
    train = spread(reader.samples("train").need(recipe.modalities), SAMPLES)
    if "dev" in reader.splits():
        dev, source = spread(reader.samples("dev").need(recipe.modalities), SAMPLES), "dev"
    else:
        rows = np.arange(len(train))
        train, dev, source = train.take(rows[rows % 4 != 0]), train.take(rows[rows % 4 == 0]), "train"
    model = run.model()
    distance = fit_distance(_embed(model, run, train, "train"), _find_classes(train))
    with torch.inference_mode():
        distances = distance(torch.from_numpy(_embed(model, run, dev, source))).double().numpy()
    limit = NoveltyLimit(float(np.quantile(distances, QUANTILE)), QUANTILE, source, len(dev))
    save_novelty(run.path / files.NOVELTY, distance, limit, read_weights_digest(run.weights()) or "")
    return limit


def _embed(model: Model, run: Run, samples: SampleTable, description: str) -> NDArray[np.float32]:
    """Return the embedding of every sample, (N, E)."""
    model.novelty = nn.Identity()  # gives the embedding itself
    embeddings = []
    with torch.inference_mode(), console.progress(f"novelty: {description}", len(samples), "samples") as bar:
        for images in batches(samples, run.recipe.input, BATCH_SIZE, 2):
            outputs = model({name: torch.from_numpy(pixels) for name, pixels in images.items()})
            if outputs.novelty is None:
                raise ConfigError(
                    "--novelty: this model has no embedding: its fusion joins maps or scores of modalities"
                )
            embeddings.append(outputs.novelty.float().numpy())
            bar.advance(len(embeddings[-1]))
    if not embeddings:
        raise DataError(f"{samples.root}: no samples to fit the novelty on")
    return np.concatenate(embeddings)


def _find_classes(samples: SampleTable) -> NDArray[np.str_]:
    """Return the class of each sample: live, its species, or attack where the species is not known."""
    species = samples.table.column("species").to_pylist()
    return np.array(
        [
            "live" if label == LIVE else name or "attack"
            for name, label in zip(species, samples.labels.tolist(), strict=True)
        ]
    )
