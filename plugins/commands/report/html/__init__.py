"""The HTML report: its plots by matplotlib, its page by Jinja. Needs the extra `report`, never torch."""

from fas_plugins.commands.report.html.page import Report, render
from fas_plugins.commands.report.html.plots import plots
from fas_plugins.commands.report.html.svg import Plot, PlotFormat

__all__ = ["Plot", "PlotFormat", "Report", "plots", "render"]
