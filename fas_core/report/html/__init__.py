"""The HTML report: its plots by matplotlib, its page by Jinja. Needs the extra `report`, never torch."""

from fas_core.report.html.page import Report, render
from fas_core.report.html.plots import plots
from fas_core.report.html.svg import Plot, PlotFormat

__all__ = ["Plot", "PlotFormat", "Report", "plots", "render"]
