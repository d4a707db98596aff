"""The page: its parts, that it needs nothing else, and that what a user named stays text."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

from fas_core.config.recipe import Recipe
from fas_core.errors import ConfigError, DataError
from fas_core.evaluation import bind_metrics, tables
from fas_core.evaluation.comparison import Comparison, compare, comparison_table
from fas_core.registry import registry
from fas_core.scores.table import ScoreTable
from fas_plugins.commands.report.html import Plot, PlotFormat, Report, plots, render
from fas_plugins.commands.report.html.theme import COLOURS, LINES
from fas_plugins.commands.report.html.worst import worst_rows
from fas_plugins.commands.report.sources import Terms, judged, open_sources
from fas_plugins.commands.report.systems import System

MakeRun = Callable[..., Path]
METRICS = bind_metrics(Recipe().metrics, registry())
NASTY = '<script>alert("1")</script> & $x_1$ \'"><img src=x onerror=alert(2)>'


class Page(HTMLParser):
    """Tags with their attributes, and the text outside of styles."""

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


def systems_of(
    *paths: Path, dev: Sequence[Path] = (), policy: str | None = None, data: str | None = None
) -> list[System]:
    terms = Terms(METRICS, policy, replicates=20, data=data)
    sources = open_sources(paths, registry(), split="test", dev=dev)
    return [judged(source, source.path.stem, terms, registry()) for source in sources]


def page_of(
    systems: list[System],
    comparisons: Sequence[Comparison] = (),
    drawings: Sequence[Plot] = (),
    worst: int = 3,
) -> str:
    report = Report(
        title=" and ".join(system.name for system in systems),
        systems=systems,
        summary=tables([system.result for system in systems]),
        comparisons=comparisons,
        plots=drawings,
        split="test",
        worst=worst,
        made=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
    )
    return render(report)


def drawn_page_of(systems: list[System], comparisons: Sequence[Comparison] = ()) -> str:
    return page_of(systems, comparisons, plots(systems))


FIGURES = ["roc", "det", "histogram", "rates", "species", "training-loss", "training-eer"]


def score_file(path: Path, species: str = "print", subject: str = "s", prefix: str = "") -> Path:
    """30 scores, higher for live but for a few."""
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


@pytest.fixture(scope="module")
def run(make_run: MakeRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("runs") / "one")


@pytest.fixture(scope="module")
def system(run: Path) -> System:
    (found,) = systems_of(run)
    return found


@pytest.fixture(scope="module")
def drawings(system: System) -> list[Plot]:
    return plots([system])


@pytest.fixture(scope="module")
def html(system: System, drawings: list[Plot]) -> str:
    return page_of([system], drawings=drawings)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_every_part_of_a_run_is_there(page: Page, system: System) -> None:
    sections = [attributes["id"] for attributes in page.all("section")]
    assert sections == ["summary", "curves", "scores", "by-species", "training", "mistakes", "making"]
    figures = [attributes["id"] for attributes in page.all("figure") if "id" in attributes]
    assert figures == FIGURES
    for said in (
        "TPR@FPR",
        "a note of the run",
        "(eer on dev)",
        "name: folder",
        "numpy",
        "3.11.7",
        "1.50 hours, 2 epochs",
        "02 January 2026",
        system.digest,
        *system.making.data.values(),
    ):
        assert said in page.text
    assert f"{100 * system.result.metrics['acer']:.2f}" in page.text
    low, high = system.result.intervals.figures["acer"]
    assert f"{100 * low:.2f}" in page.text
    assert f"{100 * high:.2f}" in page.text


def test_the_page_needs_nothing_else(html: str, page: Page) -> None:
    assert "http" not in html.replace("http-equiv", "")
    assert "@import" not in html
    assert not {"script", "iframe", "object", "embed"} & {tag for tag, _ in page.tags}
    for _, attributes in page.tags:
        for name in ("src", "href"):
            assert attributes.get(name, "#").startswith(("#", "data:"))
    assert set(re.findall(r"url\((.)", html)) == {"#"}


def test_ids_are_distinct_and_references_lead_somewhere(html: str, page: Page) -> None:
    ids = page.ids()
    assert len(set(ids)) == len(ids)
    hrefs = {
        attributes["href"][1:] for _, attributes in page.tags if attributes.get("href", "").startswith("#")
    }
    named = {name for _, found in page.tags for name in found.get("aria-labelledby", "").split()}
    assert hrefs | named | set(re.findall(r"url\(#([^)]+)\)", html)) <= set(ids)


def test_a_reader_without_eyes_is_told_the_same(page: Page) -> None:
    drawings = page.all("svg")
    assert len(drawings) == 7
    assert all(found["role"] == "img" and found["aria-labelledby"] for found in drawings)
    assert all(found["alt"] for found in page.all("img"))
    assert {found["scope"] for found in page.all("th")} == {"row", "col"}
    assert page.all("html") == [{"lang": "en"}]
    assert "width=device-width" in page.all("meta")[1]["content"]


def test_colours_in_plots_are_the_pages(html: str) -> None:
    drawn = html[html.index("<svg") : html.rindex("</svg>")]
    assert not re.search(r"#[0-9a-f]{6}\b", drawn.replace("&#", ""))
    assert set(re.findall(r"var\(--([\w-]+)\)", html)) <= set(COLOURS)


def luminance(colour: str) -> float:
    """WCAG 2's relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_contrast_is_that_of_wcag_aa(scheme: int) -> None:
    colours = {role: pair[scheme] for role, pair in COLOURS.items()}
    for role in ("ink", "quiet", "live", "attack", *LINES):
        assert contrast(colours[role], colours["paper"]) >= 4.5
        assert contrast(colours[role], colours["raised"]) >= 4.5
    assert contrast("#ffffff", "#000000") == pytest.approx(21)


