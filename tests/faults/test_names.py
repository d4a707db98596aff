"""Data with hostile file names, and with what is no file: the rest is done, and controls are escaped."""

from __future__ import annotations

import csv
import json
import os
import re
import socket
import unicodedata
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import Result
from faults.counts import count

from fas_core.data.listing import list_files
from fas_core.names import to_path, to_text
from fas_core.scores.table import ScoreTable

NAMES = [
    b"plain.png",
    b"gbk-\xd5\xd5\xc6\xac.png",
    b"gbk-\xd5\xd5\xc6\xad.png",
    "private-\uefd5.png".encode(),
    b"private-\xd5.png",
    b"line\nerror: forged.png",
    b"\x1b]0;title\x07.png",
    b"\x1b[1A\x1b[2Klive.png",
    "override-\u202egnp.exe.png".encode(),
    "c1-\x9b31m.png".encode(),
    "separator-\u2028.png".encode(),
    "mark-\u200f.png".encode(),
    b"-dash.png",
    b"--json.png",
    b"x" * 251 + b".png",
    b"y" * 251 + b".jpe",
    b"[red]x[bold].png",
    b"[x].png",
    b":dog:.png",
    b"=1+1.png",
    b"+1.png",
    b"@cell.png",
    b"back\\slash.png",
    b"tab\t.png",
    b'quote".png',
    b"comma,.png",
    b" space .png",
]
SPECIES = "\x1b[31mpri[red]nt"
SPECIAL = {"pipe.png": "a pipe", "socket.png": "a socket", "zero.png": "a device"}
Fas = Callable[..., Result]
MeanModel = Callable[..., Path]


def write_photos(root: Path) -> None:
    """Photos of each name, bright live ones and dark attacks, all different."""
    rng = np.random.default_rng(3)
    for kind, level in (("live", 180), (f"attack/{SPECIES}", 60)):
        (root / kind).mkdir(parents=True)
        for name in NAMES:
            pixels = rng.normal(level, 15, (32, 32, 3)).clip(0, 255).astype(np.uint8)
            (root / kind / os.fsdecode(name)).write_bytes(cv2.imencode(".png", pixels)[1].tobytes())


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("names") / "photos"
    try:
        write_photos(root)
    except (OSError, UnicodeError) as error:
        pytest.skip(f"this file system does not take the names: {error}")
    count("names", len(NAMES))
    return root


