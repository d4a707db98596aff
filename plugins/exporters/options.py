"""Options of the exporters."""

from __future__ import annotations

from math import inf
from typing import Literal

from attrs import field, frozen, validators

TOLERANCES = {"fp32": 1e-4, "fp16": 2e-2, "int8": None, "pruned": None, "pruned-int8": None}
"""Default tolerance of a form: largest |score difference|; None: only the error rate is checked."""

OPSET = 18
"""The operator set that torch's exporter writes: graphs of other ones are converted from it."""

OLDEST_OPSET = 11

ACER_LOSS = 0.002
"""0.2 percentage points."""


@frozen(kw_only=True)
class VerifiedOptions:
    """Options that all these exporters share.

    Args:
        tolerance: largest |difference| from the model's scores; None for the form's default (1e-4 in fp32,
            0.02 in fp16, any in int8, pruned and pruned-int8).
        acer_loss: largest increase of ACER on dev, as a fraction.
    """

    tolerance: float | None = field(default=None, validator=validators.optional(validators.gt(0)))
    acer_loss: float = field(default=ACER_LOSS, validator=validators.ge(0))

    def choose_tolerance(self, form: str = "fp32") -> float | None:
        """Return the tolerance for a form; None where any difference passes."""
        return TOLERANCES[form] if self.tolerance is None else self.tolerance


def _check_opset(_: object, __: object, value: int) -> None:
    """Check that it is at least 11."""
    if value < OLDEST_OPSET:
        raise ValueError(
            f"'opset' must be >= {OLDEST_OPSET}, the first whose Clip and Resize have the form of these "
            f"graphs: {value}"
        )


@frozen(kw_only=True)
class GraphOptions(VerifiedOptions):
    """Options of an ONNX graph.

    Args:
        opset: version of the operator set; below 18 onnx converts the graph, as far as its operators allow.
        form: fp32; fp16 or int8 weights and activations, with softmax in float32; pruned, which is fp32 with
            fewer hidden channels; or pruned-int8, which is int8 with fewer.
        recover: epochs that a pruned graph is trained for against the whole one's logits; 0: none.
    """

    opset: int = field(default=OPSET, validator=_check_opset)
    form: Literal["fp32", "fp16", "int8", "pruned", "pruned-int8"] = "fp32"
    recover: float = field(default=0.0, validator=[validators.ge(0), validators.lt(inf)])


@frozen(kw_only=True)
class OnnxOptions(GraphOptions):
    """ONNX.

    Args:
        static_batch: number of samples that the graph takes per call; None: any.
    """

    static_batch: int | None = field(default=None, validator=validators.optional(validators.ge(1)))


@frozen(kw_only=True)
class OpenVinoOptions(VerifiedOptions):
    """OpenVINO.

    Args:
        form: fp32; int8 weights and activations; pruned, which is fp32 with fewer hidden channels; or
            pruned-int8, which is int8 with fewer.
        recover: epochs that a pruned graph is trained for against the whole one's logits; 0: none.
        static: whether the graph takes one sample per call, which is faster; batches then run one by one.
    """

    form: Literal["fp32", "int8", "pruned", "pruned-int8"] = "fp32"
    recover: float = field(default=0.0, validator=[validators.ge(0), validators.lt(inf)])
    static: bool = True


@frozen(kw_only=True)
class TorchOptions(VerifiedOptions):
    """The torch.export program."""


@frozen(kw_only=True)
class ExecuTorchOptions(VerifiedOptions):
    """ExecuTorch."""


@frozen(kw_only=True)
class TritonOptions(GraphOptions):
    """Triton.

    Args:
        max_batch: largest batch of requests that the server runs at once.
        queue_delay: longest time that a request waits for others, in microseconds.
    """

    max_batch: int = field(default=32, validator=validators.ge(1))
    queue_delay: int = field(default=500, validator=validators.ge(0))


@frozen(kw_only=True)
class WebOptions(GraphOptions):
    """A web page.

    Args:
        form: as of an ONNX graph, but for fp16, in which browsers do not compute on a CPU.
        web_runtime: folder or archive of the npm package onnxruntime-web; None to fetch it.
    """

    form: Literal["fp32", "int8", "pruned", "pruned-int8"] = "fp32"
    web_runtime: str | None = None
