"""`fas predict`, with models whose score is the mean of the pixels / 255: 0.5 and brighter is live."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import Result
from numpy.typing import NDArray

from fas_core.command_cache import NO_CACHE
from fas_core.data.detectors import face_detector
from fas_core.data.faces import CropSettings, crop_face
from fas_core.data.images import crop, prepare, read_image
from fas_core.runtime import Predictor
from fas_core.scores.table import ScoreTable
from fas_core.scores.videos import by_video

Fas = Callable[..., Result]
MeanModel = Callable[..., Path]
Image = NDArray[np.uint8]


def picture(path: Path, level: int, side: int = 20) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full((side, side, 3), level, np.uint8))
    return path


def film(path: Path, levels: Sequence[int]) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (64, 48))
    for level in levels:
        writer.write(np.full((48, 64, 3), level, np.uint8))
    writer.release()
    return path


@pytest.fixture
def predict(fas: Fas) -> Callable[..., dict[str, Any]]:
    """`predict(model, *inputs)`: the document, with a dictionary of rows by their input.

    The images of these tests are plain colours, so they are taken as they are unless `--detect` is given.
    """

    def run(*arguments: object, expected: int = 0) -> dict[str, Any]:
        flags = () if "--detect" in arguments else ("--no-detect",)
        result = fas("predict", *arguments, *flags, "--json")
        assert result.exit_code == expected, result.stderr
        document = json.loads(result.stdout)
        return document | {"rows": {row["input"]: row for row in document["rows"]}}

    return run


def test_images(fas: Fas, mean_model: MeanModel, tmp_path: Path) -> None:
    light, dark = picture(tmp_path / "light.png", 204), picture(tmp_path / "dark.png", 51)
    result = fas("predict", mean_model(), light, dark, "--no-detect")
    assert (result.exit_code, result.stderr) == (0, "")
    header, first, second, note = result.stdout.splitlines()
    assert header.split() == ["input", "score", "verdict"]
    assert first.split() == [str(light), "0.8000", "live"]
    assert second.split() == [str(dark), "0.2000", "attack"]
    assert note == "1 live, 1 attack; accepted when score >= 0.5 (fixed:0.5)"


def test_json(predict: Any, mean_model: MeanModel, tmp_path: Path) -> None:
    path = picture(tmp_path / "a.png", 204)
    document = predict(mean_model(), path, "--threshold", "fixed:0.9")
    assert document["threshold"] == {"value": 0.9, "policy": "fixed:0.9", "source": "given"}
    assert document["counts"] == {"live": 0, "attack": 1, "uncertain": 0, "not scored": 0}
    assert document["rows"][str(path)] == {
        "input": str(path),
        "images": {"rgb": str(path)},
        "box": None,
        "score": pytest.approx(0.8),
        "verdict": "attack",
        "reason": None,
        "detector": None,
        "novelty": None,
    }


@pytest.mark.parametrize("threads", [1, 3])
def test_a_folder_in_order(fas: Fas, mean_model: MeanModel, tmp_path: Path, threads: int) -> None:
    for number in range(41):
        picture(tmp_path / "in" / f"{number % 3}" / f"{number:02}.png", 6 * number)
    (tmp_path / "in/notes.txt").write_text("not an image")
    (tmp_path / "in/.hidden.png").write_text("nor this")
    result = fas(
        "predict",
        mean_model(),
        tmp_path / "in",
        "--no-detect",
        "--threads",
        threads,
        "--csv",
        tmp_path / "o.csv",
        "-q",
    )
    assert result.exit_code == 0
    assert result.stdout.count(".png") == 41
    rows = list(csv.DictReader((tmp_path / "o.csv").read_text().splitlines()))
    assert [row["id"] for row in rows] == [str(path) for path in sorted((tmp_path / "in").glob("*/*.png"))]
    for row in rows:
        level = 6 * int(Path(row["id"]).stem)
        assert float(row["score"]) == pytest.approx(level / 255)
        assert row["verdict"] == ("live" if level >= 127.5 else "attack")
    assert len(ScoreTable.read(tmp_path / "o.csv")) == 41


def test_what_cannot_be_scored_is_a_row(predict: Any, mean_model: MeanModel, tmp_path: Path) -> None:
    good, bad = picture(tmp_path / "good.png", 204), tmp_path / "bad.png"
    bad.write_bytes(good.read_bytes()[:-30])
    text = tmp_path / "text.jpg"
    text.write_text("not an image")
    video = tmp_path / "clip.mp4"
    video.write_bytes(b"not a video")
    rows = predict(mean_model(), good, bad, text, video, "none.png", "none.mp4")["rows"]
    assert rows[str(good)]["verdict"] == "live"
    assert rows[str(bad)]["reason"].startswith("the image is cut off")
    assert rows[str(text)]["reason"].startswith("cannot be decoded: not a JPEG, PNG, ")
    assert rows[str(video)]["reason"].startswith("cannot be opened: damaged")
    assert rows["none.png"]["reason"] == rows["none.mp4"]["reason"] == "no such file"
    assert all(row["score"] is row["verdict"] is None for row in rows.values() if row["reason"])


def test_exit_codes(fas: Fas, mean_model: MeanModel, tmp_path: Path) -> None:
    model = mean_model()
    light, dark = picture(tmp_path / "light.png", 204), picture(tmp_path / "dark.png", 51)

    def code(*arguments: object) -> int:
        return fas("predict", model, *arguments, "--no-detect").exit_code

    assert code(dark, "none.png") == 0
    assert code("none.png") == 1
    assert code(light, "--fail-on-attack") == 0
    assert code(light, dark, "none.png", "--fail-on-attack") == 3
    assert code(light, "none.png", "--fail-on-attack") == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("x_rgb.png", "x_ir.png"),
        ("live/x-colour.png", "live/x-IR.png"),
        ("rgb/x.png", "ir/x.png"),
        ("color/a/x.png", "ir/a/x.png"),
        ("x.png", "x_ir.png"),
    ],
)
def test_images_of_one_moment(
    predict: Any, mean_model: MeanModel, tmp_path: Path, first: str, second: str
) -> None:
    rgb, ir = picture(tmp_path / "in" / first, 204), picture(tmp_path / "in" / second, 102)
    model = mean_model(("rgb", "ir"))
    (row,) = predict(model, tmp_path / "in")["rows"].values()
    assert row["images"] == {"rgb": str(rgb), "ir": str(ir)}
    assert row["score"] == pytest.approx(0.6)
    if "/a/" not in first:  # of single files the last folder alone is looked at
        (row,) = predict(model, ir, rgb)["rows"].values()
        assert (row["input"], row["score"]) == (str(rgb), pytest.approx(0.6))


def test_other_modalities(predict: Any, mean_model: MeanModel, tmp_path: Path) -> None:
    """One is missing, or one is there that the model does not take."""
    picture(tmp_path / "in/x_rgb.png", 204)
    picture(tmp_path / "in/y_rgb.png", 204)
    picture(tmp_path / "in/y_depth.png", 51)
    rows = predict(mean_model(("rgb", "depth")), tmp_path / "in")["rows"]
    assert rows[str(tmp_path / "in/x_rgb.png")]["reason"] == "no 'depth' image: the model takes rgb, depth"
    assert rows[str(tmp_path / "in/y_rgb.png")]["score"] == pytest.approx(0.5)
    rows = predict(mean_model(("depth",)), tmp_path / "in")["rows"]
    assert [row["score"] for row in rows.values()] == [None, pytest.approx(0.2)]
    rows = predict(mean_model(("rgb", "depth"), partial=True), tmp_path / "in")["rows"]
    assert [row["score"] for row in rows.values()] == [pytest.approx(0.8), pytest.approx(0.5)]


def test_an_unnamed_image_is_what_the_model_takes(
    predict: Any, mean_model: MeanModel, tmp_path: Path
) -> None:
    path = picture(tmp_path / "x.png", 51)
    assert predict(mean_model(("ir",)), path)["rows"][str(path)]["images"] == {"ir": str(path)}


def test_names_that_differ_in_their_suffix_only(predict: Any, mean_model: MeanModel, tmp_path: Path) -> None:
    paths = [picture(tmp_path / "in" / name, 51) for name in ("x.bmp", "x.png")]
    assert list(predict(mean_model(), tmp_path / "in")["rows"]) == [str(path) for path in paths]


def test_a_manifest(predict: Any, mean_model: MeanModel, tmp_path: Path) -> None:
    half = np.zeros((40, 40, 3), np.uint8)
    half[:, 20:] = 204
    cv2.imwrite(str(tmp_path / "half.png"), half)
    (tmp_path / "m.csv").write_text(
        "id,path,box,split\na,half.png,20 0 20 20,train\n"
        "b,half.png,0 0 20 20,test\nc,half.png,50 0 9 9,test\n"
    )
    rows = predict(mean_model(), tmp_path / "m.csv")["rows"]
    assert (rows["a"]["score"], rows["a"]["box"]) == (pytest.approx(0.8), [20, 0, 20, 20])
    assert rows["b"]["score"] == pytest.approx(0)
    assert "lies outside the image of 40 x 40 pixels" in rows["c"]["reason"]


def test_a_video(predict: Any, mean_model: MeanModel, tmp_path: Path) -> None:
    video = film(tmp_path / "clip.avi", [20 * number for number in range(1, 11)])
    rows = predict(mean_model(), video)["rows"]
    assert list(rows) == [f"{video}:{number}" for number in range(1, 11)]
    for number, row in enumerate(rows.values(), 1):
        assert row["score"] == pytest.approx(20 * number / 255, abs=0.02)
    chosen = predict(mean_model(), tmp_path, "--every", 4, "--frames", 2)["rows"]
    assert list(chosen) == [f"{video}:1", f"{video}:5"]
    (row,) = predict(mean_model(("rgb", "ir")), video, "--frames", 1, expected=1)["rows"].values()
    assert row["reason"] == "no 'ir' image: the model takes rgb, ir"


class FakeCamera:
    """Stands for `cv2.VideoCapture` where there is a camera."""

    def __init__(self, index: int) -> None:
        self.level = 50 * index

    def isOpened(self) -> bool:  # noqa: N802
        return self.level > 0

    def grab(self) -> bool:
        self.level += 1
        time.sleep(0.01)
        return self.level < 250

    def retrieve(self) -> tuple[bool, Image]:
        return True, np.full((30, 40, 3), self.level, np.uint8)

    def get(self, _: int) -> float:
        return 40.0

    def release(self) -> None: ...


def test_a_camera(predict: Any, mean_model: MeanModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", FakeCamera)
    rows = predict(mean_model(), "camera:3")["rows"]
    assert {name: row["score"] for name, row in rows.items()} == {"camera:3:1": pytest.approx(151 / 255)}
    rows = predict(mean_model(), "camera:3", "--every", 2, "--frames", 3)["rows"]
    numbers = [int(name.removeprefix("camera:3:")) for name in rows]  # some are dropped on a slow machine
    assert len(numbers) == 3
    assert all(number % 2 for number in numbers)
    assert [row["score"] for row in rows.values()] == pytest.approx([(150 + n) / 255 for n in numbers])


def test_a_camera_that_is_not_there(
    predict: Any, fas: Fas, mean_model: MeanModel, capfd: pytest.CaptureFixture[str]
) -> None:
    rows = predict(mean_model(), "camera:99", expected=1)["rows"]
    assert rows["camera:99"]["reason"] == "no such camera, or another program uses it"
    assert capfd.readouterr() == ("", "")
    result = fas("predict", mean_model(), "camera:front")
    assert result.exit_code == 2
    assert "camera:front: give the camera's number, e.g. camera:0" in result.stderr


def test_faces_are_found_and_cut_as_by_data_crop(
    predict: Any, mean_model: MeanModel, tmp_path: Path, photo_with: Callable[..., Image]
) -> None:
    photo = photo_with((100, 110, 45), (240, 120, 70))
    path, empty = tmp_path / "photo.png", picture(tmp_path / "empty.png", 120, 200)
    cv2.imwrite(str(path), photo[..., ::-1])
    model = mean_model(side=32)
    rows = predict(model, path, empty, "--detect", "--faces", "all")["rows"]
    assert rows[str(empty)]["reason"] == "no face found"
    assert list(rows) == [str(path), f"{path}#2", str(empty)]
    predictor = Predictor(model, detect=False)
    for face, row in zip(
        sorted(face_detector()(photo), key=lambda face: face.box), rows.values(), strict=False
    ):
        box, pieces = crop_face({"rgb": photo}, face, CropSettings())
        assert row["box"] == pytest.approx(box, abs=0.06)
        assert row["score"] == pytest.approx(predictor(rgb=pieces["rgb"]).score, abs=1e-6)
    (row,) = predict(model, path, "--detect", "--margin", 0.3)["rows"].values()
    x, _, side, _ = row["box"]
    assert abs(x + side / 2 - 240) < 30
    assert side > 1.3 * rows[f"{path}#2"]["box"][2]


def test_a_depth_image_is_cut_where_the_photo_has_the_face(
    predict: Any, mean_model: MeanModel, tmp_path: Path, photo_with: Callable[..., Image]
) -> None:
    photo, depth = photo_with((200, 110, 70)), np.zeros((120, 160), np.uint8)
    depth[:, 50:] = 255
    cv2.imwrite(str(tmp_path / "a_rgb.png"), photo[..., ::-1])
    cv2.imwrite(str(tmp_path / "a_depth.png"), depth)
    (row,) = predict(mean_model(("depth",)), tmp_path, "--detect")["rows"].values()
    x, y, w, h = (value / 2 for value in row["box"])
    piece = crop(np.repeat(depth[..., None], 3, axis=2), (x, y, w, h))
    expected = prepare(piece, 8, Predictor(mean_model()).card.input.resize).mean() / 255
    assert row["score"] == pytest.approx(expected, abs=0.02)
    assert row["score"] > 0.9


def test_annotated_copies(
    predict: Any, fas: Fas, mean_model: MeanModel, tmp_path: Path, photo_with: Callable[..., Image]
) -> None:
    photos = tmp_path / "in"
    photos.mkdir()
    cv2.imwrite(str(photos / "face.png"), photo_with((200, 110, 70))[..., ::-1])
    picture(photos / "sub/plain.png", 120, 16)
    (photos / "bad.jpg").write_text("not an image")
    film(photos / "clip.avi", [10, 250])
    out = tmp_path / "out"
    predict(mean_model(), photos, "--detect", "--save-annotated", out)
    written = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert written == {"face.png", "sub/plain.png", "clip/0001.jpg", "clip/0002.jpg"}
    face, drawn = read_image(photos / "face.png"), read_image(out / "face.png")
    assert min(drawn.shape[:2]) >= 320
    assert (drawn != cv2.resize(face, drawn.shape[1::-1], interpolation=cv2.INTER_LINEAR)).any(
        -1
    ).mean() > 0.01
    assert read_image(out / "sub/plain.png").shape == (320, 320, 3)
    light, dark = picture(tmp_path / "l.png", 204, 400), picture(tmp_path / "d.png", 51, 400)
    predict(mean_model(), light, dark, "--save-annotated", out)
    corners = [read_image(out / f"{tmp_path.name}/{name}.png")[-1, -1] for name in "ld"]
    assert corners[0].argmax() == 1, "live is framed in green"
    assert corners[1].argmax() == 0, "an attack in red"


def test_annotated_copies_never_replace_anything(fas: Fas, mean_model: MeanModel, tmp_path: Path) -> None:
    model, path = mean_model(), picture(tmp_path / "in/a.png", 51)
    before = path.read_bytes()
    result = fas("predict", model, tmp_path / "in", "--save-annotated", tmp_path / "in")
    assert result.exit_code == 2
    assert "annotated copies would replace" in result.stderr
    assert path.read_bytes() == before
    picture(tmp_path / "more/a.png", 51)
    result = fas("predict", model, tmp_path / "in", tmp_path / "more", "--save-annotated", tmp_path / "out")
    assert result.exit_code == 2
    assert "two inputs would be annotated as a.png" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--threshold", "eer"], "threshold 'eer' is fitted on dev scores, and there are no dev scores"),
        (["--threshold", "0.5"], "threshold '0.5': must be"),
        (["--no-detect", "--faces", "all"], "leave --no-detect out"),
        (["--detect", "--detector", "none.onnx"], "none.onnx: no such detector"),
    ],
)
def test_wrong_options(
    fas: Fas, mean_model: MeanModel, tmp_path: Path, arguments: list[str], message: str
) -> None:
    result = fas("predict", mean_model(), picture(tmp_path / "a.png", 51), *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


def test_wrong_models_and_empty_folders(fas: Fas, mean_model: MeanModel, tmp_path: Path) -> None:
    path, empty = picture(tmp_path / "a.png", 51), tmp_path / "empty"
    empty.mkdir()
    (tmp_path / "cut.onnx").write_bytes(mean_model().read_bytes()[:-40])
    for arguments, message in (
        ((tmp_path / "none.onnx", path), "no such model file"),
        ((path, path), "a.png: "),
        ((tmp_path / "cut.onnx", path), "cut.onnx: cannot be loaded as ONNX"),
        ((tmp_path, path), "a folder, not a model file"),
        ((mean_model(threshold=None, name="other.onnx"), path), "no threshold goes with it"),
        ((mean_model(), empty), "no images or videos in this folder"),
    ):
        result = fas("predict", *arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert message in result.stderr
        assert len(result.stderr.splitlines()) == 1


def test_needs_neither_torch_nor_arrow(mean_model: MeanModel, tmp_path: Path) -> None:
    path = picture(tmp_path / "a.png", 204)
    script = (
        "import sys\nfrom fas_core.cli import main\n"
        f"main(['predict', {str(mean_model())!r}, {str(path)!r}, '--no-detect'], standalone_mode=False)\n"
        "print(*{'torch', 'onnx', 'pyarrow', 'sklearn', 'matplotlib'} & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1].split()[1:] == ["0.8000", "live"]
    assert done.stdout.splitlines()[-1] == ""


def test_a_photo_needs_no_module_that_is_slow_to_import(
    mean_model: MeanModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the plugins are remembered; into a pipe."""
    monkeypatch.delenv(NO_CACHE)
    monkeypatch.setenv("FAS_CACHE_DIR", str(tmp_path / "cache"))
    path = picture(tmp_path / "a.png", 204)
    slow = {"rich", "rich_click", "importlib.metadata", "concurrent.futures", "platformdirs", "zipfile"}
    script = (
        "import atexit, sys\n"
        f"atexit.register(lambda: print(*{slow | {'fas_core.descriptors'}} & set(sys.modules)))\n"
        f"sys.argv[1:] = ['predict', '--no-detect', {str(mean_model())!r}, {str(path)!r}]\n"
        "from fas_program import run\n"
        "run()\n"
    )
    command = [sys.executable, "-c", script]
    for _ in range(2):
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == ""


