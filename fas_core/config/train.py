"""The section `train` of a recipe."""

from __future__ import annotations

from math import inf
from pathlib import Path
from typing import Literal

from attrs import field, fields, frozen
from attrs import validators as v

from fas_core.config.components import OptimizerChoice, ScheduleChoice, TrackerChoice
from fas_core.config.validators import check_cache, check_distillation, check_factors
from fas_core.records.hyperparameters import Hyperparameters

MAX_COPIES = 100
"""Each is a pass over all training samples."""


@frozen
class Distillation:
    """Train against the outputs of a trained run, the teacher, too.

    Distilling the Knowledge in a Neural Network (Hinton et al., arXiv 1503.02531): the loss is `weight` times
    that of the teacher's soft targets, see `fas_core.models.soft_targets`, and the rest the recipe's own.

    Args:
        run: the teacher's run folder, whose best weights score the batches that training shows.
        temperature: divides the logits of both; a higher one shows more of what the teacher finds similar.
        weight: of the soft targets, from 0 to 1; 1 uses no labels.
    """

    run: Path
    temperature: float = field(default=4.0, validator=[v.gt(0), v.lt(inf)])
    weight: float = field(default=0.7, validator=[v.ge(0), v.le(1)])


@frozen
class TrainConfig:
    """The section `train`.

    Args:
        solver: `gradient` trains the whole network over epochs; `convex` computes the embedding of every
            sample once, by the weights as they are (`model.pretrained`), and fits the last linear layer
            alone, see `fas_core.training.convex`. Of the other keys, `convex` has C, copies, seed, workers
            and device, and the copies `modality_dropout`.
        epochs: passes over the training samples.
        batch_size: samples of an update; several processes share them.
        C: of the convex solver: inverse strength of the regularisation on standardised features, as in
            scikit-learn; None: chosen by cross-validation over people and sessions.
        copies: of the convex solver: augmented copies (section `augment`) of every training sample.
        optimizer: the rule of an update.
        lr: learning rate; the schedule multiplies it.
        momentum: of optimizers that have one, as SGD; AdamW has its betas.
        weight_decay: of optimizers that have one.
        schedule: `step` multiplies the learning rate by `decay` every `every_decay` epochs (as published),
            `cosine` lowers it to 0 over all epochs, `constant` keeps it.
        every_decay: epochs between the steps of the schedule `step`.
        decay: factor of each of these steps.
        modality_dropout: probability that a training sample lacks a modality, for each modality (one always
            remains); above 0 the model can score samples with missing modalities. As ModDrop (Neverova et
            al., arXiv 1501.00102).
        balance: `class`: an epoch shows live samples and attacks equally often; `species`: besides, each
            species as often as others of its class; None: every sample once. See `fas_core.data.draws`.
        accumulate: parts that a batch is split into for less memory; their gradients add up to the batch's,
            but batch norms see a part at a time.
        clip: longest gradient of an update, as a Euclidean norm over all parameters; longer ones are scaled
            to it (Pascanu et al., arXiv 1211.5063); None: any.
        average: decay in [0, 1) of a running mean of the weights over the updates, which is evaluated and
            saved (Polyak and Juditsky, Acceleration of Stochastic Approximation by Averaging, 1992); 0: none.
        freeze: names of layers that are not trained and stay in evaluation mode, e.g.
            `[backbones.rgb.blocks]`, see `fas_core.training.layers`.
        layer_lr: factors of the learning rate by names of layers, e.g. `{backbones: 0.1}`.
        select: epoch whose weights are evaluated and exported: `best`, that of the lowest dev EER, or `last`.
        judge_every: epochs between evaluations on dev, which also follows the last epoch.
        patience: training ends after this many evaluations on dev without a lower EER; None: after `epochs`.
        checkpoint_minutes: longest time of training, in minutes, that a kill or a power loss costs: the state
            is saved within epochs, too.
        on_usr1: after SIGUSR1, Slurm's warning, training saves and stops (`stop`) or goes on (`continue`).
        distillation: teacher to train against, e.g. `{run: runs/big}`; None: the labels alone.
        seed: of the weights, the order of samples, the augmentation and the modality dropout.
        workers: processes that read images.
        reduced_decoding: decode JPEGs at a half, a quarter or an eighth of their size where the random crop
            needs no more pixels, see `fas_core.data.reduced_decoding`; pixels differ a little.
        cache: folder for the decoded faces of the training samples, so that later epochs decode none; None:
            every epoch decodes them. See `fas_core.data.face_cache`.
        device: `auto` (an accelerator if there is one), `cpu`, `cuda`, ...
        peer_timeout: of several processes, seconds that one waits for another in a step before it ends.
        amp: number format of the network's layers in training; the weights are fp32.
        compile: train by code that `torch.compile` generates, which takes some minutes to begin.
        trackers: what records the run's figures beside the run folder's own files, e.g. `[tensorboard]`.
    """

    epochs: int = field(default=10, validator=v.ge(1))
    batch_size: int = field(default=32, validator=v.ge(2))
    optimizer: OptimizerChoice = field(factory=lambda: OptimizerChoice("sgd"))
    lr: float = field(default=0.01, validator=[v.gt(0), v.lt(inf)])
    momentum: float = field(default=0.9, validator=[v.ge(0), v.lt(1)])
    weight_decay: float = field(default=1e-4, validator=[v.ge(0), v.lt(inf)])
    schedule: ScheduleChoice = field(factory=lambda: ScheduleChoice("step"))
    every_decay: int = field(default=60, validator=v.ge(1))
    decay: float = field(default=0.1, validator=[v.gt(0), v.le(1)])
    modality_dropout: float = field(default=0.0, validator=[v.ge(0), v.lt(1)])
    balance: Literal["class", "species"] | None = None
    accumulate: int = field(default=1, validator=v.ge(1))
    clip: float | None = field(default=None, validator=v.optional(v.and_(v.gt(0.0), v.lt(inf))))
    average: float = field(default=0.0, validator=[v.ge(0), v.lt(1)])
    freeze: tuple[str, ...] = ()
    layer_lr: dict[str, float] = field(factory=dict, validator=check_factors)
    select: Literal["best", "last"] = "best"
    judge_every: int = field(default=1, validator=v.ge(1))
    patience: int | None = field(default=None, validator=v.optional(v.ge(1)))
    checkpoint_minutes: float = field(default=10.0, validator=[v.gt(0), v.lt(inf)])
    on_usr1: Literal["stop", "continue"] = "stop"
    seed: int = field(default=14, validator=v.ge(0))
    workers: int = field(default=2, validator=v.ge(0))
    reduced_decoding: bool = False
    cache: Path | None = field(default=None, validator=check_cache)
    device: str = "auto"
    peer_timeout: float = field(default=30.0, validator=[v.gt(0), v.lt(inf)])
    amp: Literal["fp32", "fp16", "bf16"] = "fp32"
    compile: bool = False
    trackers: tuple[TrackerChoice, ...] = ()
    solver: Literal["gradient", "convex"] = "gradient"
    C: float | None = field(default=None, validator=v.optional(v.and_(v.gt(0.0), v.lt(inf))))
    copies: int = field(default=0, validator=[v.ge(0), v.le(MAX_COPIES)])
    distillation: Distillation | None = field(default=None, validator=check_distillation)

    @property
    def hyperparameters(self) -> Hyperparameters:
        """What optimizers and schedules are told of this section."""
        return Hyperparameters(**{item.name: getattr(self, item.name) for item in fields(Hyperparameters)})

    @property
    def last_epoch(self) -> int:
        """The last epoch of a finished run; a convex solver has one."""
        return 1 if self.solver == "convex" else self.epochs
