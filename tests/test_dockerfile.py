"""The Dockerfile without Docker: what its stages say, and their programs against the installed package."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from fixtures.dockerfile import Stage, read_stages

INSTRUCTIONS = {"ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "RUN", "USER", "WORKDIR"}


@pytest.fixture(scope="module")
def stages(repository: Path) -> dict[str, Stage]:
    return read_stages(repository / "Dockerfile")


def list_context(repository: Path) -> set[str]:
    """Return the names at the root that `.dockerignore` lets into the build."""
    lines = (repository / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in lines
    return {line[1:] for line in lines if line.startswith("!")}


def test_stages_are_made_of_known_instructions(stages: dict[str, Stage]) -> None:
    assert list(stages) == ["wheel", "base", "train", "serve"]
    for stage in stages.values():
        assert {kind for kind, _ in stage.steps} <= INSTRUCTIONS
        assert stage.base in {"python:3.11-slim", *stages}


@pytest.mark.parametrize("target", ["train", "serve"])
def test_an_image_runs_as_a_user_that_exists(stages: dict[str, Stage], target: str) -> None:
    stage = stages[target]
    kinds = [kind for kind, _ in stage.steps]
    assert kinds.index("USER") > max(index for index, kind in enumerate(kinds) if kind == "RUN")
    (user,) = stage.texts("USER")
    assert any(re.search(rf"useradd .*--uid \d{{4,}} {user}\b", text) for text in stages["base"].texts("RUN"))


@pytest.mark.parametrize(("target", "expected"), [("train", {"train", "storage"}), ("serve", {"serve"})])
def test_an_image_installs_extras_that_exist(
    stages: dict[str, Stage], repository: Path, target: str, expected: set[str]
) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (command,) = stages[target].texts("RUN")
    (extras,) = re.findall(r"\[([\w,]+)\]", command)
    assert set(extras.split(",")) == expected
    assert expected <= set(project["optional-dependencies"])
    assert "-c /wheels/constraints.txt" in command


def test_the_build_is_given_what_the_wheel_is_made_of_and_nothing_private(
    stages: dict[str, Stage], repository: Path
) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))
    context = list_context(repository)
    folders = {"fas_core", *project["tool"]["setuptools"]["package-dir"].values()}
    modules = {f"{name}.py" for name in project["tool"]["setuptools"]["py-modules"]}
    others = {"LICENSE", "README.md", "constraints.txt", "pyproject.toml", "setup.py"}
    assert context == folders | modules | others
    assert all((repository / name).exists() for name in context)
    copied = [text.split()[0] for text in stages["base"].texts("COPY") if "--from" not in text]
    assert set(copied) <= context


def test_the_service_answers_where_the_image_says(stages: dict[str, Stage]) -> None:
    serve = stages["serve"]
    (port,) = serve.texts("EXPOSE")
    entry = serve.command("ENTRYPOINT")
    assert entry[:2] == ["fas", "serve"]
    assert entry[entry.index("--port") + 1] == port
    assert f"http://127.0.0.1:{port}/healthz" in serve.command("HEALTHCHECK")[-1]
    assert stages["train"].texts("HEALTHCHECK") == ["NONE"]


def test_the_program_of_training_takes_its_arguments(
    stages: dict[str, Stage], fas: Callable[..., Any]
) -> None:
    train = stages["train"]
    assert train.command("ENTRYPOINT") == ["fas"]
    assert fas(*train.command("CMD"), "--help").exit_code == 0


@pytest.mark.long
def test_steps_run_in_an_environment_of_their_own(
    stages: dict[str, Stage],
    repository: Path,
    new_environment: Callable[[Path], Any],
    mean_model: Callable[..., Path],
    tmp_path: Path,
) -> None:
    """A wheel is built from the context alone, is installed, serves, and says that it is well."""
    source, wheels, serve = tmp_path / "source", tmp_path / "wheels", stages["serve"]
    source.mkdir()
    for path in (repository / name for name in list_context(repository)):
        copy = shutil.copytree if path.is_dir() else shutil.copyfile
        copy(path, source / path.name)
    (build,) = stages["wheel"].texts("RUN")
    build = f"{build} --no-build-isolation --no-index".replace("/wheels", str(wheels))
    run_step(build, source, sys.executable)
    shutil.copyfile(repository / "constraints.txt", wheels / "constraints.txt")
    environment = new_environment(tmp_path / "environment")
    (install,) = serve.texts("RUN")
    run_step(f"{install} --no-deps --no-index".replace("/wheels", str(wheels)), tmp_path, environment.python)

    port, model = str(find_port()), str(mean_model())
    words = [*serve.command("ENTRYPOINT"), *serve.command("CMD")]
    words = [{"8000": port, "/model/model.onnx": model}.get(word, word) for word in words]
    check = [
        str(environment.python),
        *(word.replace("8000", port) for word in serve.command("HEALTHCHECK")[1:]),
    ]
    assert subprocess.run(check, check=False, capture_output=True).returncode != 0
    with subprocess.Popen([environment.path / "bin" / words[0], *words[1:]]) as service:
        try:
            wait_for(f"http://127.0.0.1:{port}/healthz", service)
            assert subprocess.run(check, check=False).returncode == 0
            service.send_signal(signal.SIGTERM)
            assert service.wait(60) == 0
        finally:
            service.kill()


def run_step(command: str, folder: Path, python: object) -> None:
    """Run a RUN of the Dockerfile with another Python."""
    command = command.replace("python", str(python), 1)
    done = subprocess.run(["sh", "-euc", command], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def find_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_for(address: str, service: subprocess.Popen[bytes]) -> None:
    """Wait until a service answers; fail if it ends instead."""
    while service.poll() is None:
        try:
            with urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"the service ended with {service.returncode}")
