"""Contract checks for plugin authors: one call in a plugin's own test finds what a component breaks.

    from fas_core.testing import check_loss

    def test_hinge() -> None:
        check_loss("hinge")

Each takes the name under which the installed plugin registers the component, and raises
AssertionError with what is wrong. The contracts themselves are in `fas_core.contracts`. Needs the
extra `train`, except for metrics and data sets.
"""

from __future__ import annotations

from copy import deepcopy
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from fas_core.card import Card
from fas_core.config.recipe import Normalize
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

BATCH, SIDE = 4, 32


def score_table(live: int = 40, attacks: int = 60) -> ScoreTable:
    """Made-up scores of live samples and of attacks of two species, overlapping; the same every time."""
    rng = np.random.default_rng(14)
    scores = np.concatenate([rng.normal(0.7, 0.2, live), rng.normal(0.4, 0.2, attacks)])
    species = ["live"] * live + ["print", "replay"] * (attacks // 2) + ["print"] * (attacks % 2)
    return ScoreTable.of(
        {
            "id": [str(number) for number in range(live + attacks)],
            "score": scores,
            "label": [1] * live + [0] * attacks,
            "species": species,
        }
    )


def tiny_model(modalities: tuple[str, ...] = ("rgb",)) -> Model:
    """A model of one small convolution per modality, input size 32, with seeded weights, in eval mode."""
    import torch
    from torch import nn

    from fas_core.models.model import Model, Preprocess

    class Tiny(nn.Module):
        num_features, embedding_dim, num_logits, reduction = 4, 4, 2, 4

        def __init__(self) -> None:
            super().__init__()
            self.convolution = nn.Conv2d(3, 4, kernel_size=4, stride=4)

        def forward_features(self, x: Tensor) -> Tensor:
            return cast("Tensor", self.convolution(x)).relu()

        def forward_embedding(self, x: Tensor) -> Tensor:
            return x.mean(dim=(2, 3))

    class Joined(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(4 * len(modalities), 2)

        def forward(self, branches: dict[str, Tensor]) -> Tensor:
            return cast("Tensor", self.linear(torch.cat([branches[name] for name in modalities], dim=1)))

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(14)
        preprocess: dict[str, nn.Module] = {name: Preprocess(Normalize()) for name in modalities}
        backbones: dict[str, nn.Module] = {name: Tiny() for name in modalities}
        return Model(preprocess, backbones, Joined(), "embeddings", SIDE).eval()


def check_backbone(name: str, options: Any = None, *, input_size: int = 224) -> None:
    """Every stage has the shape that the attributes promise, and judges each sample by itself."""
    import torch

    target, made = _component(Backbone, name, options)
    network = target(made, in_channels=3, input_size=input_size, until="logits", num_classes=2).eval()
    x = torch.randn(BATCH, 3, input_size, input_size)
    with torch.inference_mode():
        features = network.forward_features(x)
        embedding = network.forward_embedding(features)
        logits = network.forward_head(embedding)
        alone = network.forward_head(network.forward_embedding(network.forward_features(x[:1])))
    side = -(-input_size // network.reduction)
    _shape(name, "forward_features", features, (BATCH, network.num_features, side, side))
    _shape(name, "forward_embedding", embedding, (BATCH, network.embedding_dim))
    _shape(name, "forward_head", logits, (BATCH, network.num_logits))
    least = 1 if hasattr(network, "map_size") else 2
    assert network.num_logits >= least, f"{name}: {network.num_logits} logits: there are two classes"
    assert torch.allclose(alone, logits[:1], rtol=1e-3, atol=1e-4), f"{name}: samples see each other in eval"
    for channels in (1, 9):
        other = target(made, in_channels=channels, input_size=input_size, until="maps", num_classes=2)
        other.forward_features(torch.randn(2, channels, input_size, input_size))


def check_fusion(name: str, options: Any = None, *, modalities: tuple[str, ...] = ("rgb", "depth")) -> None:
    """It joins what its descriptor's `takes` names into (B, K), whatever the mapping's order."""
    import torch

    target, made = _component(Fusion, name, options)
    takes = registry().find(Fusion, name).takes
    size = (3, SIDE, SIDE) if takes == "inputs" else (16, 7, 7)
    shape: tuple[int, ...] = {"embeddings": (24,), "logits": (5,)}.get(takes, size)
    branches = tuple(BranchSize(modality, size, 24, 5) for modality in modalities)
    fusion = target(made, branches=branches, num_classes=2).eval()
    given = {modality: torch.randn(BATCH, *shape) for modality in modalities}
    with torch.inference_mode():
        joined, turned = fusion(given), fusion(dict(reversed(given.items())))
    expected = (BATCH, fusion.out_channels, SIDE, SIDE) if takes == "inputs" else (BATCH, fusion.num_logits)
    _shape(name, "forward", joined, expected)
    assert torch.equal(joined, turned), f"{name}: the order of the mapping changes the result"


def check_loss(name: str, options: Any = None, *, model: Model | None = None) -> None:
    """A finite scalar that depends on the labels and has a gradient, of any outputs and of extreme ones.

    Args:
        model: of what it is made for, where that is not any model; only to build it with.
    """
    import torch

    target, made = _component(Loss, name, options)
    loss, label = target(made, model=model or tiny_model()), torch.tensor([1, 0, 1, 0])
    for scale in (1.0, 1000.0):
        logits = (torch.linspace(0, 3, 2 * BATCH).reshape(BATCH, 2).cos() * scale).requires_grad_()
        values = [loss(_outputs(logits), _batch(given)) for given in (label, 1 - label)]
        for value in values:
            assert value.shape == (), f"{name}: gave shape {tuple(value.shape)}: must be a scalar"
            assert value.isfinite(), f"{name}: {value.item()} for logits up to {scale:g}"
        assert values[0] != values[1], f"{name}: the same for any labels"
        sum(values).backward()
        assert logits.grad is not None, f"{name}: no gradient reaches the outputs"
        assert logits.grad.isfinite().all(), f"{name}: its gradient is not finite for logits up to {scale:g}"


def check_metric(name: str, options: Any = None) -> None:
    """Named figures that the order of samples does not change; NaN, not a failure, where undefined."""
    target, made = _component(Metric, name, options)
    scores = score_table()
    figures = dict(target(made, scores=scores, threshold=0.5))
    assert figures, f"{name}: no figures"
    for key, value in figures.items():
        assert isinstance(value, float), f"{name}: {key}: {value!r} is no float"
        assert not isnan(value), f"{name}: {key} is NaN though both classes have scores"
    turned = ScoreTable(scores.table.take(list(reversed(range(len(scores))))))
    again = dict(target(made, scores=turned, threshold=0.5))
    assert np.allclose(list(again.values()), list(figures.values())), f"{name}: the order of samples counts"
    for poor, threshold in ((score_table(40, 0), 0.5), (score_table(0, 60), 0.5), (scores, None)):
        found = target(made, scores=poor, threshold=threshold)
        assert set(found) == set(figures), f"{name}: other figures where some are undefined: give NaN"


def check_dataset(name: str, root: Path, options: Any = None) -> None:
    """Every split reads twice as the same samples, with ids of its own and files that exist."""
    target, made = _component(Dataset, name, options)
    reader = target(made, root=root)
    reader.prepare()
    owner: dict[str, str] = {}
    assert reader.splits(), f"{name}: no splits in {root}"
    for split in reader.splits():
        samples, again = reader.samples(split), target(made, root=root).samples(split)
        assert isinstance(samples, SampleTable), f"{name}: samples() gave {type(samples).__name__}"
        assert len(samples), f"{name}: split {split!r} is empty"
        assert samples.fingerprint() == again.fingerprint(), f"{name}: {split!r} reads differently each time"
        assert set(samples.column("split")) == {split}, f"{name}: column 'split' does not say {split!r}"
        assert set(samples.labels) <= {1, 0, -1}, f"{name}: labels other than 1 (live) and 0 (attack)"
        for key in samples.column("id"):
            assert owner.setdefault(key, split) == split, f"{name}: id {key!r} in {owner[key]} and {split}"
        for modality in samples.modalities:
            given = [path for path in samples.column(modality) if path is not None]
            absent = [path for path in given if not (samples.root / path).is_file()]
            assert not absent, f"{name}: {split!r}: no such file: {absent[0]}"


def verify_on(model: Model, images: Images, said: list[Verification] | None = None) -> Verify:
    """What an exporter is given to have its file verified, without a run: scores of these images only.

    Args:
        said: gets every verification.
    """
    from fas_core.models.model import scorer as of_model

    expected = of_model(deepcopy(model))({name: np.array(pixels) for name, pixels in images.items()})

    def verify(scorer: Scorer, *, tolerance: float | None, acer_loss: float) -> Verification:
        del acer_loss  # there are no labels
        difference = np.abs(scorer(images) - expected)
        found = Verification(len(difference), "dev", float(difference.max()), float(difference.mean()))
        if tolerance is not None and not found.max_difference <= tolerance:
            raise ModelError(f"scores differ by {found.max_difference:.2g}")
        if said is not None:
            said.append(found)
        return found

    return verify


def check_exporter(name: str, folder: Path, options: Any = None) -> None:
    """It writes what its descriptor says, has that verified, and leaves nothing else in `folder`."""
    target, made = _component(Exporter, name, options)
    descriptor, modalities = registry().find(Exporter, name), ("rgb", "depth")
    rng = np.random.default_rng(14)
    images = {key: rng.integers(0, 256, (BATCH, SIDE, SIDE, 3), np.uint8) for key in modalities}
    card = Card(ModelInput(modalities, SIDE), Threshold(0.5, "fixed:0.5", "given"))
    destination, before = folder / f"model{descriptor.suffix}", set(folder.iterdir())
    model = tiny_model(modalities)
    said: list[Verification] = []
    verify = verify_on(model, images, said)
    done = target(made, model=model, samples=images, destination=destination, card=card, verify=verify)
    left, beside = set(folder.iterdir()) - before, [destination.with_suffix(end) for end in descriptor.beside]
    assert left == {destination, *beside}, f"{name}: wrote {sorted(map(str, left))}, not just {destination}"
    if descriptor.suffix:
        assert done.path == destination, f"{name}: says it wrote {done.path}, not {destination}"
        assert done.beside == tuple(beside), f"{name}: says it wrote {done.beside} beside it"
    else:
        outside = [path for path in (done.path, *done.beside) if destination not in path.parents]
        assert not outside, f"{name}: says it wrote {outside[0]}, which is not in {destination}"
    assert said, f"{name}: did not have what it wrote verified"
    assert done.verification is said[-1], f"{name}: gives another verification than it was given"
    worst = done.verification.max_difference
    assert worst <= 1e-3, f"{name}: scores differ from the model's by {worst:g}"


def _component(kind: type[Component], name: str, options: Any) -> tuple[Any, Any]:
    """A component's target, and the options it is called with."""
    component = registry().find(kind, name)
    return component.load(), component.options() if options is None else options


def _shape(name: str, what: str, tensor: Tensor, expected: tuple[int, ...]) -> None:
    assert tensor.shape == expected, f"{name}: {what} gave {tuple(tensor.shape)}, promised {expected}"
    assert tensor.isfinite().all(), f"{name}: {what} gave values that are not finite"


def _outputs(logits: Tensor) -> Outputs:
    """What a model with every kind of output would say; all of it depends on the logits."""
    maps = logits[:, 1, None, None].expand(-1, 4, 4)
    return Outputs(score=logits.softmax(dim=1)[:, 1], logits=logits, map=maps, embedding=logits.repeat(1, 2))


def _batch(label: Tensor) -> Batch:
    import torch

    pixels = torch.arange(BATCH * SIDE * SIDE * 3).reshape(BATCH, SIDE, SIDE, 3) * 37 % 251
    images = dict.fromkeys(("rgb", "depth", "ir"), pixels.to(torch.uint8))
    return Batch(images=images, label=label, index=torch.arange(BATCH))
