import errno
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pytest
import torch
from attrs import evolve

from fas_core import DataError, FasError
from fas_core.config.recipe import Augment, Recipe
from fas_core.data.augment import Augmentations
from fas_core.data.loader import TrainingLoader, training_loader
from fas_core.data.reading_processes import WorkerError
from fas_core.data.training_batches import TrainingBatches, draw_presence
from fas_core.records.outputs import Batch
from fas_core.records.samples import SampleTable
from fas_core.registry import registry

Make = Callable[..., SampleTable]


@pytest.fixture(autouse=True)
def close_loaders(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close every loader of a test, whose processes would live as long as it."""
    loaders: list[TrainingLoader] = []
    build = TrainingLoader.__init__

    def remember(loader: TrainingLoader, *arguments: Any) -> None:
        build(loader, *arguments)
        loaders.append(loader)

    monkeypatch.setattr(TrainingLoader, "__init__", remember)
    yield
    for loader in loaders:
        loader.close()


def recipe(workers: int = 0, batch_size: int = 4, modalities: tuple[str, ...] = ("rgb",)) -> Recipe:
    plain = Recipe(modalities=modalities)
    return evolve(
        plain,
        model=evolve(plain.model, input_size=16),
        train=evolve(plain.train, workers=workers, batch_size=batch_size, seed=3),
    )


def same(first: Batch, second: Batch) -> bool:
    pairs = [(first.images[name], second.images[name]) for name in first.images]
    pairs += [(first.label, second.label), (first.index, second.index)]
    return all(torch.equal(one, other) for one, other in pairs)


def test_a_batch_is_what_the_contract_says(make_samples: Make) -> None:
    samples = make_samples(10, ("rgb", "ir"))
    loader = training_loader(samples, recipe(modalities=("rgb", "ir")), epoch=0)
    found = list(loader)
    assert len(loader) == len(found) == 3
    assert [len(batch.label) for batch in found] == [4, 4, 2]
    batch = found[0]
    assert {name: (tuple(pixels.shape), pixels.dtype) for name, pixels in batch.images.items()} == {
        "rgb": ((4, 16, 16, 3), torch.uint8),
        "ir": ((4, 16, 16, 3), torch.uint8),
    }
    assert batch.label.dtype == batch.index.dtype == torch.int64
    assert sorted(torch.cat([batch.index for batch in found]).tolist()) == list(range(10))
    assert all(torch.equal(batch.label, batch.index % 2) for batch in found)


def test_images_belong_to_their_rows(make_samples: Make) -> None:
    samples = make_samples(8)
    quiet = evolve(recipe(), augment=Augment(lighting=0.0))
    for batch in training_loader(samples, quiet, epoch=0):
        assert torch.equal(batch.images["rgb"][:, 0, 0, 0].long(), 10 * batch.index)


def test_mixed_batches_are_the_same_however_they_are_read(make_samples: Make) -> None:
    """Their images are not those of their rows any more, at the chance that is asked for."""
    samples = make_samples(24)

    def read(mix: float, workers: int = 0, start_batch: int = 0) -> list[Batch]:
        made = evolve(recipe(workers, batch_size=8), augment=Augment(lighting=0.0, mix=mix))
        return list(training_loader(samples, made, epoch=0, start_batch=start_batch))

    def is_mixed(batch: Batch) -> bool:
        return not torch.equal(batch.images["rgb"][:, -1, -1, 0].long(), 10 * batch.index)

    always = read(1.0)
    assert all(is_mixed(batch) for batch in always)
    assert not any(is_mixed(batch) for batch in read(0.0))
    assert all(map(same, always, read(1.0, workers=2)))
    assert all(map(same, always[1:], read(1.0, start_batch=1)))
    for batch in always:
        donor = batch.images["rgb"][:, -1, -1, 0].long() // 10
        assert torch.equal(donor % 2, batch.label)  # `make_samples` labels odd rows live
        assert torch.equal(batch.label, batch.index % 2)


def test_batches_do_not_depend_on_the_number_of_processes(make_samples: Make) -> None:
    samples = make_samples(9, ("rgb", "ir"))
    alone, with_two = (
        list(training_loader(samples, recipe(workers, modalities=("rgb", "ir")), epoch=2))
        for workers in (0, 2)
    )
    assert len(alone) == len(with_two) == 2  # the ninth would be alone in its batch
    assert all(same(one, other) for one, other in zip(alone, with_two, strict=True))


def test_reduced_decoding_changes_pixels_alone(make_samples: Make, tmp_path: Path) -> None:
    """Crops, flips, colours and order are those of decoding at full size; small images stay as they are."""
    samples = make_samples(6)
    photo = cv2.resize(np.random.default_rng(0).integers(0, 256, (6, 6, 3), np.uint8), (400, 400))
    names = [f"{row}.jpg" for row in range(6)]
    for name in names:
        cv2.imwrite(str(tmp_path / name), photo)
    large = SampleTable.of(
        {"id": names, "label": [0, 1] * 3, "rgb": names}, modalities=["rgb"], root=tmp_path
    )
    plain = evolve(recipe(), augment=Augment(quality=0.3, mix=0.5))
    reduced = evolve(plain, train=evolve(plain.train, reduced_decoding=True))
    assert all(map(same, training_loader(samples, plain), training_loader(samples, reduced)))
    pairs = list(zip(training_loader(large, plain), training_loader(large, reduced), strict=True))
    assert all(torch.equal(batch.index, other.index) for batch, other in pairs)
    errors = [
        (batch.images["rgb"].float() - other.images["rgb"].float()).abs().mean() for batch, other in pairs
    ]
    assert all(0 < error < 5 for error in errors)


def test_a_run_that_continues_sees_the_same_batches(make_samples: Make) -> None:
    samples = make_samples(10)
    whole = list(training_loader(samples, recipe(), epoch=1))
    rest = training_loader(samples, recipe(), epoch=1, start_batch=1)
    assert len(rest) == 2
    assert all(same(one, other) for one, other in zip(whole[1:], rest, strict=True))
    assert list(training_loader(samples, recipe(), epoch=1, start_batch=3)) == []


def test_epochs_differ_in_order_and_in_changes(make_samples: Make) -> None:
    samples = make_samples(10)
    first, second = (list(training_loader(samples, recipe(), epoch=epoch)) for epoch in (0, 1))
    assert not torch.equal(first[0].index, second[0].index)
    pixels = [
        {
            int(row): image
            for batch in epoch
            for row, image in zip(batch.index, batch.images["rgb"], strict=True)
        }
        for epoch in (first, second)
    ]
    assert any(not torch.equal(pixels[0][row], pixels[1][row]) for row in pixels[0])


def test_reading_leaves_torchs_random_numbers_alone(make_samples: Make) -> None:
    samples = make_samples(4)
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    list(training_loader(samples, recipe(), epoch=0))
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize("world_size", [2, 3])
def test_processes_share_the_batches_of_one(make_samples: Make, world_size: int) -> None:
    """Mixed ones too, whose images have quarters of samples that another process has."""
    samples = make_samples(24)
    mixed = evolve(recipe(batch_size=7), augment=Augment(lighting=0.0, mix=0.7))
    whole = list(training_loader(samples, mixed, epoch=1))
    shares = [
        list(training_loader(samples, mixed, epoch=1, rank=rank, world_size=world_size))
        for rank in range(world_size)
    ]
    assert [len(batch.label) for batch in whole] == [7, 7, 7, 3]
    for batch, *parts in zip(whole, *shares, strict=True):
        for rank, part in enumerate(parts):
            assert part.total == len(batch.label)
            assert torch.equal(part.index, batch.index[rank::world_size])
            assert torch.equal(part.label, batch.label[rank::world_size])
            assert torch.equal(part.images["rgb"], batch.images["rgb"][rank::world_size])


def test_too_few_samples_are_refused(make_samples: Make) -> None:
    with pytest.raises(DataError, match="3 samples to train on: there must be two for each of 2 processes"):
        training_loader(make_samples(3), recipe(), epoch=0, world_size=2)


@pytest.mark.parametrize("workers", [0, 1])
def test_an_unreadable_image_stays_one_line(make_samples: Make, tmp_path: Path, workers: int) -> None:
    samples = make_samples(4)
    (tmp_path / "rgb/2.png").unlink()
    with pytest.raises(DataError, match=r"^\S*rgb/2\.png: no such image: check [\w' ]+$"):
        list(training_loader(samples, recipe(workers), epoch=0))


INTERRUPTED = """
import os, signal, sys
from pathlib import Path
from attrs import evolve
from fas_core.config.recipe import Recipe
from fas_core.data.loader import training_loader
from fas_core.records.samples import SampleTable

signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background starts without it
others = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)
for number in others:
    signal.signal(number, lambda *_: None)
