"""The contract checks of networks accept those that keep it and name what others break."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from fas_core.descriptors import KINDS
from fas_core.registry import registry
from fas_core.testing import networks as testing

Provide = Callable[..., str]


def names(kind: str) -> list[str]:
    return [component.name for component in registry().all(KINDS[kind])]


@pytest.mark.parametrize("name", [name for name in names("fusion") if name != "single"])
def test_every_installed_fusion_passes(name: str) -> None:
    testing.check_fusion(name)


def test_the_fusion_of_one_modality_passes_with_one() -> None:
    testing.check_fusion("single", modalities=("rgb",))


@pytest.mark.parametrize(
    ("name", "size"),
    [
        *((name, 32) for name in ("cdcn", "cdcnpp", "feathernet_a", "feathernet_b")),
        *((name, 64) for name in ("mobilenetv2", "fishnet99")),
        *((name, 128) for name in ("mobilelitenet54", "mobilelitenet54_se")),
    ],
)
def test_an_installed_backbone_passes(name: str, size: int) -> None:
    testing.check_backbone(name, input_size=size)


class Good(nn.Module):
    """A backbone that keeps the contract; tests break one part of it each."""

    num_features, embedding_dim, reduction = 8, 8, 16

    def __init__(
        self, in_channels: int = 3, until: str = "logits", num_classes: int = 2, input_size: int = 64
    ) -> None:
        super().__init__()
        self.num_logits = num_classes
        self.conv = nn.Conv2d(in_channels, 8, 16, stride=16)
        if until == "logits":
            self.head = nn.Linear(8, num_classes)

    def forward_features(self, x: Tensor) -> Tensor:
        features: Tensor = self.conv(x)
        return features

    def forward_embedding(self, x: Tensor) -> Tensor:
        return x.mean(dim=(2, 3))

    def forward_head(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(x)
        return logits


def refuse(provide: Provide, backbone: type[Good], message: str) -> None:
    name = provide("backbone", lambda options, **settings: backbone(**settings))
    with pytest.raises(AssertionError, match=f"^broken: {message}"):
        testing.check_backbone(name, input_size=64)


def test_a_good_backbone_passes(provide: Provide) -> None:
    testing.check_backbone(provide("backbone", lambda options, **settings: Good(**settings)), input_size=64)


def test_a_map_of_another_shape_is_refused(provide: Provide) -> None:
    class Wrong(Good):
        reduction = 8

    refuse(provide, Wrong, r"forward_features gave \(4, 8, 4, 4\), promised \(4, 8, 8, 8\)")


def test_a_missing_stage_or_size_is_named(provide: Provide) -> None:
    class NoHead(Good):
        forward_head = property()  # type: ignore[assignment]

    class NoSize(Good):
        def __init__(self, **settings: Any) -> None:
            super().__init__(**settings)
            del self.num_logits

    refuse(provide, NoHead, r"NoHead has no `forward_head` \(a stage, called as a method\(\)\)")
    refuse(provide, NoSize, r"NoSize has no `num_logits` \(K\)")


def test_a_target_of_another_signature_is_named(provide: Provide) -> None:
    name = provide("backbone", lambda options, in_channels: Good(in_channels))
    with pytest.raises(AssertionError, match=r"^broken: target.* raised TypeError: .*unexpected keyword"):
        testing.check_backbone(name)


class LeakOfMean(Good):
    """In its logits is 1e-4 of another sample."""

    def forward_head(self, x: Tensor) -> Tensor:
        return super().forward_head(x + 1e-4 * x.roll(1, dims=0))


class LeakOfFirst(Good):
    """In its map is a ten-thousandth of the first sample; outputs of 1e-6 hide no leak."""

    def forward_features(self, x: Tensor) -> Tensor:
        return 1e-6 * super().forward_features(x + 1e-4 * x[:1])


class BatchStatistics(Good):
    """Normalises by the statistics of the batch, also in eval mode."""

    def forward_embedding(self, x: Tensor) -> Tensor:
        return nn.functional.batch_norm(super().forward_embedding(x), None, None, training=True)


@pytest.mark.parametrize(
    ("backbone", "stage"), [(LeakOfMean, "forward_head"), (LeakOfFirst, "forward_features")]
)
def test_samples_that_influence_each_other_are_refused(
    provide: Provide, backbone: type[Good], stage: str
) -> None:
    refuse(provide, backbone, f"{stage} of sample . changes by .* must not influence each other")


def test_statistics_of_a_batch_are_refused(provide: Provide) -> None:
    refuse(provide, BatchStatistics, "forward_embedding .*raised ValueError: Expected more than 1 value")


def test_an_output_that_depends_on_the_size_of_the_batch_is_refused(provide: Provide) -> None:
    class Squeezed(Good):
        def forward_embedding(self, x: Tensor) -> Tensor:
            return super().forward_embedding(x).squeeze()

    class Divided(Good):
        def forward_head(self, x: Tensor) -> Tensor:
            return super().forward_head(x) / len(x)

    refuse(provide, Squeezed, r"forward_embedding gave \(8,\), promised \(1, 8\)")
    refuse(provide, Divided, "forward_head of a sample differs by .* if it is alone in its batch")


def test_a_backbone_that_ignores_the_number_of_classes_is_refused(provide: Provide) -> None:
    class Two(Good):
        def __init__(self, num_classes: int = 2, **settings: Any) -> None:
            super().__init__(num_classes=2, **settings)

    refuse(provide, Two, "num_logits is 2 of num_classes=5: it ignores the number of classes")


def test_stages_that_nobody_asked_for_are_refused(provide: Provide) -> None:
    class Everything(Good):
        def __init__(self, until: str = "logits", **settings: Any) -> None:
            super().__init__(until="logits", **settings)

    refuse(provide, Everything, r"until='maps' built head\.weight, which forward_features does not need")


def test_a_backbone_for_three_channels_only_is_refused(provide: Provide) -> None:
    class Colour(Good):
        def __init__(self, in_channels: int = 3, **settings: Any) -> None:
            super().__init__(in_channels=3, **settings)

    refuse(provide, Colour, r"forward_features of \(2, 1, 64, 64\) raised RuntimeError")


def test_two_entries_of_one_published_name_are_refused(provide: Provide) -> None:
    class Published(Good):
        def published_name(self, name: str) -> str:
            return name.partition(".")[0]

    refuse(provide, Published, "two entries have one published name")


class GoodFusion(nn.Module):
    """A fusion of embeddings that keeps the contract; tests break one part of it each."""

    embedding_dim = 24
    takes_presence = True

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.num_logits = num_classes
        self.linear = nn.Linear(24, num_classes)

    def forward_embedding(
        self, branches: dict[str, Tensor], presence: dict[str, Tensor] | None = None
    ) -> Tensor:
        total = branches["rgb"] + branches["depth"]
        return total if presence is None else 2 * total / sum(presence.values())[:, None]

    def forward_head(self, embedding: Tensor) -> Tensor:
        logits: Tensor = self.linear(embedding)
        return logits

    def forward(self, branches: dict[str, Tensor], presence: dict[str, Tensor] | None = None) -> Tensor:
        return self.forward_head(self.forward_embedding(branches, presence))


def refuse_fusion(provide: Provide, fusion: type[nn.Module], message: str) -> None:
    name = provide("fusion", lambda options, branches, num_classes: fusion(num_classes), takes="embeddings")
    with pytest.raises(AssertionError, match=f"^broken: {message}"):
        testing.check_fusion(name)


def test_a_good_fusion_passes(provide: Provide) -> None:
    testing.check_fusion(
        provide("fusion", lambda options, branches, num_classes: GoodFusion(num_classes), takes="embeddings")
    )


def test_a_fusion_that_depends_on_the_order_of_the_mapping_is_refused(provide: Provide) -> None:
    class First(nn.Module):
        num_logits = 5

        def forward(self, branches: dict[str, torch.Tensor]) -> torch.Tensor:
            return next(iter(branches.values()))[:, :5]

    name = provide("fusion", lambda options, **settings: First(), takes="embeddings")
    with pytest.raises(AssertionError, match="order of the mapping"):
        testing.check_fusion(name)


def test_a_fusion_that_mixes_samples_is_refused(provide: Provide) -> None:
    class Leaking(GoodFusion):
        def forward_head(self, embedding: Tensor) -> Tensor:
            return super().forward_head(embedding + 1e-4 * embedding.mean(dim=0))

    refuse_fusion(provide, Leaking, "forward of sample . changes by .* must not influence each other")


def test_a_fusion_that_ignores_the_number_of_classes_is_refused(provide: Provide) -> None:
    class Two(GoodFusion):
        def __init__(self, num_classes: int) -> None:
            super().__init__(2)

    refuse_fusion(provide, Two, "num_logits is 2 of num_classes=5")


def test_a_fusion_without_a_size_is_refused(provide: Provide) -> None:
    class NoSize(GoodFusion):
        def __init__(self, num_classes: int) -> None:
            super().__init__(num_classes)
            del self.num_logits

    refuse_fusion(provide, NoSize, "NoSize has no `num_logits`")


def test_an_embedding_of_another_size_or_without_its_other_stage_is_refused(provide: Provide) -> None:
    class Wrong(GoodFusion):
        embedding_dim = 12

    class NoHead(nn.Module):
        num_logits = 2

        def __init__(self, num_classes: int) -> None:
            super().__init__()
            self.num_logits = num_classes

        def forward_embedding(self, branches: dict[str, Tensor]) -> Tensor:
            return branches["rgb"]

        def forward(self, branches: dict[str, Tensor]) -> Tensor:
            return branches["rgb"][:, : self.num_logits]

    class Other(GoodFusion):
        def forward(self, branches: dict[str, Tensor], presence: dict[str, Tensor] | None = None) -> Tensor:
            return -super().forward(branches, presence)

    refuse_fusion(provide, Wrong, r"forward_embedding gave \(4, 24\), promised \(4, 12\)")
    refuse_fusion(provide, NoHead, "has no `forward_head, embedding_dim`, which a fusion with an embedding")
    refuse_fusion(provide, Other, r"forward is not forward_head\(forward_embedding\(...\)\)")


def test_a_fusion_that_says_it_takes_presence_and_does_not_is_refused(provide: Provide) -> None:
    class Deaf(GoodFusion):
        def forward(self, branches: dict[str, Tensor]) -> Tensor:  # type: ignore[override]
            return self.forward_head(self.forward_embedding(branches))

    class Undefined(GoodFusion):
        def forward(self, branches: dict[str, Tensor], presence: dict[str, Tensor] | None = None) -> Tensor:
            result = super().forward(branches, presence)
            return result if presence is None else result / presence["rgb"][:, None]

    class Changed(GoodFusion):
        def forward(self, branches: dict[str, Tensor], presence: dict[str, Tensor] | None = None) -> Tensor:
            return super().forward(branches, presence) + (presence is not None)

    refuse_fusion(provide, Deaf, "forward without 'rgb', with `presence` raised TypeError")
    refuse_fusion(provide, Undefined, "forward without 'rgb' gave values that are not finite")
    refuse_fusion(provide, Changed, "the result changes when it is told that all modalities are present")


def test_a_backbone_that_cannot_be_trained_is_refused(provide: Provide) -> None:
    class Inference(Good):
        def forward_features(self, x: Tensor) -> Tensor:
            if self.training:
                raise RuntimeError("in inference alone")
            return super().forward_features(x)

    refuse(provide, Inference, r".*raised RuntimeError: in inference alone\nrule 'training'")
