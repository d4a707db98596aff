"""Parts of a batch, and losses that are read when it is time."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch

from fas_core.errors import ConfigError
from fas_core.records.outputs import Batch
from fas_core.testing import tiny_model
from fas_core.training.step import READ_EVERY, PendingLosses, compile_forward, split_batch


def batch(count: int, presence: torch.Tensor | None = None) -> Batch:
    pixels = torch.arange(count, dtype=torch.uint8).view(count, 1, 1, 1).expand(-1, 2, 2, 3)
    return Batch({"rgb": pixels}, torch.arange(count) % 2, torch.arange(count), presence)


@pytest.mark.parametrize(
    ("count", "parts", "sizes"), [(8, 1, [8]), (8, 2, [4, 4]), (8, 3, [3, 3, 2]), (5, 4, [3, 2]), (3, 9, [3])]
)
def test_no_part_has_a_single_sample(count: int, parts: int, sizes: list[int]) -> None:
    assert [len(part.label) for part in split_batch(batch(count), parts)] == sizes


def test_parts_are_the_batch_in_order() -> None:
    whole = batch(7, torch.arange(14).view(7, 2) % 3 > 0)
    parts = split_batch(whole, 3)
    for name in ("label", "index", "presence"):
        assert torch.equal(torch.cat([getattr(part, name) for part in parts]), getattr(whole, name))
    assert torch.equal(torch.cat([part.images["rgb"] for part in parts]), whole.images["rgb"])
    assert all(part.presence is None for part in split_batch(batch(7), 3))


def test_losses_on_a_cpu_are_read_at_once() -> None:
    losses = PendingLosses(torch.device("cpu"))
    assert (losses.due, losses.read()) == (False, [])
    losses.add(torch.tensor(0.5))
    assert losses.due
    assert losses.read() == [0.5]
    assert not losses.due


def test_losses_on_an_accelerator_are_read_together() -> None:
    losses = PendingLosses(torch.device("cuda"))
    due = []
    for number in range(READ_EVERY):
        losses.add(torch.tensor(float(number)))
        due.append(losses.due)
    assert due == [False] * (READ_EVERY - 1) + [True]
    assert losses.read() == list(range(READ_EVERY))


def test_the_compiled_model_is_called_with_its_own_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """The code is traced, and run as it is: to build it would take longer."""
    graphs: list[object] = []

    def run_eagerly(graph: Any, _: object) -> Any:
        graphs.append(graph)
        return graph.forward

    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=run_eagerly))
    model = tiny_model()
    forward, images = compile_forward(model), {"rgb": torch.zeros(2, 32, 32, 3, dtype=torch.uint8)}
    for _ in range(2):
        outputs, expected = forward(images), model(images)
        assert torch.equal(outputs.score, expected.score)
        assert torch.equal(outputs.logits, expected.logits)
        next(iter(reversed(list(model.parameters())))).data.add_(1)
    assert len(graphs) == 1


def test_code_that_cannot_be_built_is_an_error_of_the_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("No working C++ compiler found")

    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=fail))
    with pytest.raises(ConfigError, match=r"^train\.compile: .*No working C\+\+ compiler found: ") as raised:
        compile_forward(tiny_model())({"rgb": torch.zeros(2, 32, 32, 3, dtype=torch.uint8)})
    assert len(str(raised.value).splitlines()) == 1
