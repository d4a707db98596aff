"""The calibration beside a model whose file has no card to hold it: a run, or a file of another program.

It is `calibration.json` in a run folder and `MODEL.calibration.json` beside a model file. It holds the digest
of the weights or of the file, so that the threshold of one model is never used with another.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from attrs import asdict, frozen

from fas_core.atomic import replacing
from fas_core.config.plain import structure_plain
from fas_core.data.model_formats import list_model_files
from fas_core.digests import hash_file
from fas_core.errors import ModelError
from fas_core.scores.calibration import Calibration
from fas_core.text_files import read_json

RUN_CALIBRATION = "calibration.json"


@frozen
class _CalibrationFile:
    """The content of the file; `sha256` is the digest of what was calibrated."""

    sha256: str
    calibration: Calibration


def calibration_file(model: Path) -> Path:
    """Return the path of the calibration of a run folder or of a model file."""
    return model / RUN_CALIBRATION if model.is_dir() else Path(f"{model}.calibration.json")


def hash_model(model: Path) -> str:
    """Return a SHA-256 of a model file and those beside it that belong to it, or of the files of a folder."""
    if model.is_dir():
        files = [path for path in sorted(model.iterdir()) if path.is_file() and path.name != RUN_CALIBRATION]
    else:
        files = list_model_files(model)
    return hashlib.sha256("".join(map(hash_file, files)).encode()).hexdigest()


def read_calibration(model: Path, digest: str | None = None) -> Calibration | None:
    """Read the calibration of a run folder or model file; None where there is none.

    Args:
        digest: of a run's weights; None for the digest of the model file.

    Raises:
        ModelError: the file cannot be read, or is of another model.
    """
    path = calibration_file(model)
    if not path.is_file():
        return None
    stored = structure_plain(read_json(path, ModelError), _CalibrationFile, str(path))
    if stored.sha256 != (digest or hash_model(model)):
        raise ModelError(f"{path}: is of another model than {model.name}: remove it, and calibrate this one")
    return stored.calibration


def write_calibration(model: Path, calibration: Calibration | None, digest: str | None = None) -> None:
    """Write the calibration of a run folder or model file; None removes it. `digest` as for reading."""
    path = calibration_file(model)
    if calibration is None:
        path.unlink(missing_ok=True)
        return
    content = _CalibrationFile(digest or hash_model(model), calibration)
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(asdict(content), indent=2) + "\n", encoding="utf-8")
