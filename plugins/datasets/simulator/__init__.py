"""A presentation-attack simulator: paired RGB, depth and infrared faces from a parametric head.

Scores on its images say that a pipeline works, not that faces are protected. What is modelled, and
what is not, is in docs/simulator.md.
"""
