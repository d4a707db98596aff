"""Components that a recipe chooses by name, each with an instance of its options class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, get_type_hints

from attrs import field, fields, frozen
from attrs import validators as v

from fas_core.component import Component, NoOptions
from fas_core.descriptors import (
    Augmentation,
    Backbone,
    Dataset,
    Fusion,
    Loss,
    Metric,
    Optimizer,
    Schedule,
    Tracker,
)


@frozen(eq=False)
class AbsentOptions:
    """The options of a component that no plugin provides, as they are written, and why it is absent."""

    values: Mapping[str, Any]
    reason: str


@frozen
class Choice:
    """A component chosen by name, and an instance of its options class.

    The name may be qualified (`acme-fas:gap`). In a run or an exported file the plugin may be absent.
    """

    component: ClassVar[type[Component]]

    name: str
    options: Any = field(factory=NoOptions)

    @property
    def absence(self) -> str:
        """Why the component is absent; empty where it is there."""
        return self.options.reason if isinstance(self.options, AbsentOptions) else ""

    def walk(self) -> Iterator[Choice]:
        """Iterate over this choice and those among its options, as the network of `texture`."""
        yield self
        for option in fields(type(self.options)):
            value = getattr(self.options, option.name)
            if isinstance(value, Choice):
                yield from value.walk()

    @classmethod
    def common_options(cls) -> dict[str, Any]:
        """Return the options that every component of this kind has in a recipe, `{name: type}`."""
        hints = get_type_hints(cls)
        return {item.name: hints[item.name] for item in fields(cls) if item.name not in ("name", "options")}


@frozen
class BackboneChoice(Choice):
    component = Backbone


@frozen
class FusionChoice(Choice):
    component = Fusion


@frozen
class LossChoice(Choice):
    component = Loss


@frozen
class OptimizerChoice(Choice):
    component = Optimizer


@frozen
class ScheduleChoice(Choice):
    component = Schedule


@frozen
class MetricChoice(Choice):
    component = Metric


@frozen
class TrackerChoice(Choice):
    component = Tracker


@frozen
class AugmentationChoice(Choice):
    """An augmentation and its options.

    Args:
        modalities: those whose faces it changes; none named: all.
        only: the class whose faces it changes; None: both.
    """

    component = Augmentation

    modalities: tuple[str, ...] = ()
    only: Literal["live", "attack"] | None = None


def _check_fold(choice: HeldOut, attribute: Any, value: int) -> None:
    if value > choice.folds:
        raise ValueError(f"'{attribute.name}' must be at most folds, {choice.folds}: {value}")


@frozen
class HeldOut:
    """One fold of the train split that is left out of train and used as dev. See `fas_core.data.folds`.

    Args:
        by: column of the sample table; samples with the same value are in the same fold. After it, `+session`
            where the fold is held out together with a session.
        fold: the fold that is held out, counted from 1.
        seed: random seed of the assignment to folds.
    """

    by: str
    folds: int = field(validator=v.ge(2))
    fold: int = field(validator=[v.ge(1), _check_fold])
    seed: int = field(default=14, validator=v.ge(0))


@frozen
class DatasetChoice(Choice):
    """A data set and its options.

    Args:
        root: its folder or file; None: where the data set keeps its data by default.
        train_on_dev: add dev's labelled samples to train, and have no dev split: for folds.
        held_out: the fold of train that is used as dev; None: the data set's own dev split.
    """

    component = Dataset

    root: Path | None = None
    train_on_dev: bool = False
    held_out: HeldOut | None = None
