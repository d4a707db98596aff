"""Structs of Thrift's compact protocol, written by hand."""

from __future__ import annotations

import pytest

from fas_core.scores.thrift import read_struct


def test_a_struct_by_hand() -> None:
    """Numbers are doubled for their sign; a field's header is its distance from the last, and its type."""
    data = bytes(
        [
            *(0x15, 0xD8, 0x04),  # field 1, a number: 300
            *(0x15, 0x01),  # field 2: -1
            *(0x11,),  # field 3: true
            *(0x28, 2, 0x61, 0x62),  # field 5: "ab"
            *(0x19, 0x25, 2, 4),  # field 6: a list of two numbers, 1 and 2
            *(0x0C, 0x3C, 0x15, 6, 0),  # field 30, its number written out: a struct with 3 as field 1
            *(0x22,),  # field 32: false
            0,
        ]
    )
    fields = {1: 300, 2: -1, 3: 1, 5: b"ab", 6: [1, 2], 30: {1: 3}, 32: 0}
    assert read_struct(b"xx" + data + b"yy", 2) == (fields, 2 + len(data))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x25", "ends early"),
        (b"\x28\x09ab", "ends early"),
        (b"\x19\xf5\xff\xff\x03\0", "a list of 65535 values that ends early"),
        (b"\x15\x02\x05\x02\x02\x00", "field 1 twice"),
        (b"\x15" + b"\xff" * 11, "more than ten bytes"),
        (b"\x1c" * 20, "nested more than 16 times"),
        (b"\x19\x19" * 20, "nested more than 16 times"),
        (b"\x1b", "unknown type 11"),
    ],
)
def test_damaged_structs_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_struct(data, 0)


def test_a_start_before_the_file_is_refused() -> None:
    with pytest.raises(ValueError, match="before the file"):
        read_struct(b"\0", -1)
