"""YAML of any origin: what is read, and the line that says what is wrong or which limit it exceeds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fas_core.errors import DataError, FasError
from fas_core.text_files import MAX_DEPTH, shorten
from fas_core.yaml_files import MAX_VALUES, MAX_YAML, parse_yaml, read_yaml

NINES = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 9)
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("{a: [1, 0.5, true, null, 2020-13-01x]}", {"a": [1, 0.5, True, None, "2020-13-01x"]}),
        ("a: &x {b: 1}\nc: {<<: *x, d: *x}", {"a": {"b": 1}, "c": {"b": 1, "d": {"b": 1}}}),
        ("!!float 3", 3.0),
        ("!!int '3'", 3),
        ('"\\udcff"', "\udcff"),
        ("[" * MAX_DEPTH + "]" * MAX_DEPTH, None),
    ],
)
def test_yaml_within_the_limits_is_read(text: str, value: Any) -> None:
    parsed = parse_yaml(text, "x")
    assert value is None or parsed == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: !!int x\n", "x:2: not YAML: 'x' is no value of the type !!int"),
        ("!!bool x", "x: not YAML: 'x' is no value of the type !!bool"),
        ("!!timestamp x", "x: not YAML: 'x' is no value of the type !!timestamp"),
        ("!!float ", "x: not YAML: '' is no value of the type !!float"),
        ("2001-99-99", "x: not YAML: '2001-99-99' is no value of the type !!timestamp"),
        ("!!binary x", "x: not YAML: failed to decode base64 data"),
        ("!!python/object:os.system x", "x: not YAML: could not determine a constructor for the tag"),
        ("!!set [a]", "x: not YAML: expected a mapping node"),
        ("{a: 1, a: 2}", "x: not YAML: 'a' is given twice"),
        ("? [a]\n: 1\n", "x:1: not YAML: found unhashable key"),
        ("a: &a [*a]\n", "x:1: not YAML: the alias *a stands for a value that it is part of"),
        ("[" * 3000, "x: nested more than 50 levels deep"),
        ("- " * 51 + "a", "x: nested more than 50 levels deep"),
        ("a:\n- " + "1" * 5000, "x:2: a number of more than 1000 digits"),
        ("seed: " + "1:" * 2000 + "1", "x: a number of more than 1000 digits"),
        ("[" + "1," * MAX_VALUES + "]", "x: more than 10,000 values, those that aliases stand for included"),
        (NINES, "x:5: more than 10,000 values, those that aliases stand for included"),
        ('"a\\0b"', "x: not YAML: a text with a NUL: 'a\\x00b'"),
        ('"\\ud800"', "x: not YAML: a text with half a character"),
        ("\x1b[2J", "x: not YAML: special characters are not allowed"),
        ("--- a\n--- b\n", "x:2: not YAML: but found another document"),
    ],
    ids=lambda text: repr(shorten(text, 30)),
)
def test_yaml_that_is_refused_in_a_line(text: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        parse_yaml(text, "x", DataError)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_large_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: '" + "x" * MAX_YAML + "'\n")
    with pytest.raises(FasError, match=r"a\.yaml: larger than 1 MiB"):
        read_yaml(tmp_path / "a.yaml")
    (tmp_path / "a.yaml").write_text("a: 1\n")
    assert read_yaml(tmp_path / "a.yaml") == {"a": 1}
