"""Export for notebooks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fas_core.errors import FasError, require
from fas_core.records.outputs import Exported
from fas_core.registry import registry
from fas_core.user_paths import expand_user

if TYPE_CHECKING:
    from fas_core.runs.run import Run


def export(
    run: Run | str | Path,
    output: str | Path | None = None,
    *,
    format: str = "onnx",
    form: str | None = None,
    weights: Literal["best", "last"] = "best",
    reject: str | None = None,
    novelty: bool | None = None,
    data: str | Path | None = None,
    samples: int = 1000,
    calibration: int = 256,
    keep_data_root: bool = False,
    **options: Any,
) -> Exported:
    """Write a run's model with preprocessing, threshold and names inside, as `fas export` does.

    The file is compared with the model on samples, and is not left where it differs.

    Args:
        run: a run, or its folder (of folds: the final run).
        output: the file (or the folder of a format that writes one); None for `RUN/model.*`.
        format: name of an exporter, see `fas export --list`.
        form: fp32, fp16, int8, pruned, pruned-int8, or one of a plugin's exporter; None for its own.
        weights: which of the run's weights.
        reject: policy of the scores without a verdict, `LOW:HIGH` or `none`; None for the run's own.
        novelty: whether the file tells how unlike the training data a face is; None: as the run was exported
            before.
        data: what to compare on, as `--data` takes it; None for the run's own data.
        samples: largest number of samples to compare on.
        calibration: number of samples that int8 and pruned forms are calibrated on.
        keep_data_root: whether the file says where the data lies.
        options: of the exporter, e.g. `opset=11`, or `recover=1` of pruned forms.

    Raises:
        FasError: the run, the output or an option cannot be used, or the file differs from the model.

    Example:
        >>> exported = export("runs/quickstart")  # doctest: +SKIP
        >>> exported.path, exported.verification.max_difference  # doctest: +SKIP
        (PosixPath('runs/quickstart/model.onnx'), 2.4e-07)
    """
    require("train", "torch", "onnx", "onnxscript", "safetensors")
    from fas_core.exporting.export_run import export_run, open_run, plan_exports
    from fas_core.exporting.prepare import prepare_model
    from fas_core.exporting.verify import compare_on
    from fas_core.models.model import scorer
    from fas_core.runs.run import Run

    opened = run if isinstance(run, Run) else open_run(expand_user(run), registry())
    destination = None if output is None else expand_user(output)
    forms = () if form is None else (form,)
    plans = plan_exports([format], forms, (), destination, opened.path, registry(), options)
    model, card = prepare_model(
        opened, weights, novelty=novelty, keep_data_root=keep_data_root, reject=reject
    )
    spec = None if data is None else str(data)
    comparison = compare_on(opened, scorer(model), card, samples, spec)
    ((_, result),) = export_run(opened, weights, model, plans, comparison, calibration)
    if isinstance(result, FasError):
        raise result
    return result
