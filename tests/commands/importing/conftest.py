"""A published configuration file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml


@pytest.fixture
def write_config(tmp_path: Path) -> Callable[..., Path]:
    """`write_config(arch="FeatherNetB", momentum=0.8, model={...})`: a published file with these keys."""

    def write(model: object = None, **common: object) -> Path:
        path = tmp_path / "old.yaml"
        blocks = {"common": {"arch": "FeatherNetB", **common}} | ({"model": model} if model else {})
        path.write_text(yaml.safe_dump(blocks))
        return path

    return write
