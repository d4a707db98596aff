"""Additive Margin Softmax for Face Verification, arXiv 1801.05599."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from fas_core import ConfigError
from fas_core.records.outputs import Batch, Outputs
from fas_plugins.fusions.classifier import CosineClassifier
from fas_plugins.losses.classification import require_logits
from fas_plugins.losses.options import AMSoftmaxOptions


class AMSoftmax(nn.Module):
    """Cross entropy of s cos, with margin m subtracted from the true class's cosine.

    The class directions and s are those of the model's cosine classifier, so training, scoring and exports
    share them: `model.fusion: {name: concat_linear, classifier: cosine, scale: 30}`.

    Raises:
        ConfigError: the model has no cosine classifier.
    """

    needs = ("logits",)

    def __init__(self, options: AMSoftmaxOptions, model: nn.Module) -> None:
        super().__init__()
        classifiers = [module for module in model.modules() if isinstance(module, CosineClassifier)]
        if len(classifiers) != 1:
            raise ConfigError(
                "loss 'am_softmax' needs a model that ends in a cosine classifier: set model.fusion to "
                "concat_linear, pipenet, cdcn or se_fusion, and model.fusion.classifier=cosine"
            )
        self.margin = options.margin * classifiers[0].scale

    def forward(self, outputs: Outputs, batch: Batch) -> Tensor:
        """A scalar; needs `outputs.logits`, (B, K)."""
        logits = require_logits(outputs, "am_softmax")
        one_hot = F.one_hot(batch.label, logits.shape[1])
        return F.cross_entropy(logits - self.margin * one_hot, batch.label)
