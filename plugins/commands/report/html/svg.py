"""Drawn plots as files, and as SVG inside a page, whose colours then follow the page's."""

from __future__ import annotations

import io
import re
import warnings
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

from attrs import frozen
from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.figure import Figure

from fas_core.atomic import replacing
from fas_plugins.commands.report.html.theme import COLOURS, STYLE

PlotFormat = Literal["svg", "png"]
PNG_DPI = 200
ROLES = {light: role for role, (light, _) in COLOURS.items()}
COLOUR = re.compile("|".join(ROLES))
FONT = re.compile(r"font-family:[^;]*;? ?")


@frozen(eq=False)
class Plot:
    """A drawn plot.

    Args:
        name: of its file and of its parts in a page; letters, digits and `-`, no two alike.
        title: what it shows, a few words.
        text: what is to be seen in it, for those who do not see it.
        figure: the drawing.
    """

    name: str
    title: str
    text: str
    figure: Figure

    def write(self, folder: Path, kind: PlotFormat) -> Path:
        """Write `folder/NAME.svg` or `.png`, on white, and give its path.

        Raises:
            FasError: it cannot be written.
        """
        path = folder / f"{self.name}.{kind}"
        with replacing(path) as temporary:
            temporary.write_bytes(_drawn(self.figure, kind, transparent=False))
        return path

    @property
    def inline(self) -> Markup:
        """An `<svg>` element for an HTML page that defines `--ink` and the other roles of `COLOURS`."""
        root = ElementTree.fromstring(_drawn(self.figure, "svg", transparent=True))
        _without_namespaces(root)
        for parent in root.iter():
            for child in [item for item in parent if item.tag in ("metadata", "style")]:
                parent.remove(child)
        for element in root.iter():
            if "fill" in element.attrib:  # below a hatch, where matplotlib writes no style
                element.set("style", f"fill: {element.attrib.pop('fill')}")
            for key, value in element.attrib.items():
                element.set(key, self._fitted(key, value))
        for key in ("width", "height", "version"):
            root.attrib.pop(key, None)
        root.attrib |= {"role": "img", "aria-labelledby": f"{self.name}-title {self.name}-text"}
        for place, (tag, text) in enumerate((("title", self.title), ("desc", self.text))):
            part = ElementTree.Element(tag, id=f"{self.name}-{'text' if tag == 'desc' else tag}")
            part.text = text
            root.insert(place, part)
        return Markup(ElementTree.tostring(root, encoding="unicode", method="html"))

    def _fitted(self, key: str, value: str) -> str:
        """An attribute's value: ids are the plot's own, colours are roles, the font is the page's."""
        if key == "id":
            return f"{self.name}-{value}"
        if key == "href":
            return f"#{self.name}-{value.removeprefix('#')}"
        value = value.replace("url(#", f"url(#{self.name}-")
        value = COLOUR.sub(lambda found: f"var(--{ROLES[found[0]]})", value)
        return FONT.sub("", value)


def _drawn(figure: Figure, kind: PlotFormat, *, transparent: bool) -> bytes:
    buffer = io.BytesIO()
    # Nothing of when and by what it was drawn.
    blank = dict.fromkeys(("Date", "Creator", "Format", "Type") if kind == "svg" else ("Software",))
    with rc_context(STYLE), warnings.catch_warnings():
        # A species may be named in a script that this machine has no font for; the reader's may.
        warnings.filterwarnings("ignore", r"Glyph .* missing from font", UserWarning)
        figure.savefig(buffer, format=kind, dpi=PNG_DPI, transparent=transparent, metadata=blank)
    return buffer.getvalue()


def _without_namespaces(root: ElementTree.Element) -> None:
    """As HTML writes SVG: `{http://www.w3.org/2000/svg}path` is `path`."""
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        for key in [key for key in element.attrib if "}" in key]:
            element.attrib[key.rpartition("}")[2]] = element.attrib.pop(key)
