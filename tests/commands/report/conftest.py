"""Run folders as `fas train` writes them, without training; evaluated systems, and pages of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

from fas_core.config.recipe import Recipe
from fas_core.data.open import open_dataset
from fas_core.evaluation import bind_metrics, format_tables
from fas_core.evaluation.comparison import Comparison
from fas_core.evaluation.metrics import BoundMetric
from fas_core.registry import registry
from fas_core.scores.table import ScoreTable
from fas_plugins.commands.report.html import Plot, ReportPage, draw_plots, render
from fas_plugins.commands.report.score_source import SourceOptions
from fas_plugins.commands.report.sources import evaluate_source, open_sources
from fas_plugins.commands.report.systems import EvaluatedSystem

KINDS = {"live": 12, "attack/print": 6, "attack/replay": 6}
ENVIRONMENT = {"packages": {"fas-core": "0.1.0", "numpy": "2.0"}, "python": "3.11.7", "platform": "Linux"}


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Root of a `folder` data set of rgb and depth; of one sample depth is absent."""
    root, rng = tmp_path_factory.mktemp("photos"), np.random.default_rng(7)
    for split in ("dev", "test"):
        for kind, count in KINDS.items():
            folder = root / split / kind
            folder.mkdir(parents=True)
            for number in range(count):
                for modality in ("rgb", "depth"):
                    image = rng.integers(0, 256, (24, 24, 3), np.uint8)
                    cv2.imwrite(str(folder / f"{number:02}_{modality}.png"), image)
    (root / "test" / "live" / "00_depth.png").unlink()
    return root


@pytest.fixture(scope="session")
def make_run(photos: Path) -> Callable[..., Path]:
    """`make_run(path, quality=1.0, seed=0)`: the higher its quality, the farther live is from attacks."""

    def make(path: Path, quality: float = 1.0, seed: int = 0) -> Path:
        recipe = {"data": {"name": "folder", "root": str(photos)}, "modalities": ["rgb", "depth"]}
        path.mkdir(parents=True)
        (path / "recipe.yaml").write_text(yaml.safe_dump(recipe))
        (path / "environment.json").write_text(json.dumps(ENVIRONMENT))
        reader, rng = open_dataset(f"folder:{photos}", None, registry()), np.random.default_rng(seed)
        prints: dict[str, Any] = {}
        for split in ("dev", "test"):
            samples = reader.samples(split)
            prints[split] = samples.fingerprint()
            scores = rng.normal(quality * samples.labels, 0.6)
            ScoreTable.from_samples(samples, scores).write(path / "scores" / f"{split}.csv")
        lines = [{"epoch": 1, "loss": 0.5, "dev": {"eer": 0.3}, "best": True}]
        lines.append({"epoch": 2, "loss": 0.25, "dev": {"eer": 0.4}, "best": False})
        (path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        splits = {"test": {"notes": ["a note of the run"]}}
        results = {"train_hours": 1.5, "data": prints, "splits": splits}
        (path / "results.json").write_text(json.dumps(results))
        return path

    return make


@pytest.fixture(scope="session")
def metrics() -> list[BoundMetric]:
    return bind_metrics(Recipe().metrics, registry())


@pytest.fixture(scope="session")
def evaluate(metrics: list[BoundMetric]) -> Callable[..., list[EvaluatedSystem]]:
    """`evaluate(*paths, dev=(), policy=None, data=None)`: runs and score files as evaluated systems."""

    def evaluate_paths(
        *paths: Path, dev: Sequence[Path] = (), policy: str | None = None, data: str | None = None
    ) -> list[EvaluatedSystem]:
        options = SourceOptions(dev=dev, policy=policy, replicates=20, data=data)
        return [
            evaluate_source(source, source.path.stem, metrics, options, registry())
            for source in open_sources(paths, options, registry())
        ]

    return evaluate_paths


@pytest.fixture(scope="session")
def render_page() -> Callable[..., str]:
    """`render_page(systems, comparisons=(), plots=None, worst=3)`: the HTML, with all plots by default."""

    def build(
        systems: list[EvaluatedSystem],
        comparisons: Sequence[Comparison] = (),
        plots: Sequence[Plot] | None = None,
        worst: int = 3,
    ) -> str:
        page = ReportPage(
            title=" and ".join(system.name for system in systems),
            systems=systems,
            summary=format_tables([system.result for system in systems]),
            comparisons=comparisons,
            plots=draw_plots(systems) if plots is None else plots,
            split="test",
            worst=worst,
            created=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        )
        return render(page)

    return build


@pytest.fixture(scope="session")
def write_scores() -> Callable[..., Path]:
    """`write_scores(path, species="print", subject="s", prefix="")`: 30 scores, most of live ones higher."""

    def write(path: Path, species: str = "print", subject: str = "s", prefix: str = "") -> Path:
        rng, labels = np.random.default_rng(1), [1] * 12 + [0] * 18
        ScoreTable.of(
            {
                "id": [f"{prefix}{row}" for row in range(30)],
                "score": rng.normal(labels, 0.5),
                "label": labels,
                "species": ["live" if label else species for label in labels],
                "subject": [f"{subject}{row % 5}" for row in range(30)],
            }
        ).write(path)
        return path

    return write


@pytest.fixture(scope="session")
def run(make_run: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("runs") / "one")


@pytest.fixture(scope="session")
def system(run: Path, evaluate: Callable[..., list[EvaluatedSystem]]) -> EvaluatedSystem:
    (evaluated,) = evaluate(run)
    return evaluated


@pytest.fixture(scope="session")
def plots(system: EvaluatedSystem) -> list[Plot]:
    return draw_plots([system])


class ParsedPage(HTMLParser):
    """The tags of a page with their attributes, and its text outside of styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.styled = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self.styled = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self.styled = False

    def handle_data(self, data: str) -> None:
        self.text += "" if self.styled else data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def ids(self) -> list[str]:
        return [attributes["id"] for _, attributes in self.tags if "id" in attributes]


@pytest.fixture(scope="session")
def parse_page() -> Callable[[str], ParsedPage]:
    return ParsedPage
