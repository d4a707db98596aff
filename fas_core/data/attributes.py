"""Columns of a data set beyond those of a sample table, such as skin tones, to group figures by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable


@runtime_checkable
class HasAttributes(Protocol):
    """A data set whose samples have further columns."""

    def attribute_names(self) -> tuple[str, ...]:
        """Return the names of the further columns."""

    def attribute(self, name: str) -> Mapping[str, str]:
        """Return `{id of a sample: value}` of one of them, of all splits, without empty values."""
