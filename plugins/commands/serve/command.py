"""`fas serve`: serve an exported model over HTTP, with a web page."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import rich_click as click

from fas_core.cli.options import (
    FloatRange,
    align_option,
    detector_option,
    external_model_option,
    fixed_threshold_option,
    margin_option,
)
from fas_core.console import console


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="Port to listen on; 0 takes a free one.",
)
@fixed_threshold_option
@click.option(
    "--detect/--no-detect",
    default=None,
    help="Crop every image to its face, or take all as they are, where a request does not say. By default "
    "images that their face fills are taken as they are, and others are cropped.",
)
@detector_option
@margin_option
@align_option
@external_model_option
@click.option(
    "--threads",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="CPU threads that score one face.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 1000),
    default=8,
    show_default=True,
    help="Maximum number of requests at once; further ones are told to try again.",
)
@click.option(
    "--max-bytes",
    type=click.IntRange(1),
    default=20_000_000,
    show_default=True,
    help="Maximum request size in bytes.",
)
@click.option(
    "--max-pixels",
    type=click.IntRange(1, 64_000_000),
    default=25_000_000,
    show_default=True,
    help="Maximum image size in pixels.",
)
@click.option(
    "--timeout",
    type=FloatRange(0, min_open=True),
    default=20,
    show_default=True,
    help="Seconds in which a request must arrive and be answered.",
)
def command(
    model: Path,
    host: str,
    port: int,
    threshold: str | None,
    detect: bool | None,
    detector: str | None,
    margin: float | None,
    align: bool,
    external: Path | None,
    threads: int,
    concurrency: int,
    max_bytes: int,
    max_pixels: int,
    timeout: float,
) -> None:
    """Serve an exported MODEL over HTTP until interrupted.

    POST /v1/score takes one image file per modality and answers live or attack. The page / scores a photo or
    the webcam, and /docs describes how to call the service.
    """
    from fas_core.data.detectors import BETTER_DETECTOR, CASCADE
    from fas_core.data.faces import CropSettings
    from fas_core.runtime import Predictor
    from fas_core.runtime.external_model import ExternalModel
    from fas_core.scores.thresholds import fit_threshold
    from fas_plugins.commands.serve.app import create_app
    from fas_plugins.commands.serve.limits import Limits
    from fas_plugins.commands.serve.scoring import FaceScorer
    from fas_plugins.commands.serve.server import LOCAL_NAMES, create_server, is_local, listen, service_url

    limits = Limits(max_bytes, max_pixels, timeout, concurrency)
    replacement = None if threshold is None else fit_threshold(threshold, None)
    described = None if external is None else ExternalModel.read(external)
    crops = CropSettings() if described is None else described.crop
    predictor = Predictor(
        model,
        threads=threads,
        threshold=replacement.value if replacement else None,
        external=described,
        detect=detect,
        crops=crops.replace(detector=detector, margin=margin, align=align),
    )
    if predictor.note is not None:
        console.warn(predictor.note)
    # The detector is built before the port opens.
    uses_cascade = detect is not False and predictor.faces.detector.name == CASCADE
    applied = replacement or predictor.card.threshold
    assert applied is not None  # without a threshold Predictor raises
    scorer = FaceScorer(predictor, max_pixels)
    with listen(host, port) as listener:
        local = is_local(listener)
        if not local:
            console.warn(f"{host}: other machines can reach the service, and it has no authentication")
        hosts = (*LOCAL_NAMES, host) if local else ("*",)
        app = create_app(scorer, model.name, applied.policy, limits, hosts)
        announcement = f"{model} at {service_url(listener)} (Ctrl-C ends it)"
        if uses_cascade:
            announcement += f"\n{BETTER_DETECTOR}"
        server = create_server(app, timeout, lambda: console.info(announcement))
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listener])
