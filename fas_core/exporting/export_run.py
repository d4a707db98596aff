"""Write a run's model in the selected formats and forms, and compare each file with the model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import asdict, fields_dict, frozen

from fas_core.atomic import replacing
from fas_core.config.load import apply_overrides, parse_sets
from fas_core.config.structure import structure
from fas_core.console import console
from fas_core.contracts import Exported, Images
from fas_core.data.model_formats import find_runtime
from fas_core.descriptors import Exporter
from fas_core.digests import hash_file
from fas_core.errors import ConfigError, FasError, format_list
from fas_core.exporting.training_images import RunImages
from fas_core.exporting.verify import Comparison
from fas_core.models.model import Model
from fas_core.registry import Registry
from fas_core.runs.groups import FoldRuns, open_path
from fas_core.runs.run import Run, Weights
from fas_core.runs.run_sets import RunSet
from fas_core.runtime import ModelFile

FORMS = ("fp32", "fp16", "int8", "pruned", "pruned-int8")
"""The forms that this project's exporters know; plugins may have others."""


@frozen
class ExportPlan:
    """One file to write, or the reason why a format cannot be written in the selected forms."""

    exporter: Exporter
    options: Any
    destination: Path
    refusal: FasError | None = None

    @property
    def form(self) -> str:
        """One of the exporter's forms."""
        return str(getattr(self.options, "form", "fp32"))


def open_run(path: Path, registry: Registry) -> Run:
    """Open the run to export: a run folder, or the final run of a folder of folds.

    Raises:
        FasError: it is no run, holds several models, or its final run is missing or not finished.
    """
    opened = open_path(path, registry)
    if isinstance(opened, FoldRuns):
        return opened.open_final()
    if isinstance(opened, RunSet):
        example = path / opened.members[0]
        raise FasError(f"{path}: holds a model for each {opened.noun}: give one of its runs, e.g. {example}")
    if isinstance(opened, ModelFile):
        raise FasError(f"{path}: is an exported model: give the run folder that it was exported from")
    return opened


def plan_exports(
    names: Sequence[str],
    forms: Sequence[str],
    sets: Sequence[str],
    output: Path | None,
    run: Path,
    registry: Registry,
    shared: Mapping[str, Any] | None = None,
) -> list[ExportPlan]:
    """Plan a file for every format, in every selected form that it has.

    Args:
        forms: of those that one of the exporters has; none for each exporter's own.
        sets: options of the exporters, `KEY=VALUE`.
        output: the file, or the folder of several; None for the run folder.
        shared: options of those exporters that have them; one at least must.

    Raises:
        FasError: there is no such exporter, form or option, or the output cannot be so named.
    """
    exporters = [registry.find(Exporter, name) for name in names]
    known = _list_forms(exporters)
    _check_forms(forms, known)
    _check_shared(exporters, shared or {})
    options = _ExporterOptions(sets, shared or {}, registry)
    plans: list[tuple[Exporter, Any, FasError | None]] = []
    for exporter in exporters:
        available: list[str | None] = [form for form in known if form in forms and form in exporter.forms]
        if forms and not available:
            available_forms = ", ".join(exporter.forms)
            refusal: FasError | None = ConfigError(
                f"{exporter.name} is written in {available_forms} only, not in {format_list(forms)}"
            )
            plans.append((exporter, options.build(exporter, None), refusal))
        else:
            plans += [(exporter, options.build(exporter, form), None) for form in available or [None]]
    refusals = [refusal for _, _, refusal in plans if refusal is not None]
    if len(refusals) == len(plans):
        raise refusals[0]
    _check_recovery([built for _, built, _ in plans])
    if len(plans) == 1 and output is not None:
        ((exporter, built, refusal),) = plans
        return [ExportPlan(exporter, built, _check_destination(output, exporter), refusal)]
    if output is not None and output.suffix and not output.is_dir():
        raise FasError(f"{output}: {len(plans)} files are to be written: name their folder")
    folder = output or run
    return [
        ExportPlan(exporter, built, folder / _file_name(exporter, built), refusal)
        for exporter, built, refusal in plans
    ]


def export_run(
    run: Run, weights: Weights, model: Model, plans: Sequence[ExportPlan], comparison: Comparison, count: int
) -> Iterator[tuple[ExportPlan, Exported | FasError]]:
    """Write the planned files one by one, each with FILE.verification.json beside it.

    A file that is refused, because it differs from the model or cannot be written, is not left and does not
    stop the others: its error, which names the file, is yielded instead.

    Args:
        weights: which weights of the run `model` has; it is in eval mode on the CPU.
        count: how many samples exporters are given to calibrate with.
    """
    samples, training = comparison.images(count), RunImages(run)
    for plan in plans:
        if plan.refusal is not None:
            yield plan, plan.refusal
            continue
        console.info(f"exporting {run.path}, {weights} weights, to {plan.destination}")
        result: Exported | FasError
        try:
            result = _write(plan, model, samples, comparison, training)
        except FasError as error:
            result = _name_file(error, plan.destination)
        yield plan, result


