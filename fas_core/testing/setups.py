"""What an installed component is checked with, and why one is not checked at all."""

from __future__ import annotations

from fas_core.contracts import BranchSize
from fas_core.descriptors import Fusion, Loss
from fas_core.errors import ConfigError
from fas_core.testing.support import tiny_model


def describe_refusal(loss: Loss) -> str:
    """Return why a loss cannot be trained with the model that losses are checked with; empty if it can.

    Its own tests give it another one: `check_loss(name, model=...)`.
    """
    try:
        loss.load()(loss.options(), model=tiny_model())
    except ConfigError as refusal:
        return f"{loss} refuses the model that losses are checked with: {refusal.message}"
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
