"""Write a run's model in the selected formats and forms, and compare each file with the model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from attrs import asdict, evolve, frozen

from fas_core.atomic import replacing
from fas_core.card import Card
from fas_core.config.load import merge, nest, parse_sets
from fas_core.config.structure import structure
from fas_core.console import console
from fas_core.contracts import Exported
from fas_core.descriptors import Exporter
from fas_core.errors import ConfigError, FasError, format_list
from fas_core.export.verify import Comparison
from fas_core.models.model import Model
from fas_core.registry import Registry
from fas_core.runs.run import Run, Weights

FORMS = ("fp32", "fp16", "int8", "pruned")


@frozen
class ExportPlan:
    """One file to write."""

    exporter: Exporter
    options: Any
    destination: Path

    @property
    def form(self) -> str:
        """One of `FORMS`."""
        return str(getattr(self.options, "form", "fp32"))


def plan_exports(
    names: Sequence[str],
    forms: Sequence[str],
    sets: Sequence[str],
    output: Path | None,
    run: Path,
    registry: Registry,
) -> list[ExportPlan]:
    """Plan a file for every format, in every selected form that it has.

    Args:
        forms: of `FORMS`; none for each exporter's own.
        sets: options of the exporters, `KEY=VALUE`.
        output: the file, or the folder of several; None for the run folder.

    Raises:
        FasError: there is no such exporter, form or option, or the output cannot be so named.
    """
    pairs: list[tuple[Exporter, Any]] = []
    for exporter in [registry.find(Exporter, name) for name in names]:
        available = [form for form in FORMS if form in forms and form in exporter.forms]
        if forms and not available:
            raise ConfigError(
                f"{exporter.name} is written in {', '.join(exporter.forms)} only, not in {format_list(forms)}"
            )
        selected: list[str | None] = [*available] or [None]
        pairs += [(exporter, _exporter_options(exporter, sets, form, registry)) for form in selected]
    if len(pairs) == 1 and output is not None:
        return [ExportPlan(*pairs[0], _check_destination(output, pairs[0][0]))]
    if output is not None and output.suffix and not output.is_dir():
        raise FasError(f"{output}: {len(pairs)} files are to be written: name their folder")
    return [ExportPlan(*pair, (output or run) / _file_name(*pair)) for pair in pairs]


def export_run(
    run: Run, weights: Weights, model: Model, plans: Sequence[ExportPlan], comparison: Comparison, count: int
) -> Iterator[tuple[ExportPlan, Exported]]:
    """Write the planned files one by one, each with FILE.verification.json beside it.

    Args:
        weights: which weights of the run `model` has; it is in eval mode on the CPU.
        count: how many samples exporters are given to calibrate with.

    Raises:
        ModelError: a file differs from the model; it is not left.
    """
    samples = comparison.images(count)
    for plan in plans:
        console.info(f"exporting {run.path}, {weights} weights, to {plan.destination}")
        exported: Exported = plan.exporter.load()(
            plan.options,
            model=model,
            samples=samples,
            destination=plan.destination,
            card=comparison.card,
            verify=comparison.verifier(plan.destination),
        )
        for line in exported.verification.unverified:
            console.warn(f"{plan.destination}: not verified: {line}")
        with replacing(Path(f"{plan.destination}.verification.json")) as temporary:
            temporary.write_text(json.dumps(verification_document(exported), indent=2) + "\n")
        yield plan, exported


def verification_document(exported: Exported) -> dict[str, Any]:
    """Return the content of FILE.verification.json."""
    document = asdict(exported.verification)
    document["unverified"] = list(document["unverified"])
    return {"file": exported.path.name, "size": exported.size, **exported.facts, **document}


def export_card(run: Run, weights: Weights) -> Card:
    """Return the run's card, without a threshold that was fitted on the scores of other weights."""
    card = run.card()
    others = weights != run.recipe.train.select == "best"  # where the last are selected, they are the best
    if card.threshold is None:
        reason = f"{run.path} has no dev scores to fit one on"
    elif others and card.threshold.source != "given":
        reason = f"the run's was fitted on its best weights, not its {weights}"
    else:
        return card
    console.warn(f"no threshold goes with it: {reason}")
    return evolve(card, threshold=None)


def _file_name(exporter: Exporter, options: Any) -> str:
    form = getattr(options, "form", "fp32")
    return f"model{'' if form == 'fp32' else f'.{form}'}{exporter.suffix}"


def _exporter_options(exporter: Exporter, sets: Sequence[str], form: str | None, registry: Registry) -> Any:
    tree: dict[str, Any] = {}
    for path, value in parse_sets(sets).items():
        tree = merge(tree, nest(path, value))
    several = form is not None and len(exporter.forms) > 1
    if several and tree.setdefault("form", form) != form:
        raise ConfigError(f"--set form={tree['form']} and --{form} say different things")
    return structure(tree, exporter.options, registry, f"exporter {exporter.name}")


def _check_destination(path: Path, exporter: Exporter) -> Path:
    if path.is_dir():
        advice = "name the file" if exporter.suffix else f"name a new one, which {exporter.name} makes"
        raise FasError(f"{path}: is a folder: {advice}, e.g. {path / f'model{exporter.suffix}'}")
    if exporter.suffix and path.suffix != exporter.suffix:
        raise FasError(f"{path}: {exporter.name} writes files named *{exporter.suffix}")
    return path
