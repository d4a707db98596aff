"""Options that recipes can set. This module imports nothing heavy."""

from __future__ import annotations

from attrs import field, frozen
from attrs import validators as v


@frozen
class MiniFasNetV2Options:
    """Dropout before the classifier, as published for V2."""

    dropout: float = field(default=0.2, validator=[v.ge(0), v.lt(1)])


@frozen
class MiniFasNetV1SEOptions:
    """Dropout before the classifier, as published for V1SE."""

    dropout: float = field(default=0.75, validator=[v.ge(0), v.lt(1)])
