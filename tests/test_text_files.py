"""Text and JSON of any origin: what is read, and the line that says which limit a file exceeds."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from fas_core.errors import ConfigError, DataError
from fas_core.text_files import (
    MAX_COLUMNS,
    MAX_DEPTH,
    MAX_DIGITS,
    MAX_LINE,
    parse_json,
    read_bytes,
    read_json,
    read_text,
    refuse_long_lines,
    refuse_long_numbers,
    refuse_many_columns,
    shorten,
)

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="pipes and devices are files of POSIX")


def test_text_has_no_mark_and_lf_line_ends(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfa\r\nb\rc\nd")
    assert read_text(tmp_path / "a.txt") == "a\nb\nc\nd"
    (tmp_path / "a.txt").write_bytes(b"")
    assert read_text(tmp_path / "a.txt") == ""


def test_the_size_is_limited(tmp_path: Path) -> None:
    file = tmp_path / "a"
    with file.open("wb") as stream:
        stream.truncate(2 << 20)
    assert len(read_bytes(file, 2 << 20)) == 2 << 20
    with pytest.raises(DataError, match=r"a: larger than 1 MiB, the limit for such files$"):
        read_bytes(file, 1 << 20)


def test_what_cannot_be_read_is_a_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none: cannot be read: No such file or directory$"):
        read_bytes(tmp_path / "none", error=ConfigError)
    with pytest.raises(DataError, match="cannot be read: a folder, not a file"):
        read_bytes(tmp_path)
    with pytest.raises(DataError, match="cannot be read: File name too long"):
        read_bytes(tmp_path / ("x" * 300))
    with pytest.raises(DataError, match="not a path: embedded null byte"):
        read_bytes(Path("a\0b"))
    (tmp_path / "a").write_bytes(b"a\xff")
    with pytest.raises(DataError, match=r"not a text file in UTF-8 \(byte 1 is not\)"):
        read_text(tmp_path / "a")
    (tmp_path / "a").write_bytes(b"abc\0")
    with pytest.raises(DataError, match="a NUL at character 3"):
        read_text(tmp_path / "a")


@POSIX
def test_a_file_without_permission_is_a_line(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads every file")
    (tmp_path / "a").touch(mode=0)
    with pytest.raises(DataError, match="cannot be read: Permission denied"):
        read_bytes(tmp_path / "a")


@POSIX
def test_pipes_without_a_writer_and_devices_are_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    for name in ("pipe", "zero"):
        with pytest.raises(DataError, match=f"{name}: cannot be read: a device, pipe or socket"):
            read_bytes(tmp_path / name)


@POSIX
def test_the_pipe_of_a_shell_is_read() -> None:
    receiving, sending = os.pipe()
    os.write(sending, b"some text")
    os.close(sending)
    try:
        assert read_bytes(Path(f"/dev/fd/{receiving}")) == b"some text"
    finally:
        os.close(receiving)


def test_json_is_read_with_the_numbers_of_python(tmp_path: Path) -> None:
    value = {"a": [1, 0.5, None, True, "\udcff"], "b": {}}
    (tmp_path / "a.json").write_text(json.dumps(value))
    assert read_json(tmp_path / "a.json") == value
    assert str(parse_json("[NaN, -Infinity]", "x")) == "[nan, -inf]"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "x: not JSON: Expecting value: line 1"),
        ("{'a': 1}", "x: not JSON: Expecting property name"),
        ("[" * 3000, "x: nested more than 50 levels deep"),
        ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "x: nested more than 50 levels deep"),
        ('{"a": \n' + "1" * 5000 + "}", "x:2: a number of more than 1000 digits"),
        ('["a\\u0000"]', "x: a text with a NUL: 'a\\x00'"),
        ('{"\\ud800": 1}', "x: a text with half a character (a lone surrogate): '\\ud800'"),
    ],
    ids=shorten,
)
def test_json_that_is_refused_in_a_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_json(text, "x", ConfigError)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_json_of_the_greatest_depth_and_digits_is_read() -> None:
    text = "[" * MAX_DEPTH + "9" * MAX_DIGITS + "]" * MAX_DEPTH
    assert str(parse_json(text, "x")).strip("[]") == "9" * MAX_DIGITS


def test_long_numbers_are_seen_also_across_blocks() -> None:
    refuse_long_numbers(b"1" * MAX_DIGITS + b"." + b"2" * MAX_DIGITS, "x")
    for start in (0, (1 << 24) - 500, 1 << 24):
        with pytest.raises(DataError, match=r"^x:2: a number of more than 1000 digits$"):
            refuse_long_numbers(b"\n" + b"a" * start + b"7" * (MAX_DIGITS + 1) + b"a", "x")


def test_long_lines_are_named() -> None:
    line = "a" * MAX_LINE
    refuse_long_lines(f"{line}\n{line}\n\n{line}", "x")
    refuse_long_lines("", "x")
    with pytest.raises(DataError, match=r"^x:3: a line of more than 1,048,576 characters$"):
        refuse_long_lines(f"a\n{line}\na{line}\nb", "x")
    with pytest.raises(DataError, match=r"^x:1: a line of more than 2 characters$"):
        refuse_long_lines("aaa", "x", limit=2)


def test_many_columns_are_refused() -> None:
    refuse_many_columns(MAX_COLUMNS, "x")
    with pytest.raises(DataError, match=r"^x: 20,000 columns: at most 4,096 are read$"):
        refuse_many_columns(20_000, "x")


def test_long_texts_are_shortened_for_messages() -> None:
    assert shorten("abc", 3) == "abc"
    assert shorten("abcdefgh", 6) == "abc..."
