"""Plots as image files, and as SVG elements of a page that take the colours of the page."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

from attrs import field, frozen
from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.figure import Figure

from fas_core.atomic import replacing
from fas_core.names import escape_controls
from fas_plugins.commands.report.html.theme import COLOURS, STYLE

PlotFormat = Literal["svg", "png"]
PNG_DPI = 200
ROLES = {light: role for role, (light, _) in COLOURS.items()}
COLOUR = re.compile("|".join(ROLES))
MARKS = ("use", "path")
"""Elements of a point and of a bar."""
METADATA = {"svg": ("Date", "Creator", "Format", "Type"), "png": ("Software",)}
"""Metadata that matplotlib writes by default."""


@frozen(eq=False)
class Plot:
    """A plot with its description.

    Args:
        name: unique name of its file and of its elements in a page: letters, digits and `-`.
        title: a few words.
        text: describes the content for readers who cannot see it.
        figure: the drawing.
        hovers: `{gid of an artist: a text for each of its marks}`, shown where the pointer rests on it.
    """

    name: str
    title: str
    text: str
    figure: Figure
    hovers: Mapping[str, Sequence[str]] = field(factory=dict)

    def write(self, folder: Path, plot_format: PlotFormat) -> Path:
        """Write `folder/NAME.svg` or `.png`, on white, and return its path.

        Raises:
            FasError: it cannot be written.
        """
        path = folder / f"{self.name}.{plot_format}"
        with replacing(path) as temporary:
            temporary.write_bytes(_render_figure(self.figure, plot_format, transparent=False))
        return path

    def to_svg(self) -> Markup:
        """Return an `<svg>` element for a page that defines `--ink` and the other roles of `COLOURS`."""
        root = ElementTree.fromstring(_render_figure(self.figure, "svg", transparent=True))
        _strip_namespaces(root)
        for parent in root.iter():
            for child in [child for child in parent if child.tag in ("metadata", "style")]:
                parent.remove(child)
        self._add_hovers(root)
        for element in root.iter():
            # Attributes instead of styles, which the page's Content-Security-Policy does not allow.
            for declaration in filter(None, element.attrib.pop("style", "").split(";")):
                key, _, value = declaration.partition(":")
                if not key.strip().startswith("font-family"):  # to inherit the page's
                    element.set(key.strip(), value.strip())
            for key, value in element.attrib.items():
                element.set(key, self._adapt_attribute(key, value))
        for key in ("width", "height", "version"):
            root.attrib.pop(key, None)
        root.attrib |= {"role": "img", "aria-labelledby": f"{self.name}-title {self.name}-text"}
        labels = (("title", "title", self.title), ("desc", "text", self.text))
        for index, (tag, suffix, text) in enumerate(labels):
            child = ElementTree.Element(tag, id=f"{self.name}-{suffix}")
            child.text = escape_controls(text)
            root.insert(index, child)
        return Markup(ElementTree.tostring(root, encoding="unicode", method="html"))

    def _add_hovers(self, root: ElementTree.Element) -> None:
        """Give each mark of an artist its text as a `<title>`, which browsers show at the pointer."""
        by_id = {element.get("id"): element for element in root.iter()}
        for gid, texts in self.hovers.items():
            marks = [item for item in by_id[gid].iter() if item.tag in MARKS and "id" not in item.attrib]
            for mark, text in zip(marks, texts, strict=True):
                title = ElementTree.SubElement(mark, "title")
                title.text = escape_controls(text)

    def _adapt_attribute(self, key: str, value: str) -> str:
        """Make ids unique in the page, and replace colours by roles."""
        if key == "id":
            return f"{self.name}-{value}"
        if key == "href":
            return f"#{self.name}-{value.removeprefix('#')}"
        value = value.replace("url(#", f"url(#{self.name}-")
        return COLOUR.sub(lambda match: f"var(--{ROLES[match[0]]})", value)


def _render_figure(figure: Figure, plot_format: PlotFormat, *, transparent: bool) -> bytes:
    buffer = io.BytesIO()
    # Without metadata, which holds the date, equal plots are equal files.
    metadata = dict.fromkeys(METADATA[plot_format])
    with rc_context(STYLE), warnings.catch_warnings():
        # A name may be in a script that this machine has no font for; the reader's machine may have one.
        warnings.filterwarnings("ignore", r"Glyph .* missing from font", UserWarning)
        figure.savefig(buffer, format=plot_format, dpi=PNG_DPI, transparent=transparent, metadata=metadata)
    return buffer.getvalue()


def _strip_namespaces(root: ElementTree.Element) -> None:
    """Write SVG as HTML does: `{http://www.w3.org/2000/svg}path` becomes `path`."""
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        for key in [key for key in element.attrib if "}" in key]:
            element.attrib[key.rpartition("}")[2]] = element.attrib.pop(key)
