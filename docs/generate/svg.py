"""Marks of a drawing, as SVG in a page's own colours.

Colours are variables: `--ink` for text and axes, `--live`, `--attack`, and `--faint` for what lies
behind. A file sets them for light and for dark; where the drawing is in a page, `docs/site.css` sets
them, so that it follows the page's switch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

INK, LIVE, ATTACK, FAINT = "var(--ink)", "var(--live)", "var(--attack)", "var(--faint)"

STYLE = """<style>
svg { --ink: #333; --live: #00897b; --attack: #d84315; --faint: #8888; }
@media (prefers-color-scheme: dark) { svg { --ink: #ddd; --live: #4db6ac; --attack: #ff8a65; } }
</style>"""

Point = tuple[float, float]


def draw(width: int, height: int, title: str, marks: Iterable[str]) -> str:
    """Return a drawing of a size in pixels; `title` is what it says to those who do not see it."""
    body = "\n".join(marks)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" font-family="system-ui, sans-serif" font-size="15" fill="{INK}">\n'
        f"<title>{escape(title)}</title>\n{STYLE}\n{body}\n</svg>\n"
    )


def text(
    x: float,
    y: float,
    words: str,
    *,
    anchor: str = "middle",
    color: str = INK,
    size: int = 15,
    bold: bool = False,
) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" fill="{color}" font-size="{size}"{weight}>'
        f"{escape(words, quote=False)}</text>"
    )


def line(start: Point, end: Point, *, color: str = INK, width: float = 1.5, dashed: bool = False) -> str:
    dashes = ' stroke-dasharray="6 5"' if dashed else ""
    return (
        f'<line x1="{start[0]:g}" y1="{start[1]:g}" x2="{end[0]:g}" y2="{end[1]:g}" stroke="{color}" '
        f'stroke-width="{width:g}"{dashes}/>'
    )


def arrow(start: Point, end: Point) -> str:
    """A horizontal or vertical line with a head at its end."""
    (x, y), (dx, dy) = end, (end[0] - start[0], end[1] - start[1])
    length = abs(dx) + abs(dy)
    dx, dy = dx / length * 7, dy / length * 7
    head = [(x, y), (x - dx - dy, y - dy - dx), (x - dx + dy, y - dy + dx)]
    return line(start, end) + area(head, color=INK)


def curve(points: Sequence[Point], *, color: str, width: float = 2.5) -> str:
    return f'<path d="{_path(points)}" fill="none" stroke="{color}" stroke-width="{width:g}"/>'


def area(points: Sequence[Point], *, color: str, opacity: float = 1) -> str:
    return f'<path d="{_path(points)}Z" fill="{color}" fill-opacity="{opacity:g}"/>'


def box(x: float, y: float, width: float, height: float, *, color: str, opacity: float = 1) -> str:
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="3" fill="{color}" '
        f'fill-opacity="{opacity:g}"/>'
    )


def dot(x: float, y: float, *, color: str, radius: float = 6) -> str:
    return f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" fill="{color}"/>'


def _path(points: Sequence[Point]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
