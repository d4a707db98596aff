"""Measure `fas serve` under load: clients with photos, alone and with image bombs among them; and a soak.

    python benchmarks/service.py model.onnx
    python benchmarks/service.py model.onnx --plain  # beside a plain loop around onnxruntime
    python benchmarks/service.py model.onnx --minutes 10

The model must take one modality. A client that is told to try again does so, and its time counts from the
first try. The soak keeps the service at its limit, a quarter of the requests being bombs, and prints a line
every `--interval` seconds: memory of all its processes (Linux), and p50 and p99 of the photos' latencies.
"""

from __future__ import annotations

import argparse
import http.client
import os
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random

import cv2
import numpy as np

BOUNDARY = "between-fields"


def make_photo(side: int = 640) -> bytes:
    """Return a JPEG of smooth noise."""
    small = np.random.default_rng(16).integers(0, 256, (20, 20, 3), np.uint8)
    _, data = cv2.imencode(".jpg", cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC))
    return bytes(data)


def make_scans(count: int = 8000, side: int = 4000) -> bytes:
    """Return a progressive JPEG of a grey area whose last scan is repeated."""
    grey = np.full((side, side), 128, np.uint8)
    _, data = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])
    content = bytes(data)
    last = content.rindex(b"\xff\xda")
    return content[:last] + content[last:-2] * count + content[-2:]


def make_lying_jpeg(side: int = 16_000) -> bytes:
    """Return a JPEG whose frame header a reader skips that gives the marker FFD0 a length."""
    _, data = cv2.imencode(".jpg", np.full((16, 16), 128, np.uint8))
    content = bytes(data)
    frame = content.index(b"\xff\xc0")
    length = int.from_bytes(content[frame + 2 : frame + 4], "big")
    small = content[frame : frame + 2 + length]
    large = small[:5] + side.to_bytes(2, "big") * 2 + small[9:]
    scan = content.index(b"\xff\xda")
    hidden = content[2:frame] + large + content[frame + 2 + length : scan]
    return (
        b"\xff\xd8\xff\xd0"
        + (len(hidden) + 2).to_bytes(2, "big")
        + hidden
        + content[scan:-2]
        + small
        + content[-2:]
    )


def make_giant(side: int = 4900) -> bytes:
    """Return a 16-bit PNG just below the usual limit of pixels."""
    _, data = cv2.imencode(".png", np.full((side, side, 3), 999, np.uint16), [cv2.IMWRITE_PNG_COMPRESSION, 9])
    return bytes(data)


