"""Names of any bytes and characters: reversible as text, harmless in a terminal."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fas_core.names import (
    escape_controls,
    from_file_system,
    replace_surrogates,
    shorten,
    to_json,
    to_path,
    to_text,
)

NAMES = [
    b"plain.png",
    "Bär-照片.png".encode(),
    b"gbk-\xd5\xd5\xc6\xac.png",
    b"gbk-\xd5\xd5\xc6\xad.png",
    b"\xd5",
    b"line\nbreak\r\t.png",
    b"\x1b]0;title\x07\x7f.png",
    "c1-\x9b31m.png".encode(),
    "separator-\u2028\u2029.png".encode(),
    "private-\uefd5.png".encode(),
    b"private-\xd5.png",
    b"private-\xee\xbf\x95.png",
    b"half-\xee\xbf.png",
    "\uef0a.png".encode(),
    b"\n.png",
]


def test_names_are_text_and_back() -> None:
    names = sorted(set(NAMES))
    texts = [to_text(from_file_system(os.fsdecode(name))) for name in names]
    assert len(set(texts)) == len(names)
    assert [os.fsencode(to_path(Path("root"), text)) for text in texts] == [b"root/" + name for name in names]
    for text in texts:
        text.encode()
        assert len(text.splitlines()) == 1
        assert escape_controls(text).isprintable()


def test_bytes_are_private_characters() -> None:
    assert to_text("b\udcb2\n") == "b\uefb2\uef0a"
    assert to_text("\x9b") == "\uefc2\uef9b"  # its two bytes in UTF-8
    assert to_text("Bär 照片 \U0001f600") == "Bär 照片 \U0001f600"
    assert replace_surrogates("a\nb\udcb2") == "a\nb\uefb2"
    assert to_text("\ud800") == "\N{REPLACEMENT CHARACTER}"  # of a JSON file, and no byte


def test_json_has_control_characters_and_no_surrogates() -> None:
    assert to_json(to_text("a\n\x1b\x9b")) == "a\n\x1b\x9b"
    assert to_json("b\udcb2") == to_json(to_text("b\udcb2")) == "b\uefb2"
    private = to_text(from_file_system("\uefb2"))
    assert to_json(private) == private != "\uefb2"


def test_a_private_character_that_someone_else_wrote(tmp_path: Path) -> None:
    (tmp_path / "\uefb2.png").touch()
    assert to_path(tmp_path, "\uefb2.png") == tmp_path / "\uefb2.png"
    try:
        (tmp_path / "\udcb2.png").touch()
    except (OSError, UnicodeError):
        pytest.skip("this file system takes UTF-8 only")
    assert to_path(tmp_path, "\uefb2.png") == tmp_path / "\udcb2.png"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a\x1b[31mb", r"a\x1b[31mb"),
        ("\0\x07\x08\x7f", r"\x00\x07\x08\x7f"),
        ("a\nb\rc\td", r"a\nb\rc\td"),
        ("\x9b\x85", r"\u009b\u0085"),
        ("\u202e\u2066\u2069\u200f\u2028", r"\u202e\u2066\u2069\u200f\u2028"),
        ("\udcb2\uefb2\uef0a\ud800", r"\xb2\xb2\n\ud800"),
        ("Bär 照片 e\u0301 שלום", "Bär 照片 e\u0301 שלום"),
    ],
)
def test_what_would_move_a_cursor_is_escaped(text: str, escaped: str) -> None:
    assert escape_controls(text) == escaped


def test_long_names_are_shortened_and_stay_different() -> None:
    long = "照" * 90
    names = [shorten(f"{long}{end}.png", ".png") for end in ("", "a", "b")]
    assert len(set(names)) == 3
    assert all(name.endswith(".png") and len(name.encode()) <= 255 for name in names)
    assert shorten("x" * 251 + ".png", ".png") == "x" * 251 + ".png"
