"""`fas serve`: an exported model as a service over HTTP, with a page."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import rich_click as click

from fas_core.console import console


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 for a free one."
)
@click.option("--threshold", metavar="fixed:VALUE", help="Instead of the model's own.")
@click.option(
    "--detector", type=click.Path(path_type=Path), metavar="YUNET.onnx", help="Instead of OpenCV's cascade."
)
@click.option(
    "--margin",
    type=click.FloatRange(0, 3),
    default=0.1,
    show_default=True,
    help="Added on each side of a face that was found, as a fraction of it.",
)
@click.option(
    "--foreign",
    type=click.Path(path_type=Path),
    metavar="TERMS.yaml",
    help="What a model is that `fas export` did not write.",
)
@click.option(
    "--threads", type=click.IntRange(1), default=1, show_default=True, help="CPU threads that score one face."
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 1000),
    default=8,
    show_default=True,
    help="Requests at once; the next is told to come back.",
)
@click.option(
    "--max-bytes", type=click.IntRange(1), default=20_000_000, show_default=True, help="Of a request."
)
@click.option(
    "--max-pixels",
    type=click.IntRange(1, 64_000_000),
    default=25_000_000,
    show_default=True,
    help="Of an image.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    default=20,
    show_default=True,
    help="Seconds for a request.",
)
def command(
    model: Path,
    host: str,
    port: int,
    threshold: str | None,
    detector: Path | None,
    margin: float,
    foreign: Path | None,
    threads: int,
    concurrency: int,
    max_bytes: int,
    max_pixels: int,
    timeout: float,
) -> None:
    """Answer over HTTP whether faces are live, by an exported MODEL, until interrupted.

    POST /v1/score takes one image file for each modality; / is a page that scores a photo or the webcam, and
    /docs says how to call the service.
    """
    from fas_core.data.faces import CropSettings
    from fas_core.runtime import Predictor
    from fas_core.runtime.external_model import ExternalModel
    from fas_core.scores.thresholds import fit_threshold
    from fas_plugins.commands.serve.app import create_app
    from fas_plugins.commands.serve.judge import Judge
    from fas_plugins.commands.serve.limits import Limits
    from fas_plugins.commands.serve.server import LOCAL, is_local, listen, server, url

    limits = Limits(max_bytes, max_pixels, timeout, concurrency)
    given = None if threshold is None else fit_threshold(threshold, None)
    predictor = Predictor(
        model,
        threads=threads,
        threshold=given.value if given else None,
        external=None if foreign is None else ExternalModel.read(foreign),
    )
    accepted = given or predictor.card.threshold
    assert accepted is not None  # else there would be no predictor
    judge = Judge(predictor, CropSettings(detector, margin), max_pixels)
    with listen(host, port) as bound:
        local = is_local(bound)
        if not local:
            console.warn(f"{host}: others can reach the service, and it asks nobody who they are")
        hosts = (*LOCAL, host) if local else ("*",)
        app = create_app(judge, model.name, accepted.policy, limits, hosts)
        with suppress(KeyboardInterrupt):
            server(app, timeout, lambda: console.info(f"{model} at {url(bound)} (Ctrl-C ends it)")).run(
                sockets=[bound]
            )
