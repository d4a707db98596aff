"""`fas export`: a run's model for other runtimes, compared with it on samples of the run's own data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import rich_click as click
from attrs import evolve, frozen

from fas_core.atomic import replacing
from fas_core.cli.options.output import output_options
from fas_core.console import console
from fas_core.descriptors import Exporter
from fas_core.errors import ConfigError, FasError, format_list, require

if TYPE_CHECKING:
    from fas_core.card import Card
    from fas_core.contracts import Exported
    from fas_core.descriptors import Exporter
    from fas_core.registry import Registry
    from fas_core.runs.run import Run

FORMS = ("fp32", "fp16", "int8", "pruned")


@frozen
class Plan:
    """One file that is to be written."""

    exporter: Exporter
    options: Any
    destination: Path

    @property
    def form(self) -> str:
        return str(getattr(self.options, "form", "fp32"))


@click.command()
@click.argument("run", type=click.Path(path_type=Path), metavar="RUN", required=False)
@click.option(
    "--format", "formats", multiple=True, metavar="NAME,...", help="Of exporters; onnx unless given."
)
@click.option("--fp32", "forms", multiple=True, flag_value="fp32", help="As the model is; the default.")
@click.option("--fp16", "forms", multiple=True, flag_value="fp16", help="In half precision.")
@click.option("--int8", "forms", multiple=True, flag_value="int8", help="Quantized.")
@click.option(
    "--pruned",
    "forms",
    multiple=True,
    flag_value="pruned",
    help="With as few hidden channels as its error rate allows: the fastest on a CPU.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="The file, or of several their folder; RUN/model.* unless given.",
)
@click.option(
    "--weights", type=click.Choice(["best", "last"]), default="best", show_default=True, help="Of the run."
)
@click.option(
    "--data", metavar="NAME|MANIFEST|FOLDER", help="To compare on, other than the run's own: any faces do."
)
@click.option(
    "--samples", "count", type=click.IntRange(1), default=1000, show_default=True, help="To compare on."
)
@click.option(
    "--calibration",
    type=click.IntRange(1),
    default=256,
    show_default=True,
    help="Samples for what int8 and pruned measure.",
)
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="Exporter's option, e.g. opset=20.")
@click.option("--list", "listing", is_flag=True, help="Show the formats, and nothing else.")
@output_options
def command(
    run: Path | None,
    formats: tuple[str, ...],
    forms: tuple[str, ...],
    output: Path | None,
    weights: Literal["best", "last"],
    data: str | None,
    count: int,
    calibration: int,
    sets: tuple[str, ...],
    listing: bool,
) -> None:
    """Write the model of RUN with preprocessing, threshold and names inside.

    Each file is compared with the model on samples of the run's data; one that differs is not left. What was
    found stands beside it, in FILE.verification.json.
    """
    from fas_core.cli.views import exported as shown
    from fas_core.registry import registry

    if listing:
        shown.formats([_exporter(registry(), found.name) for found in registry().all(Exporter)])
        return
    if run is None:
        raise click.UsageError("Missing argument 'RUN'.")
    require("train", "torch", "onnx", "onnxscript", "safetensors")
    from fas_core.export.verify import compare_on
    from fas_core.models.model import scorer
    from fas_core.runs.run import Run

    opened = Run.open(run, registry())
    plans = _plans(_names(formats), forms, sets, output, run, registry())
    model = opened.model(weights)
    card = _card(opened, weights)
    comparison = compare_on(opened, scorer(model), card, count, data)
    images = comparison.images(calibration)
    written: list[tuple[Plan, Exported]] = []
    for plan in plans:
        console.info(f"exporting {run}, {weights} weights, to {plan.destination}")
        done = plan.exporter.load()(
            plan.options,
            model=model,
            samples=images,
            destination=plan.destination,
            card=card,
            verify=comparison.verifier(plan.destination),
        )
        for line in done.verification.unverified:
            console.warn(f"{plan.destination}: not verified: {line}")
        written.append((plan, done))
        with replacing(Path(f"{plan.destination}.verification.json")) as temporary:
            temporary.write_text(json.dumps(shown.verification(done), indent=2) + "\n")
    if console.json:
        console.document(shown.document(run, written, card, weights, comparison))
    else:
        shown.tables(written, card, comparison)


def _names(formats: tuple[str, ...]) -> list[str]:
    """`--format onnx,openvino --format torch`, each once, in order."""
    named = [name.strip() for text in formats or ("onnx",) for name in text.split(",")]
    return list(dict.fromkeys(named))


def _exporter(registry: Registry, name: str) -> Exporter:
    from fas_core.descriptors import Exporter

    return registry.find(Exporter, name)


def _plans(
    names: list[str],
    forms: tuple[str, ...],
    sets: tuple[str, ...],
    output: Path | None,
    run: Path,
    registry: Registry,
) -> list[Plan]:
    """Every format in every form that is asked for and that it has."""
    pairs = []
    for exporter in [_exporter(registry, name) for name in names]:
        fitting = [name for name in FORMS if name in forms and name in exporter.forms]
        if forms and not fitting:
            raise ConfigError(
                f"{exporter.name} is written in {', '.join(exporter.forms)} only, not in {format_list(forms)}"
            )
        chosen: list[str | None] = [*fitting] or [None]
        pairs += [(exporter, _options(exporter, sets, form, registry)) for form in chosen]
    if len(pairs) == 1 and output is not None:
        return [Plan(*pairs[0], _destination(output, pairs[0][0]))]
    if output is not None and output.suffix and not output.is_dir():
        raise FasError(f"{output}: {len(pairs)} files are to be written: name their folder")
    return [Plan(*pair, (output or run) / _file_name(*pair)) for pair in pairs]


def _file_name(exporter: Exporter, options: Any) -> str:
    form = getattr(options, "form", "fp32")
    return f"model{'' if form == 'fp32' else f'.{form}'}{exporter.suffix}"


def _options(exporter: Exporter, sets: tuple[str, ...], form: str | None, registry: Registry) -> Any:
    from fas_core.config.load import merge, nest, parse_sets
    from fas_core.config.structure import structure

    tree: dict[str, Any] = {}
    for path, value in parse_sets(sets).items():
        tree = merge(tree, nest(path, value))
    several = form is not None and len(exporter.forms) > 1
    if several and tree.setdefault("form", form) != form:
        raise ConfigError(f"--set form={tree['form']} and --{form} say different things")
    return structure(tree, exporter.options, registry, f"exporter {exporter.name}")


def _destination(path: Path, exporter: Exporter) -> Path:
    if path.is_dir():
        what = "name the file" if exporter.suffix else f"name a new one, which {exporter.name} makes"
        raise FasError(f"{path}: is a folder: {what}, e.g. {path / f'model{exporter.suffix}'}")
    if exporter.suffix and path.suffix != exporter.suffix:
        raise FasError(f"{path}: what {exporter.name} writes is named *{exporter.suffix}")
    return path


def _card(run: Run, weights: Literal["best", "last"]) -> Card:
    """The run's card; a threshold fitted on what the best weights gave is no other weights' threshold."""
    card = run.card()
    others = weights != run.recipe.train.select == "best"  # where the last are selected, they are the best
    if others and card.threshold is not None and card.threshold.source != "given":
        console.warn(
            f"no threshold goes with it: the run's was fitted on its best weights, not its {weights}"
        )
        return evolve(card, threshold=None)
    if card.threshold is None:
        console.warn(f"no threshold goes with it: {run.path} has no dev scores to fit one on")
    return card
