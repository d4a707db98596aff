"""Models: assembly, weights, published checkpoints. This page imports nothing, torch least of all."""

PRETRAINED = "pretrained.safetensors"
"""File in a run folder with weights to start training from; an import writes it, in place of weights that
score, where the checkpoint has other classes than live and attack."""