def test_what_a_user_named_stays_text(run: Path, tmp_path: Path) -> None:
    path = score_file(tmp_path / "scores.csv", species=NASTY, subject="<b>&amp;", prefix="<i>{{ 7 * 7 }}")
    (found,) = systems_of(path, policy="fixed:0.5")
    named = System(
        NASTY, found.path, found.digest, found.scores, found.result, found.making, f"none at {NASTY}"
    )
    html = drawn_page_of([named, *systems_of(run)])
    page = Page(html)
    assert not {"script", "b", "i"} & {tag for tag, _ in page.tags}
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert all(found["src"].startswith("data:image/jpeg;base64,") for found in page.all("img"))
    assert NASTY in page.text
    assert "<b>&amp;" in page.text
    assert "{{ 7 * 7 }}" in page.text


def test_names_that_matplotlib_would_hide_or_lacks_glyphs_for(tmp_path: Path) -> None:
    path = score_file(tmp_path / "_hidden.csv", species="人皮面具")
    other = score_file(tmp_path / "other.csv", species="人皮面具")
    html = drawn_page_of(systems_of(path, other, policy="fixed:0.5"))
    legend = html[html.index('id="roc"') : html.index('id="det"')]
    assert legend.count("_hidden</text>") == 1
    assert "人皮面具</text>" in html


def test_the_worst_mistakes_come_with_their_photos(system: System, page: Page) -> None:
    accepted, _ = worst_rows(system.scores, system.threshold)
    ids = system.scores.table.column("id").to_pylist()
    assert f"Attacks accepted: {len(accepted)}" in page.text
    assert ids[accepted[0]] in page.text
    modalities = [found["alt"].split()[0] for found in page.all("img")]
    assert set(modalities) == {"rgb", "depth"}
    jpeg = b64decode(page.all("img")[0]["src"].partition(",")[2])
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image.shape == (112, 112, 3)
    assert Page(page_of([system], worst=0)).all("img") == []


def test_the_worst_are_the_worst() -> None:
    values, labels = [0.9, 0.1, 0.5, 0.4, float("nan"), 0.2, 0.7], [0, 1, 1, 0, 0, 1, 0]
    scores = ScoreTable.of({"id": list("abcdefg"), "score": values, "label": labels})
    accepted, refused = worst_rows(scores, 0.5)
    assert accepted.tolist() == [0, 6]
    assert refused.tolist() == [1, 5]


def test_a_photo_that_is_gone_or_damaged_is_said_where_it_would_be(
    make_run: MakeRun, photos: Path, tmp_path: Path
) -> None:
    run = make_run(tmp_path / "worse", quality=-2)
    (system,) = systems_of(run, policy="fixed:0.5")
    accepted, _ = worst_rows(system.scores, 0.5)
    first = system.scores.table.column("id")[accepted[0]].as_py()
    file = photos / f"{first}_rgb.png"
    kept = file.read_bytes()
    file.write_bytes(kept[:50])
    try:
        text = Page(page_of([system])).text
    finally:
        file.write_bytes(kept)
    assert f"{file}: the image is cut off" in text


def test_photos_that_are_not_there_are_a_sentence(run: Path, photos: Path, tmp_path: Path) -> None:
    (moved,) = systems_of(run, data=f"folder:{tmp_path / 'gone'}")
    text = Page(page_of([moved])).text
    assert f"No thumbnails: {tmp_path / 'gone'}: no such file or folder" in text
    (alone,) = systems_of(run / "scores" / "test.csv", policy="fixed:0.5")
    assert "scores say nothing of where the photos are (give --data)" in Page(page_of([alone])).text
    (found,) = systems_of(run / "scores" / "test.csv", policy="fixed:0.5", data=f"folder:{photos}")
    assert Page(page_of([found])).all("img")


def test_other_photos_than_were_judged_are_not_shown(run: Path, tmp_path: Path) -> None:
    for kind in ("live", "attack/print"):
        (tmp_path / "test" / kind).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "test" / kind / "00_rgb.png"), np.zeros((8, 8, 3), np.uint8))
    (moved,) = systems_of(run, data=f"folder:{tmp_path}")
    assert isinstance(moved.faces, str)
    assert "now holds other samples" in moved.faces


