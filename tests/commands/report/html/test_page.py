"""The page: its sections, that it loads nothing, that it is accessible, and that user texts stay text."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from fas_core.evaluation.comparison import compare, comparison_table
from fas_plugins.commands.report.html import Plot
from fas_plugins.commands.report.html.theme import COLOURS
from fas_plugins.commands.report.systems import EvaluatedSystem

NASTY = '<script>alert("1")</script> & $x_1$ \'"><img src=x onerror=alert(2)>'


@pytest.fixture(scope="module")
def html(system: EvaluatedSystem, plots: list[Plot], render_page: Any) -> str:
    return render_page([system], plots=plots)


@pytest.fixture(scope="module")
def page(html: str, parse_page: Any) -> Any:
    return parse_page(html)


def test_every_section_of_a_run(page: Any, system: EvaluatedSystem, plots: list[Plot]) -> None:
    sections = [attributes["id"] for attributes in page.all("section")]
    assert sections[:2] == ["words", "summary"]
    assert sections[2:] == ["curves", "scores", "by-species", "training", "mistakes", "data", "making"]
    figures = [attributes["id"] for attributes in page.all("figure") if "id" in attributes]
    assert figures == [plot.name for plot in plots]
    for text in (
        "TPR@FPR",
        "a note of the run",
        "(eer on dev)",
        "name: folder",
        "numpy",
        "3.11.7",
        "1.50 hours, 2 epochs",
        "02 January 2026",
        system.digest,
        *system.training.data.values(),
    ):
        assert text in page.text
    assert f"{100 * system.result.metrics['acer']:.2f}" in page.text
    low, high = system.result.intervals.figures["acer"]
    assert f"{100 * low:.2f}" in page.text
    assert f"{100 * high:.2f}" in page.text


def test_the_page_loads_nothing(html: str, page: Any) -> None:
    assert "http" not in html.replace("http-equiv", "")
    assert "@import" not in html
    assert not {"iframe", "object", "embed"} & {tag for tag, _ in page.tags}
    for _, attributes in page.tags:
        for name in ("src", "href"):
            assert attributes.get(name, "#").startswith(("#", "data:"))
    assert set(re.findall(r"url\((.)", html)) == {"#"}


def test_ids_are_distinct_and_references_lead_somewhere(html: str, page: Any) -> None:
    ids = page.ids()
    assert len(set(ids)) == len(ids)
    hrefs = {
        attributes["href"][1:] for _, attributes in page.tags if attributes.get("href", "").startswith("#")
    }
    named = {name for _, found in page.tags for name in found.get("aria-labelledby", "").split()}
    assert hrefs | named | set(re.findall(r"url\(#([^)]+)\)", html)) <= set(ids)


def test_the_policy_allows_this_script_and_this_style_alone(html: str, page: Any) -> None:
    policies = [found for found in page.all("meta") if found.get("http-equiv") == "Content-Security-Policy"]
    (policy,) = (found["content"] for found in policies)
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy
    for tag in ("script", "style"):
        (source,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert not [tag for tag, attributes in page.tags if "style" in attributes]
    # What the policy forbids must not come before it.
    assert html.index("Content-Security-Policy") < html.index("<style>")


def test_plots_images_and_tables_are_labelled_for_screen_readers(page: Any) -> None:
    plots = page.all("svg")
    assert len(plots) == 7
    assert all(found["role"] == "img" and found["aria-labelledby"] for found in plots)
    assert all(found["alt"] for found in page.all("img"))
    assert {found["scope"] for found in page.all("th")} == {"row", "col"}
    assert page.all("html") == [{"lang": "en"}]
    assert "width=device-width" in page.all("meta")[1]["content"]


def test_plots_take_the_colours_of_the_page(html: str) -> None:
    drawn = html[html.index("<svg") : html.rindex("</svg>")]
    assert not re.search(r"#[0-9a-f]{6}\b", drawn.replace("&#", ""))
    assert set(re.findall(r"var\(--([\w-]+)\)", html)) <= set(COLOURS)


def test_texts_of_users_are_escaped(
    run: Path, tmp_path: Path, evaluate: Any, render_page: Any, parse_page: Any, write_scores: Any
) -> None:
    path = write_scores(tmp_path / "scores.csv", species=NASTY, subject="<b>&amp;", prefix="<i>{{ 7 * 7 }}")
    (found,) = evaluate(path, policy="fixed:0.5")
    named = evolve(found, name=NASTY, photos=f"none at {NASTY}", model=NASTY, data=NASTY)
    html = render_page([named, *evaluate(run)])
    page = parse_page(html)
    assert not {"b", "i"} & {tag for tag, _ in page.tags}
    assert len(page.all("script")) == 1
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert all(found["src"].startswith("data:image/jpeg;base64,") for found in page.all("img"))
    assert NASTY in page.text
    assert "<b>&amp;" in page.text
    assert "{{ 7 * 7 }}" in page.text


def test_missing_photos_are_explained(
    run: Path, photos: Path, tmp_path: Path, evaluate: Any, render_page: Any, parse_page: Any
) -> None:
    (moved,) = evaluate(run, data=f"folder:{tmp_path / 'gone'}")
    text = parse_page(render_page([moved])).text
    assert f"No thumbnails: {tmp_path / 'gone'}: no such file or folder" in text
    (alone,) = evaluate(run / "scores" / "test.csv", policy="fixed:0.5")
    assert (
        "a score file does not say where its photos are (give --data)"
        in parse_page(render_page([alone])).text
    )
    (found,) = evaluate(run / "scores" / "test.csv", policy="fixed:0.5", data=f"folder:{photos}")
    assert parse_page(render_page([found])).all("img")


def test_several_systems_are_compared_with_the_first(
    make_run: Callable[..., Path],
    run: Path,
    tmp_path: Path,
    evaluate: Any,
    render_page: Any,
    parse_page: Any,
    metrics: Any,
) -> None:
    systems = evaluate(run, make_run(tmp_path / "two", quality=3, seed=5))
    found = compare(systems, metrics, replicates=50)
    (comparison,) = found
    difference = comparison.figures["acer"]
    assert difference.value == pytest.approx(
        systems[1].result.metrics["acer"] - systems[0].result.metrics["acer"]
    )
    assert difference.low <= difference.value <= difference.high
    assert difference.clear == (difference.high < 0)
    page = parse_page(render_page(systems, found))
    assert "two minus one, rates in %" in page.text
    assert "50 bootstrap replicates over 24 samples" in page.text
    assert {"histogram-1", "histogram-2", "rates-1", "rates-2"} <= set(page.ids())
    assert len(set(page.ids())) == len(page.ids())


def test_an_oracle_is_marked_in_tables_and_comparisons(
    run: Path,
    tmp_path: Path,
    evaluate: Any,
    render_page: Any,
    parse_page: Any,
    write_scores: Any,
    metrics: Any,
) -> None:
    other = write_scores(tmp_path / "two.csv")
    systems = evaluate(write_scores(tmp_path / "one.csv"), other, policy="oracle:eer")
    (comparison,) = compare(systems, metrics, replicates=5)
    said = "oracle: the threshold was fitted on these very scores"
    assert comparison.to_json()["notes"][0].startswith(said)
    assert comparison_table(comparison).note.startswith(said)
    assert parse_page(render_page(systems, [comparison])).text.count(said) == 2
    given = compare(evaluate(tmp_path / "one.csv", other, policy="fixed:0.5"), metrics, replicates=5)
    assert given[0].notes == ()


def test_systems_of_different_samples_are_not_compared(
    run: Path,
    tmp_path: Path,
    evaluate: Any,
    render_page: Any,
    parse_page: Any,
    write_scores: Any,
    metrics: Any,
) -> None:
    systems = evaluate(run, write_scores(tmp_path / "other.csv"), policy="fixed:0.5")
    (comparison,) = compare(systems, metrics, replicates=5)
    assert comparison.figures == {}
    text = parse_page(render_page(systems, [comparison])).text
    assert "not compared: the two score tables hold different samples" in text


def test_a_score_file_without_its_run(
    tmp_path: Path, evaluate: Any, render_page: Any, parse_page: Any, write_scores: Any
) -> None:
    test_file = write_scores(tmp_path / "test.csv", prefix="t")
    (system,) = evaluate(test_file, dev=[write_scores(tmp_path / "dev.csv", prefix="d")])
    assert system.result.threshold.source == "dev"
    text = parse_page(render_page([system])).text
    assert "how the systems were trained is not known" in text
    assert "this is a score file without its run" in text
    assert "over 5 subjects" in text


def test_scores_without_a_threshold_or_of_one_class(
    tmp_path: Path, evaluate: Any, render_page: Any, parse_page: Any, write_scores: Any
) -> None:
    (system,) = evaluate(write_scores(tmp_path / "test.csv"))
    text = parse_page(render_page([system])).text
    assert "test has no threshold, so nothing is accepted or refused" in text
    assert "no threshold to evaluate them at" in text
    (tmp_path / "live.csv").write_text("id,score,label\na,0.2,1\nb,0.9,1\n")
    (live,) = evaluate(tmp_path / "live.csv", policy="fixed:0.5")
    page = parse_page(render_page([live]))
    assert "No scores of both classes, so there are no curves." in page.text
    assert [found["id"] for found in page.all("figure") if "id" in found] == ["histogram"]


def test_a_run_that_is_not_finished(
    make_run: Callable[..., Path], tmp_path: Path, evaluate: Any, render_page: Any, parse_page: Any
) -> None:
    run = make_run(tmp_path / "run")
    for name in ("results.json", "environment.json", "metrics.jsonl"):
        (run / name).unlink()
    page = parse_page(render_page(evaluate(run)))
    assert "not recorded: the run is not finished" in page.text
