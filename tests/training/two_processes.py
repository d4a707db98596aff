"""Run by `test_distributed.py` in two processes: compare parts of a distributed step with one process."""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, distributed, nn

from fas_core.config.train import TrainConfig
from fas_core.inference.peers import in_step, join_scores, own_rows
from fas_core.models.synchronized_norm import synchronize_batch_norms
from fas_core.records.outputs import Batch, Outputs
from fas_core.training.distribution import LossOfBatch, TrainingPeers, distribute, join_peers, seed_process
from fas_core.training.process import accelerator_for

TOTAL = 7
"""Samples of a batch: four in one process, three in the other."""


def compare_batch_norms(peers: TrainingPeers, dtype: torch.dtype) -> Iterator[tuple[str, float]]:
    """Yield the largest differences after two steps, relative to the largest value."""
    torch.manual_seed(1)
    layers = [
        nn.Conv2d(3, 8, 3, bias=False),
        nn.BatchNorm2d(8),
        nn.Hardswish(),
        nn.Conv2d(8, 4, 3, bias=False),
    ]
    layers += [
        nn.BatchNorm2d(4, affine=False),
        nn.Flatten(),
        nn.Linear(144, 5, bias=False),
        nn.BatchNorm1d(5, momentum=None),
    ]
    whole = nn.Sequential(*layers)
    shared = copy.deepcopy(whole)
    synchronize_batch_norms(shared, torch.device("cpu"))
    images = torch.randn(TOTAL, 10, 10, 3).permute(0, 3, 1, 2) * 2 + 3  # channels last, as a model's are
    target, own = torch.randn(TOTAL, 5), slice(peers.rank, None, peers.count)
    outputs = gradients = 0.0
    for _ in range(2):
        whole.zero_grad()
        shared.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype == torch.bfloat16):
            expected, actual = whole(images), shared(images[own])
        (expected.float() - target).square().mean().backward()
        weight = peers.count * len(images[own]) / TOTAL
        ((actual.float() - target[own]).square().mean() * weight).backward()
        outputs = max(outputs, float((expected[own] - actual).detach().abs().max()))
        for one, part in zip(whole.parameters(), shared.parameters(), strict=True):
            assert one.grad is not None
            assert part.grad is not None
            distributed.all_reduce(part.grad)
            difference = (one.grad - part.grad / peers.count).norm() / one.grad.norm().clamp(min=1e-3)
            gradients = max(gradients, float(difference))
    name = str(dtype).removeprefix("torch.")
    yield f"{name}: outputs", outputs
    yield f"{name}: gradients", gradients
    pairs = zip(whole.buffers(), shared.buffers(), strict=True)
    yield f"{name}: running statistics", max(float((one - other).abs().max()) for one, other in pairs)


class Network(nn.Module):
    """A network one of whose layers gives an output that the loss does not use."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.unused = nn.Linear(12, 4), nn.Linear(4, 2)

    def forward(self, images: dict[str, Tensor], presence: Tensor | None = None) -> Outputs:
        embedding = self.embed(images["rgb"].flatten(1).float() / 255)
        return Outputs(embedding[:, 0], logits=self.unused(embedding), embedding=embedding)


class Centres(nn.Module):
    """A loss that owns parameters: the distance to the centre of the sample's class."""

    def __init__(self) -> None:
        super().__init__()
        self.centres = nn.Parameter(torch.randn(2, 4))

    def forward(self, outputs: Outputs, batch: Batch) -> Tensor:
        assert outputs.embedding is not None
        return (outputs.embedding - self.centres[batch.label]).square().mean()


def compare_losses(peers: TrainingPeers) -> Iterator[tuple[str, float]]:
    """Yield how weights differ after three steps of SGD."""
    torch.manual_seed(2)
    network, centres = Network(), Centres()
    whole = LossOfBatch(network, centres, network, nullcontext)
    part = copy.deepcopy(whole)
    before = copy.deepcopy(part.model.unused.weight)  # type: ignore[union-attr]
    shared = distribute(part, accelerator_for(TrainConfig(device="auto")))
    optimizers = [torch.optim.SGD(module.parameters(), 0.1, weight_decay=0.1) for module in (whole, part)]
    images, label = torch.randint(0, 256, (TOTAL, 2, 2, 3), dtype=torch.uint8), torch.arange(TOTAL) % 2
    own = slice(peers.rank, None, peers.count)
    for _ in range(3):
        for optimizer in optimizers:
            optimizer.zero_grad()
        whole(Batch({"rgb": images}, label, label)).backward()
        batch = Batch({"rgb": images[own]}, label[own], label[own], total=TOTAL)
        (shared(batch) * (peers.count * len(batch.label) / TOTAL)).backward()
        for optimizer in optimizers:
            optimizer.step()
    weights = torch.cat([value.detach().flatten() for value in part.parameters()])
    expected = torch.cat([value.detach().flatten() for value in whole.parameters()])
    rows = [torch.empty_like(weights) for _ in range(peers.count)]
    distributed.all_gather(rows, weights)
    yield "loss: differs between processes", float((rows[0] - rows[1]).abs().max())
    yield "loss: differs from one process", float((weights - expected).abs().max())
    yield "unused: change", float((part.model.unused.weight - before).detach().abs().max())  # type: ignore[union-attr, operator]


def score_in_step(peers: TrainingPeers) -> Iterator[tuple[str, float]]:
    """Yield how many of 5 rows, in batches of one, have a wrong score; and whether dropout is the same."""
    rows = own_rows(5, peers)
    scores = join_scores(np.array([float(row) for row in in_step(rows, peers)]), 5, peers)
    yield "scores: wrong", float((scores != np.arange(5)).sum())
    torch.manual_seed(3)
    seed_process(3, 0, 0, peers)
    drawn = peers.sum([float(torch.rand(())) * (1 if peers.rank else -1)])[0]
    yield "dropout: processes draw the same", float(drawn == 0)


def main(path: Path) -> None:
    """Write the figures of the main process as JSON."""
    peers = join_peers(accelerator_for(TrainConfig(device="auto")), 60)
    results = [
        item for dtype in (torch.float32, torch.bfloat16) for item in compare_batch_norms(peers, dtype)
    ]
    results += [*compare_losses(peers), *score_in_step(peers)]
    if peers.rank == 0:
        path.write_text(json.dumps(dict(results)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
