"""What an installed component is checked with, and why one is not checked at all."""

from __future__ import annotations

from pathlib import Path

from attrs import NOTHING, fields

from fas_core.component import Component
from fas_core.contracts import BranchSize
from fas_core.descriptors import Dataset, Fusion, Loss
from fas_core.errors import ConfigError
from fas_core.testing.support import tiny_model

NEEDS_DATA = "a data set is checked on its data: give --root FOLDER"


def find_obstacle(component: Component, root: Path | None) -> str:
    """Return why a component cannot be checked without more knowledge of it; empty if it can.

    Its own tests give what it needs: `check_loss(name, options, model=...)`.
    """
    if isinstance(component, Dataset) and root is None:
        return NEEDS_DATA
    if required := [item.name for item in fields(component.options) if item.default is NOTHING]:
        return f"{component}: no default for {', '.join(required)}: check it in tests of its own"
    if isinstance(component, Loss):
        try:
            component.load()(component.options(), model=tiny_model())
        except ConfigError as refusal:
            return f"{component} refuses the model that losses are checked with: {refusal.message}"
        except Exception:  # the check says what is wrong
            pass
    return ""


def choose_modalities(fusion: Fusion) -> tuple[str, ...]:
    """Return two modalities, or one for a fusion that refuses two by a ConfigError."""
    modalities = ("rgb", "depth")
    branches = tuple(BranchSize(modality, (16, 7, 7), 24, 5) for modality in modalities)
    try:
        fusion.load()(fusion.options(), branches=branches, num_classes=2)
    except ConfigError:
        return modalities[:1]
    except Exception:  # the check says what is wrong
        pass
    return modalities
