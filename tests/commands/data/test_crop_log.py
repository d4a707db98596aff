"""The log of a crop job: written line by line, read after an interruption."""

from __future__ import annotations

from pathlib import Path

import pytest

from fas_core import DataError, FasError
from fas_core.data.faces import CropSettings
from fas_plugins.commands.data.crop_log import CropLog

SMALL = CropSettings(size=48)


def test_recorded_boxes_are_read_back(tmp_path: Path) -> None:
    log = CropLog(tmp_path / "log.jsonl")
    assert log.read(SMALL) == {}
    results = [("a", (1.0, 2.0, 3.0, 4.0)), ("b", None)]
    assert list(log.record(results)) == results
    assert log.read(SMALL) == dict(results)


def test_a_half_written_line_is_dropped(tmp_path: Path) -> None:
    log = CropLog(tmp_path / "log.jsonl")
    log.read(SMALL)
    list(log.record([("a", None)]))
    with log.path.open("a") as stream:
        stream.write('{"id": "b')
    assert log.read(SMALL) == {"a": None}
    assert list(log.record([("c", None)])) == [("c", None)]
    assert set(log.read(SMALL)) == {"a", "c"}


def test_other_settings_and_unwritable_files_are_refused(tmp_path: Path) -> None:
    log = CropLog(tmp_path / "log.jsonl")
    log.read(SMALL)
    with pytest.raises(DataError, match=r"was cropped with detector None, margin 0\.1, size 48: use"):
        log.read(CropSettings(size=64))
    with pytest.raises(FasError, match=r"none/log\.jsonl: cannot be written"):
        list(CropLog(tmp_path / "none/log.jsonl").record([("a", None)]))


@pytest.mark.parametrize(
    "line",
    [
        "[]",
        "{}",
        '{"id": 1, "box": null}',
        '{"id": "b", "box": [1, 2, 3]}',
        '{"id": "b", "box": [1, 2, 3, NaN]}',
        '{"id": "b", "box": "1234"}',
    ],
)
def test_a_damaged_line_is_named(tmp_path: Path, line: str) -> None:
    log = CropLog(tmp_path / "log.jsonl")
    log.read(SMALL)
    list(log.record([("a", None)]))
    with log.path.open("a") as stream:
        stream.write(f'{line}\n{{"id": "c", "box": null}}\n')
    with pytest.raises(DataError, match=r"log\.jsonl:3: no record of a cropped photo"):
        log.read(SMALL)


@pytest.mark.parametrize("text", ["", "[]\n", '{"settings": 1}\n', "\n"])
def test_a_log_without_settings_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "log.jsonl").write_text(text)
    with pytest.raises(DataError):
        CropLog(tmp_path / "log.jsonl").read(SMALL)
