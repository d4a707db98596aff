"""The plugin hooks, one for each kind of component; a plugin is a module that implements some of them.

An entry point in the group `fas` announces it:

```toml
[project.entry-points.fas]
acme = "acme_fas"
```
"""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from fas_core.descriptors import Backbone, Catalogue, Command, Dataset, Exporter, Fusion, Loss, Metric

PROJECT = "fas"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def fas_backbones() -> Iterable[Backbone]:
    """Networks over one modality.

    >>> from fas_core import Backbone, hookimpl
    >>> @hookimpl
    ... def fas_backbones():
    ...     yield Backbone(name="tiny", summary="Three convolutions", target="acme_fas.tiny:Tiny")
    >>> next(fas_backbones()).name
    'tiny'
    """
    return ()


@hookspec
def fas_fusions() -> Iterable[Fusion]:
    """Modules that combine the modalities' branches into one decision.

    >>> from fas_core import Fusion, hookimpl
    >>> @hookimpl
    ... def fas_fusions():
    ...     yield Fusion(name="vote", summary="Mean", target="acme_fas.vote:Vote", takes="logits")
    >>> next(fas_fusions()).takes
    'logits'
    """
    return ()


@hookspec
def fas_datasets() -> Iterable[Dataset]:
    """Data sets on disk.

    >>> from fas_core import Dataset, hookimpl
    >>> @hookimpl
    ... def fas_datasets():
    ...     yield Dataset(name="lab", summary="Ours", target="acme_fas.lab:Lab", markers=("lab.json",))
    >>> next(fas_datasets()).markers
    ('lab.json',)
    """
    return ()


@hookspec
def fas_losses() -> Iterable[Loss]:
    """Losses to train with. Their options are an attrs class, filled from the recipe.

    >>> import attrs
    >>> from fas_core import Loss, hookimpl
    >>> @attrs.frozen
    ... class HingeOptions:
    ...     margin: float = 1.0
    >>> @hookimpl
    ... def fas_losses():
    ...     yield Loss(name="hinge", summary="Hinge", target="acme_fas.hinge:Hinge", options=HingeOptions)
    >>> next(fas_losses()).options().margin
    1.0
    """
    return ()


@hookspec
def fas_metrics() -> Iterable[Metric]:
    """Metrics of a score table.

    >>> from fas_core import Metric, hookimpl
    >>> @hookimpl
    ... def fas_metrics():
    ...     yield Metric(name="gap", summary="Mean live minus mean attack", target="acme_fas.gap:gap")
    >>> next(fas_metrics()).kind
    'metric'
    """
    return ()


@hookspec
def fas_exporters() -> Iterable[Exporter]:
    """File formats for trained models.

    >>> from fas_core import Exporter, hookimpl
    >>> @hookimpl
    ... def fas_exporters():
    ...     yield Exporter(name="tflite", summary="TFLite", target="acme_fas.tflite:export", suffix=".tflite")
    >>> next(fas_exporters()).suffix
    '.tflite'
    """
    return ()


@hookspec
def fas_commands() -> Iterable[Command]:
    """Further `fas` commands: `target` is a click command.

    >>> from fas_core import Command, hookimpl
    >>> @hookimpl
    ... def fas_commands():
    ...     yield Command(name="upload", summary="Send a run to the lab", target="acme_fas.upload:upload")
    >>> next(fas_commands()).name
    'upload'
    """
    return ()


@hookspec
def fas_public_models() -> Iterable[Catalogue]:
    """Lists of public models for `fas models get`: `target` is a YAML file of the package.

    >>> from fas_core import Catalogue, hookimpl
    >>> @hookimpl
    ... def fas_public_models():
    ...     yield Catalogue(name="acme", summary="Models of the lab", target="acme_fas:models.yaml")
    >>> next(fas_public_models()).target
    'acme_fas:models.yaml'
    """
    return ()
