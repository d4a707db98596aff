"""Readers of files that are no text of their own: archives, videos, databases, and what ties files together.

Each is a function that makes a folder ready and returns valid files of the kind, and what reads one there.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import sqlite3
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np
import yaml
from fixtures.mean_model import write_mean_model
from fixtures.public_models import TERMS, brightness_network
from optuna.trial import Trial

from fas_core.config.load import load_recipe
from fas_core.data.digest_list import FOLDER_LIST, find_changes
from fas_core.data.images import Image, encode, read_image
from fas_core.data.video import frames
from fas_core.registry import registry
from fas_core.runtime.predictor import Predictor
from fas_core.runtime.public_model import PublicModel, parse_catalogue
from fas_core.urls import Url
from fas_plugins.commands.calibrate.cards import open_card
from fas_plugins.commands.tune.search import find_best
from fas_plugins.commands.tune.space import read_space
from fas_plugins.commands.tune.study import count_judged, open_study
from fas_plugins.commands.tune.trials import list_trials

Read = Callable[[bytes], object]
Prepared = tuple[list[bytes], Read]

FACE: Image = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8), (0, 0), 2)


def prepare_archives(folder: Path) -> Prepared:
    """Zip archives of two photos, which are read as those of a data set: right, or not at all."""
    photos = {"a.png": FACE, "live/b.png": FACE[::-1]}
    path = folder / "photos.zip"

    def pack(method: int) -> bytes:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", method) as archive:
            for name, photo in photos.items():
                archive.writestr(name, encode(photo, ".png"))
        return stream.getvalue()

    def read(data: bytes) -> object:
        _replace(path, data)
        for name, photo in photos.items():
            np.testing.assert_array_equal(read_image(Url(f"zip://{name}::{path}")), photo)
        return path

    return [pack(method) for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)], read


def prepare_videos(folder: Path) -> Prepared:
    """Videos of eight frames, in the containers and codecs that OpenCV writes."""
    path = folder / "video"

    def record(suffix: str, codec: str) -> bytes:
        file = folder / f"original{suffix}"
        writer = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*codec), 10, (64, 48))
        assert writer.isOpened()
        for level in range(8):
            writer.write(cv2.resize(FACE, (64, 48)) // 2 + 10 * level)
        writer.release()
        return file.read_bytes()

    def read(data: bytes) -> object:
        path.write_bytes(data)
        return [frame.image.shape for frame in frames(path)]

    codecs = ((".avi", "MJPG"), (".mp4", "mp4v"), (".webm", "VP80"), (".mkv", "FFV1"))
    return [record(suffix, codec) for suffix, codec in codecs], read


def prepare_public_models(folder: Path) -> Prepared:
    """`model.yaml` of a fetched public model, which is opened and scores a photo."""
    network = brightness_network()
    (folder / "glow.onnx").write_bytes(network)
    entry = _entry("glow", network)

    def read(data: bytes) -> object:
        (folder / "model.yaml").write_bytes(data)
        model = PublicModel.read(folder)
        model.to_plain()
        return Predictor(folder, detect=False)(rgb=FACE)

    return [yaml.safe_dump(entry).encode(), json.dumps(entry).encode()], read


def prepare_catalogues(_: Path) -> Prepared:
    """Catalogues of public models."""
    entries = {name: _entry(name, b"network") for name in ("glow", "dusk")}

    def read(data: bytes) -> object:
        models = parse_catalogue(data.decode("utf-8", "surrogateescape"), "catalogue")
        return [model.to_plain() for model in models.values()]

    return [yaml.safe_dump(entries).encode()], read


def prepare_studies(folder: Path) -> Prepared:
    """The database of a study with two finished trials and one that waits."""
    recipe = load_recipe("quickstart", registry())
    study_folder, space = folder / "study", read_space(["train.lr=log:1e-4:0.1", "loss.gamma=[1, 2]"])
    study = open_study(study_folder, recipe, space, registry())

    def judge(trial: Trial) -> float:
        for key, dimension in space.items():
            dimension.suggest(trial, key)
        trial.set_user_attr("run", f"trial-{trial.number}")
        trial.report(0.2, 1)
        return 0.1

    study.optimize(judge, n_trials=2)
    study.enqueue_trial({"train.lr": 0.01})
    path = study_folder / "study.db"
    with sqlite3.connect(path) as database:
        database.execute("vacuum")
    database.close()
    original = path.read_bytes()

    def read(data: bytes) -> object:
        for file in study_folder.glob("study.db-*"):
            file.unlink()
        _replace(path, data)
        opened = open_study(study_folder, recipe, space, registry())
        find_best(opened)
        return count_judged(opened), [record.to_json() for record in list_trials(opened, space)]

    return [original], read


def prepare_digest_lists(folder: Path) -> Prepared:
    """`SHA256SUMS` of a data set, as `fas data check --verify` reads it: each line is right, or is named."""
    contents = {"a.png": b"a", "live/b.png": b"b"}
    (folder / "live").mkdir()
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    lines = [f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in contents.items()]

    def read(data: bytes) -> object:
        (folder / FOLDER_LIST).write_bytes(data)
        changes = find_changes(folder / FOLDER_LIST, workers=1)
        named = {os.path.normpath(line[66:]) for line in data.splitlines()} - {*map(os.fsencode, contents)}
        assert changes or not named or data.startswith(b"\\"), "a file that is not there is not missed"
        return changes

    return ["".join(lines).encode(), "".join(lines[::-1]).replace("  ", " *").encode()], read


def prepare_verifications(folder: Path) -> Prepared:
    """`FILE.verification.json`, as `fas calibrate` reads it and writes it anew."""
    path = write_mean_model(folder)
    model = path.read_bytes()
    file = Path(f"{path}.verification.json")
    digest = hashlib.sha256(model).hexdigest()
    record = {"file": path.name, "size": len(model), "sha256": {path.name: digest}, "acer_before": 0.02}

    def read(data: bytes) -> object:
        path.write_bytes(model)
        file.write_bytes(data)
        holder = open_card(path)
        holder.write(holder.card, None)
        written = json.loads(file.read_text())
        assert written["sha256"] == {path.name: hashlib.sha256(path.read_bytes()).hexdigest()}
        return written

    return [json.dumps(record, indent=2).encode()], read


def _entry(name: str, content: bytes) -> Mapping[str, object]:
    """Return an entry of a catalogue for a model of one file."""
    file = {"url": f"https://models.example/{name}.onnx", "size": len(content), "terms": TERMS}
    return {
        "summary": "brightness",
        "files": [file | {"sha256": hashlib.sha256(content).hexdigest()}],
        "threshold": 0.5,
        "licence": "MIT",
        "licence_url": "https://models.example/LICENSE",
        "source": "https://models.example",
        "training_data": "nothing",
        "classes": ["live", "attack"],
    }


def _replace(path: Path, data: bytes) -> None:
    """Write another file, whose inode is not that of the one before, which may still be open."""
    other = path.with_name("other")
    other.write_bytes(data)
    other.replace(path)


READERS: dict[str, Callable[[Path], Prepared]] = {
    "zip archive": prepare_archives,
    "video": prepare_videos,
    "model.yaml of a public model": prepare_public_models,
    "catalogue": prepare_catalogues,
    "study": prepare_studies,
    "list of digests": prepare_digest_lists,
    "verification": prepare_verifications,
}
