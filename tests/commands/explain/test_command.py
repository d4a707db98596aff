"""`fas explain` and `fas predict --explain`: of a run with Grad-CAM, of an exported file without."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import Result
from numpy.typing import NDArray

from fas_core.data.images import read_image

Fas = Callable[..., Result]
MeanModel = Callable[..., Path]
Image = NDArray[np.uint8]
NEEDS_RUN = "occlusion only: Grad-CAM takes gradients, so give the run instead of the file (needs torch)"


def picture(path: Path, level: int = 204, side: int = 20) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full((side, side, 3), level, np.uint8))
    return path


def document(result: Result, expected: int = 0) -> dict[str, Any]:
    assert result.exit_code == expected, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def columns(file: Path) -> int:
    """How many tiles stand side by side."""
    return (read_image(file).shape[1] - 10) // 234


def test_a_run_gets_grad_cam(fas: Fas, trained: Path, faces: Path, tmp_path: Path) -> None:
    folder = faces / "test" / "live"
    found = document(fas("explain", trained, folder, "-o", tmp_path / "out", "--no-detect", "--json"))
    assert found["maps"] == ["grad_cam", "occlusion"]
    scored = document(fas("predict", trained, folder, "--no-detect", "--json"))
    assert [row["score"] for row in found["rows"]] == pytest.approx([row["score"] for row in scored["rows"]])
    assert (found["threshold"], found["counts"]) == (scored["threshold"], scored["counts"])
    files = [Path(row["picture"]) for row in found["rows"]]
    assert files == [tmp_path / "out" / file.name for file in sorted(folder.glob("*.png"))]
    assert {columns(file) for file in files} == {3}


def test_a_file_gets_occlusion_and_one_line_says_so(fas: Fas, mean_model: MeanModel, tmp_path: Path) -> None:
    photo, out = picture(tmp_path / "in/a.jpg"), tmp_path / "out"
    result = fas("explain", mean_model(), tmp_path / "in", "-o", out, "--no-detect")
    assert (result.exit_code, result.stderr) == (0, "")
    header, row, note, said = result.stdout.splitlines()
    assert header.split() == ["input", "score", "verdict", "picture"]
    assert row.split() == [str(photo), "0.8000", "live", str(out / "a.png")]
    assert note == "1 live; accepted when score >= 0.5 (fixed:0.5)"
    assert said == NEEDS_RUN
    assert columns(out / "a.png") == 2
    arguments = ("explain", mean_model(), photo, "-o", out, "--no-detect", "--json")
    assert document(fas(*arguments))["maps"] == ["occlusion"]


def test_pictures_go_to_explained_where_nothing_is_said(
    fas: Fas, mean_model: MeanModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, photo = mean_model(), picture(tmp_path / "in/a.png")
    monkeypatch.chdir(tmp_path)
    assert fas("explain", model, photo, "--no-detect").exit_code == 0
    assert (tmp_path / "explained/in/a.png").is_file()


def test_predict_writes_the_same_pictures(fas: Fas, mean_model: MeanModel, tmp_path: Path) -> None:
    for modality in ("rgb", "ir"):
        picture(tmp_path / f"in/a_{modality}.png", 100)
        picture(tmp_path / f"in/b_{modality}.png", 220)
    model, one, other = mean_model(("rgb", "ir")), tmp_path / "one", tmp_path / "other"
    explained = document(fas("explain", model, tmp_path / "in", "-o", one, "--no-detect", "--json"))
    predicted = document(fas("predict", model, tmp_path / "in", "--explain", other, "--no-detect", "--json"))
    assert [row["score"] for row in predicted["rows"]] == [row["score"] for row in explained["rows"]]
    for row, twin in zip(explained["rows"], predicted["rows"], strict=True):
        assert Path(row["picture"]).read_bytes() == Path(twin["picture"]).read_bytes()
    plain = document(fas("predict", model, tmp_path / "in", "--no-detect", "--json"))
    assert "maps" not in plain
    assert all("picture" not in row for row in plain["rows"])


def test_the_square_can_be_finer(fas: Fas, mean_model: MeanModel, tmp_path: Path) -> None:
    photo = tmp_path / "a.png"
    cv2.imwrite(str(photo), np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8))
    model = mean_model(side=32)
    for name, options in (("usual", ()), ("same", ("--square", 0.25)), ("fine", ("--square", 0.1))):
        assert fas("explain", model, photo, "-o", tmp_path / name, "--no-detect", *options).exit_code == 0
    usual, same, fine = (
        next((tmp_path / name).rglob("*.png")).read_bytes() for name in ("usual", "same", "fine")
    )
    assert usual == same != fine


def test_a_picture_shows_every_face_of_a_photo(
    fas: Fas, mean_model: MeanModel, tmp_path: Path, photo_with: Callable[..., Image]
) -> None:
    path, empty = tmp_path / "in/photo.png", picture(tmp_path / "in/empty.png", 120, 200)
    cv2.imwrite(str(path), photo_with((100, 110, 45), (240, 120, 70))[..., ::-1])
    options = ("--detect", "--faces", "all", "-o", tmp_path / "out")
    result = fas("explain", mean_model(side=32), path.parent, *options, "--json")
    rows = {row["input"]: row for row in document(result)["rows"]}
    assert rows[str(path)]["picture"] == rows[f"{path}#2"]["picture"] == str(tmp_path / "out/photo.png")
    assert rows[str(empty)]["picture"] is None
    one, both = tmp_path / "one", read_image(tmp_path / "out/photo.png")
    assert fas("explain", mean_model(side=32), path.parent, "--detect", "-o", one).exit_code == 0
    assert both.shape[0] == 2 * read_image(one / "photo.png").shape[0]


def test_what_cannot_be_read_is_a_row_with_its_reason(
    fas: Fas, mean_model: MeanModel, tmp_path: Path
) -> None:
    good, bad = picture(tmp_path / "good.png"), tmp_path / "bad.png"
    bad.write_bytes(b"not an image")
    result = fas("explain", mean_model(), good, bad, "none.png", "-o", tmp_path / "out", "--no-detect")
    assert result.exit_code == 0
    rows = {line.split()[0]: line for line in result.stdout.splitlines()}
    assert "not scored  cannot be decoded: not a JPEG" in rows[str(bad)]
    assert rows["none.png"].endswith("not scored  no such file")
    assert [file.name for file in (tmp_path / "out").rglob("*.png")] == ["good.png"]
    assert fas("explain", mean_model(), "none.png", "-o", tmp_path / "out").exit_code == 1


def test_nothing_is_replaced(fas: Fas, mean_model: MeanModel, tmp_path: Path) -> None:
    model, photo = mean_model(), picture(tmp_path / "in/a.png")
    before, twins = photo.read_bytes(), [picture(tmp_path / "twins" / name) for name in ("b.jpg", "b.png")]
    for arguments, message in (
        (("explain", model, photo.parent, "-o", photo.parent), "explained copies would replace"),
        (("explain", model, *twins), "two inputs would be explained as b.png"),
        (("predict", model, photo, "--explain", tmp_path, "--save-annotated", tmp_path), "give two folders"),
        (("explain", model, photo, "-o", tmp_path / "none/in", "--square", "2"), "--square"),
        (("explain", tmp_path / "no.onnx", photo), "no such model file"),
        (("explain", model, photo, "--no-detect", "--faces", "all"), "leave --no-detect out"),
    ):
        result = fas(*arguments)
        assert (result.exit_code, result.stdout) == (2, ""), result.output
        assert message in result.stderr
    assert photo.read_bytes() == before
    assert not list(tmp_path.glob("none"))


def test_a_file_takes_no_torch(mean_model: MeanModel, tmp_path: Path) -> None:
    photo, model = picture(tmp_path / "a.png"), mean_model()
    script = (
        "import sys\nfor name in ('torch', 'onnx', 'pyarrow', 'matplotlib'):\n    sys.modules[name] = None\n"
        "from fas_core.cli import main\n"
        f"main(['predict', {str(model)!r}, {str(photo)!r}, '--explain', {str(tmp_path / 'o')!r}, '-q',\n"
        "     '--no-detect'], standalone_mode=False)\n"
        f"main(['explain', {str(model)!r}, {str(photo)!r}, '-o', {str(tmp_path / 'e')!r},"
        " '--no-detect'], standalone_mode=False)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == NEEDS_RUN
    assert len(list(tmp_path.rglob("*/a.png"))) == 2
