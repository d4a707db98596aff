"""Plain data to a recipe: what is refused, with which words, and the way back."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from attrs import Attribute, field, frozen
from attrs import validators as v
from hypothesis import given, settings
from hypothesis import strategies as st

from fas_core import ConfigError, Loss
from fas_core.config.load import to_plain, to_yaml
from fas_core.config.recipe import Normalize, Recipe
from fas_core.config.structure import structure
from fas_core.registry import PluginRecord, Registry, registry

FOLDS = (
    "folds: must be COLUMN:K, K folds of at least 2, e.g. subject:5 or subject+session:3, "
    "or COLUMN, e.g. session"
)


def recipe(text: str, found: Registry | None = None) -> Recipe:
    return structure(yaml.safe_load(text), Recipe, found or registry(), "recipe x")


def refused(text: str, found: Registry | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        recipe(text, found)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        # unknown keys, at every depth, with the closest known one
        ("trian: {}", "trian: unknown key (did you mean 'train'?)"),
        ("train: {lrr: 1}", "train.lrr: unknown key (did you mean 'lr'?)"),
        # a key of another section
        ("{lr: 0.1, train: {lr: 0.1}}", "lr: unknown key (did you mean 'train.lr'?)"),
        (
            "{train: {gamma: 1}, loss: {name: focal, gamma: 2}}",
            "train.gamma: unknown key (did you mean 'loss",
        ),
        ("{loss: {name: focal, lrr: 1}, train: {lr: 1}}", "loss.lrr: unknown key (known: alpha, gamma)"),
        ("loss: {name: focal, gama: 2}", "loss.gama: unknown key (did you mean 'gamma'?)"),
        ("resize: {zzz: 1}", "resize.zzz: unknown key (known: crop)"),
        ("1: 2", "1: unknown key (known: augment, crops, data, folds, loss, metrics,"),
        # wrong types: nothing is bent
        ("train: {epochs: 1.7}", "train.epochs: must be a whole number: 1.7"),
        ("train: {epochs: 2.0}", "train.epochs: must be a whole number: 2.0"),
        ("train: {epochs: '3'}", "train.epochs: must be a whole number: '3'"),
        ("train: {epochs: true}", "train.epochs: must be a whole number: True"),
        ("train: {epochs: null}", "train.epochs: must be a whole number: None"),
        ("train: {lr: abc}", "train.lr: must be a number: 'abc'"),
        ("train: {lr: true}", "train.lr: must be a number: True"),
        ("train: {lr: [1]}", "train.lr: must be a number: [1]"),
        ("train: {device: 3}", 'train.device: must be text: 3 (write it in quotes: "3")'),
        ("train: 3", "train: must be a mapping of epochs, batch_size,"),
        ("train:", "train: must be a mapping of epochs, batch_size,"),
        ("[1, 2]", "must be a mapping of data, modalities, model,"),
        ("modalities: rgb", "modalities: must be a list: 'rgb'"),
        ("modalities: {rgb: 1}", "modalities: must be a list: {'rgb': 1}"),
        ("modalities: [rgb, 3]", "modalities[1]: must be text: 3"),
        ("metrics: acc", "metrics: must be a list: 'acc'"),
        ("model: {normalize: [1]}", "model.normalize: must be a mapping: [1]"),
        ("data: {name: folder, root: 3}", "data.root: must be text: 3"),
        # out of range
        ("train: {lr: 0}", "train.lr: must be > 0: 0.0"),
        ("train: {lr: .nan}", "train.lr: must be a finite number: nan"),
        ("train: {lr: .inf}", "train.lr: must be a finite number: inf"),
        ("train: {batch_size: 1}", "train.batch_size: must be >= 2: 1"),
        ("train: {momentum: 1}", "train.momentum: must be < 1: 1.0"),
        ("resize: {crop: 1.5}", "resize.crop: must be <= 1: 1.5"),
        (
            "augment: {crop_scale: [1, 0.5]}",
            "augment.crop_scale: must be a pair low <= high in (0, 1]: [1.0, 0.5]",
        ),
        ("augment: {crop_scale: [0.5]}", "augment.crop_scale: must be a list of 2: [0.5]"),
        ("modalities: []", "modalities: must name at least one modality, none twice: []"),
        ("modalities: [rgb, rgb]", "modalities: must name at least one modality, none twice: ['rgb', 'rgb']"),
        ("modalities: [a.b]", "modalities: must be names of letters, digits and '_': ['a.b']"),
        ("threshold: fixed:x", "threshold: must be eer, min-acer,"),
        ("threshold: fixed:1.2.3", "threshold: must be eer, min-acer,"),
        ("threshold: bpcer<=5", "threshold: must be eer, min-acer,"),
        ("threshold: oracle:eer", "threshold: must be eer, min-acer,"),
        ("threshold: apcer<=1e-0", "threshold: must be eer, min-acer,"),
        # one of a few
        (
            "train: {optimizer: sdg}",
            "train.optimizer.name: optimizer 'sdg': no plugin provides it (did you mean 'sgd'?)",
        ),
        (
            "train: {optimizer: {name: sgd, nesterov: 1}}",
            "train.optimizer.nesterov: must be true or false: 1",
        ),
        ("train: {schedule: 3}", "train.schedule: must name a schedule, as NAME or {name: NAME, ...}: 3"),
        (
            "train: {schedule: {name: warmup, schedule: {name: one_cycle, rise: 1}}}",
            "train.schedule.schedule.rise: must be < 1: 1.0",
        ),
        ("train: {select: first}", "train.select: must be one of 'best', 'last': 'first'"),
        ("folds: subject+session", f"{FOLDS}: 'subject+session'"),
        ("folds: 'subject:1'", f"{FOLDS}: 'subject:1'"),
        ("data: {name: folder, train_on_dev: 2}", "data.train_on_dev: must be true or false: 2"),
        ("data: {name: folder, held_out: 2}", "data.held_out: must be a mapping of by, folds, fold, seed: 2"),
        (
            "data: {name: folder, held_out: {by: subject, folds: 1, fold: 1}}",
            "data.held_out.folds: must be >= 2",
        ),
        (
            "data: {name: folder, held_out: {by: subject, folds: 2, fold: 3}}",
            "data.held_out: 'fold' must be at most folds, 2: 3",
        ),
        ("train: {amp: no}", "train.amp: must be one of 'fp32', 'fp16', 'bf16': False"),
        # an empty section, which could mean all defaults as well as no change
        ("train: {}", "train: {} sets nothing: leave it out, or set some of its keys: epochs, batch_size,"),
        ("resize: {}", "resize: {} sets nothing: leave it out, or set some of its keys: crop"),
        ("model: {}", "model: {} sets nothing: leave it out,"),
        (
            "model: {patches: {}}",
            "model.patches: {} sets nothing: leave it out, or set some of its",
        ),
        # components and their options
        ("loss: {}", "loss: must name a loss, as NAME or {name: NAME, ...}: {}"),
        ("loss: focall", "loss.name: loss 'focall': no plugin provides it (did you mean 'focal'?)"),
        ("loss: [focal]", "loss: must name a loss, as NAME or {name: NAME, ...}: ['focal']"),
        ("train: {cache: 3}", "train.cache: must be text: 3"),
        (
            "train: {cache: x, reduced_decoding: true}",
            "train: a cache holds faces at full size: leave cache or reduced_decoding out",
        ),
        (
            "{modalities: [rgb], crops: {rgb: {scale: 2}}, train: {reduced_decoding: true}}",
            "train.reduced_decoding must be false with crops, which are of whole photos",
        ),
        ("loss: {gamma: 2}", "loss: must name a loss, as NAME or {name: NAME, ...}: {'gamma': 2}"),
        ("loss: {name: focal, gamma: -1}", "loss.gamma: must be >= 0: -1.0"),
        ("loss: {name: focal, alpha: [1, x]}", "loss.alpha[1]: must be a number: 'x'"),
        ("metrics: [acc, {name: tpr_at_fpr, fprs: [2]}]", "metrics[1].fprs: must be distinct rates"),
        ("metrics: [{name: acc, at: 1}]", "metrics[0].at: unknown key"),
        ("model: {backbone: {}}", "model.backbone: must name a backbone,"),
        ("model: {backbone: {rgb: feathernet_a, ir: 3}}", "model.backbone.ir: must name a backbone,"),
        (
            "model: {backbone: {rgb: {name: feathernet_b, head: x}}}",
            "model.backbone.rgb.head: must be one of 'streaming', 'linear': 'x'",
        ),
        (
            "model: {normalize: {rgb: {std: [1, 0, 1]}}}",
            "model.normalize.rgb.std: must be > 0: [1.0, 0.0, 1.0]",
        ),
        (
            "model: {normalize: {rgb: {mean: [a, 1, 1]}}}",
            "model.normalize.rgb.mean[0]: must be a number: 'a'",
        ),
    ],
)
def test_a_mistake_is_told_with_path_rule_and_value(text: str, message: str) -> None:
    assert refused(text).startswith(f"recipe x: {message}")
    assert "\n" not in refused(text)


def test_all_mistakes_are_told_at_once() -> None:
    message, *problems = refused(
        """
        trian: 1
        train: {lr: -1, epoch: 3, seed: 1.5}
        loss: {name: focal, gamma: x, alpha: [1]}
        metrics: [nope, {name: tpr_at_fpr, fprs: [0, 2]}]
        model:
          backbone: {rgb: feathernet_x, depth: {name: feathernet_b, heed: linear}}
          normalize: {rgb: {mean: [0.5, 0.5, 2], std: 3}}
        data: {name: folder, root: 3, nope: 1}
        """
    ).split("\n  ")
    assert message == "recipe x: 14 problems"
    assert [problem.partition(":")[0] for problem in problems] == [
        "trian",
        "data.root",
        "data.nope",
        "model.backbone.rgb.name",
        "model.backbone.depth.heed",
        "model.normalize.rgb.mean",
        "model.normalize.rgb.std",
        "loss.gamma",
        "loss.alpha",
        "train.epoch",
        "train.lr",
        "train.seed",
        "metrics[0].name",
        "metrics[1].fprs",
    ]


def test_what_is_absent_has_its_default() -> None:
    assert recipe("{}") == recipe("train: {lr: 0.01}") == recipe("loss: focal")
    assert recipe("{}").train.lr == 0.01
    assert recipe("{}").loss.options.gamma == 3


@pytest.mark.parametrize(
    ("text", "lr"), [("1e-3", 1e-3), ("1E-3", 1e-3), ("0.02", 0.02), ("1", 1.0), ("'.5'", 0.5)]
)
def test_numbers_as_yaml_has_them(text: str, lr: float) -> None:
    found = recipe(f"train: {{lr: {text}}}").train.lr
    assert found == lr
    assert isinstance(found, float)


def test_a_backbone_for_each_modality() -> None:
    found = recipe("model: {backbone: {rgb: feathernet_a, depth: {name: feathernet_b, head: linear}}}")
    assert isinstance(found.model.backbone, dict)
    assert found.model.backbone["rgb"].name == "feathernet_a"
    assert found.model.backbone["depth"].options.head == "linear"


def test_open_mappings_may_be_empty() -> None:
    loaded = recipe("model: {normalize: {rgb: {}}, pretrained: {}}")
    assert loaded.model.normalize == {"rgb": Normalize()}
    assert loaded.model.pretrained == {}
    assert recipe("model: {normalize: {}}").model.normalize == {}


def test_home_is_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    assert recipe("data: {name: folder, root: ~/faces}").data.root == Path("/home/someone/faces")


def test_a_cache_is_a_path_as_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    assert recipe("train: {cache: ~/faces}").train.cache == Path("/home/someone/faces")
    assert recipe("train: {cache: null}").train.cache is None


def test_the_home_of_nobody_is_a_path_as_any_other() -> None:
    path = "~nobody-has-this-name/faces"
    assert recipe(f"data: {{name: folder, root: {path}}}").data.root == Path(path)


def test_a_default_component_that_is_gone_is_told_where_it_is_missed() -> None:
    without = Registry(tuple(record for record in registry().records if record.name != "losses"))
    assert refused("{}", without).startswith("recipe x: loss.name: loss 'focal': no plugin provides it")


@frozen
class Window:
    """Options with all that option classes may have."""

    low: float = 0.0
    high: float = field(default=1.0, validator=v.gt(0))
    sizes: list[int] = field(factory=list)
    weights: dict[str, float] = field(factory=dict)
    mode: Literal["mean", 0] = "mean"
    limit: int | None = None
    path: Path | None = None
    protocol: Literal["1", "2@1", "all"] = "all"
    area: float = field(init=False, default=2.0)

    @high.validator
    def _above_low(self, _: Attribute[float], value: float) -> None:
        if value <= self.low:
            raise ValueError(f"'high' must be above low: {value} <= {self.low}")


@pytest.fixture
def windowed() -> Registry:
    loss = Loss(name="windowed", summary="", target="nowhere:Windowed", options=Window)
    theirs = PluginRecord("acme", "acme-fas", "1", "active", components=(loss,))
    return Registry((*registry().records, theirs))


def test_options_of_other_peoples_classes(windowed: Registry) -> None:
    text = "loss: {name: windowed, sizes: [1, 2], weights: {a: 1}, mode: 0, limit: 3, path: x/y, high: 2}"
    expected = Window(sizes=[1, 2], weights={"a": 1.0}, mode=0, limit=3, path=Path("x/y"), high=2.0)
    assert recipe(text, windowed).loss.options == expected


@pytest.mark.parametrize(("value", "protocol"), [("1", "1"), ("'1'", "1"), ("2@1", "2@1")])
def test_a_number_stands_for_its_digits_where_the_choices_are_text(
    windowed: Registry, value: str, protocol: str
) -> None:
    assert recipe(f"loss: {{name: windowed, protocol: {value}}}", windowed).loss.options.protocol == protocol


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("low: 3", "loss: 'high' must be above low: 1.0 <= 3.0"),
        ("high: -1", "loss.high: must be > 0: -1.0"),
        ("area: 3", "loss.area: unknown key"),
        ("sizes: [1, 2.5]", "loss.sizes[1]: must be a whole number: 2.5"),
        ("weights: {a: 1, b: x}", "loss.weights.b: must be a number: 'x'"),
        ("protocol: 3", "loss.protocol: must be one of '1', '2@1', 'all': 3"),
        ("protocol: 1.0", "loss.protocol: must be one of '1', '2@1', 'all': 1.0"),
        ("protocol: true", "loss.protocol: must be one of '1', '2@1', 'all': True"),
        ("mode: '0'", "loss.mode: must be one of 'mean', 0: '0'"),
        ("mode: false", "loss.mode: must be one of 'mean', 0: False"),
        ("limit: x", "loss.limit: must be a whole number: 'x'"),
    ],
)
def test_mistakes_in_them(windowed: Registry, options: str, message: str) -> None:
    assert refused(f"loss: {{name: windowed, {options}}}", windowed).startswith(f"recipe x: {message}")


@given(
    lr=st.floats(1e-12, 1e12),
    crop=st.floats(1e-9, 1),
    epochs=st.integers(1, 10**20),
    gamma=st.floats(0, 1e300),
    mean=st.tuples(*[st.floats(0, 1)] * 3),
    name=st.text(),
)
@settings(max_examples=50, deadline=None, database=None)
def test_any_recipe_survives_the_way_through_yaml(
    lr: float, crop: float, epochs: int, gamma: float, mean: tuple[float, ...], name: str
) -> None:
    made = structure(
        {
            "data": {"name": "folder", "root": "/faces"},
            "train": {"lr": lr, "epochs": epochs, "device": name},
            "resize": {"crop": crop},
            "loss": {"name": "focal", "gamma": gamma, "alpha": [0.25, 1]},
            "model": {"normalize": {"rgb": {"mean": list(mean)}}},
        },
        Recipe,
        registry(),
        "recipe x",
    )
    tree = to_plain(made, registry())
    assert structure(tree, Recipe, registry(), "again") == made
    assert recipe(to_yaml(tree)) == made


def test_plain_data_is_plain(windowed: Registry) -> None:
    made = recipe("loss: {name: windowed, path: a/b, sizes: [1]}", windowed)

    def check(value: Any) -> None:
        assert isinstance(value, (dict, list, tuple, str, int, float, bool, type(None)))
        for item in (
            value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
        ):
            check(item)

    check(to_plain(made, windowed))
