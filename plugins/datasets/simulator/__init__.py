"""A presentation-attack simulator: paired RGB, depth and infrared images of a parametric head.

Good scores on its images show that a pipeline works, not that it protects real faces. docs/simulator.md
lists what is modelled and what is not.
"""
