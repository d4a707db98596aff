"""The files of onnxruntime-web that the page loads: from npm's registry, or from a folder or archive at hand.

Of the npm package's 145 MB the page needs three files, 14 MB, those of the build for WebAssembly alone. What
is fetched is kept in the user's cache.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tarfile
from base64 import b64decode
from io import BytesIO
from pathlib import Path

from attrs import frozen

from fas_core.atomic import replacing
from fas_core.console import console
from fas_core.downloads import check_address, download
from fas_core.errors import FasError
from fas_core.user_paths import cache_folder

FLAG = "--web-runtime"

REGISTRY_VARIABLE = "npm_config_registry"
"""Environment variable from which npm takes its registry's address, in any case of letters."""

FILES = {
    "ort.wasm.min.js": "ort.wasm.min.mjs",
    "ort-wasm-simd-threaded.js": "ort-wasm-simd-threaded.mjs",
    "ort-wasm-simd-threaded.wasm": "ort-wasm-simd-threaded.wasm",
}
"""Names in the exported folder, and in the package's `dist`: not every web server knows `.mjs`."""


@frozen
class Package:
    """A version of an npm package: its size in bytes, and its SHA-512 as npm's lock files have it."""

    name: str
    version: str
    size: int
    integrity: str

    @property
    def archive(self) -> str:
        """The file's name in a registry."""
        return f"{self.name}-{self.version}.tgz"

    def is_intact(self, content: bytes) -> bool:
        """Whether these are the bytes of the published archive."""
        return hashlib.sha512(content).digest() == b64decode(self.integrity)


PACKAGE = Package(
    "onnxruntime-web",
    "1.30.0",
    33_106_585,
    "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ==",
)
"""The version that the page was tested with."""


@frozen(eq=False)
class RuntimeFiles:
    """The files by their names in the exported folder, and the version of their package."""

    contents: dict[str, bytes]
    version: str


def get_runtime_files(origin: Path | None) -> RuntimeFiles:
    """Return the files of onnxruntime-web.

    Args:
        origin: the archive of `PACKAGE`; or the folder of a package, or its `dist`, of any version or build,
            which is taken as it is; None for the user's cache, or else npm's registry.

    Raises:
        FasError: they are not there, cannot be fetched, or the archive is not the published one.
    """
    if origin is None:
        return _unpack(_fetch())
    if origin.is_dir():
        return _read_folder(origin)
    if not origin.is_file():
        raise FasError(f"{FLAG} {origin}: no such file or folder")
    content = origin.read_bytes()
    if not PACKAGE.is_intact(content):
        raise FasError(
            f"{FLAG} {origin}: not the archive {PACKAGE.archive} as it was published (its SHA-512 is another "
            "one): give that, or the folder of an unpacked package"
        )
    return _unpack(content)


def _read_folder(folder: Path) -> RuntimeFiles:
    dist = folder / "dist" if (folder / "dist").is_dir() else folder
    if missing := [name for name in FILES.values() if not (dist / name).is_file()]:
        raise FasError(
            f"{FLAG} {folder}: has no {missing[0]}: give the folder of {PACKAGE.name}, or its archive, as "
            f"npm pack {PACKAGE.name}@{PACKAGE.version} fetches it"
        )
    description = next(filter(Path.is_file, (folder / "package.json", dist.parent / "package.json")), None)
    version = "unknown" if description is None else _read_version(description)
    if version != PACKAGE.version:
        console.warn(f"{folder}: its version is {version}: the page was tested with {PACKAGE.version}")
    return RuntimeFiles({name: (dist / source).read_bytes() for name, source in FILES.items()}, version)


def _read_version(path: Path) -> str:
    try:
        description = json.loads(path.read_bytes())
    except ValueError as error:
        raise FasError(f"{path}: damaged: {error}") from error
    version = description.get("version") if isinstance(description, dict) else None
    return version if isinstance(version, str) else "unknown"


def _unpack(content: bytes) -> RuntimeFiles:
    """Read the files out of the published archive, whose bytes were checked."""
    contents = {}
    with tarfile.open(fileobj=BytesIO(content)) as archive:
        for name, source in FILES.items():
            member = archive.extractfile(f"package/dist/{source}")
            assert member is not None, "a file"
            contents[name] = member.read()
    return RuntimeFiles(contents, PACKAGE.version)


def _fetch() -> bytes:
    """Return the published archive, from the user's cache if it is there and intact."""
    cached = cache_folder() / PACKAGE.archive
    if cached.is_file() and PACKAGE.is_intact(content := cached.read_bytes()):
        return content
    address = f"{find_registry().rstrip('/')}/{PACKAGE.name}/-/{PACKAGE.archive}"
    advice = f"get it elsewhere and give it: {FLAG} {PACKAGE.archive}"
    content = download(address, PACKAGE.archive, PACKAGE.size, advice)
    if not PACKAGE.is_intact(content):
        problem = f"is not {PACKAGE.archive} as it was published (its SHA-512 is another one)"
        raise FasError(f"{address}: what came {problem}: not used")
    with replacing(cached, durable=False) as temporary:
        temporary.write_bytes(content)
    return content


def find_registry() -> str:
    """Return the address of npm's registry: of its environment variable, or what `npm config` says.

    Raises:
        FasError: neither is there, or it is no address of https or http.
    """
    for name, value in os.environ.items():
        if name.lower() == REGISTRY_VARIABLE and value:
            return check_address(value, name)
    npm = shutil.which("npm")
    done = npm and subprocess.run(
        [npm, "config", "get", "registry", "--no-update-notifier"],
        capture_output=True,
        text=True,
        check=False,
    )
    if not done or done.returncode or not done.stdout.strip():
        raise FasError(
            f"{PACKAGE.name} is needed, and which npm registry has it is not known, as npm is not installed: "
            f"set {REGISTRY_VARIABLE.upper()} to a registry's address, or give the package: {FLAG} "
            f"{PACKAGE.archive}"
        )
    return check_address(done.stdout.strip(), "npm config get registry")