def test_several_systems_are_compared_with_the_first(make_run: MakeRun, run: Path, tmp_path: Path) -> None:
    systems = systems_of(run, make_run(tmp_path / "two", quality=3, seed=5))
    found = compare(systems, METRICS, replicates=50)
    (comparison,) = found
    difference = comparison.figures["acer"]
    assert difference.value == pytest.approx(
        systems[1].result.metrics["acer"] - systems[0].result.metrics["acer"]
    )
    assert difference.low <= difference.value <= difference.high
    assert difference.clear == (difference.high < 0)
    page = Page(drawn_page_of(systems, found))
    assert "two minus one, rates in %" in page.text
    assert "50 bootstrap replicates over 24 samples" in page.text
    assert {"histogram-1", "histogram-2", "rates-1", "rates-2"} <= set(page.ids())
    assert len(set(page.ids())) == len(page.ids())


def test_an_oracle_is_called_one_by_tables_comparisons_and_every_plot(run: Path, tmp_path: Path) -> None:
    other = score_file(tmp_path / "two.csv")
    systems = systems_of(score_file(tmp_path / "one.csv"), other, policy="oracle:eer")
    (comparison,) = compare(systems, METRICS, replicates=5)
    said = "oracle: the threshold was fitted on these very scores"
    assert comparison.to_json()["notes"][0].startswith(said)
    assert comparison_table(comparison).note.startswith(said)
    assert Page(page_of(systems, [comparison])).text.count(said) == 2
    for plot in plots(systems):
        (legend,) = plot.figure.legends
        assert any("oracle" in text.get_text() for text in legend.get_texts()), plot.name
    given = compare(systems_of(tmp_path / "one.csv", other, policy="fixed:0.5"), METRICS, replicates=5)
    assert given[0].notes == ()


def test_systems_of_other_samples_are_not_compared_and_that_is_said(run: Path, tmp_path: Path) -> None:
    systems = systems_of(run, score_file(tmp_path / "other.csv"), policy="fixed:0.5")
    (comparison,) = compare(systems, METRICS, replicates=5)
    assert comparison.figures == {}
    text = Page(page_of(systems, [comparison])).text
    assert "not compared: the two score tables hold different samples" in text


def test_scores_alone(tmp_path: Path) -> None:
    judged_file = score_file(tmp_path / "test.csv", prefix="t")
    (system,) = systems_of(judged_file, dev=[score_file(tmp_path / "dev.csv", prefix="d")])
    assert system.result.threshold.source == "dev"
    text = Page(page_of([system])).text
    assert "how the systems were trained is not known" in text
    assert "these are scores alone, of no run" in text
    assert "over 5 subjects" in text


def test_scores_without_a_threshold_or_of_one_class(tmp_path: Path) -> None:
    (system,) = systems_of(score_file(tmp_path / "test.csv"))
    text = Page(page_of([system])).text
    assert "test has no threshold, so nothing is accepted or refused" in text
    assert "no threshold to judge them at" in text
    (tmp_path / "live.csv").write_text("id,score,label\na,0.2,1\nb,0.9,1\n")
    (live,) = systems_of(tmp_path / "live.csv", policy="fixed:0.5")
    page = Page(drawn_page_of([live]))
    assert "No scores of both classes, so there are no curves." in page.text
    assert [found["id"] for found in page.all("figure") if "id" in found] == ["histogram"]


def test_a_run_that_is_not_finished(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    for name in ("results.json", "environment.json", "metrics.jsonl"):
        (run / name).unlink()
    page = Page(page_of(systems_of(run)))
    assert "not recorded: the run is not finished" in page.text
    (run / "scores" / "test.csv").unlink()
    with pytest.raises(DataError, match=r"no scores of split 'test' \(there are: dev\)"):
        systems_of(run)


def test_each_score_file_has_its_own_dev(tmp_path: Path) -> None:
    one, two = score_file(tmp_path / "one.csv"), score_file(tmp_path / "two.csv")
    with pytest.raises(ConfigError, match="1 --dev for 2 score files"):
        systems_of(one, two, dev=[score_file(tmp_path / "dev.csv", prefix="d")])
    with pytest.raises(DataError, match="30 ids are in"):
        systems_of(one, dev=[two])


@pytest.mark.parametrize(("kind", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG")])
def test_plots_as_files(drawings: list[Plot], kind: PlotFormat, start: bytes, tmp_path: Path) -> None:
    files = [plot.write(tmp_path / "plots", kind) for plot in drawings[::3]]
    assert [file.name for file in files] == [f"{name}.{kind}" for name in FIGURES[::3]]
    assert all(file.read_bytes().startswith(start) for file in files)
    assert all(b"<dc:date>" not in file.read_bytes() for file in files)
