"""The card of an OpenVINO `.xml`, replaced: all other text stays, and the files are sealed again."""

from __future__ import annotations

import re
from pathlib import Path
from xml.sax.saxutils import escape

from fas_core.card import METADATA_KEY
from fas_core.digests import DIGEST_DIGITS, SEAL_KEY, seal_model_file
from fas_core.errors import ModelError

XML_CARD = re.compile(rf'<{METADATA_KEY} value=("[^"]*"|\'[^\']*\')')
XML_SEAL = re.compile(rf"<!-- {SEAL_KEY} [0-9a-f]{{{DIGEST_DIGITS}}} -->\n$")


def write_card(path: Path, card: str) -> None:
    """Replace the card in an `.xml`, whose `.bin` is beside it.

    A model that was converted from ONNX has the card twice: that of the ONNX file is kept as its origin's.

    Raises:
        ModelError: it has no card that can be replaced.
    """
    text = XML_SEAL.sub("", path.read_bytes().decode())
    value = escape(card, {'"': "&quot;"})
    text, count = XML_CARD.subn(lambda _: f'<{METADATA_KEY} value="{value}"', text)
    if not count:
        raise ModelError("its metadata has no card that can be replaced: export it again")
    path.write_bytes(text.encode())
    seal_model_file(path)
