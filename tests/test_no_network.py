"""The promise of SECURITY.md: no command but `fas models get`, and `fas export` of a web page, contacts a
host, or writes elsewhere."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import Request, urlopen

import pytest
from attrs import frozen
from fixtures.web_pages import write_package

AUDIT = """
import sys

def audit(event, arguments):
    if event in ("socket.connect", "socket.sendto"):
        record(event, arguments[1])
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        record(event, arguments[0])

def record(event, address):
    with open({log!r}, "a") as file:
        print(event, repr(address), file=file)

sys.addaudithook(audit)
"""
"""Module that Python imports at its start: it records what Python code asks of the network."""

LOCAL = re.compile(r"127\.0\.0\.1|::1|localhost|AF_UNIX|AF_NETLINK|sa_family=AF_UNSPEC|'/")
"""Addresses that stay on the machine."""

LOOKUP = re.compile(r"htons\(53\)|io\.systemd\.Resolve")
"""Resolvers, which may be on the machine: whoever asks one wants to know a host's address."""

OUTPUTS = {"faces", "photos", "runs", "explained", "report.html"}
"""What the commands may write into, of the folder that they run in: what they name, or is their default."""

CACHES = (".cache/matplotlib/", ".cache/fas/commands-")
"""Files in the home folder that SECURITY.md documents."""


QUIET = {"PYTHONDONTWRITEBYTECODE": "1"}
"""No compiled files of Python beside the sources."""


@cache
def has_strace() -> bool:
    """Return whether strace is installed and may trace here."""
    trial = ["strace", "-o", os.devnull, "true"]
    return shutil.which("strace") is not None and subprocess.run(trial, check=False).returncode == 0


@frozen
class Sandbox:
    """Runs commands with an empty home folder, and records their use of the network.

    Calls from Python code are recorded by an audit hook; those of libraries by strace, where it is installed.
    """

    folder: Path

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def command(self, *arguments: object) -> list[str]:
        calls = "trace=connect,sendto,sendmsg,sendmmsg"
        strace = ["strace", "-f", "--seccomp-bpf", "-qq", "-e", calls, "-A", "-o", self.folder / "strace.log"]
        fas = [sys.executable, "-m", "fas_core", *arguments]
        return [str(item) for item in ([*strace, *fas] if has_strace() else fas)]

    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LANG") if name in os.environ}
        path = os.pathsep.join(filter(None, [str(self.folder), kept.get("PYTHONPATH")]))
        return kept | {"HOME": str(self.home), "TMPDIR": str(self.folder / "tmp"), "PYTHONPATH": path} | QUIET

    def run(self, *arguments: object, expected: tuple[int, ...] = (0,), **environment: str) -> str:
        done = subprocess.run(
            self.command(*arguments),
            capture_output=True,
            text=True,
            cwd=self.folder / "work",
            env=self.environment() | environment,
            check=False,
        )
        assert done.returncode in expected, done.stderr
        return done.stdout

    def contacts(self) -> list[str]:
        """Lines about addresses of other machines, and about a search for one."""
        logs = [self.folder / "audit.log", self.folder / "strace.log"]
        lines = [line for log in logs if log.exists() for line in log.read_text().splitlines()]
        remote = re.compile(r"sa_family=AF_INET|socket\.")
        return [
            line for line in lines if LOOKUP.search(line) or (remote.search(line) and not LOCAL.search(line))
        ]

    def strays(self) -> list[str]:
        """Files that nobody asked for: at home, in the folder for temporary files, beside the outputs."""
        homes = [path.relative_to(self.home).as_posix() for path in list_files(self.home)]
        beside = {path.name for path in (self.folder / "work").iterdir()} - OUTPUTS
        temporary = [path.name for path in list_files(self.folder / "tmp")]
        return [*(path for path in homes if not path.startswith(CACHES)), *beside, *temporary]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    folder = tmp_path_factory.mktemp("sandbox")
    for name in ("home", "work", "tmp"):
        (folder / name).mkdir()
    (folder / "sitecustomize.py").write_text(AUDIT.format(log=str(folder / "audit.log")))
    return Sandbox(folder)


@pytest.fixture(scope="module")
def exported(sandbox: Sandbox, recipe_file: Path, faces: Path) -> Path:
    """A run that was trained and exported in the sandbox, which holds some photos too."""
    shutil.copytree(faces / "test" / "live", sandbox.folder / "work" / "photos")
    (sandbox.folder / "work" / "faces").symlink_to(faces)
    sandbox.run("train", recipe_file, "--runs", "runs", "--epochs", 6, "--set", "train.workers=1")
    formats = ["onnx", "torch", "triton", *(["openvino"] if find_spec("openvino") else [])]
    sandbox.run("export", "runs/tiny", "--format", ",".join(formats))
    write_package(sandbox.folder / "work" / "runs" / "package")
    return sandbox.folder / "work" / "runs" / "tiny"