def test_by_default_a_photo_is_cropped_and_a_wall_is_not_scored(
    fas: Fas, mean_model: MeanModel, tmp_path: Path, photo_with: Callable[..., Image]
) -> None:
    model, path = mean_model(), tmp_path / "photo.png"
    cv2.imwrite(str(path), photo_with((200, 110, 70))[..., ::-1])
    wall = picture(tmp_path / "wall.png", 204, 200)
    result = fas("predict", model, path, wall, "--json")
    document = json.loads(result.stdout)
    photo_row, wall_row = document["rows"]
    assert photo_row["box"] is not None
    assert (wall_row["verdict"], wall_row["reason"]) == (None, "no face found")
    assert document["detector"] == photo_row["detector"] == "cascade"
    assert document["note"] is None
    assert fas("predict", model, wall, "--fail-on-attack").exit_code == 1
    result = fas("predict", model, path)
    assert "faces detected by cascade" in result.stdout
    assert "`fas models get centerface` fetches a better detector" in result.stdout
    csv_path = tmp_path / "o.csv"
    fas("predict", model, path, wall, "--csv", csv_path)
    assert [row["detector"] for row in csv.DictReader(csv_path.read_text().splitlines())] == ["cascade"] * 2


def test_uncertain_scores_have_no_verdict(fas: Any, mean_model: MeanModel, tmp_path: Path) -> None:
    for name, level in (("dark", 50), ("middle", 128), ("bright", 220)):
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.full((16, 16, 3), level, np.uint8))
    model, table = mean_model(), tmp_path / "scores.csv"
    arguments = ("predict", model, tmp_path, "--no-detect", "--reject", "0.4:0.6")
    document = json.loads(fas(*arguments, "--json").stdout)
    assert document["counts"] == {"live": 1, "attack": 1, "uncertain": 1, "not scored": 0}
    assert document["threshold"]["reject"]["high"] == 0.6
    rows = {Path(row["input"]).stem: row for row in document["rows"]}
    assert {name: row["verdict"] for name, row in rows.items()} == {
        "dark": "attack",
        "middle": "uncertain",
        "bright": "live",
    }
    assert rows["middle"]["reason"] == "the score is uncertain from 0.4 up to 0.6 (0.4:0.6)"
    assert rows["bright"]["reason"] is None
    assert "1 uncertain" in fas(*arguments, "--csv", table).stdout
    with table.open() as stream:
        written = {Path(row["id"]).stem: row for row in csv.DictReader(stream)}
    assert (written["middle"]["verdict"], written["middle"]["novelty"]) == ("uncertain", "")
    assert written["middle"]["reason"] == rows["middle"]["reason"]
    bright, middle = tmp_path / "bright.png", tmp_path / "middle.png"
    gate = ("--no-detect", "--reject", "0.4:0.6", "--fail-on-attack")
    assert fas("predict", model, bright, *gate).exit_code == 0
    assert fas("predict", model, middle, *gate).exit_code == 3
    assert fas("predict", model, middle, "--no-detect", "--reject", "none", "--fail-on-attack").exit_code == 0


