"""`fas models`: the published tables come out of it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import Result
from fixtures.strangers import Here, hooks

from fas_core.descriptors import KINDS
from fas_core.registry import registry

Fas = Callable[..., Result]


@pytest.mark.parametrize(
    ("name", "classes", "params", "cost"),
    [
        ("feathernet_a", 2, 0.35, 79.99),
        ("feathernet_b", 2, 0.35, 83.05),
        ("mobilelitenet54", 2, 0.57, 270.91),
        ("mobilelitenet54_se", 2, 0.57, 270.91),
        ("mobilenetv2", 2, 2.23, 306.17),
    ],
)
def test_the_published_table(fas: Fas, name: str, classes: int, params: float, cost: float) -> None:
    result = fas("models", "show", name, "--num-classes", classes, "--runs", 0)
    assert result.exit_code == 0, result.output
    (total,) = [line.split() for line in result.stdout.splitlines() if line.startswith("total")]
    assert round(int(total[1].replace(",", "")) / 1e6, 2) == params
    assert float(total[2]) == cost


def test_fishnet150_of_a_thousand_classes(fas: Fas) -> None:
    """Within 0.3 % of the published 6452.72 M, which counts some shared activations twice."""
    result = fas("models", "show", "fishnet150", "--num-classes", 1000, "--runs", 0, "--json")
    document = json.loads(result.stdout)
    assert round(document["params"] / 1e6, 2) == 24.96
    assert document["cost"] / 1e6 == pytest.approx(6452.72, rel=3e-3)
    assert sum(block["params"] for block in document["blocks"]) == document["params"]


@pytest.mark.parametrize(
    ("fusion", "params"), [("concat_linear", 1_059_806), ("pipenet", 45_275_934), ("cdcn", 3_858_206)]
)
def test_the_published_fusions(fas: Fas, fusion: str, params: int) -> None:
    arguments = ("feathernet_b", "--modalities", "rgb,depth,ir", "--fusion", fusion, "--runs", 0, "--json")
    document = json.loads(fas("models", "show", *arguments).stdout)
    assert document["params"] == params
    assert sum(block["published"] for block in document["blocks"]) == document["cost"]
    names = [block["name"] for block in document["blocks"]]
    assert "backbones.depth.features.0" in names
    assert any(name.startswith("fusion.") for name in names)


def test_all_that_is_installed_is_listed(fas: Fas) -> None:

    rows = {
        (row["kind"], row["name"]): row
        for row in json.loads(fas("models", "list", "--json").stdout)["models"]
    }
    known = {(kind, item.name) for kind in ("backbone", "fusion") for item in registry().all(KINDS[kind])}
    assert set(rows) == known
    assert rows["backbone", "feathernet_b"]["features"] == [64, 7, 7]
    assert rows["backbone", "cdcn"]["input_size"] == 256
    assert rows["backbone", "cdcn"]["features"] == [384, 32, 32]
    assert "1904.09290" in rows["backbone", "feathernet_b"]["source"]
    assert rows["fusion", "pipenet"]["params"] == 45_275_934


def test_the_list_is_a_table_for_people(fas: Fas) -> None:
    shown = fas("models", "list", "--kind", "fusion")
    assert shown.exit_code == 0, shown.output
    (pipenet,) = [line.split() for line in shown.stdout.splitlines() if line.startswith("pipenet")]
    assert pipenet[1:3] == ["45.28", "352.48"]
    assert f"\n{pipenet[-1]} PipeNet (arXiv 2004.11744)\n" in shown.stdout
    assert "multiply-accumulates" in shown.stdout
    assert "feathernet_a" not in shown.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["list"],
        ["show", "feathernet_b", "--modalities", "rgb,depth,ir", "--fusion", "cdcn", "--runs", "0"],
        ["show", "fishnet150", "--num-classes", "1000", "--runs", "0"],
    ],
)
def test_tables_fit_80_columns(fas: Fas, arguments: list[str]) -> None:
    shown = fas("models", *arguments)
    assert shown.exit_code == 0, shown.output
    rows = [line for line in shown.stdout.splitlines() if line.count("  ") > 3]
    assert len(rows) > 15
    assert max(map(len, rows)) <= 80


def test_time_is_measured_and_its_threads_stated(fas: Fas) -> None:
    arguments = ("models", "show", "feathernet_a", "--input-size", 64, "--runs", 5)
    shown = fas(*arguments)
    assert shown.exit_code == 0, shown.output
    assert "1 thread of this CPU, 5 runs" in shown.stdout
    assert "MB a sample kept in training" in shown.stdout
    document = json.loads(fas(*arguments, "--json").stdout)
    latency = document["latency_seconds"]
    assert 0 < latency["low"] <= latency["median"] <= latency["high"]
    assert document["activation_bytes"] > document["largest_layer_bytes"] > 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["feathernet_c"], "feathernet_b"),
        (["pipenet"], "--fusion pipenet"),
        (["feathernet_a", "--input-size", "100"], "multiple of 32"),
        (["feathernet_a", "--modalities", "rgb,ir", "--fusion", "single"], "one modality"),
        (["feathernet_a", "--runs", "2"], "5 runs"),
    ],
)
def test_a_mistake_is_one_line(fas: Fas, arguments: list[str], said: str) -> None:
    result = fas("models", "show", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


BROKEN = """
import torch
class Tiny(torch.nn.Module):
    num_features, embedding_dim, num_logits, reduction = 3, 3, 2, 1
    def __init__(self, options, **_):
        super().__init__()
    def forward_features(self, x):
        return {"map": x}
    def forward_embedding(self, x):
        return x.mean((2, 3))
    def forward_head(self, x):
        return x
"""


def test_a_network_that_fails_is_a_row_with_its_reason(here: Here) -> None:
    components = hooks(
        backbones="from (Backbone(name=name, summary='', target=f'acme_fas:{target}', input_size=32)"
        " for name, target in (('tiny', 'Tiny'), ('lost', 'Lost')))"
    )
    here.install("acme-fas", components + BROKEN)
    rows = json.loads(here.fas("models", "list", "--kind", "backbone", "--json").stdout)["models"]
    errors = {row["name"]: row["error"] for row in rows if row["error"]}
    assert set(errors) == {"tiny", "lost"}
    assert errors["tiny"].startswith("backbone 'tiny' of acme-fas 1.5 failed: AttributeError: 'dict' object")
    assert errors["lost"].startswith("backbone 'lost' of acme-fas 1.5: loading acme_fas:Lost failed")
    shown = here.fas("models", "list", "--kind", "backbone")
    (line,) = [line.split() for line in shown.stdout.splitlines() if line.startswith("tiny")]
    assert line == ["tiny", "-", "-", "-", "-", "-"]
    assert f"warning: {errors['tiny']}\n" in shown.stderr