paths = sys.argv[1:]
plain = Recipe(modalities=("rgb",))
recipe = evolve(plain, train=evolve(plain.train, workers=1, batch_size=2))
samples = SampleTable.of({"id": paths, "rgb": paths, "label": [0, 1] * 6}, modalities=("rgb",), root="/")
try:
    for number, batch in enumerate(training_loader(samples, recipe, epoch=0), 1):
        for other in others:
            os.killpg(0, other)  # as job queues do: to the workers too
    print(number, "batches")
    for batch in training_loader(samples, recipe, epoch=1):
        os.killpg(0, signal.SIGINT)  # as a terminal does
except KeyboardInterrupt:
    print("stopped")
"""


def test_workers_leave_signals_to_the_process_that_trains(make_samples: Make, tmp_path: Path) -> None:
    samples = make_samples(12)
    before = signal.getsignal(signal.SIGINT)
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, *map(str, samples.paths("rgb"))],
        capture_output=True,
        text=True,
        start_new_session=True,
        timeout=60,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert (done.stdout, done.stderr, done.returncode) == ("6 batches\nstopped\n", "", 0)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_worker_that_dies_is_one_line(make_samples: Make) -> None:
    """PyTorch's handler of the signal that tells of it would raise an error where it may be lost."""
    before = signal.getsignal(signal.SIGCHLD)
    loader = training_loader(make_samples(24), recipe(workers=2, batch_size=2), epoch=0)

    def kill_a_worker_while_reading() -> None:
        for _ in loader:
            assert signal.getsignal(signal.SIGCHLD) is before
            os.kill(multiprocessing.active_children()[0].pid or 0, signal.SIGKILL)
            time.sleep(0.05)

    with pytest.raises(
        WorkerError, match=r"\(signal: Killed\), most likely because memory ran out: give it more"
    ) as raised:
        kill_a_worker_while_reading()
    assert len(str(raised.value).splitlines()) == 1