def _write(
    plan: ExportPlan, model: Model, samples: Images, comparison: Comparison, training: RunImages
) -> Exported:
    recovers = getattr(plan.options, "recover", 0) > 0
    exported: Exported = plan.exporter.call(
        plan.options,
        model=model,
        samples=samples,
        destination=plan.destination,
        card=comparison.card,
        verify=comparison.verifier(plan.destination),
        **({"training": training} if recovers else {}),
    )
    for line in exported.verification.unverified:
        console.warn(f"{plan.destination}: not verified: {line}")
    if find_runtime(exported.path) is None:
        console.warn(
            f"{plan.destination}: no installed runtime opens {exported.path.suffix} files: fas predict, eval "
            "and serve cannot run it"
        )
    document = verification_document(exported) | {"sha256": hash_exported(exported, plan.destination)}
    with replacing(Path(f"{plan.destination}.verification.json")) as temporary:
        temporary.write_text(json.dumps(document, indent=2) + "\n")
    return exported


def hash_exported(exported: Exported, destination: Path) -> dict[str, str]:
    """Return the SHA-256 of each written file, by its path relative to the destination's folder."""
    paths = (exported.path, *exported.beside)
    return {path.relative_to(destination.parent).as_posix(): hash_file(path) for path in paths}


def _name_file(error: FasError, destination: Path) -> FasError:
    """Return the error with the file's name before its message, unless it is there already."""
    if str(destination) in error.message:
        return error
    named = FasError(f"{destination}: not written: {error.message}", error.problems)
    named.__cause__ = error
    return named


def verification_document(exported: Exported) -> dict[str, Any]:
    """Return the content of FILE.verification.json."""
    document = asdict(exported.verification)
    document["unverified"] = list(document["unverified"])
    return {"file": exported.path.name, "size": exported.size, **exported.facts, **document}


def _file_name(exporter: Exporter, options: Any) -> str:
    form = getattr(options, "form", "fp32")
    return f"model{'' if form == 'fp32' else f'.{form}'}{exporter.suffix}"


@frozen
class _ExporterOptions:
    """Builds the options of exporters from `KEY=VALUE` texts and from values that only some of them have."""

    sets: Sequence[str]
    shared: Mapping[str, Any]
    registry: Registry

    def build(self, exporter: Exporter, form: str | None) -> Any:
        tree = {key: value for key, value in self.shared.items() if key in fields_dict(exporter.options)}
        tree = apply_overrides(tree, parse_sets(self.sets))
        several = form is not None and len(exporter.forms) > 1
        if several and tree.setdefault("form", form) != form:
            raise ConfigError(f"--set form={tree['form']} and --form {form} say different things")
        return structure(tree, exporter.options, self.registry, f"exporter {exporter.name}")


def _list_forms(exporters: Sequence[Exporter]) -> list[str]:
    """Return the forms that can be asked for: this project's first, then those of plugins."""
    return list(dict.fromkeys([*FORMS, *(form for exporter in exporters for form in exporter.forms)]))


def _check_forms(forms: Sequence[str], known: Sequence[str]) -> None:
    unknown = [form for form in forms if form not in known]
    if unknown:
        raise ConfigError(f"--form: no form {unknown[0]!r}: the forms are {', '.join(known)}")


def _check_recovery(options: Sequence[Any]) -> None:
    """Raise ConfigError where something is to be recovered, and nothing is pruned."""
    recovered = [item for item in options if getattr(item, "recover", 0)]
    if recovered and not any(item.form.startswith("pruned") for item in recovered):
        raise ConfigError("--recover trains pruned forms: add --pruned or --form pruned-int8")


def _check_shared(exporters: Sequence[Exporter], shared: Mapping[str, Any]) -> None:
    for key in shared:
        if not any(key in fields_dict(exporter.options) for exporter in exporters):
            flag, names = key.replace("_", "-"), format_list(exporter.name for exporter in exporters)
            raise ConfigError(f"--{flag}: {names} has no such option")


def _check_destination(path: Path, exporter: Exporter) -> Path:
    if path.is_dir():
        advice = "name the file" if exporter.suffix else f"name a new one, which {exporter.name} makes"
        raise FasError(f"{path}: is a folder: {advice}, e.g. {path / f'model{exporter.suffix}'}")
    if exporter.suffix and not path.name.endswith(exporter.suffix):
        raise FasError(f"{path}: {exporter.name} writes files named *{exporter.suffix}")
    return path
