"""The page of a report, by Jinja, and its plots, by matplotlib. Needs the extra `report`, never torch."""

from fas_plugins.commands.report.html.page import ReportPage, render
from fas_plugins.commands.report.html.plots import draw_plots
from fas_plugins.commands.report.html.svg import Plot, PlotFormat

__all__ = ["Plot", "PlotFormat", "ReportPage", "draw_plots", "render"]
