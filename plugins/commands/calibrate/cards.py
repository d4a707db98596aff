"""The card of a run, of an exported file or of another program's file: read, and written again.

An exported file's runtime replaces the card in it, and the file is compared with the one before. A run, a
public model, a file of another program and one whose runtime writes no card keep their files; the calibration
lies beside them.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from attrs import frozen

from fas_core.atomic import replacing, replacing_all
from fas_core.card import PRESENCE, Card
from fas_core.console import console
from fas_core.contracts import CardWriter
from fas_core.data.model_formats import find_runtime, list_model_files
from fas_core.digests import hash_file, read_weights_digest
from fas_core.errors import FasError, ModelError
from fas_core.registry import registry
from fas_core.runs import files
from fas_core.runs.card import build_card
from fas_core.runs.run import Run
from fas_core.runtime.calibration_file import write_calibration
from fas_core.runtime.engines import open_engine
from fas_core.runtime.external_model import ExternalModel
from fas_core.runtime.model_file import ModelFile
from fas_core.text_files import read_json

COMPARED = 4
"""Random images on which a rewritten file must give the scores of the file before."""


@frozen(eq=False)
class CardHolder:
    """A model whose threshold can be set.

    Args:
        path: run folder, model file, or folder of a public model.
        run: None for a file.
        external: description of a file that `fas export` did not write.
    """

    path: Path
    card: Card
    run: Run | None = None
    external: ExternalModel | None = None

    def load_card_writer(self) -> CardWriter | None:
        """Return what replaces the card in the file; None where a calibration lies beside the model."""
        runtime = find_runtime(self.path)
        if self.run is not None or self.external is not None or self.path.is_dir() or runtime is None:
            return None
        writer: CardWriter | None = runtime.load_card_writer() if runtime.card_writer else None
        return writer

    def write(self, card: Card, output: Path | None) -> Path:
        """Write the card to the model, or to a copy of the file; return the path of the model.

        Raises:
            FasError: only files can be copied, or the copy has another ending or cannot be written.
        """
        if output is not None:
            _check_output(output, self.path)
        else:
            _refuse_part(self.path)
        target = output or self.path
        if (write_card := self.load_card_writer()) is not None:
            _rewrite(self.path, target, card, write_card)
            return target
        if output is not None:
            _copy_model(self.path, output)
        digest = None if self.run is None else read_weights_digest(self.run.weights())
        write_calibration(target, card.calibration, digest)
        return target


def open_card(path: Path, terms: Path | None = None) -> CardHolder:
    """Read the card of a run folder or model file; `terms` describe a file of another program.

    Raises:
        FasError: there is no such model, or it cannot be read.
    """
    if files.holds_runs(path):
        run = Run.open(path, registry())
        return CardHolder(path, build_card(run), run)
    external = None if terms is None else ExternalModel.read(terms)
    return CardHolder(path, ModelFile(path, external=external).card, external=external)


def _refuse_part(path: Path) -> None:
    """Raise FasError for the file in an exported folder, of which another file holds the threshold, too."""
    folder = path.resolve().parent
    holders = {folder.parent / "config.pbtxt": "Triton folder", folder / "card.json": "web page"}
    for file, whole in holders.items():
        if file.is_file():
            problem = f"{path}: {file.name} of its {whole} holds the threshold, too"
            raise FasError(f"{problem}: calibrate the run, then export it")


def _check_output(output: Path, source: Path) -> None:
    if source.is_dir():
        raise FasError(f"{source}: a folder is calibrated where it is: leave -o out, then export it")
    if output.suffix.lower() != source.suffix.lower() or output.is_dir():
        raise FasError(f"{output}: must be a file named *{source.suffix}, as {source.name} is")


def _copy_model(source: Path, output: Path) -> None:
    for path, target in _pair_files(source, output):
        with replacing(target) as temporary:
            shutil.copyfile(path, temporary)


def _pair_files(source: Path, output: Path) -> list[tuple[Path, Path]]:
    """Return the files of a model and where they go: the file itself, then those beside it."""
    beside = list_model_files(source)[1:]
    return [(source, output), *((path, output.with_suffix(path.suffix)) for path in beside)]


def _rewrite(source: Path, output: Path, card: Card, write_card: CardWriter) -> None:
    """Write an exported file with another card, and check that it gives the same scores."""
    pairs, earlier = _pair_files(source, output), _read_verification(source)
    with replacing_all(*(target for _, target in pairs)) as temporaries:
        for (path, _), temporary in zip(pairs, temporaries, strict=True):
            shutil.copyfile(path, temporary)
        write_card(temporaries[0], card.to_json())
        difference = _compare(source, temporaries[0], card)
    _write_verification(earlier, output, card, difference)


def _compare(source: Path, written: Path, card: Card) -> float:
    """Return the largest difference of a score on random images.

    Raises:
        ModelError: the files differ.
    """
    side, rng = card.input.face_size, np.random.default_rng(0)
    inputs: dict[str, Any] = {
        name: rng.integers(0, 256, (COMPARED, side, side, 3), np.uint8) for name in card.modalities
    }
    if card.input.partial:
        inputs[PRESENCE] = np.ones((COMPARED, len(card.modalities)), np.bool_)
    scores = [open_engine(path, 1).run(["score"], inputs)[0] for path in (source, written)]
    difference = float(np.abs(scores[0] - scores[1]).max())
    if not difference <= 1e-6:  # threads may add in another order
        raise ModelError(
            f"{source}: the rewritten file's scores differ by {difference:.2g}: nothing is written"
        )
    return difference


def _read_verification(source: Path) -> dict[str, Any]:
    """Read how the export of a file was verified; nothing where that is not known of these bytes."""
    path = Path(f"{source}.verification.json")
    record = read_json(path) if path.is_file() else {}
    if not isinstance(record, dict):
        return {}
    digests = {file.name: hash_file(file) for file, _ in _pair_files(source, source)}
    if record.get("sha256", digests) != digests:
        console.warn(f"{path}: is of another {source.name}: what it says is left out: export the model again")
        return {}
    return record


def _write_verification(earlier: dict[str, Any], output: Path, card: Card, difference: float) -> None:
    """Write FILE.verification.json: that of the export, the new size, and the check of the new card."""
    document = dict(earlier)
    targets = [target for target, _ in _pair_files(output, output)]
    document |= {"file": output.name, "size": sum(target.stat().st_size for target in targets)}
    document["sha256"] = {target.name: hash_file(target) for target in targets}
    document.pop("calibration", None)
    if card.calibration is not None:
        check = {"compared": COMPARED, "max_difference": difference}
        document["calibration"] = {**check, **card.calibration.to_json()}
    with replacing(Path(f"{output}.verification.json")) as temporary:
        temporary.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
