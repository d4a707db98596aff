"""Contract checks for plugin authors: one call in a plugin's tests finds what a component gets wrong.

    from fas_core.testing import check_loss

    def test_hinge() -> None:
        check_loss("hinge")

Each takes the name under which an installed plugin registers the component, and raises AssertionError with
what is wrong. Options are the defaults unless given. The contracts are in `fas_core.contracts`. Except for
metrics and data sets, the checks need the extra `train`.
"""

from __future__ import annotations

from copy import deepcopy
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fas_core.card import Card
from fas_core.contracts import BranchSize, Images, Scorer, Verification, Verify
from fas_core.descriptors import Backbone, Component, Dataset, Exporter, Fusion, Loss, Metric
from fas_core.errors import ModelError
from fas_core.records.model_input import ModelInput
from fas_core.records.outputs import Batch, Outputs
from fas_core.records.samples import SampleTable
from fas_core.registry import registry
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold

if TYPE_CHECKING:
    from torch import Tensor

    from fas_core.models.model import Model

BATCH, SIDE, SEED = 4, 32, 14


def check_backbone(name: str, options: Any = None, *, input_size: int = 224) -> None:
    """Check the shape of every stage, independence of samples in eval mode, and other input channels."""
    import torch

    target, options = _load(Backbone, name, options)
    network = target(options, in_channels=3, input_size=input_size, until="logits", num_classes=2).eval()
    x = torch.randn(BATCH, 3, input_size, input_size)
    with torch.inference_mode():
        features = network.forward_features(x)
        embedding = network.forward_embedding(features)
        logits = network.forward_head(embedding)
        alone = network.forward_head(network.forward_embedding(network.forward_features(x[:1])))
    side = -(-input_size // network.reduction)
    _check_tensor(name, "forward_features", features, (BATCH, network.num_features, side, side))
    _check_tensor(name, "forward_embedding", embedding, (BATCH, network.embedding_dim))
    _check_tensor(name, "forward_head", logits, (BATCH, network.num_logits))
    minimum = 1 if hasattr(network, "map_size") else 2
    assert network.num_logits >= minimum, f"{name}: {network.num_logits} logits: there are two classes"
    assert torch.allclose(alone, logits[:1], rtol=1e-3, atol=1e-4), f"{name}: samples see each other in eval"
    for channels in (1, 9):
        other = target(options, in_channels=channels, input_size=input_size, until="maps", num_classes=2)
        other.forward_features(torch.randn(2, channels, input_size, input_size))


def check_fusion(name: str, options: Any = None, *, modalities: tuple[str, ...] = ("rgb", "depth")) -> None:
    """Check the shape of the result, and that the order of the mapping does not matter."""
    import torch

    target, options = _load(Fusion, name, options)
    takes = registry().find(Fusion, name).takes
    size = (3, SIDE, SIDE) if takes == "inputs" else (16, 7, 7)
    shape: tuple[int, ...] = {"embeddings": (24,), "logits": (5,)}.get(takes, size)
    branches = tuple(BranchSize(modality, size, 24, 5) for modality in modalities)
    fusion = target(options, branches=branches, num_classes=2).eval()
    tensors = {modality: torch.randn(BATCH, *shape) for modality in modalities}
    with torch.inference_mode():
        result, reordered = fusion(tensors), fusion(dict(reversed(tensors.items())))
    expected = (BATCH, fusion.out_channels, SIDE, SIDE) if takes == "inputs" else (BATCH, fusion.num_logits)
    _check_tensor(name, "forward", result, expected)
    assert torch.equal(result, reordered), f"{name}: the order of the mapping changes the result"


def check_loss(name: str, options: Any = None, *, model: Model | None = None) -> None:
    """Check for a finite scalar with a finite gradient, also of large logits, that depends on the labels."""
    import torch

    target, options = _load(Loss, name, options)
    loss, label = target(options, model=model or tiny_model()), torch.tensor([1, 0, 1, 0])
    for scale in (1.0, 1000.0):
        logits = (torch.linspace(0, 3, 2 * BATCH).reshape(BATCH, 2).cos() * scale).requires_grad_()
        values = [loss(outputs_of(logits), batch_of(labels)) for labels in (label, 1 - label)]
        for value in values:
            assert value.shape == (), f"{name}: gave shape {tuple(value.shape)}: must be a scalar"
            assert value.isfinite(), f"{name}: {value.item()} for logits up to {scale:g}"
        assert values[0] != values[1], f"{name}: the same for any labels"
        sum(values).backward()
        assert logits.grad is not None, f"{name}: no gradient reaches the outputs"
        assert logits.grad.isfinite().all(), f"{name}: its gradient is not finite for logits up to {scale:g}"


def check_metric(name: str, options: Any = None) -> None:
    """Check for named floats that do not depend on the order of samples, and NaN where one is undefined."""
    target, options = _load(Metric, name, options)
    scores = score_table()
    values = dict(target(options, scores=scores, threshold=0.5))
    assert values, f"{name}: no figures"
    for key, value in values.items():
        assert isinstance(value, float), f"{name}: {key}: {value!r} is no float"
        assert not isnan(value), f"{name}: {key} is NaN though both classes have scores"
    reordered = ScoreTable(scores.table.take(list(reversed(range(len(scores))))))
    again = dict(target(options, scores=reordered, threshold=0.5))
    assert np.allclose(list(again.values()), list(values.values())), f"{name}: the order of samples counts"
    for table, threshold in ((score_table(40, 0), 0.5), (score_table(0, 60), 0.5), (scores, None)):
        undefined = target(options, scores=table, threshold=threshold)
        assert set(undefined) == set(values), f"{name}: other figures where some are undefined: give NaN"


def check_dataset(name: str, root: Path, options: Any = None) -> None:
    """Check that every split reads the same twice, has labels and unique ids, and that its files exist."""
    target, options = _load(Dataset, name, options)
    reader = target(options, root=root)
    reader.prepare()
    split_of: dict[str, str] = {}
    assert reader.splits(), f"{name}: no splits in {root}"
    for split in reader.splits():
        samples, again = reader.samples(split), target(options, root=root).samples(split)
        assert isinstance(samples, SampleTable), f"{name}: samples() gave {type(samples).__name__}"
        assert len(samples), f"{name}: split {split!r} is empty"
        assert samples.fingerprint() == again.fingerprint(), f"{name}: {split!r} reads differently each time"
        assert set(samples.column("split")) == {split}, f"{name}: column 'split' does not say {split!r}"
        assert set(samples.labels) <= {1, 0, -1}, f"{name}: labels other than 1 (live) and 0 (attack)"
        for key in samples.column("id"):
            other = split_of.setdefault(key, split)
            assert other == split, f"{name}: id {key!r} in {other} and {split}"
        for modality in samples.modalities:
            paths = [path for path in samples.column(modality) if path is not None]
            missing = [path for path in paths if not (samples.root / path).is_file()]
            assert not missing, f"{name}: {split!r}: no such file: {missing[0]}"


def check_exporter(name: str, folder: Path, options: Any = None) -> None:
    """Check that it writes what its descriptor names into `folder`, nothing else, and has it verified."""
    target, options = _load(Exporter, name, options)
    descriptor, modalities = registry().find(Exporter, name), ("rgb", "depth")
    destination, before = folder / f"model{descriptor.suffix}", set(folder.iterdir())
    beside = tuple(destination.with_suffix(suffix) for suffix in descriptor.beside)
    model, images = tiny_model(modalities), random_images(modalities)
    card = Card(ModelInput(modalities, SIDE), Threshold(0.5, "fixed:0.5", "given"))
    results: list[Verification] = []
    verify = verify_on(model, images, results)
    exported = target(options, model=model, samples=images, destination=destination, card=card, verify=verify)
    written = set(folder.iterdir()) - before
    names = sorted(map(str, written))
    assert written == {destination, *beside}, f"{name}: wrote {names}, not just {destination}"
    if descriptor.suffix:
        assert exported.path == destination, f"{name}: says it wrote {exported.path}, not {destination}"
        assert exported.beside == beside, f"{name}: says it wrote {exported.beside} beside it"
    else:
        outside = [path for path in (exported.path, *exported.beside) if destination not in path.parents]
        assert not outside, f"{name}: says it wrote {outside[0]}, which is not in {destination}"
    assert results, f"{name}: did not have what it wrote verified"
    assert exported.verification is results[-1], f"{name}: gives another verification than it was given"
    difference = exported.verification.max_difference
    assert difference <= 1e-3, f"{name}: scores differ from the model's by {difference:g}"


def _load(kind: type[Component], name: str, options: Any) -> tuple[Any, Any]:
    """Return a component's target and the options to call it with."""
    component = registry().find(kind, name)
    return component.load(), component.options() if options is None else options


def _check_tensor(name: str, method: str, tensor: Tensor, shape: tuple[int, ...]) -> None:
    assert tensor.shape == shape, f"{name}: {method} gave {tuple(tensor.shape)}, promised {shape}"
    assert tensor.isfinite().all(), f"{name}: {method} gave values that are not finite"


def score_table(live: int = 40, attacks: int = 60) -> ScoreTable:
    """Return overlapping scores of live samples and of attacks of two PAI species."""
    rng = np.random.default_rng(SEED)
    scores = np.concatenate([rng.normal(0.7, 0.2, live), rng.normal(0.4, 0.2, attacks)])
    species = ["live"] * live + ["print", "replay"] * (attacks // 2) + ["print"] * (attacks % 2)
    ids, labels = list(map(str, range(live + attacks))), [1] * live + [0] * attacks
    return ScoreTable.of({"id": ids, "score": scores, "label": labels, "species": species})


def tiny_model(modalities: tuple[str, ...] = ("rgb",)) -> Model:
    """Return a model of one small convolution per modality for 32 x 32 pixels, in eval mode."""
    from fas_core.testing.tiny import build_tiny_model

    return build_tiny_model(modalities, SIDE)


def random_images(modalities: tuple[str, ...]) -> Images:
    """Return noise for the tiny model, `{modality: uint8 (4, 32, 32, 3)}`."""
    rng = np.random.default_rng(SEED)
    return {name: rng.integers(0, 256, (BATCH, SIDE, SIDE, 3), np.uint8) for name in modalities}


def verify_on(model: Model, images: Images, results: list[Verification] | None = None) -> Verify:
    """Return a `verify` for an exporter of this model: it compares scores of these images, without a run.

    Every verification is appended to `results`.
    """
    from fas_core.models.model import scorer as model_scorer

    expected = model_scorer(deepcopy(model))({name: np.array(pixels) for name, pixels in images.items()})

    def verify(scorer: Scorer, *, tolerance: float | None, acer_loss: float) -> Verification:
        del acer_loss  # the images have no labels
        difference = np.abs(scorer(images) - expected)
        result = Verification(len(difference), "dev", float(difference.max()), float(difference.mean()))
        if tolerance is not None and not result.max_difference <= tolerance:
            raise ModelError(f"scores differ by {result.max_difference:.2g}")
        if results is not None:
            results.append(result)
        return result

    return verify


def outputs_of(logits: Tensor) -> Outputs:
    """Return outputs of every kind, all computed from the logits (B, K)."""
    maps = logits[:, 1, None, None].expand(-1, 4, 4)
    return Outputs(score=logits.softmax(dim=1)[:, 1], logits=logits, map=maps, embedding=logits.repeat(1, 2))


def batch_of(label: Tensor) -> Batch:
    """Return a batch of three modalities with these labels (4,)."""
    import torch

    pixels = torch.arange(BATCH * SIDE * SIDE * 3).reshape(BATCH, SIDE, SIDE, 3) * 37 % 251
    images = dict.fromkeys(("rgb", "depth", "ir"), pixels.to(torch.uint8))
    return Batch(images=images, label=label, index=torch.arange(BATCH))