def make_bombs() -> dict[str, bytes]:
    photo = make_photo()
    return {
        "8,000 scans": make_scans(),
        "lying size": make_lying_jpeg(),
        "16-bit giant": make_giant(),
        "truncated": photo[: len(photo) // 2],
    }


@contextmanager
def run_service(model: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Start `fas serve`; yield the process and its port."""
    with run_server("-m", "fas_core", "serve", str(model), "--port", "0", *arguments) as server:
        yield server


@contextmanager
def run_server(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run Python with arguments that start a server; yield the process and the port that it prints."""
    command = [sys.executable, *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    match = re.search(r":(\d+) ", process.stdout.readline())
    assert match, "the service did not start"
    try:
        yield process, int(match[1])
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            print("    it had to be killed")
            process.kill()


def send(port: int, image: bytes) -> int:
    """Send an image once; return the status, 0 if the connection ends."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="rgb"; filename="image"\r\n\r\n'
    body = head.encode() + image + f"\r\n--{BOUNDARY}--\r\n".encode()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        connection.request("POST", "/v1/score?detect=false", body, headers)
        response = connection.getresponse()
        response.read()
        return response.status
    except OSError:
        return 0
    finally:
        connection.close()


class Load:
    """Clients that send photos, and bombs in a fraction of the requests, until `end`."""

    def __init__(self, port: int, bombs: Mapping[str, bytes], fraction: float) -> None:
        self.port, self.bombs, self.fraction = port, list(bombs.values()), fraction
        self.photo = make_photo()
        self.latencies: list[tuple[float, float]] = []
        self.statuses: Counter[str] = Counter()
        self.end = 0.0

    def run(self, clients: int, seconds: float) -> None:
        self.end = time.monotonic() + seconds
        threads = [threading.Thread(target=self._send_until_end, args=(number,)) for number in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _send_until_end(self, number: int) -> None:
        random = Random(number)
        while time.monotonic() < self.end:
            if random.random() < self.fraction:
                status = send(self.port, random.choice(self.bombs))
                self.statuses[f"bomb {status}"] += 1
                continue
            begin = time.monotonic()
            while (status := send(self.port, self.photo)) == 503 and time.monotonic() < self.end:
                self.statuses["photo 503, sent again"] += 1
                time.sleep(0.2)
            self.statuses[f"photo {status}"] += 1
            self.latencies.append((time.monotonic(), time.monotonic() - begin))


def process_tree(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    text = children.read_text() if children.exists() else ""
    return [pid, *(other for child in text.split() for other in process_tree(int(child)))]


def measure_memory(pid: int) -> float:
    """Return the megabytes of a process and its descendants, shared pages once (PSS)."""
    total = 0
    for other in process_tree(pid):
        try:
            text = Path(f"/proc/{other}/smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(int(match) for match in re.findall(r"^Pss:\s+(\d+)", text, re.MULTILINE))
    return total / 1024


def describe(latencies: list[float]) -> str:
    if not latencies:
        return "none answered"
    p50, p99 = np.percentile(latencies, [50, 99]) * 1000
    return f"p50 {p50:7.0f} ms  p99 {p99:7.0f} ms  max {max(latencies) * 1000:7.0f} ms"


def format_counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name}: {count}" for name, count in sorted(counts.items()))


def measure_table(arguments: argparse.Namespace) -> None:
    bombs = make_bombs()
    print(f"{os.cpu_count()} cores; photos: JPEG, 640 x 640; bombs: {', '.join(bombs)}")
    for clients in (1, 8, 64):
        for fraction in (0.0, 0.25):
            with run_service(arguments.model, *arguments.options) as (process, port):
                send(port, make_photo())
                load = Load(port, bombs, fraction)
                load.run(clients, arguments.seconds)
                memory = measure_memory(process.pid)
            rate = len(load.latencies) / arguments.seconds
            text = describe([seconds for _, seconds in load.latencies])
            print(
                f"{clients:3} clients, {fraction:4.0%} bombs: {rate:6.1f} photos/s  {text}  {memory:5.0f} MB"
            )
            print(f"    {dict(sorted(load.statuses.items()))}", flush=True)


def compare_with_plain(arguments: argparse.Namespace) -> None:
    """Print the rates and latencies of `fas serve` and of plain services with and without batches."""
    plain = str(Path(__file__).with_name("service_plain.py"))
    servers = {
        "fas serve": partial(run_service, arguments.model, *arguments.options),
        "plain loop": partial(run_server, plain, str(arguments.model), "1"),
        "plain, batches of 16": partial(run_server, plain, str(arguments.model), "16"),
    }
    print(f"{os.cpu_count()} cores; photos: JPEG, 640 x 640")
    for clients in (1, 4, 16, 64):
        for name, start in servers.items():
            with start() as (_, port):
                for _ in range(20):
                    send(port, make_photo())
                load = Load(port, {}, 0.0)
                load.run(clients, arguments.seconds)
            rate = len(load.latencies) / arguments.seconds
            text = describe([seconds for _, seconds in load.latencies])
            counts = format_counts(load.statuses)
            print(f"{clients:3} clients, {name:20}: {rate:6.1f} photos/s  {text}  {counts}", flush=True)


def run_soak(arguments: argparse.Namespace) -> None:
    with run_service(arguments.model, *arguments.options) as (process, port):
        load = Load(port, make_bombs(), 0.25)
        soak = threading.Thread(target=load.run, args=(arguments.clients, arguments.minutes * 60))
        begin = last = time.monotonic()
        soak.start()
        while soak.is_alive():
            soak.join(arguments.interval)
            if process.poll() is not None:
                load.end = 0.0
                raise SystemExit(f"the service ended with status {process.returncode}")
            now = time.monotonic()
            latencies = [seconds for end, seconds in list(load.latencies) if end >= last]
            memory = measure_memory(process.pid)
            print(f"{now - begin:5.0f} s  {memory:5.0f} MB  {describe(latencies)}", flush=True)
            last = now
    print(
        f"all: {describe([seconds for _, seconds in load.latencies])}  {dict(sorted(load.statuses.items()))}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("--seconds", type=float, default=10, help="Seconds of each row (default 10).")
    parser.add_argument("--plain", action="store_true", help="Compare with a plain service instead.")
    parser.add_argument("--minutes", type=float, default=0, help="Soak for so long instead of the table.")
    parser.add_argument(
        "--interval", type=float, default=30, help="Seconds between the soak's lines (default 30)."
    )
    parser.add_argument("--clients", type=int, default=64, help="Clients of the soak (default 64).")
    parser.add_argument("options", nargs="*", help="Options of fas serve, after --.")
    arguments = parser.parse_args()
    measure = run_soak if arguments.minutes else compare_with_plain if arguments.plain else measure_table
    measure(arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
