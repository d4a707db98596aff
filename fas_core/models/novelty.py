"""Novelty: the distance of a face's embedding to the classes of the training data.

The distance of Mahalanobis to the nearest class, with one covariance for all classes (Lee et al., A Simple
Unified Framework for Detecting Out-of-Distribution Samples, arXiv 1807.03888, equations 1 and 2). Of the
covariance the RANK largest eigenvalues and their vectors are used; all other directions share one variance,
the mean of their eigenvalues. With E numbers in an embedding x, class means m, eigenvectors u_i and variances
v_i, and z = x - m:

    distance(x)^2 = min over classes of [ sum_i (u_i z)^2 / v_i + (|z|^2 - sum_i (u_i z)^2) / v_rest ] / E

which is about 1 for training samples. Classes are live and each PAI species, or attack where species are not
known.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import numpy as np
import torch
from attrs import asdict
from numpy.typing import NDArray
from safetensors.torch import save
from torch import Tensor, nn

from fas_core.atomic import replacing
from fas_core.digests import WEIGHTS_DIGEST
from fas_core.errors import ModelError
from fas_core.models.checkpoint import hash_tensors, read_safetensors
from fas_core.records.novelty import NoveltyLimit

RANK = 32
"""Eigenvectors of the covariance: on simulated faces 32 of 768 flag as much as all of them."""

SHRINKAGE = 0.01
"""Share of the mean variance that is added to every variance, so that none is 0."""

TENSORS = ("means", "basis", "variances", "rest")
LIMIT, WEIGHTS = "novelty", "weights"
"""Keys of the file's metadata: the limit as JSON, and the digest of the weights that it was fitted for."""


class NoveltyDistance(nn.Module):
    """(B, E) embeddings -> (B,) distances to the nearest class.

    Args:
        means: (C, E) of the classes.
        basis: (E, K) eigenvectors of the covariance.
        variances: (K,) in their directions.
        rest: (1,) in all other directions.
    """

    def __init__(self, means: Tensor, basis: Tensor, variances: Tensor, rest: Tensor) -> None:
        super().__init__()
        # Not in the state dict: they are fitted after training, and stored in a file of their own.
        for name, value in zip(TENSORS, (means, basis, variances, rest), strict=True):
            self.register_buffer(name, value.float(), persistent=False)
        self.register_buffer("projected_means", means.float() @ basis.float(), persistent=False)

    def forward(self, embedding: Tensor) -> Tensor:
        means, basis, variances, rest, projected_means = (
            cast(Tensor, getattr(self, name)) for name in (*TENSORS, "projected_means")
        )
        total = (embedding[:, None] - means).square().sum(dim=2)  # (B, C)
        along = ((embedding @ basis)[:, None] - projected_means).square()  # (B, C, K)
        other = (total - along.sum(dim=2)).clamp(min=0) / rest
        squares = (along / variances).sum(dim=2) + other
        return (squares.min(dim=1).values / means.shape[1]).sqrt()

    def tensors(self) -> dict[str, Tensor]:
        """Return what the module is built from, by name."""
        return {name: cast(Tensor, getattr(self, name)).detach().cpu().contiguous() for name in TENSORS}


def fit_distance(embeddings: NDArray[np.float32], classes: NDArray[np.str_]) -> NoveltyDistance:
    """Fit the class means and the shared covariance of (N, E) embeddings with N names of classes."""
    values = embeddings.astype(np.float64)
    names, codes = np.unique(classes, return_inverse=True)
    means = np.stack([values[codes == code].mean(axis=0) for code in range(len(names))])
    residuals = values - means[codes]
    covariance = residuals.T @ residuals / len(values)
    eigenvalues, vectors = np.linalg.eigh(covariance)
    floor = max(SHRINKAGE * float(eigenvalues.mean()), float(np.finfo(np.float32).tiny))
    rank = min(RANK, len(eigenvalues) - 1, len(values) // 8)  # few samples show no direction well
    split = len(eigenvalues) - rank  # they ascend
    rest = float(eigenvalues[:split].mean())
    tensors = (means, vectors[:, split:], eigenvalues[split:] + floor, np.array([rest + floor]))
    return NoveltyDistance(*(torch.from_numpy(np.ascontiguousarray(item)) for item in tensors))


def save_novelty(path: Path, distance: NoveltyDistance, limit: NoveltyLimit, weights: str) -> None:
    """Write a fitted distance and its limit as safetensors; `weights`: the digest of the model's weights."""
    tensors = distance.tensors()
    metadata = {LIMIT: json.dumps(asdict(limit)), WEIGHTS: weights, WEIGHTS_DIGEST: hash_tensors(tensors)}
    with replacing(path) as temporary:
        temporary.write_bytes(save(tensors, metadata))


def load_novelty(path: Path) -> NoveltyDistance:
    """Read what `save_novelty` wrote; raise ModelError where it is damaged."""
    tensors = read_safetensors(path)
    shapes = {name: tuple(value.shape) for name, value in tensors.items()}
    (classes, size), (_, rank) = (shapes.get(name, (0, 0))[:2] for name in ("means", "basis"))
    expected = {"means": (classes, size), "basis": (size, rank), "variances": (rank,), "rest": (1,)}
    if shapes != expected:
        raise ModelError(f"{path}: no novelty of a model: remove it, and export with --novelty again")
    return NoveltyDistance(*(tensors[name] for name in TENSORS))
