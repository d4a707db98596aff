"""What can be set of each exporter."""

from __future__ import annotations

from attrs import field, frozen, validators


@frozen
class OnnxOptions:
    """ONNX.

    Args:
        opset: version of the operator set.
        tolerance: largest |difference| from torch that passes: of a score, and of a logit in units of
            the largest |logit| (of 1 where all are smaller).
    """

    opset: int = field(default=18, validator=validators.ge(18))
    tolerance: float = field(default=1e-4, validator=validators.gt(0))
