"""Attacks by raw sockets on a real `fas serve`: each is bounded, and others are answered meanwhile."""

from __future__ import annotations

import importlib.util
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest
from faults.counts import count

WHITE = np.full((20, 30, 3), 255, np.uint8)
MAX_CONNECTIONS = 40
LIMITS = ("--header-timeout", 1, "--timeout", 6, "--scoring-timeout", 2, "--concurrency", 4)
LONGEST = 15
"""Seconds that no attack may hold a connection, on a busy machine."""

BENCHMARK = Path(__file__).parents[3] / "benchmarks" / "service.py"


@pytest.fixture
def service(start_client: Any, mean_model: Callable[..., Path]) -> Iterator[Any]:
    """A client of a process that must live, and be silent, until the end."""
    process, client = start_client(mean_model(), "--no-detect", *LIMITS, "--max-connections", MAX_CONNECTIONS)
    yield client
    assert client.score(rgb=WHITE).status == 200
    process.terminate()
    stdout, stderr = process.communicate(timeout=30)
    assert (stdout, stderr, process.returncode) == ("", "", 0)


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    specification = importlib.util.spec_from_file_location("service_benchmark", BENCHMARK)
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def connect(client: Any) -> socket.socket:
    count("requests")
    return socket.create_connection((client.host, client.port), timeout=30)


def trickle(connection: socket.socket, piece: bytes, seconds: float = LONGEST) -> tuple[bytes, float]:
    """Send a piece every 50 ms until the service closes; return what it answered, and the seconds."""
    begin, received = time.monotonic(), b""
    connection.settimeout(0.05)
    while time.monotonic() - begin < seconds:
        try:
            connection.sendall(piece)
            data = connection.recv(65536)
        except TimeoutError:
            continue
        except OSError:
            break
        if not data:
            break
        received += data
    return received, time.monotonic() - begin


def pipeline(client: Any) -> float:
    """Send requests without reading the answers until the service closes; return the seconds."""
    request = b"GET /static/page.js HTTP/1.1\r\nHost: localhost\r\n\r\n"
    begin = time.monotonic()
    with connect(client) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(0.2)
        with suppress(ConnectionError):
            while time.monotonic() - begin < LONGEST:
                with suppress(TimeoutError):
                    connection.sendall(request * 100)
    return time.monotonic() - begin


GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
SLOW = {
    "silence": (b"", b"", b"408"),
    "headers that never end": (GET, b"X-A: a\r\n", b"408"),
    "a header that never ends": (GET + b"X-A: ", b"a", b"408"),
    "a request line that never ends": (b"GET /", b"a", b"408"),
    "headers after an answer": (GET + b"\r\n" + GET, b"X-A: a\r\n", b"200"),
    "a slow body": (
        b"POST /v1/score HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n"
        b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
        b'--b\r\nContent-Disposition: form-data; name="rgb"; filename="a"\r\n\r\n',
        b"-",
        b"408",
    ),
    "a slow body that nobody reads": (GET + b"Content-Length: 9999999\r\n\r\n", b"a", b"200"),
    "slow chunks that nobody reads": (GET + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n", b"200"),
}


def test_slow_connections_end(service: Any) -> None:
    """All at once, to save time."""

    def attack(name: str) -> tuple[bytes, float]:
        start, piece, _ = SLOW[name]
        with connect(service) as connection:
            connection.sendall(start)
            return trickle(connection, piece)

    with ThreadPoolExecutor(len(SLOW) + 1) as threads:
        pipelining = threads.submit(pipeline, service)
        results = dict(zip(SLOW, threads.map(attack, SLOW), strict=True))
    for name, (_, _, status) in SLOW.items():
        answer, seconds = results[name]
        assert seconds < LONGEST, name
        assert answer.startswith(b"HTTP/1.1 " + status), (name, answer)
    assert pipelining.result() < LONGEST
    metrics = service.get("/metrics").body.decode()
    assert 'fas_serve_connections_ended_total{reason="request_timeout"} 1' in metrics
    assert 'fas_serve_connections_ended_total{reason="headers_timeout"} 5' in metrics
    assert 'fas_serve_connections_ended_total{reason="unread_timeout"} 3' in metrics


MANY = {
    "20,000 headers": b"X-A: a\r\n" * 20_000,
    "short headers": b"a:\r\n" * 3000,
    "a long header": b"X-A: " + b"a" * 100_000 + b"\r\n",
}


def test_many_headers(service: Any) -> None:
    for name, headers in MANY.items():
        with connect(service) as connection:
            with suppress(ConnectionError):  # it answers before all has arrived
                connection.sendall(GET + headers + b"\r\n")
            with suppress(ConnectionResetError):
                assert connection.recv(65536)[9:12] in (b"400", b"431"), name


POST = b"POST /v1/score HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
MALFORMED = [
    (GET + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n", b"400"),
    (GET + b"Content-Length: 5\r\n\r\nhelloGARBAGE\r\n\r\n", b"200"),
    (b"\x16\x03\x01\x02\x00\x01\x00", b"400"),  # a client that speaks TLS
    (b"\0" * 1000, b"400"),
    (GET + b"Content-Length: -1\r\n\r\n", b"400"),
    (GET + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", b"400"),
    (b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n", b"400"),
    (b"GET / HTTP/1.1\r\n\r\n", b"400"),
    (GET + b"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n", b"200"),
    (GET + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n", b"200"),
    (GET * 2 + b"\r\n", b"400"),
    (POST + b'Content-Length: 9\r\n\r\n--b\r\n"\x1b\r\n', b"400"),  # parts that are none
    (POST + b"Content-Length: 7\r\n\r\n--b--\x1b[", b"400"),
    (POST + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", b"400"),
    (POST + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\na", b"400"),
]


def test_malformed_requests_leave_no_traceback(service: Any) -> None:
    for data, status in MALFORMED:
        with connect(service) as connection:
            connection.sendall(data)
            assert connection.recv(65536)[9:12] == status, data


def test_damaged_images_leave_no_lines_of_decoders(service: Any) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    for suffix in (".jpg", ".png", ".tif", ".webp"):
        data = cv2.imencode(suffix, noise)[1].tobytes()
        middle = len(data) // 2
        damaged = (
            data[:middle] + bytes(byte ^ 0x55 for byte in data[middle : middle + 64]) + data[middle + 64 :]
        )
        assert service.score(rgb=damaged).status in (200, 422), suffix


def test_hoards_of_connections_do_not_keep_others_out(service: Any) -> None:
    with ExitStack() as stack:
        for number in range(500):
            connection = stack.enter_context(connect(service))
            if number % 2:
                connection.sendall(GET + b"\r\n")  # kept alive after the answer
            if number % 50 == 0:
                assert service.score(rgb=WHITE).status == 200
        assert service.score(rgb=WHITE).status == 200
    metrics = service.get("/metrics").body.decode()
    assert 'fas_serve_connections_ended_total{reason="replaced"}' in metrics


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is limited on Linux only")
def test_photos_among_bombs_are_scored(
    start_client: Any, mean_model: Callable[..., Path], benchmark: ModuleType
) -> None:
    arguments = ("--no-detect", "--scoring-timeout", 1, "--timeout", 60, "--max-memory", 300)
    process, client = start_client(mean_model(), *arguments)
    bombs = list(benchmark.make_bombs().values())

    def send(number: int) -> tuple[bool, int]:
        is_bomb = number % 4 == 0
        count("bombs", int(is_bomb))
        return is_bomb, client.score(rgb=bombs[number // 4 % len(bombs)] if is_bomb else WHITE).status

    with ThreadPoolExecutor(64) as threads:
        answers = list(threads.map(send, range(64)))
    assert {status for is_bomb, status in answers if not is_bomb} == {200}
    assert {status for is_bomb, status in answers if is_bomb} <= {200, 413, 422, 503}
    assert client.get("/ready").status == 200
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 0


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_a_killed_service_leaves_no_workers(start_client: Any, mean_model: Callable[..., Path]) -> None:
    process, client = start_client(mean_model(), "--no-detect")
    assert client.score(rgb=WHITE).status == 200

    def children(pid: int) -> list[int]:
        result = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True)
        pids = [int(text) for text in result.stdout.split()]
        return pids + [other for pid in pids for other in children(pid)]

    pids = children(process.pid)
    assert pids
    process.kill()
    process.wait(20)
    end = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        assert time.monotonic() < end
        time.sleep(0.05)