def test_scores_that_the_card_has_not_seen_are_noted_once(
    fas: Fas, predict: Any, mean_model: MeanModel, tmp_path: Path
) -> None:
    import onnx
    from attrs import evolve

    from fas_core.runtime.model_file import ModelFile
    from fas_core.scores.live_scores import summarize_scores

    path = mean_model()
    values = np.concatenate([np.linspace(0.7, 0.9, 250), np.linspace(0.1, 0.3, 250)])
    ids, labels = [str(row) for row in range(500)], [1] * 250 + [0] * 250
    reference = summarize_scores(ScoreTable.of({"id": ids, "score": values, "label": labels}))
    model = onnx.load(path)
    onnx.helper.set_model_props(model, {"fas": evolve(ModelFile(path).card, reference=reference).to_json()})
    onnx.save(model, path)
    seen = [picture(tmp_path / f"{level}.png", level) for level in (50, 60, 200, 210)]
    unseen = [picture(tmp_path / f"{level}.png", level) for level in (120, 130)]
    assert predict(path, *seen)["note"] is None
    assert predict(path, *seen, *unseen)["note"].startswith("2 of 6 scores lie where")
    assert predict(path, *unseen, "--threshold", "fixed:0.5")["note"] is None
    assert fas("predict", path, *unseen, "--no-detect").stderr.count("another camera or light?") == 1


