"""What can be set of each exporter."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen, validators

TOLERANCES = {"fp32": 1e-4, "fp16": 2e-2, "int8": None, "pruned": None}
"""Largest |score difference| that passes unless another is given; None: held to its error rate alone."""

ACER_LOSS = 0.002
"""0.2 points."""


@frozen(kw_only=True)
class Checked:
    """What every exporter of ours has.

    Args:
        tolerance: largest |difference| from the model's scores that passes; None for what the form is
            known to cost (1e-4 in fp32, 0.02 in fp16, any in int8 and pruned).
        acer_loss: by how much ACER on dev may be worse, as a fraction.
    """

    tolerance: float | None = field(default=None, validator=validators.optional(validators.gt(0)))
    acer_loss: float = field(default=ACER_LOSS, validator=validators.ge(0))

    def allowed(self, form: str = "fp32") -> float | None:
        """The tolerance that holds."""
        return TOLERANCES[form] if self.tolerance is None else self.tolerance


@frozen(kw_only=True)
class OnnxOptions(Checked):
    """ONNX.

    Args:
        opset: version of the operator set.
        form: fp32; fp16 and int8, of weights and activations, where normalisation and softmax stay in
            float32; or fp32 with fewer hidden channels (pruned).
    """

    opset: int = field(default=18, validator=validators.ge(18))
    form: Literal["fp32", "fp16", "int8", "pruned"] = "fp32"


@frozen(kw_only=True)
class OpenVinoOptions(Checked):
    """OpenVINO.

    Args:
        form: fp32; int8, of weights and activations; or fp32 with fewer hidden channels (pruned).
        static: whether the graph takes one sample a call, which is faster; batches are then run one by one.
    """

    form: Literal["fp32", "int8", "pruned"] = "fp32"
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
