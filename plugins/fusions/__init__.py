"""Fusions."""