def test_tracks_of_a_video_are_in_the_tables(
    fas: Fas, mean_model: MeanModel, tmp_path: Path, photo_with: Callable[..., Image]
) -> None:
    """Followed faces have nearly the scores of those that are detected in every frame."""
    video, table = tmp_path / "clip.avi", tmp_path / "t.csv"
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter_fourcc(*"MJPG"), 10, (320, 240))
    for index in range(6):
        writer.write(photo_with((130 + 4 * index, 120, 70))[..., ::-1].copy())
    writer.release()
    rows = []
    for every in (1, 5):
        result = fas("predict", mean_model(), video, "--detect-every", every, "--json", "--csv", table)
        assert result.exit_code == 0, result.stderr
        rows.append(json.loads(result.stdout)["rows"])
        written = list(csv.DictReader(table.read_text().splitlines()))
        assert [(row["video"], row["frame"], row["track"]) for row in written] == [
            (str(video), str(number), "1") for number in range(1, 7)
        ]
    detected, followed = rows
    assert [(row["video"], row["frame"], row["track"]) for row in followed] == [
        (str(video), number, 1) for number in range(1, 7)
    ]
    np.testing.assert_allclose([row["box"] for row in followed], [row["box"] for row in detected], atol=8)
    np.testing.assert_allclose(
        [row["score"] for row in followed], [row["score"] for row in detected], atol=0.05
    )
    assert fas("predict", mean_model(), video, "--detect-every", 2, "--no-detect").exit_code == 2


