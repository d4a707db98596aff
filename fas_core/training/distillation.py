"""Training against a teacher: a trained run whose network scores the batches that the student is shown.

Distilling the Knowledge in a Neural Network (Hinton et al., arXiv 1503.02531).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import torch
from accelerate import Accelerator
from attrs import frozen
from torch import Tensor, nn

from fas_core.config.recipe import Recipe
from fas_core.config.train import Distillation
from fas_core.console import console
from fas_core.errors import ConfigError, FasError
from fas_core.models.model import Model
from fas_core.models.soft_targets import soft_target_loss
from fas_core.records.outputs import Batch, Outputs
from fas_core.registry import Registry
from fas_core.runs.run import Run

KEY = "train.distillation"


@frozen(eq=False)
class Teacher:
    """A trained network in evaluation mode, without gradients; no module, so that nothing trains or saves it.

    Args:
        model: on the device of the batches.
        autocast: the precision that the student is trained with.
    """

    model: Model
    autocast: Callable[[], AbstractContextManager[None]]

    @torch.no_grad()
    def compute_logits(self, batch: Batch) -> Tensor:
        """Return its logits, (B, K), of the images that the student sees, augmented and mixed as they are.

        A teacher that can do without modalities is told which ones the student lacks; others see all.
        """
        images = {name: batch.images[name] for name in self.model.modalities}
        with self.autocast():
            outputs: Outputs = self.model(images, batch.presence if self.model.partial else None)
        assert outputs.logits is not None
        return outputs.logits


class DistilledLoss(nn.Module):
    """The weighted sum of a loss of the labels and of the teacher's soft targets."""

    def __init__(self, loss: nn.Module, teacher: Teacher, config: Distillation) -> None:
        super().__init__()
        self.loss, self.teacher, self.config = loss, teacher, config

    def forward(self, outputs: Outputs, batch: Batch) -> Tensor:
        assert outputs.logits is not None
        config, logits = self.config, self.teacher.compute_logits(batch)
        hard: Tensor = self.loss(outputs, batch)
        soft = soft_target_loss(outputs.logits, logits, config.temperature)
        return (1 - config.weight) * hard + config.weight * soft


def load_teacher(recipe: Recipe, registry: Registry, accelerator: Accelerator) -> Teacher | None:
    """Load the teacher of a recipe onto the accelerator's device; None where the recipe has none.

    Raises:
        FasError: it is no run, or has no weights.
        ConfigError: it takes other images than the recipe's model, or gives no logits.
    """
    config = recipe.train.distillation
    if config is None:
        return None
    try:
        run = Run.open(config.run, registry)
        _check_input(run.recipe, recipe)
        model = run.model()
    except ConfigError:
        raise
    except FasError as error:
        raise FasError(f"{KEY}.run: {error.message}", error.problems) from error
    if "logits" not in model.output_names:
        raise ConfigError(f"{KEY}.run: {config.run} predicts a map and has no logits: choose another teacher")
    model.patches = None  # training shows single patches
    console.info(f"teacher {config.run}: {run.recipe.describe()}")
    return Teacher(model.to(accelerator.device), accelerator.autocast)


def _check_input(teacher: Recipe, student: Recipe) -> None:
    """Raise ConfigError unless both take the same images."""
    of_teacher, of_student = teacher.input, student.input
    for name, theirs, ours in (
        ("modalities", ", ".join(of_teacher.modalities), ", ".join(of_student.modalities)),
        ("input size", of_teacher.network_size, of_student.network_size),
        ("crops", dict(of_teacher.crops), dict(of_student.crops)),
    ):
        if theirs != ours:
            raise ConfigError(
                f"{KEY}.run: the teacher's {name} ({theirs}) and the student's ({ours}) must be the same: "
                "change the recipe, or choose another teacher"
            )


def distil(loss: nn.Module, teacher: Teacher | None, recipe: Recipe, model: Model) -> nn.Module:
    """Return the recipe's loss with the teacher's soft targets, or as it is where there is no teacher.

    Raises:
        ConfigError: the model that is trained predicts a map and has no logits.
    """
    config = recipe.train.distillation
    if teacher is None or config is None:
        return loss
    if "logits" not in model.output_names:
        raise ConfigError(f"{KEY}: this model predicts a map and has no logits to train: leave it out")
    return DistilledLoss(loss, teacher, config)
