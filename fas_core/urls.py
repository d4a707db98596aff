"""Where a file lies: a path of this machine, or a URL that fsspec opens, such as `s3://bucket/1.png`.

A URL may be a chain, whose first protocols say how the last is read: `simplecache::s3://bucket/1.png`.
"""

from __future__ import annotations

import re
from pathlib import Path

from attrs import frozen

from fas_core.names import to_path

FILE = "file://"
ZIP = "zip://"

# A protocol has two letters or more: C:// is a drive.
_START = re.compile("(?:[a-zA-Z][a-zA-Z0-9+.-]*::)*[a-zA-Z][a-zA-Z0-9+.-]+://")
_PARTS = re.compile(rf"(?P<protocols>{_START.pattern})(?P<path>.*?)(?P<rest>(?:\?|#|::).*)?", re.DOTALL)
_IN_TEXT = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://[^\s'\"<>]+")


@frozen(repr=False)
class Url:
    """A file or folder that fsspec opens. As text, which messages and outputs have, it has no credentials.

    Args:
        address: the URL as fsspec takes it.
    """

    address: str

    def __str__(self) -> str:
        return hide_credentials(self.address)

    __repr__ = __str__

    def __truediv__(self, name: str) -> Url:
        protocols, path, rest = _split(self.address)
        return Url(f"{protocols}{path.rstrip('/')}/{name}{rest}")

    @property
    def path(self) -> str:
        """What is between the protocol and the parameters, without credentials: `bucket/1.png`."""
        return _split(str(self))[1].lstrip("/")

    @property
    def suffix(self) -> str:
        """The ending of the name, with its dot, as of a path."""
        return Path(self.path).suffix

    @property
    def parent(self) -> Url | None:
        """The folder above, of an archive the topmost one, too; None of that, of a bucket or of a host."""
        protocols, path, rest = _split(self.address)
        folder, slash, name = path.rstrip("/").rpartition("/")
        is_below = slash or (name and split_archive(self) is not None)
        return Url(f"{protocols}{folder}{rest}") if is_below else None


Location = Path | Url
"""Where a file lies that is read."""


def is_url(text: str) -> bool:
    """Whether a text is a URL, and no path."""
    return "://" in text and _START.match(text) is not None


def to_location(value: str | Location) -> Location:
    """Return a path or URL as what it is; `file:///a.png` is the path `/a.png`."""
    if not isinstance(value, str):
        return value
    if value.lower().startswith(FILE):
        return Path(value[len(FILE) :])
    return Url(value) if is_url(value) else Path(value)


def locate(root: Location, text: str) -> Location:
    """Return where a file lies that a table names relative to `root`, by an absolute path, or by a URL.

    The path of an archive in a URL is relative to `root`, too: `zip://1.png::photos.zip`. The text is one
    that `fas_core.names.to_text` wrote.
    """
    if is_url(text):
        return _locate_archive(root, to_location(text))
    if isinstance(root, Url):
        return to_path(Path(), text) if Path(text).is_absolute() else root / text
    return to_path(root, text)


def split_archive(location: Location) -> tuple[Location, str] | None:
    """Return the archive and the name in it of `zip://a/1.png::photos.zip`; None of what is in no archive."""
    if not isinstance(location, Url) or not location.address.lower().startswith(ZIP):
        return None
    name, chain, archive = location.address[len(ZIP) :].partition("::")
    return (to_location(archive), name.lstrip("/")) if chain else None


def _locate_archive(root: Location, location: Location) -> Location:
    """Return a location whose archive, if it is in one, begins at `root`."""
    archived = split_archive(location)
    if archived is None or isinstance(archived[0], Url):
        return location
    archive = locate(root, str(archived[0]))
    return Url(f"{ZIP}{archived[1]}::{archive.address if isinstance(archive, Url) else archive}")


def hide_credentials(url: str) -> str:
    """Return a URL for outputs, without user and password; values of parameters may be secrets, too.

    >>> hide_credentials("rtsp://admin:secret@10.0.0.5:554/cam?channel=1&token=abc")
    'rtsp://10.0.0.5:554/cam?channel=1&token=***'
    """
    return "::".join(map(_hide_in_link, url.split("::")))


def hide_in_text(text: str) -> str:
    """Return a text, such as the message of an error, whose URLs have no credentials."""
    return _IN_TEXT.sub(lambda match: hide_credentials(match[0]), text)


def _hide_in_link(link: str) -> str:
    """Hide the credentials of one URL of a chain."""
    protocol, slashes, rest = link.partition("://")
    if not slashes:
        protocol, rest = "", link
    authority = rest.partition("/")[0]
    if "@" in authority or ":" in authority:  # a password may contain any character, also a slash
        rest = rest.rpartition("@")[2]
    address, mark, query = rest.partition("#")[0].partition("?")
    parameters = "&".join(map(_hide_value, query.split("&")))
    return f"{protocol}{slashes}{address}{mark}{parameters}"


def _hide_value(parameter: str) -> str:
    name, equals, value = parameter.rpartition("=")
    return parameter if re.fullmatch(r"\d{0,3}", value) else f"{name}{equals}***"


def _split(address: str) -> tuple[str, str, str]:
    """Return the protocols, the path, and parameters or further links of a chain."""
    match = _PARTS.fullmatch(address)
    assert match is not None, "made of URLs alone"
    return match["protocols"], match["path"], match["rest"] or ""