def test_one_verdict_for_each_video(fas: Fas, predict: Any, mean_model: MeanModel, tmp_path: Path) -> None:
    """Its exit codes are those of the verdicts; `fas score` makes the same votes of the frames' table."""
    model = mean_model()
    light, dark = film(tmp_path / "l.avi", [100, 200, 220]), film(tmp_path / "d.avi", [10, 200, 20])
    photo, bad = picture(tmp_path / "a.png", 51), tmp_path / "bad.avi"
    bad.write_bytes(b"not a video")
    frames, table = tmp_path / "frames.csv", tmp_path / "videos.csv"
    predict(model, light, dark, "--csv", frames)
    document = predict(model, light, dark, photo, bad, "--aggregate", "video:median", "--csv", table)
    assert document["aggregate"] == "video:median"
    assert document["counts"] == {"live": 1, "attack": 2, "uncertain": 0, "not scored": 1}
    rows = document["rows"]
    assert [rows[str(path)]["verdict"] for path in (light, dark, photo, bad)] == [
        "live",
        "attack",
        "attack",
        None,
    ]
    assert rows[str(bad)]["reason"].startswith("cannot be opened")
    assert (rows[str(light)]["video"], rows[str(light)]["frames"], rows[str(light)]["scored"]) == (
        str(light),
        3,
        3,
    )
    assert "frames" not in rows[str(photo)]
    written = list(csv.DictReader(table.read_text().splitlines()))
    assert [row["scored"] for row in written] == ["3", "3", "0", ""]
    votes = by_video(ScoreTable.read(frames), "median")
    assert [float(row["score"]) for row in written[:2]] == votes.scores.tolist()
    line = fas("predict", model, dark, "--no-detect", "--aggregate", "video").stdout.splitlines()
    assert line[0].split() == ["input", "score", "verdict", "frames"]
    assert line[1].endswith("3 of 3")
    assert line[-1].startswith("1 attack; by the mean of each video's scores; accepted when score >= 0.5")
    codes = [("video:max", 0), ("video", 3)]
    for aggregate, code in codes:
        options = ("--no-detect", "--fail-on-attack", "--aggregate", aggregate)
        assert fas("predict", model, dark, *options).exit_code == code
    assert fas("predict", model, light, bad, *options).exit_code == 1
    assert (
        "leave --no-detect out" in fas("predict", model, dark, "--no-detect", "--aggregate", "track").stderr
    )
    assert fas("predict", model, dark, "--aggregate", "often").exit_code == 2


