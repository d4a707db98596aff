"""The stages of a branch, from a model's pixels to the logits of one backbone."""

from typing import Literal

Stage = Literal["inputs", "maps", "embeddings", "logits"]
"""What a fusion takes of each branch, and up to which stage a backbone is built (`maps` or a later one)."""
