"""`fas predict` of folders and streams: nothing that might be an attack is passed over without a word."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import cv2
import numpy as np
import pytest
from click.testing import Result

Fas = Callable[..., Result]
MeanModel = Callable[..., Path]
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
LIGHT, DARK = 204, 51


def encode(level: int, suffix: str = ".jpg") -> bytes:
    pixels = np.full((64, 64) if suffix == ".pgm" else (64, 64, 3), level, np.uint8)
    return bytes(cv2.imencode(suffix, pixels)[1])


def write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


@pytest.fixture(autouse=True)
def cropped(tmp_path: Path) -> None:
    """Mark the images as crops by `fas data crop`: they are scored as they are."""
    write(tmp_path / "crops.jsonl", b"")


@pytest.mark.parametrize("name", ["a.jfif", "a.pgm", "a.gif", "a.JPE", "a.upload", "photo"])
def test_a_gate_sees_an_attack_of_any_ending(
    fas: Fas, mean_model: MeanModel, tmp_path: Path, name: str
) -> None:
    write(tmp_path / "in/light.jpg", encode(LIGHT))
    suffix = Path(name).suffix if Path(name).suffix in (".pgm", ".gif") else ".jpg"
    write(tmp_path / "in" / name, encode(DARK, suffix))
    assert fas("predict", mean_model(), tmp_path / "in", "--fail-on-attack").exit_code == 3


@pytest.mark.parametrize("name", ["a.heic", "a.dng", "a.jxl", "upload"])
def test_a_gate_does_not_pass_an_undecodable_image(
    fas: Fas, mean_model: MeanModel, tmp_path: Path, name: str
) -> None:
    write(tmp_path / "in/light.jpg", encode(LIGHT))
    write(tmp_path / "in" / name, HEIC)
    result = fas("predict", mean_model(), tmp_path / "in", "--fail-on-attack", "--json")
    assert result.exit_code == 1
    rows = {Path(row["input"]).name: row for row in json.loads(result.stdout)["rows"]}
    assert "cannot be decoded" in rows[name]["reason"]
    assert rows["light.jpg"]["verdict"] == "live"


def test_other_files_are_counted_and_noise_is_not(fas: Fas, mean_model: MeanModel, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    write(folder / "light.jpg", encode(LIGHT))
    for name in ("notes.txt", "deep/labels.csv", "deep/more.txt"):
        write(folder / name, b"text")
    for name in (".ipynb_checkpoints/dark.jpg", "__MACOSX/dark.jpg", "Thumbs.db", "@eaDir/dark.jpg"):
        write(folder / name, encode(DARK))
    result = fas("predict", mean_model(), folder, "--fail-on-attack")
    assert (result.exit_code, result.stderr) == (0, f"warning: {folder}: 3 files left out: 2 .txt, 1 .csv\n")


def test_a_folder_of_frames_may_be_named_like_a_video(
    fas: Fas, mean_model: MeanModel, tmp_path: Path
) -> None:
    write(tmp_path / "in/clip.mp4/0001.jpg", encode(LIGHT))
    for folder in (tmp_path / "in", tmp_path / "in/clip.mp4"):
        result = fas("predict", mean_model(), folder, "--json")
        assert result.exit_code == 0
        (row,) = json.loads(result.stdout)["rows"]
        assert (row["input"], row["verdict"]) == (str(tmp_path / "in/clip.mp4/0001.jpg"), "live")


def test_a_folder_of_nothing_but_text_is_an_error_that_counts_it(
    fas: Fas, mean_model: MeanModel, tmp_path: Path
) -> None:
    write(tmp_path / "in/a.txt", b"text")
    result = fas("predict", mean_model(), tmp_path / "in")
    assert result.exit_code == 2
    assert "no images or videos in this folder: 1 file left out: 1 .txt" in result.stderr


class CameraServer(BaseHTTPRequestHandler):
    """A camera that sends JPEG frames of growing brightness to those who know the password."""

    def do_GET(self) -> None:
        if self.headers.get("Authorization") != "Basic " + base64.b64encode(b"admin:s3cret").decode():
            self.send_response(401)
            self.send_header("WWW-Authenticate", "Basic realm=camera")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        try:
            for level in range(LIGHT - 153, LIGHT + 1, 10):
                time.sleep(0.03)
                self.wfile.write(b"--frame\r\nContent-Type: image/jpeg\r\n\r\n" + encode(level) + b"\r\n")
        except OSError:
            pass  # the reader has enough

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), CameraServer)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_a_stream_is_a_camera_whose_password_is_not_printed(
    fas: Fas, mean_model: MeanModel, tmp_path: Path, address: str
) -> None:
    url = f"http://admin:s3cret@{address}/live?key=t0ken"
    table, copies = tmp_path / "t.csv", tmp_path / "copies"
    result = fas("predict", mean_model(), url, "--json")
    (row,) = json.loads(result.stdout)["rows"]  # one frame, as of a camera
    assert row["input"] == f"http://{address}/live?key=***:1"
    assert "cannot be" not in (row["reason"] or "")
    result = fas("predict", mean_model(), url, "--frames", 3, "--csv", table, "--save-annotated", copies)
    assert result.exit_code < 2, result.stderr  # 1 where faces are detected, of which the frames have none
    assert result.stdout.count("live?key=***") == 3
    names = "".join(map(str, copies.rglob("*")))
    for text in (result.stdout, result.stderr, table.read_text(), names):
        assert "s3cret" not in text
        assert "t0ken" not in text


@pytest.mark.parametrize("url", ["http://admin:wrong@{}/live", "rtsp://admin:wrong@{}/live"])
def test_a_stream_that_does_not_open_is_a_row_with_its_reason(
    fas: Fas, mean_model: MeanModel, address: str, url: str
) -> None:
    result = fas("predict", mean_model(), url.format(address), "--json")
    assert result.exit_code == 1
    (row,) = json.loads(result.stdout)["rows"]
    assert row["reason"].startswith("cannot be opened: check the address and the password")
    assert "wrong" not in result.output
