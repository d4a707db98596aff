"""Loops that read from top to bottom: train, evaluate, checkpoint."""