def test_without_shared_memory_batches_go_through_a_pipe(
    make_samples: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The second image of each batch finds shared memory full, as in a container with 64 MB of it.

    The empty file that PyTorch leaves for it is removed.
    """
    samples = make_samples(10, ("rgb", "ir"))
    both = recipe(workers=2, modalities=("rgb", "ir"))
    expected = list(training_loader(samples, both, epoch=0))
    share, calls = torch.Tensor.share_memory_, [0]
    monkeypatch.setattr("fas_core.data.training_batches.SHARED_MEMORY", tmp_path)

    def fail_every_second_time(tensor: torch.Tensor) -> torch.Tensor:
        calls[0] += 1
        if calls[0] % 2 == 0:
            (tmp_path / "torch_1_2_3").touch()
            reason = "for file </torch_1_2_3>: No space left on device (28)"
            raise RuntimeError(f"unable to allocate shared memory(shm) {reason}")
        return share(tensor)

    monkeypatch.setattr(torch.Tensor, "share_memory_", fail_every_second_time)
    batches = list(training_loader(samples, both, epoch=0))
    assert len(batches) == len(expected) == 3
    assert all(map(same, batches, expected))
    assert not list(tmp_path.glob("torch_*"))
    assert all(batch.images["rgb"].is_shared() for batch in expected)
    assert not any(batch.images[name].is_shared() for batch in batches for name in ("rgb", "ir"))


def test_more_processes_than_cores_are_started_without_a_warning(
    make_samples: Make, recwarn: pytest.WarningsRecorder
) -> None:
    with closing(
        training_loader(make_samples(10, ("rgb",)), recipe(workers=len(os.sched_getaffinity(0)) + 1))
    ) as many:
        assert len(list(many)) == 3
    assert not recwarn.list


def test_processes_that_cannot_be_started_are_an_error(
    make_samples: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> int:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    loader = training_loader(make_samples(4), recipe(workers=2), epoch=0)
    monkeypatch.setattr(os, "fork", fail)
    with pytest.raises(
        WorkerError, match=r"^cannot start 2 processes that read images: Resource temporarily"
    ):
        next(iter(loader))


@pytest.mark.parametrize("workers", [0, 1])
def test_memory_that_runs_out_is_one_line(
    make_samples: Make, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("fas_core.data.training_faces.read_faces", fail)
    with pytest.raises(WorkerError, match=r"^no memory left to read 4 samples: give it more memory, or take"):
        next(iter(training_loader(make_samples(8), recipe(workers), epoch=0)))


def test_modalities_are_left_out_at_random_and_never_all() -> None:
    rng = np.random.default_rng(0)
    drawn = np.array([draw_presence(rng, 3, 0.5) for _ in range(4000)])
    assert drawn.any(axis=1).all()
    # Of 8 equally likely outcomes the empty one is dealt to the three singles: P(present) = (4 + 1/3) / 8.
    assert drawn.mean(axis=0) == pytest.approx([13 / 24] * 3, abs=0.03)
    assert draw_presence(rng, 3, 0.0).all()


def test_modality_dropout_says_who_is_present_and_changes_no_image(make_samples: Make) -> None:
    samples = make_samples(6, ("rgb", "depth"))
    plain = recipe(modalities=("rgb", "depth"))
    dropping = evolve(plain, train=evolve(plain.train, modality_dropout=0.5))
    whole = list(training_loader(samples, plain, epoch=1))
    first, again = (list(training_loader(samples, dropping, epoch=1)) for _ in range(2))
    assert all(batch.presence is None for batch in whole)
    presence = torch.cat([batch.presence for batch in first if batch.presence is not None])
    assert presence.shape == (6, 2)
    assert presence.dtype == torch.bool
    assert not presence.all()
    for batch, same, without in zip(first, again, whole, strict=True):
        assert batch.presence is not None
        assert torch.equal(batch.presence, same.presence)
        for modality in ("rgb", "depth"):
            assert torch.equal(batch.images[modality], without.images[modality])


@pytest.mark.parametrize("error", [EOFError(), ConnectionResetError(), BrokenPipeError()])
def test_a_worker_that_dies_while_it_passes_pixels_on_is_one_line(
    make_samples: Make, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def disconnect(*_: object) -> None:
        raise error

    batches = training_loader(make_samples(10), recipe(), epoch=0)
    monkeypatch.setattr(TrainingBatches, "__getitem__", disconnect)
    with pytest.raises(WorkerError, match="ended early, most likely because memory ran out"):
        next(iter(batches))


def test_a_worker_that_was_killed_while_it_passed_pixels_on_leaves_no_further_error(
    make_samples: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    loader, others = training_loader(make_samples(24), recipe(workers=2, batch_size=2)), reading_processes()

    def disconnect(_: object) -> None:
        os.kill((reading_processes() - others).pop() or 0, signal.SIGKILL)
        raise ConnectionResetError

    monkeypatch.setattr("fas_core.data.training_batches.ReadBatch.to_batch", disconnect)
    with pytest.raises(WorkerError, match=r"\(signal: Killed\)"), closing(loader):
        next(iter(loader))
    assert reading_processes() <= others


def reading_processes() -> set[int | None]:
    return {process.pid for process in multiprocessing.active_children()}


def test_processes_stay_for_the_next_epoch_and_end_when_the_loader_is_closed(make_samples: Make) -> None:
    samples, before = make_samples(10), reading_processes()
    loader = training_loader(samples, recipe(workers=2), epoch=0)
    list(loader)
    first = reading_processes() - before
    loader.start_epoch(1)
    second = list(loader)
    assert len(first) == 2
    assert reading_processes() - before == first
    assert all(map(same, second, training_loader(samples, recipe(), epoch=1)))
    loader.start_epoch(2, start_batch=1)
    assert len(loader) == 2
    assert all(map(same, loader, training_loader(samples, recipe(), epoch=2, start_batch=1)))
    loader.close()
    assert reading_processes() <= before


def test_a_row_that_is_drawn_again_is_changed_in_another_way(make_samples: Make) -> None:
    samples = make_samples(12)
    table = samples.table.set_column(
        samples.table.column_names.index("label"), "label", pa.array([1] * 2 + [0] * 10, pa.int8())
    )
    plain = recipe(batch_size=12)
    balanced = evolve(plain, train=evolve(plain.train, balance="class"))
    (batch,) = training_loader(evolve(samples, table=table), balanced, epoch=0)
    again = [image for image, row in zip(batch.images["rgb"], batch.index, strict=True) if row == 1]
    assert len(again) == 3
    assert not any(torch.equal(again[0], other) for other in again[1:])
    assert int(batch.label.sum()) == 6


def test_pixels_are_pinned_for_an_accelerator(monkeypatch: pytest.MonkeyPatch, make_samples: Make) -> None:
    """Without an accelerator pinning is replaced by a copy that is counted."""
    pinned: list[torch.Size] = []

    def pin(tensor: torch.Tensor) -> torch.Tensor:
        pinned.append(tensor.shape)
        return tensor.clone()

    monkeypatch.setattr(torch.Tensor, "pin_memory", pin)
    both = ("rgb", "ir")
    augmentations = Augmentations.build(recipe(modalities=both), registry(), both)
    read = TrainingBatches(make_samples(4, both), recipe(modalities=both), both, augmentations)
    batch = read[0, np.arange(4)]
    assert not isinstance(batch, FasError)
    assert same(batch.pin_memory().to_batch(), batch.to_batch())
    assert pinned == [(4, 16, 16, 3)] * 2
