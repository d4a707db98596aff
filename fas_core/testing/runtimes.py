"""The contract check of runtimes: see `fas_core.testing.checks`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fas_core.card import Card
from fas_core.contracts import Engine, Images
from fas_core.descriptors import Exporter
from fas_core.errors import FasError
from fas_core.records.model_input import ModelInput
from fas_core.registry import registry
from fas_core.remembered_kinds import Runtime
from fas_core.scores.thresholds import Threshold
from fas_core.testing.rules import rule
from fas_core.testing.support import (
    BATCH,
    SIDE,
    check_attributes,
    explain,
    load_component,
    random_images,
    score_images,
    tiny_model,
    verify_on,
)

if TYPE_CHECKING:
    from fas_core.models.model import Model

MODALITIES = ("rgb", "depth")

TOLERANCE = 0.02
"""Largest difference from the model's scores: an exporter may store half precision."""


def find_exporter(runtime: Runtime) -> Exporter | None:
    """Return an installed exporter that writes files which a runtime opens; None where there is none."""
    return next((item for item in registry().all(Exporter) if item.suffix in runtime.suffixes), None)


@rule("call")
def check_runtime(
    component: str | Runtime, folder: Path, options: Any = None, *, exporter: Exporter | None = None
) -> None:
    """Check a runtime on a small model, which an exporter of its format writes into `folder`.

    The names of inputs and outputs, the card and the scores are those of the model, for any number of faces
    and in several threads; files that are torn or of another kind are refused by a `FasError`.

    Args:
        exporter: of the format; None for the installed one whose files have the runtime's suffix.
    """
    runtime, target, options = load_component(Runtime, component, options)
    name, exporter = runtime.name, exporter or find_exporter(runtime)
    assert exporter is not None, f"{name}: no installed exporter writes its files: give `exporter`"
    model, images = tiny_model(MODALITIES), random_images(MODALITIES)
    card = Card(ModelInput(MODALITIES, SIDE), Threshold(0.5, "fixed:0.5", "given"))
    path = _export(exporter, model, images, folder / f"model{exporter.suffix}", card)

    def open_file(file: Path) -> Engine:
        engine: Engine = target(options, path=file, threads=1)
        return engine

    with explain(name, f"opening what the exporter {exporter.name} wrote"):
        engine = open_file(path)
    _check_names(name, engine, card)
    _check_scores(name, engine, images, score_images(model, images))
    _check_damaged(name, open_file, path, runtime.beside)


def _export(exporter: Exporter, model: Model, images: Images, path: Path, card: Card) -> Path:
    verify = verify_on(model, images)
    exporter.call(exporter.options(), model=model, samples=images, destination=path, card=card, verify=verify)
    return path


@rule("engine")
def _check_names(name: str, engine: Engine, card: Card) -> None:
    inputs, outputs = "names of the inputs, in order", "names of the outputs"
    check_attributes(name, engine, inputs=inputs, outputs=outputs, metadata="the card", run="called as run()")
    assert engine.inputs == card.modalities, f"{name}: inputs {engine.inputs!r}: must be {card.modalities!r}"
    assert "score" in engine.outputs, f"{name}: outputs {engine.outputs!r}: one must be 'score'"
    with rule("card"):
        metadata = engine.metadata
        assert isinstance(metadata, str), f"{name}: metadata is {metadata!r}: must be the card's JSON"
        with explain(name, "the metadata, read as JSON,"):
            same = json.loads(metadata) == json.loads(card.to_json())
        assert same, f"{name}: metadata is another card than the one that was exported"


@rule("engine")
def _check_scores(name: str, engine: Engine, images: Images, expected: NDArray[np.float64]) -> None:
    def run(count: int) -> NDArray[Any]:
        with explain(name, f"run(['score']) of {count} faces"):
            (scores,) = engine.run(["score"], {key: pixels[:count] for key, pixels in images.items()})
        return np.asarray(scores)

    for count in (BATCH, 1, BATCH - 1):
        scores = run(count)
        with rule("batch sizes"):
            kind = f"{scores.dtype} {scores.shape}"
            assert scores.shape == (count,), f"{name}: score of {count} faces is {kind}: must be ({count},)"
        assert scores.dtype.kind == "f", f"{name}: score is {scores.dtype}: must be of real numbers"
        difference = float(np.abs(scores - expected[:count]).max())
        assert difference <= TOLERANCE, f"{name}: scores differ from the model's by {difference:.2g}"
    with rule("threads"), ThreadPoolExecutor(4) as pool:
        for scores in pool.map(run, [BATCH] * 8):
            difference = float(np.abs(scores - expected).max())
            assert difference <= TOLERANCE, f"{name}: in threads, scores differ by {difference:.2g}"


@rule("damaged files")
def _check_damaged(
    name: str, open_file: Callable[[Path], Engine], path: Path, beside: tuple[str, ...]
) -> None:
    content = path.read_bytes()
    contents = {"torn": content[: len(content) // 2], "empty": b"", "text": b"not a model\n"}
    for kind, damaged in contents.items():
        file = path.with_name(f"{kind}{path.suffix}")
        file.write_bytes(damaged)
        for suffix in beside:
            shutil.copyfile(path.with_suffix(suffix), file.with_suffix(suffix))
        try:
            open_file(file)
        except FasError:
            continue
        except Exception as error:
            raise AssertionError(
                f"{name}: a file that is {kind} raised {type(error).__name__}: raise fas_core.ModelError"
            ) from error
        raise AssertionError(f"{name}: opened a file that is {kind}")
