"""Recovery of a pruned graph: a short training against the logits of the whole one.

The run's training images are shown as its training showed them; labels play no part (Hinton et al., arXiv
1503.02531). So a graph can lose more channels than by least squares alone.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from weakref import WeakKeyDictionary

import torch
from attrs import define, field, frozen
from onnxscript import ir
from torch import Tensor
from torch.nn import functional as F

from fas_core.card import PRESENCE
from fas_core.console import console
from fas_core.contracts import Images, TrainingImages
from fas_core.models.soft_targets import soft_target_loss
from fas_core.records.outputs import Batch
from fas_plugins.exporters.graph import Facts, find_novelty
from fas_plugins.exporters.trainable_graph import TrainableGraph

LEARNING_RATE = 5e-4
"""Of Adam (arXiv 1412.6980) in the first step; it falls to 0 on half a cosine."""

TEMPERATURE = 4.0

LONGEST_GRADIENT = 1.0
"""Pruned graphs have no batch norms any more that would limit a step."""


@define
class _Memory:
    """What recoveries by the same images share, so that several formats take little longer than one.

    Args:
        subject: the whole graph, and the epochs.
        targets: what the whole graph says of each batch.
        trained: weights of pruned graphs, by the graph's digest before.
    """

    subject: str
    targets: dict[int, dict[str, Tensor]] = field(factory=dict)
    trained: dict[str, dict[str, Tensor]] = field(factory=dict)


_memories: WeakKeyDictionary[TrainingImages, _Memory] = WeakKeyDictionary()


@frozen(eq=False)
class Recovery:
    """Trains pruned versions of a graph for so many `epochs` of the run's training images."""

    images: TrainingImages
    epochs: float

    def __call__(self, pruned: ir.Model, whole: ir.Model) -> Facts:
        """Train the weights of a pruned graph, in place; return what users should know of it.

        Raises:
            ModelError: the graph has an operator that cannot be trained.
            FasError: the training images cannot be read.
        """
        names = _list_targets(whole.graph)
        student, memory = TrainableGraph(pruned, names), self._recall(whole)
        digest = _hash(pruned)
        if digest not in memory.trained:
            self._train(student, TrainableGraph(whole, names), memory.targets)
            memory.trained[digest] = student.weights
        student.store(memory.trained[digest])
        return {"epochs of recovery": f"{self.epochs:g}"}

    def draw_samples(self, count: int) -> Images:
        """Return the first of the training images, as many batches as have `count` of them."""
        batches, missing = [], count
        for batch in self.images.read(max(self.epochs, 1)):
            batches.append(batch.images)
            missing -= len(batch.label)
            if missing <= 0:
                break
        return {name: torch.cat([images[name] for images in batches]).numpy()[:count] for name in batches[0]}

    def _recall(self, whole: ir.Model) -> _Memory:
        """Return what was found by these images, if it was of the same graph."""
        memory, subject = _memories.get(self.images), f"{_hash(whole)}, {self.epochs}"
        if memory is None or memory.subject != subject:
            memory = _memories[self.images] = _Memory(subject)
        return memory

    def _train(
        self, student: TrainableGraph, teacher: TrainableGraph, targets: dict[int, dict[str, Tensor]]
    ) -> None:
        weights = list(student.weights.values())
        optimizer = torch.optim.Adam(weights, lr=LEARNING_RATE)
        total = self.images.count(self.epochs)
        with console.progress("recovery", total, "batches") as bar:
            for step, batch in enumerate(self.images.read(self.epochs)):
                inputs = _to_inputs(batch)
                if step not in targets:
                    with torch.no_grad():
                        targets[step] = teacher(inputs)
                for group in optimizer.param_groups:
                    group["lr"] = LEARNING_RATE * (1 + math.cos(math.pi * step / total)) / 2
                optimizer.zero_grad()
                torch.autograd.backward(_measure_loss(student(inputs), targets[step]))
                torch.nn.utils.clip_grad_norm_(weights, LONGEST_GRADIENT)
                optimizer.step()
                bar.advance(1)


def _hash(model: ir.Model) -> str:
    return hashlib.sha256(ir.to_proto(model.graph).SerializeToString(deterministic=True)).hexdigest()


def _list_targets(graph: ir.Graph) -> list[str]:
    """Return the names of what is learned: logits, or a map's score, and what novelty is computed from."""
    outputs = [str(value.name) for value in graph.outputs]
    novelty = find_novelty(graph)
    read = [value for node in novelty for value in node.inputs if value is not None]
    embeddings = [value for value in read if value.const_value is None and value.producer() not in novelty]
    names = ["logits" if "logits" in outputs else "score", *(str(value.name) for value in embeddings)]
    return list(dict.fromkeys(names))


def _to_inputs(batch: Batch) -> dict[str, Tensor]:
    """Return a batch as the graph's inputs."""
    return {**batch.images} if batch.presence is None else {**batch.images, PRESENCE: batch.presence}


def _measure_loss(values: Mapping[str, Tensor], targets: Mapping[str, Tensor]) -> Tensor:
    """Return the loss of the logits' soft targets; of other values the share of the variance that is lost."""
    losses = [
        soft_target_loss(values[name], target, TEMPERATURE)
        if name == "logits"
        else F.mse_loss(values[name], target) / target.var().clamp(min=torch.finfo(target.dtype).tiny)
        for name, target in targets.items()
    ]
    return torch.stack(losses).sum()


def build_recovery(epochs: float, images: TrainingImages | None) -> Recovery | None:
    """Return the recovery of so many epochs; None for none."""
    return Recovery(images, epochs) if epochs and images is not None else None
