"""Targets: their grammar, and that few people neither pass nor fail."""

from __future__ import annotations

import json
from math import ceil, log

import pytest

from fas_core.config.recipe import Recipe
from fas_core.errors import ConfigError
from fas_core.evaluation import bind_metrics, evaluate
from fas_core.evaluation.exact import clopper_pearson
from fas_core.evaluation.plain_words import describe_judgement
from fas_core.evaluation.population import Population
from fas_core.evaluation.targets import Judgement, Target, combine_verdicts, judge, parse_targets
from fas_core.registry import registry
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold

HALF = Threshold(0.5, "fixed:0.5", "given")


def people(
    count: int, refused: int = 0, accepted: dict[str, int] | None = None, shots: int = 1
) -> ScoreTable:
    """So many people, each with live samples and prints and masks, and so many errors of the first ones."""
    rows: list[tuple[str, float, int, str, str]] = []
    wrong = {"live": refused, "print": 0, "mask": 0} | (accepted or {})
    for person in range(count):
        for kind in ("live", "print", "mask"):
            is_wrong = person < wrong[kind]
            score = 0.9 if (kind == "live") != is_wrong else 0.1
            rows += [
                (f"{person}{kind}{at}", score, int(kind == "live"), kind, str(person)) for at in range(shots)
            ]
    names = ("id", "score", "label", "species", "subject")
    return ScoreTable.of(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))


def judged(scores: ScoreTable, text: str, threshold: Threshold = HALF) -> tuple[Judgement, ...]:
    metrics = bind_metrics(Recipe().metrics, registry())
    result = evaluate(scores, metrics, threshold, replicates=200)
    return judge(result, Population.of(scores), parse_targets(text))


def test_the_grammar() -> None:
    assert parse_targets("apcer_max<=0.05, bpcer:0.1,auc>=0.99") == (
        Target("apcer_max", 0.05),
        Target("bpcer", 0.1),
        Target("auc", 0.99, at_least=True),
    )
    assert parse_targets("bpcer@apcer_max=1e-2<=0.1") == (Target("bpcer@apcer_max=1e-2", 0.1),)
    assert str(parse_targets("apcer_max:0.05")[0]) == "APCER worst at most 5 %"


@pytest.mark.parametrize(
    "text", ["", "apcer", "apcer<0.1", "apcer<=", "apcer<=2", "apcer<=0.1;bpcer<=0.1", "x<=1.2.3"]
)
def test_what_is_no_target(text: str) -> None:
    with pytest.raises(ConfigError, match="must be METRIC<=RATE"):
        parse_targets(text)


def test_a_metric_that_there_is_not() -> None:
    with pytest.raises(ConfigError, match=r"no such rate.*did you mean 'apcer'"):
        judged(people(5), "apcr<=0.1")


@pytest.mark.parametrize("limit", [0.05, 0.1, 0.5])
def test_how_many_people_can_show_a_limit_without_an_error(limit: float) -> None:
    needed = Target("bpcer", limit).needed
    assert needed == ceil(log(0.025) / log(1 - limit))
    assert clopper_pearson(0, needed)[1] <= limit < clopper_pearson(0, needed - 1)[1]


def test_pass_and_fail_and_cannot_tell() -> None:
    (passed,) = judged(people(80), "bpcer<=0.05")
    assert (passed.verdict, passed.people, passed.by) == ("pass", 80, "subject")
    (failed,) = judged(people(80, refused=30), "bpcer<=0.05")
    assert failed.verdict == "fail"
    (few,) = judged(people(10, shots=30), "bpcer<=0.05")
    assert few.verdict == "cannot tell"
    assert describe_judgement(few).endswith("without a single error 72 people could show it")


def test_an_error_does_not_make_few_people_pass() -> None:
    """One bad sample of 8 people: every bootstrap stays below 20 %, which 8 people cannot show."""
    scores = people(8, shots=30)
    table = scores.table.to_pydict()
    table["score"][0] = 0.1
    (item,) = judged(ScoreTable.of(table), "bpcer<=0.2")
    assert item.interval[1] < 0.2
    assert item.verdict == "cannot tell"


def test_every_species_must_meet_the_limit() -> None:
    """The mask has no error, but was shown by few: it decides, not the print that is the worst."""
    scores = people(100, accepted={"print": 1})
    rows = [row for row in scores.table.to_pylist() if row["species"] != "mask" or int(row["subject"]) < 5]
    few_masks = ScoreTable.of({name: [row[name] for row in rows] for name in scores.table.column_names})
    (item,) = judged(few_masks, "apcer_max<=0.1")
    assert (item.species, item.verdict, item.people) == ("mask", "cannot tell", 5)
    (item,) = judged(people(100, accepted={"print": 1}), "apcer_max<=0.1")
    assert item.verdict == "pass"
    (item,) = judged(people(100, accepted={"print": 60}), "apcer_max<=0.1")
    assert (item.species, item.verdict) == ("print", "fail")


def test_no_number_of_people_shows_that_there_is_no_error() -> None:
    (item,) = judged(people(500), "bpcer<=0")
    assert item.verdict == "cannot tell"
    assert describe_judgement(item).endswith("no number of people can show that")


def test_an_oracle_claims_nothing() -> None:
    oracle = Threshold(0.5, "oracle:eer", "judged")
    (item,) = judged(people(80), "bpcer<=0.05", oracle)
    assert item.verdict == "cannot tell"
    assert "fitted on these very scores" in describe_judgement(item)


def test_at_least() -> None:
    (item,) = judged(people(200), "auc>=0.9")
    assert item.verdict == "pass"
    (item,) = judged(people(200, refused=150), "acc>=0.9")
    assert item.verdict == "fail"


def test_all_together() -> None:
    items = judged(people(80, refused=30), "bpcer<=0.05,apcer<=0.05,apcer_max<=0.01")
    assert [item.verdict for item in items] == ["fail", "pass", "cannot tell"]
    assert combine_verdicts(items) == "fail"
    assert combine_verdicts(items[1:]) == "cannot tell"
    assert combine_verdicts(items[1:2]) == "pass"
    assert json.loads(json.dumps(items[0].to_json()))["verdict"] == "fail"


def test_without_intervals_nothing_can_be_told() -> None:
    scores = people(80)
    result = evaluate(scores, bind_metrics(Recipe().metrics, registry()), HALF)
    (item,) = judge(result, Population.of(scores), parse_targets("bpcer<=0.05"))
    assert item.verdict == "cannot tell"
    assert "without an interval" in describe_judgement(item)
