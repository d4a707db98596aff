"""An extension of griffe, which mkdocstrings reads docstrings by: a section `Example:` is code.

Griffe knows `Examples:` for doctests, and takes `Example:` for a note.
"""

from __future__ import annotations

from typing import Any

import griffe


class Examples(griffe.Extension):
    """Reads sections `Example:` as `Examples:`."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = obj.docstring.value.replace("\nExample:\n", "\nExamples:\n")