@pytest.fixture
def special(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a photo, and with a pipe, a socket, a device and a dead link that are named like one."""
    folder = tmp_path / "special"
    (folder / "live").mkdir(parents=True)
    cv2.imwrite(str(folder / "live" / "photo.png"), np.full((32, 32, 3), 200, np.uint8))
    os.mkfifo(folder / "live" / "pipe.png")
    (folder / "live" / "zero.png").symlink_to("/dev/zero")
    (folder / "live" / "dead.png").symlink_to(folder / "nothing")
    monkeypatch.chdir(folder / "live")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.png")
    return folder


def check_output(text: str) -> None:
    """No character of the output moves the cursor, colours or turns text."""
    hidden = {
        character
        for character in text.replace("\n", "")
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
    }
    assert hidden == set()
    assert not re.search("^error: forged", text, re.MULTILINE)


def read_paths(root: Path) -> set[bytes]:
    return {os.fsencode(root / path) for path in list_files(root).images}


def read_names(root: Path) -> set[bytes]:
    return {os.fsencode(Path(os.fsdecode(path)).name) for path in read_paths(root)}


def test_a_listing_has_every_name_once(photos: Path) -> None:
    assert len(read_paths(photos)) == 2 * len(NAMES)
    assert read_names(photos) == set(NAMES)


def test_data_check(fas: Fas, photos: Path) -> None:
    result = fas("data", "check", photos)
    assert result.exit_code == 0, result.output
    assert f"{2 * len(NAMES)} image files read" in result.output
    check_output(result.output)
    document = json.loads(fas("data", "check", photos, "--json").stdout)
    assert {row["species"] for row in document[str(photos)]["counts"]} == {"live", SPECIES}


@pytest.mark.parametrize("terminal", [False, True])
def test_predict(
    fas: Fas,
    photos: Path,
    mean_model: MeanModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    terminal: bool,
) -> None:
    table, copies, maps = tmp_path / "scores.csv", tmp_path / "copies", tmp_path / "maps"
    if terminal:
        monkeypatch.setenv("TTY_COMPATIBLE", "1")
        monkeypatch.setenv("NO_COLOR", "1")
    model = mean_model()
    pictures = ("--save-annotated", copies, "--explain", maps)
    result = fas("predict", model, "--no-detect", photos, "--csv", table, *pictures)
    assert result.exit_code == 0, result.output
    check_output(re.sub(r"\x1b\[[0-9;]*m", "", result.stdout) if terminal else result.stdout)
    assert ":dog:.png" in result.stdout
    assert "[red]x[bold].png" in result.stdout
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {os.fsencode(to_path(Path(), row["id"])) for row in rows} == read_paths(photos)
    assert len(table.read_text().splitlines()) == len(rows) + 1
    assert read_names(copies) >= set(NAMES)
    assert len(read_paths(maps)) == 2 * len(NAMES)
    for row in rows:
        assert row["verdict"] == ("live" if "/live/" in row["id"] else "attack")


def test_predict_json(fas: Fas, photos: Path, mean_model: MeanModel) -> None:
    stdout = fas("predict", mean_model(), "--no-detect", photos, "--json").stdout
    assert stdout.isascii()
    inputs = {row["input"] for row in json.loads(stdout)["rows"]}
    assert len(inputs) == 2 * len(NAMES)
    assert f"{photos}/live/line\nerror: forged.png" in inputs
    assert f"{photos}/live/gbk-\uefd5\uefd5\u01ac.png" in inputs


def test_eval_and_score(fas: Fas, photos: Path, trained: Path, tmp_path: Path) -> None:
    result = fas("eval", trained, "--data", photos, "--split", "test", "--scores", tmp_path / "scores.csv")
    assert result.exit_code == 0, result.output
    check_output(result.output)
    scores = ScoreTable.read(tmp_path / "scores.csv")
    assert len(set(scores.table.column("id").to_pylist())) == 2 * len(NAMES)
    for arguments in (
        ("score", tmp_path / "scores.csv"),
        ("report", tmp_path / "scores.csv", "-o", tmp_path / "report.html", "--threshold", "fixed:0.5"),
    ):
        result = fas(*arguments)
        assert result.exit_code == 0, result.output
        check_output(result.output)
    check_output((tmp_path / "report.html").read_text().replace("\t", ""))


def test_crops_have_the_names_of_the_photos(fas: Fas, photos: Path, tmp_path: Path) -> None:
    manifest, crops = tmp_path / "manifest.csv", tmp_path / "crops"
    assert fas("data", "split", photos, "--by", "sample", "-o", manifest).exit_code == 0
    lines = manifest.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 2 * len(NAMES) + 1
    with manifest.open(encoding="utf-8", newline="") as file:
        rows = [row | {"box": "4 4 20 20"} for row in csv.DictReader(file)]
    boxed = photos.parent / "boxed.csv"
    with boxed.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            {**row, "rgb": to_text(os.path.relpath(to_path(tmp_path, row["rgb"]), photos.parent))}
            for row in rows
        )
    result = fas("data", "check", manifest)
    assert f"{2 * len(NAMES)} image files read" in result.output
    result = fas("data", "crop", boxed, crops)
    assert result.exit_code == 0, result.output
    check_output(result.output)
    assert read_names(crops) == set(NAMES)
    again = fas("data", "crop", boxed, crops)
    assert f"({2 * len(NAMES)} photos were done before)" in again.output
    result = fas("data", "check", crops / "manifest.csv")
    assert f"{2 * len(NAMES)} image files read" in result.output, result.output


def test_a_data_set_whose_root_is_no_utf8(
    fas: Fas, photos: Path, trained: Path, mean_model: MeanModel, tmp_path: Path
) -> None:
    root = tmp_path / os.fsdecode(b"\xd5\xd5\xc6\xac-\x1b[31m")
    root.symlink_to(photos)
    for arguments in (
        ("data", "check", root),
        ("eval", trained, "--data", root, "--split", "test", "--scores", tmp_path / "s.csv"),
        ("predict", mean_model(), "--no-detect", root, "--csv", tmp_path / "p.csv"),
        ("data", "split", root, "--by", "sample", "-o", tmp_path / "split.csv"),
        ("data", "check", tmp_path / "split.csv"),
    ):
        result = fas(*arguments)
        assert not isinstance(result.exception, UnicodeError), result.exception
        assert result.exit_code == 0, result.output
        check_output(result.output)


def test_names_of_videos(fas: Fas, mean_model: MeanModel, tmp_path: Path) -> None:
    videos, frames = tmp_path / "videos", tmp_path / "frames"
    videos.mkdir()
    writer = cv2.VideoWriter(str(videos / "a.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 10, (64, 48))
    for _ in range(3):
        writer.write(np.full((48, 64, 3), 200, np.uint8))
    writer.release()
    names = [b"gbk-\xd5.avi", b"a\nb.avi", b"\x1b[31m.avi", b"z" * 251 + b".avi", b"-dash.avi"]
    for name in names:
        (videos / os.fsdecode(name)).write_bytes((videos / "a.avi").read_bytes())
    os.mkfifo(videos / "pipe.avi")
    result = fas("data", "frames", videos, frames)
    assert result.exit_code == 1, result.output
    assert f"error: {videos / 'pipe.avi'}: cannot be read: a pipe, not a file" in result.output
    assert "18 frames of 6 videos" in result.output
    check_output(result.output)
    result = fas("data", "check", frames / "manifest.csv")
    assert "18 image files read" in result.output, result.output
    result = fas("predict", mean_model(), "--no-detect", videos, "--csv", tmp_path / "p.csv")
    assert result.exit_code == 0, result.output
    assert len((tmp_path / "p.csv").read_text().splitlines()) == 1 + 18 + 1
    check_output(result.output)


def test_what_is_no_file_is_a_row_with_its_reason(fas: Fas, special: Path, mean_model: MeanModel) -> None:
    result = fas("predict", mean_model(), "--no-detect", special, "--json")
    rows = {Path(row["input"]).name: row for row in json.loads(result.stdout)["rows"]}
    assert rows["photo.png"]["verdict"] == "live"
    for name, kind in SPECIAL.items():
        assert rows[name]["reason"] == f"cannot be read: {kind}, not a file"
    assert "no such image" in rows["dead.png"]["reason"]
    result = fas("data", "check", special)
    assert result.exit_code == 1
    for name, kind in SPECIAL.items():
        assert f"{special}/live/{name}: cannot be read: {kind}, not a file" in result.output
    result = fas("predict", mean_model(), "--no-detect", *(special / "live" / name for name in SPECIAL))
    assert result.exit_code == 1
    assert result.output.count("not a file") == len(SPECIAL)


def test_a_null_character_in_a_manifest(fas: Fas, tmp_path: Path, mean_model: MeanModel) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((32, 32, 3), 200, np.uint8))
    (tmp_path / "m.csv").write_bytes(b"id,path,label\na,a.png,live\nb,b\0.png,live\n")
    for arguments in (
        ("data", "check", tmp_path / "m.csv"),
        ("predict", mean_model(), "--no-detect", tmp_path / "m.csv"),
    ):
        result = fas(*arguments)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        check_output(result.output)


def test_messages_of_the_command_line_are_escaped(fas: Fas, tmp_path: Path) -> None:
    name = "\x1b]0;t\x07[/x][red]\u202e:dog:\n"
    for arguments in (
        (name,),
        ("train", name),
        ("eval", f"--{name}"),
        ("eval", name, name),
        ("--disable-plugin", name, "plugins", "list"),
        ("predict", name, name),
        ("data", "check", name),
        ("export", name),
    ):
        result = fas(*arguments)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        check_output(result.output)
        if result.exit_code:
            assert "[/x][red]" in result.output, arguments
