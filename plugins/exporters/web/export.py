"""A web page that scores faces in the browser: a folder for any web server that sends files.

The model is an ONNX file of the exporter `onnx`, run by onnxruntime-web in one thread. Nothing that the page
loads lies on another host, and it sends nothing: its Content Security Policy allows neither.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fas_core.card import LABELS, Card
from fas_core.console import console
from fas_core.contracts import Exported, Images, Verify
from fas_core.errors import ModelError
from fas_core.models.model import Model
from fas_core.runtime.model_notes import describe_training
from fas_core.user_paths import expand_user
from fas_plugins.exporters.folders import replacing_folder
from fas_plugins.exporters.onnx import write_graph
from fas_plugins.exporters.options import WebOptions
from fas_plugins.exporters.tracing import trace_model
from fas_plugins.exporters.web.runtime_files import PACKAGE, get_runtime_files
from fas_plugins.web_page import read_page

MODEL, CARD, RUNTIME = "model.onnx", "card.json", "runtime"


def export(
    options: WebOptions, model: Model, samples: Images, destination: Path, card: Card, verify: Verify
) -> Exported:
    """Write a folder with a page, the model, what the page must know of it, and onnxruntime-web.

    Its `model.onnx` is written by the ONNX exporter, with the same options and checks. The page prepares
    pictures as `fas predict --no-detect` does.

    Raises:
        FasError: `destination` exists, or cannot be written; or onnxruntime-web is not at hand.
        DataError, ModelError: as raised by the ONNX exporter; or the model crops photos by itself.
    """
    if card.input.crops:
        scales = ", ".join(f"{crop.scale:g}" for crop in card.input.crops.values())
        raise ModelError(
            f"{destination}: not written: the model is given crops of {scales} times the face's box, and the "
            "page detects no faces: use fas serve"
        )
    if options.form.endswith("int8"):
        console.warn(f"{destination}: in a browser int8 is slower than fp32, and rounds in other places")
    with replacing_folder(destination, MODEL) as path:
        origin = None if options.web_runtime is None else expand_user(options.web_runtime)
        runtime = get_runtime_files(origin)
        traced = trace_model(model, samples, card, path)
        exported = write_graph(options, traced, samples, path, verify)
        contents = {f"{RUNTIME}/{name}": content for name, content in runtime.contents.items()}
        contents |= read_page("fas_plugins.exporters.web", "page") | {CARD: _describe_model(card)}
        for name, content in contents.items():
            file = path.parent / name
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(content)
    console.info(f"{destination}: a web page; to see it: python -m http.server --directory {destination}")
    beside = tuple(destination / name for name in sorted(contents))
    facts = {**exported.facts, PACKAGE.name: runtime.version}
    return Exported(destination / MODEL, exported.verification, beside, facts)


def _describe_model(card: Card) -> bytes:
    """Return what the page must know of the model, as JSON: of its card, and a note on its training."""
    threshold, novelty = card.threshold, card.novelty
    terms: dict[str, Any] = {
        "labels": LABELS,
        "recipe_digest": card.digest,
        "modalities": card.modalities,
        "partial": card.input.partial,
        "input_size": card.input.face_size,
        "resize": {"crop": card.input.resize.crop},
        "threshold": None if threshold is None else threshold.to_json(),
        "novelty": None if novelty is None else novelty.to_json(),
        "note": describe_training(card),
    }
    return f"{json.dumps(terms, indent=2, allow_nan=False)}\n".encode()