def test_annotated_videos(fas: Fas, predict: Any, mean_model: MeanModel, tmp_path: Path) -> None:
    model, video, out = mean_model(), film(tmp_path / "clip.avi", range(10, 250, 40)), tmp_path / "out"
    photo = picture(tmp_path / "a.png", 51)
    predict(model, video, photo, "--every", 2, "--save-annotated", out, "--annotated-video")
    assert sorted(path.name for path in out.rglob("*.*")) == ["a.png", "clip.mp4"]
    capture = cv2.VideoCapture(str(out / "clip.mp4"))
    keys = (cv2.CAP_PROP_FRAME_COUNT, cv2.CAP_PROP_FPS, cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
    assert [capture.get(key) for key in keys] == [3, 5, 64, 48]
    capture.release()
    assert fas("predict", model, video, "--annotated-video").exit_code == 2


def test_an_annotated_video_never_replaces_its_source(
    fas: Fas, mean_model: MeanModel, tmp_path: Path
) -> None:
    video = film(tmp_path / "clip.avi", [10, 250]).rename(tmp_path / "clip.mp4")
    before = video.read_bytes()
    arguments = ("--no-detect", "--annotated-video", "--save-annotated")
    result = fas("predict", mean_model(), video, *arguments, tmp_path)
    assert (result.exit_code, "annotated copies would replace" in result.stderr) == (2, True)
    (tmp_path / "more").mkdir()
    other = film(tmp_path / "more/clip.avi", [10, 250])
    result = fas("predict", mean_model(), video, other, *arguments, tmp_path / "out")
    assert (result.exit_code, "two inputs would be annotated as clip.mp4" in result.stderr) == (2, True)
    assert video.read_bytes() == before
    assert not (tmp_path / "out").exists()
