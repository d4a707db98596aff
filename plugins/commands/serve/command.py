"""`fas serve`: serve an exported model over HTTP, with a web page."""

from __future__ import annotations

import socket
from functools import partial
from pathlib import Path
from typing import Any

import click

from fas_core.cli import panels
from fas_core.cli.command import FasCommand, option
from fas_core.cli.options import (
    MODEL,
    FloatRange,
    align_option,
    detector_option,
    device_option,
    external_model_option,
    fixed_reject_option,
    fixed_threshold_option,
    margin_option,
)
from fas_core.cli.verbosity import verbosity_options
from fas_core.console import console

MAX_SECONDS = 3600
"""An hour, of any time limit: a connection is to be bounded, and timers of sockets take no infinity."""


@click.command(
    cls=FasCommand,
    examples="""
        # for this machine: http://127.0.0.1:8000
        fas serve model.onnx
        # for others, with a token
        fas serve model.onnx --host 0.0.0.0 --token-file token.txt
        # another port, and more at once
        fas serve model.onnx --port 9000 --concurrency 16 --threads 2
    """,
)
@click.argument("model", type=MODEL, metavar="MODEL.onnx|public:NAME")
@option("--host", default="127.0.0.1", show_default=True, panel="Network", help="Address to listen on.")
@option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    panel="Network",
    help="Port to listen on; 0 takes a free one.",
)
@fixed_threshold_option
@fixed_reject_option
@option(
    "--detect/--no-detect",
    default=None,
    panel=panels.FACES,
    help="Crop every image to its face, or take all as they are, where a request does not say. By default "
    "images that their face fills are taken as they are, and others are cropped.",
)
@detector_option
@device_option
@margin_option
@align_option
@external_model_option
@option(
    "--threads",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    panel=panels.MACHINE,
    help="CPU threads that score one face.",
)
@option(
    "--allow-host",
    "proxies",
    multiple=True,
    metavar="NAME",
    panel="Network",
    help="Further host name that the service is called by, e.g. of a reverse proxy; may be repeated.",
)
@option(
    "--token-file",
    type=click.Path(path_type=Path, dir_okay=False),
    panel="Network",
    help="File with the token that clients must send, which only its owner may read. By default the "
    "environment variable FAS_SERVE_TOKEN.",
)
@option(
    "--access-log",
    is_flag=True,
    panel=panels.OUTPUT,
    help="Log each response to stderr, without names and addresses.",
)
@option(
    "--concurrency",
    type=click.IntRange(1, 1000),
    default=8,
    show_default=True,
    panel=panels.MACHINE,
    help="Maximum number of requests at once, and of worker processes.",
)
@option(
    "--queue",
    type=click.IntRange(0, 10_000),
    default=64,
    show_default=True,
    panel="Limits",
    help="Maximum number of requests that wait; further ones are told to try again.",
)
@option(
    "--max-bytes",
    type=click.IntRange(1),
    default=20_000_000,
    show_default=True,
    panel="Limits",
    help="Maximum request size in bytes.",
)
@option(
    "--max-pixels",
    type=click.IntRange(1, 64_000_000),
    default=25_000_000,
    show_default=True,
    panel="Limits",
    help="Maximum image size in pixels.",
)
@option(
    "--timeout",
    type=FloatRange(0, MAX_SECONDS, min_open=True),
    default=20,
    show_default=True,
    panel="Limits",
    help="Seconds in which a request must arrive and be answered.",
)
@option(
    "--scoring-timeout",
    type=FloatRange(0, MAX_SECONDS, min_open=True),
    default=5,
    show_default=True,
    panel="Limits",
    help="Seconds in which a worker must decode and score a request; then it is ended.",
)
@option(
    "--max-memory",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    panel="Limits",
    help="Megabytes that a worker may use for a request, besides the model (Linux).",
)
@option(
    "--max-connections",
    type=click.IntRange(1, 100_000),
    default=256,
    show_default=True,
    panel="Limits",
    help="Maximum number of open connections.",
)
@option(
    "--header-timeout",
    type=FloatRange(0, MAX_SECONDS, min_open=True),
    default=10,
    show_default=True,
    panel="Limits",
    help="Seconds in which the headers of a request must arrive.",
)
@option(
    "--drain-delay",
    type=FloatRange(0, MAX_SECONDS),
    default=0,
    show_default=True,
    panel="Limits",
    help="Seconds that the service answers after SIGTERM while /ready says that it drains.",
)
@verbosity_options
def command(
    model: Path,
    host: str,
    port: int,
    threshold: str | None,
    reject: str | None,
    detect: bool | None,
    detector: str | None,
    device: str | None,
    margin: float | None,
    align: bool,
    external: Path | None,
    threads: int,
    proxies: tuple[str, ...],
    token_file: Path | None,
    access_log: bool,
    drain_delay: float,
    **limits: Any,
) -> None:
    """Serve an exported MODEL over HTTP until interrupted.

    POST /v1/score takes one image file per modality and answers live, attack or uncertain. The page / scores
    a photo or the webcam, and /docs describes how to call the service.
    """
    from fas_core.data.detectors import advise_on
    from fas_core.runtime import Predictor
    from fas_core.runtime.external_model import ExternalModel
    from fas_core.runtime.face_selection import stated_crops
    from fas_core.scores.thresholds import fit_threshold
    from fas_plugins.commands.serve.access import access_rules, read_token
    from fas_plugins.commands.serve.limits import Limits
    from fas_plugins.commands.serve.scoring import ModelFacts
    from fas_plugins.commands.serve.server import is_local, listen, run_service, service_url

    token = read_token(token_file)
    described = None if external is None else ExternalModel.read(external)
    crops = stated_crops(model, described)
    options: dict[str, Any] = {
        "threads": threads,
        "threshold": None if threshold is None else fit_threshold(threshold, None),
        "reject": reject,
        "external": described,
        "detect": detect,
        "device": device,
        "crops": crops.replace(detector=detector, margin=margin, align=align),
    }
    predictor = Predictor(model, **options)  # mistakes are found before the port opens
    facts = ModelFacts.of(predictor)
    if facts.note is not None:
        console.warn(facts.note)
    advice = None if detect is False else advise_on(predictor.faces.detector.name)
    announcement = f"\n{advice}" if advice else ""
    policy = predictor.rule.policy
    where = "" if device is None else f" on {predictor.model.device}"
    del predictor  # the workers load their own
    with listen(host, port) as listener:
        if not is_local(listener) and token is None:
            console.warn(
                f"{host}: other machines can reach the service, and it asks for no token: see --token-file"
            )
        run_service(
            listener,
            model,
            options,
            facts,
            policy,
            Limits(**limits),
            access_rules(host, listener.getsockname()[0], proxies, token, socket.gethostname()),
            lambda: console.lines(
                f"{model}{where} at {service_url(listener)} (Ctrl-C ends it){announcement}"
            ),
            partial(click.echo, err=True) if access_log else None,
            drain_delay,
        )