@pytest.fixture
def quiet(sandbox: Sandbox, exported: Path) -> Iterator[None]:
    """Check after the test that nobody was contacted, and that nothing was written elsewhere."""
    yield
    assert sandbox.contacts() == []
    assert sandbox.strays() == []


def test_the_recorder_sees_a_connection(sandbox: Sandbox) -> None:
    """Else the other tests would prove nothing."""
    code = "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(('192.0.2.1', 9))"
    subprocess.run([sys.executable, "-c", code], env=sandbox.environment(), check=False)
    assert any("192.0.2.1" in line for line in sandbox.contacts())
    (sandbox.folder / "audit.log").unlink()


@pytest.mark.skipif(not has_strace(), reason="strace is not installed, or may not trace")
def test_the_recorder_sees_a_search_for_a_host(sandbox: Sandbox) -> None:
    """Where the resolver is on this machine, too."""
    code = "import socket; s = socket.socket(type=socket.SOCK_DGRAM); s.connect(('127.0.0.53', 53))"
    words = sandbox.command()
    command = [*words[: words.index(sys.executable)], sys.executable, "-c", code]
    subprocess.run(command, env=sandbox.environment(), check=False)
    assert any("htons(53)" in line for line in sandbox.contacts())
    for name in ("strace.log", "audit.log"):
        (sandbox.folder / name).unlink(missing_ok=True)


@pytest.mark.usefixtures("quiet")
def test_training_and_exporting(exported: Path) -> None:
    assert (exported / "results.json").is_file()


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(
    "arguments",
    [
        ["eval", "runs/tiny", "--split", "test"],
        ["eval", "runs/tiny/model.onnx", "--split", "test", "--data", "folder:faces"],
        ["report", "runs/tiny"],
        ["predict", "runs/tiny/model.onnx", "photos", "--no-detect"],
        ["predict", "runs/tiny/model.onnx", "photos", "--detect"],
        ["explain", "runs/tiny/model.onnx", "photos", "--no-detect"],
        ["tune", "runs/tiny/recipe.yaml", "--space", "train.lr=[0.01]", "--trials", "1", "--epochs", "1"],
        ["runs", "list"],
        ["calibrate", "runs/tiny/model.onnx", "photos", "--no-detect"],
        ["data", "split", "faces", "--by", "sample", "-o", "runs/split.csv"],
        ["models", "list"],
        ["models", "list", "--public"],
        ["plugins", "list"],
        ["doctor"],
        ["card", "runs/tiny"],
        ["export", "runs/tiny", "--format", "web", "--web-runtime", "runs/package", "-o", "runs/page"],
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_commands(sandbox: Sandbox, arguments: list[str]) -> None:
    sandbox.run(*arguments, expected=(1,) if "--detect" in arguments else (0,))  # no photo shows a face


@pytest.mark.usefixtures("quiet")
def test_the_service(sandbox: Sandbox, exported: Path) -> None:
    pytest.importorskip("uvicorn", reason="the extra serve is not installed")
    command = sandbox.command("serve", exported / "model.onnx", "--port", 0)
    with subprocess.Popen(
        command, env=sandbox.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        assert server.stdout is not None
        address = next(match[0] for line in server.stdout if (match := re.search(r"http://[\d.:]+", line)))
        photo = next((sandbox.folder / "work" / "photos").iterdir()).read_bytes()
        part = b"Content-Disposition: form-data; name=rgb; filename=a.png"
        body = b"--x\r\n%b\r\n\r\n%b\r\n--x--\r\n" % (part, photo)
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        request = Request(f"{address}/v1/score?detect=false", body, headers)
        try:
            with urlopen(request) as answer:
                assert answer.status == 200
        finally:
            os.kill(children_of(server.pid)[-1] if has_strace() else server.pid, signal.SIGTERM)
            server.stdout.read()


@pytest.mark.long
def test_a_cluster_of_ray(sandbox: Sandbox, exported: Path) -> None:
    """Ray asks the hosts of clouds for their names, unless it is kept from it."""
    pytest.importorskip("ray", reason="the extra ray is not installed")
    work = sandbox.folder / "work"
    names = [path.name for path in (work / "photos").iterdir()]
    (work / "runs" / "photos.csv").write_text("path\n" + "".join(f"../photos/{name}\n" for name in names))
    parts = ("--engine", "ray", "--into", "runs/parts", "--predictors", 1)
    command = ("predict", exported / "model.onnx", "runs/photos.csv", "--no-detect", *parts)
    try:
        with TemporaryDirectory(dir="/tmp") as short:  # as its sockets need
            sandbox.run(*command, TMPDIR=short)
        assert sandbox.contacts() == []
    finally:
        shutil.rmtree(sandbox.home / ".ray", ignore_errors=True)  # which SECURITY.md names


def list_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def children_of(process: int) -> list[int]:
    """Return the processes that strace has started."""
    return [int(number) for number in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
