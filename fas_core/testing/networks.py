"""Contract checks of networks: backbones and fusions."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import TYPE_CHECKING, Any, get_args

from fas_core.contracts import BranchSize, EmbeddingFusion, MapBackbone, PresenceFusion, PublishedBackbone
from fas_core.descriptors import Backbone, Fusion
from fas_core.records.stage import Stage
from fas_core.testing.rules import rule
from fas_core.testing.support import BATCH, SIDE, check_attributes, check_tensor, explain, load_component

if TYPE_CHECKING:
    from torch import Tensor, nn

STAGES = {"maps": "forward_features", "embeddings": "forward_embedding", "logits": "forward_head"}
LEAK = 1e-5
"""Largest change of a sample's output by the other samples, as a fraction of the spread over samples."""


@rule("call")
def check_backbone(component: str | Backbone, options: Any = None, *, input_size: int = 224) -> None:
    """Check a backbone's contract.

    The shape of every stage, other numbers of classes and of input channels, that stages after `until` are
    not built, and that samples do not influence each other in eval mode.
    """
    import torch

    descriptor, target, options = load_component(Backbone, component, options)
    name = descriptor.name

    def build(until: Stage = "logits", in_channels: int = 3, num_classes: int = 2) -> Any:
        settings = {"in_channels": in_channels, "until": until, "num_classes": num_classes}
        call = ", ".join(f"{key}={value!r}" for key, value in settings.items())
        with explain(name, f"target(options, input_size={input_size}, {call})"):
            return target(options, input_size=input_size, **settings).eval()

    network, images = build(), torch.randn(BATCH, 3, input_size, input_size)
    _check_backbone_attributes(name, network)
    side = -(-input_size // network.reduction)
    shapes = {
        "maps": (network.num_features, side, side),
        "embeddings": (network.embedding_dim,),
        "logits": (network.num_logits,),
    }
    for count in (BATCH, 1):
        for stage, output in _run_stages(name, network, images[:count]).items():
            check_tensor(name, STAGES[stage], output, (count, *shapes[stage]))
    _check_independence(name, lambda x: _run_stages(name, network, x), images[:3])
    _check_training(name, build(), images[:2])
    _check_num_classes(name, network, build(num_classes=5))
    for until in get_args(Stage)[1:]:
        _check_until(name, build(until), images[:1], until)
    for channels in (1, 9):
        x = torch.randn(2, channels, input_size, input_size)
        _run_stages(name, build("maps", channels), x, "maps")


@rule("attributes")
def _check_backbone_attributes(name: str, network: nn.Module) -> None:
    from torch import nn

    assert isinstance(network, nn.Module), f"{name}: target gave a {type(network).__name__}, no nn.Module"
    methods = dict.fromkeys(STAGES.values(), "a stage, called as a method()")
    sizes = {"num_features": "C", "embedding_dim": "E", "num_logits": "K", "reduction": "H / h"}
    check_attributes(name, network, **methods, **sizes)
    if isinstance(network, PublishedBackbone):
        names = [text for entry in network.state_dict() if (text := network.published_name(entry))]
        assert len(set(names)) == len(names), f"{name}: two entries have one published name"


def _run_stages(name: str, network: Any, x: Tensor, until: str = "logits") -> dict[str, Tensor]:
    """Return the outputs of the stages as far as `until`."""
    outputs = {}
    for stage, method in STAGES.items():
        with explain(name, f"{method} of {tuple(getattr(x, 'shape', ()))}"):
            x = outputs[stage] = getattr(network, method)(x)
        if stage == until:
            break
    return outputs


@rule("training")
def _check_training(name: str, network: nn.Module, x: Tensor) -> None:
    """Check a batch of two in training mode."""
    output = _run_stages(name, network.train(), x)["logits"]
    if not output.requires_grad:  # computed without parameters
        return
    with explain(name, "the gradient in training mode"):
        output.square().sum().backward()  # type: ignore[no-untyped-call]
    for key, value in network.named_parameters():
        finite = value.grad is None or value.grad.isfinite().all()
        assert finite, f"{name}: the gradient of {key} is not finite in training mode"


@rule("number of classes")
def _check_num_classes(name: str, network: Any, other: Any) -> None:
    """Compare networks for 2 and for 5 classes."""
    logits, embedding = network.num_logits, network.embedding_dim
    if isinstance(network, MapBackbone):
        area = prod(network.map_size)
        assert logits == 1, f"{name}: predicts a map, so num_logits must be 1, its mean"
        assert embedding == area, f"{name}: embedding_dim must be {area}, that of `map_size`"
        return
    assert logits >= 2, f"{name}: num_logits is {logits}: there are two classes"
    count = other.num_logits
    assert count >= 5, f"{name}: num_logits is {count} of num_classes=5: it ignores the number of classes"
    x = next(iter(other.parameters())).new_zeros(1, other.embedding_dim)
    with explain(name, "forward_head of num_classes=5"):
        check_tensor(name, "forward_head of num_classes=5", other.forward_head(x), (1, count))


@rule("stages")
def _check_until(name: str, network: Any, x: Tensor, until: str) -> None:
    """Check that every parameter of a network built as far as `until` takes part in that stage's output."""
    import torch

    output = _run_stages(name, network, x, until)[until]
    if not output.requires_grad:  # computed without parameters
        return
    with explain(name, f"the gradient of {STAGES[until]}"):
        torch.autograd.backward(output.sum())
    unused = [key for key, value in network.named_parameters() if value.requires_grad and value.grad is None]
    assert not unused, f"{name}: until={until!r} built {unused[0]}, which {STAGES[until]} does not need"


@rule("independent samples")
def _check_independence(name: str, run: Callable[[Tensor], dict[str, Tensor]], x: Tensor) -> None:
    """Check that in eval mode no sample's outputs change with the other samples of its batch.

    Two batches of one shape are computed in the same way, so that nothing but the other samples can make a
    difference. Outputs are compared relative to their spread over the samples, however small that is.
    """
    import torch

    others = 3 * x.flip(0) + 1  # larger, so that their influence is larger
    with torch.inference_mode():
        outputs, alone = run(x), run(x[:1])
        for row in range(len(x)):
            batch = others.clone()
            batch[row] = x[row]
            for stage, changed in run(batch).items():
                values = outputs[stage]
                spread = float((values - values.mean(dim=0)).abs().max())
                change = float((changed[row] - values[row]).abs().max())
                text = f"{name}: {STAGES.get(stage, stage)} of sample {row} changes by {change:.2g}"
                assert change <= LEAK * spread, (
                    f"{text} with the other samples of its batch, where samples differ by {spread:.2g}: "
                    "in eval mode samples must not influence each other"
                )
    for stage, values in outputs.items():
        difference, scale = float((alone[stage][0] - values[0]).abs().max()), float(values.abs().max())
        text = f"{name}: {STAGES.get(stage, stage)} of a sample differs by {difference:.2g} if it is alone"
        assert difference <= 1e-3 * scale, f"{text} in its batch, where values go up to {scale:.2g}"


@rule("call")
def check_fusion(
    component: str | Fusion, options: Any = None, *, modalities: tuple[str, ...] = ("rgb", "depth")
) -> None:
    """Check a fusion's contract.

    The shape of the result and of an embedding, other numbers of classes, missing modalities, that samples do
    not influence each other in eval mode, and that the order of the mapping does not matter.
    """
    import torch

    descriptor, target, options = load_component(Fusion, component, options)
    name, takes = descriptor.name, descriptor.takes
    size = (3, SIDE, SIDE) if takes == "inputs" else (16, 7, 7)
    shape: tuple[int, ...] = {"embeddings": (24,), "logits": (5,)}.get(takes, size)
    branches = tuple(BranchSize(modality, size, 24, 5) for modality in modalities)

    def build(num_classes: int) -> Any:
        with explain(name, f"target(options, branches=..., num_classes={num_classes})"):
            return target(options, branches=branches, num_classes=num_classes).eval()

    def run(stacked: Tensor) -> Tensor:  # (B, modalities, ...)
        with explain(name, "forward"):
            result: Tensor = fusion(dict(zip(modalities, stacked.unbind(dim=1), strict=True)))
        return result

    for num_classes in (2, 5):
        fusion = build(num_classes)
        stacked = torch.randn(BATCH, len(modalities), *shape)
        expected = _expected_shape(name, fusion, takes)
        with torch.inference_mode():
            check_tensor(name, "forward", run(stacked), expected)
        if takes in ("maps", "embeddings"):
            count = fusion.num_logits
            text = f"{name}: num_logits is {count} of num_classes={num_classes}"
            with rule("number of classes"):
                assert count >= num_classes, f"{text}: it ignores the number of classes"
    tensors = dict(zip(modalities, stacked.unbind(dim=1), strict=True))
    with torch.inference_mode():
        reordered = fusion(dict(reversed(tensors.items())))
        with rule("order of modalities"):
            same = torch.equal(run(stacked), reordered)
            assert same, f"{name}: the order of the mapping changes the result"
        _check_embedding(name, fusion, tensors)
        _check_presence(name, fusion, tensors, takes)
    _check_independence(name, lambda x: {"forward": run(x)}, stacked)


def _expected_shape(name: str, fusion: nn.Module, takes: Stage) -> tuple[int, ...]:
    from torch import nn

    assert isinstance(fusion, nn.Module), f"{name}: target gave a {type(fusion).__name__}, no nn.Module"
    if takes == "inputs":
        check_attributes(name, fusion, out_channels="channels of the one backbone's input")
        return BATCH, int(fusion.out_channels), SIDE, SIDE  # type: ignore[arg-type]
    check_attributes(name, fusion, num_logits="K, the columns of its logits")
    return BATCH, int(fusion.num_logits)  # type: ignore[arg-type]


@rule("embedding")
def _check_embedding(name: str, fusion: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Check the two stages of a fusion with an embedding."""
    import torch

    stages = {key: hasattr(fusion, key) for key in ("forward_embedding", "forward_head", "embedding_dim")}
    if not any(stages.values()):
        return
    missing = [key for key, present in stages.items() if not present]
    assert not missing, f"{name}: has no `{', '.join(missing)}`, which a fusion with an embedding has"
    assert isinstance(fusion, EmbeddingFusion)
    with explain(name, "forward_embedding"):
        embedding = fusion.forward_embedding(tensors)
    check_tensor(name, "forward_embedding", embedding, (BATCH, fusion.embedding_dim))
    with explain(name, "forward_head"):
        logits = fusion.forward_head(embedding)
    same = torch.equal(logits, fusion(tensors))
    assert same, f"{name}: forward is not forward_head(forward_embedding(...))"


@rule("missing modalities")
def _check_presence(name: str, fusion: Any, tensors: dict[str, Tensor], takes: Stage) -> None:
    """Check a fusion without its first modality, which is zeros, where the model can do without some."""
    import torch

    told = isinstance(fusion, PresenceFusion)
    if len(tensors) == 1 or (takes == "logits" and not told):
        return
    first = next(iter(tensors))
    zeros = {**tensors, first: torch.zeros_like(tensors[first])}
    present = {key: torch.full((BATCH,), key != first) for key in tensors}
    step = f"forward without {first!r}"
    if not told:
        with explain(name, step):
            assert fusion(zeros).isfinite().all(), f"{name}: {step} gave values that are not finite"
        return
    everything = {key: torch.ones_like(value) for key, value in present.items()}
    with explain(name, f"{step}, with `presence`"):
        without, complete, plain = fusion(zeros, present), fusion(tensors, everything), fusion(tensors, None)
    check_tensor(name, step, without, tuple(plain.shape))
    scale = float(plain.abs().max())
    same = torch.allclose(complete, plain, rtol=1e-4, atol=1e-5 * scale)
    assert same, f"{name}: the result changes when it is told that all modalities are present"
