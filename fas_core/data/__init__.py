"""Samples, their images, and what feeds them to models."""
