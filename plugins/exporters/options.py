"""What can be set of each exporter."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen, validators

TOLERANCES = {"fp32": 1e-4, "fp16": 2e-2, "int8": None}
"""Largest |score difference| that passes unless another is given; int8 is held to its error rate alone."""

ACER_LOSS = 0.002
"""0.2 points."""


@frozen(kw_only=True)
class Checked:
    """What every exporter of ours has.

    Args:
        tolerance: largest |difference| from the model's scores that passes; None for what the precision
            is known to cost (1e-4 in fp32, 0.02 in fp16, any in int8).
        acer_loss: by how much ACER on dev may be worse, as a fraction.
    """

    tolerance: float | None = field(default=None, validator=validators.optional(validators.gt(0)))
    acer_loss: float = field(default=ACER_LOSS, validator=validators.ge(0))

    def allowed(self, precision: str = "fp32") -> float | None:
        """The tolerance that holds."""
        return TOLERANCES[precision] if self.tolerance is None else self.tolerance


@frozen(kw_only=True)
class OnnxOptions(Checked):
    """ONNX.

    Args:
        opset: version of the operator set.
        precision: of weights and activations; normalisation and softmax stay in float32.
    """

    opset: int = field(default=18, validator=validators.ge(18))
    precision: Literal["fp32", "fp16", "int8"] = "fp32"


@frozen(kw_only=True)
class OpenVinoOptions(Checked):
    """OpenVINO.

    Args:
        precision: of weights and activations.
        static: whether the graph takes one sample a call, which is faster; batches are then run one by one.
    """

    precision: Literal["fp32", "int8"] = "fp32"
    static: bool = True


@frozen(kw_only=True)
class TorchOptions(Checked):
    """A program of `torch.export`."""


@frozen(kw_only=True)
class TritonOptions(OnnxOptions):
    """A model's folder for Triton.

    Args:
        max_batch: of requests that the server joins.
        queue_delay: microseconds that a request waits for others to join.
    """

    max_batch: int = field(default=32, validator=validators.ge(1))
    queue_delay: int = field(default=500, validator=validators.ge(0))
