"""The card of an ONNX file, replaced: all bytes around its metadata stay, and it is sealed again."""

from __future__ import annotations

from pathlib import Path

from fas_core.card import METADATA_KEY
from fas_core.digests import SEAL_KEY, seal_model_file
from fas_plugins.runtimes.protobuf import encode_field, read_message, read_texts, split_fields

METADATA = 14
"""Number of ONNX's field `metadata_props`: messages of a key (1) and a value (2)."""


def write_card(path: Path, card: str) -> None:
    """Replace the card in a file."""
    path.write_bytes(replace_card(path.read_bytes(), card))
    seal_model_file(path)


def replace_card(content: bytes, card: str) -> bytes:
    """Return the bytes of a file with another card, without a seal; all other bytes stay."""
    entry = encode_field(1, METADATA_KEY.encode()) + encode_field(2, card.encode())
    fields: list[bytes | memoryview] = []
    with memoryview(content) as data:
        for number, field in split_fields(data):
            key = _metadata_key(field) if number == METADATA else ""
            if key == METADATA_KEY:
                fields.append(encode_field(METADATA, entry))
            elif key != SEAL_KEY:
                fields.append(field)
        return b"".join(fields)


def _metadata_key(field: memoryview) -> str:
    """Return the key of an entry of an ONNX file's metadata."""
    (value,) = read_message(field)[METADATA]
    assert isinstance(value, memoryview)
    return "".join(read_texts(read_message(value), 1))
