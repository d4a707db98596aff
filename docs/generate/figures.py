"""The figures of `docs/understand/`: `PYTHONPATH=docs python -m generate.figures` draws them anew.

Every curve is computed from two normal distributions of scores, live and attack, so that the rates in a
figure are those that its picture has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import erf, exp, sqrt
from pathlib import Path

from generate.svg import ATTACK, FAINT, INK, LIVE, Point, area, arrow, box, curve, dot, draw, line, text

FOLDER = Path(__file__).parents[1] / "understand" / "figures"
LIVE_MEAN, ATTACK_MEAN, DEVIATION = 0.68, 0.34, 0.11
WIDTH, LEFT, RIGHT, STEPS = 520, 30, 480, 140


def main() -> None:
    for name, text_of_figure in draw_figures().items():
        (FOLDER / f"{name}.svg").write_text(text_of_figure, encoding="utf-8")


def draw_figures() -> Mapping[str, str]:
    """Return each figure as SVG, by the name of its file."""
    figures: dict[str, Callable[[], str]] = {
        "scores": draw_scores,
        "error-rates": draw_error_rates,
        "thresholds": draw_thresholds,
        "species": draw_species,
        "people-and-sessions": draw_people,
        "protocols": draw_protocols,
    }
    return {name: figure() for name, figure in figures.items()}


def _x(score: float) -> float:
    return LEFT + score * (RIGHT - LEFT)


def _density(score: float, mean: float) -> float:
    """The density of scores, 1 where it is highest."""
    return exp(-(((score - mean) / DEVIATION) ** 2) / 2)


def _share_above(score: float, mean: float) -> float:
    return (1 - erf((score - mean) / DEVIATION / sqrt(2))) / 2


def _bell(mean: float, bottom: float, height: float, low: float = 0, high: float = 1) -> list[Point]:
    scores = [low + (high - low) * step / STEPS for step in range(STEPS + 1)]
    return [(_x(score), bottom - height * _density(score, mean)) for score in scores]


def _axis(y: float, words: str) -> Iterator[str]:
    yield arrow((LEFT, y), (RIGHT + 20, y))
    for score in (0, 0.5, 1):
        yield line((_x(score), y), (_x(score), y + 5))
        yield text(_x(score), y + 21, f"{score:g}")
    yield text((LEFT + RIGHT) / 2, y + 42, words)


def draw_scores() -> str:
    attacks, live = (0.06, 0.13, 0.21, 0.28, 0.37, 0.58), (0.42, 0.63, 0.71, 0.79, 0.86, 0.93)
    threshold = 0.5
    marks = [
        *_axis(150, "score: higher is more live"),
        *(dot(_x(score), 130, color=ATTACK) for score in attacks),
        *(dot(_x(score), 130, color=LIVE) for score in live),
        line((_x(threshold), 45), (_x(threshold), 150), dashed=True),
        text(_x(threshold), 32, "threshold", bold=True),
        text(_x(threshold) - 14, 72, "score < threshold: refused", anchor="end"),
        text(_x(threshold) + 14, 72, "score ≥ threshold: accepted", anchor="start"),
        text(_x(0.17), 108, "attacks, label 0", color=ATTACK),
        text(_x(0.80), 108, "live faces, label 1", color=LIVE),
    ]
    return draw(WIDTH, 205, "Scores of attacks and live faces on a line, and a threshold between them", marks)


def draw_error_rates() -> str:
    threshold, bottom, height = 0.5, 215, 165
    apcer = _share_above(threshold, ATTACK_MEAN)
    bpcer = 1 - _share_above(threshold, LIVE_MEAN)
    accepted = _bell(ATTACK_MEAN, bottom, height, threshold, 1)
    refused = _bell(LIVE_MEAN, bottom, height, 0, threshold)
    marks = [
        area([(_x(threshold), bottom), *accepted, (_x(1), bottom)], color=ATTACK, opacity=0.55),
        area([(_x(0), bottom), *refused, (_x(threshold), bottom)], color=LIVE, opacity=0.55),
        curve(_bell(ATTACK_MEAN, bottom, height), color=ATTACK),
        curve(_bell(LIVE_MEAN, bottom, height), color=LIVE),
        *_axis(bottom, "score"),
        line((_x(threshold), 27), (_x(threshold), bottom), dashed=True),
        text(_x(threshold), 20, "threshold", bold=True),
        text(_x(ATTACK_MEAN), 40, "attacks", color=ATTACK),
        text(_x(LIVE_MEAN), 40, "live faces", color=LIVE),
        text(_x(0.0), 64, f"BPCER {100 * bpcer:.1f} %", anchor="start", color=LIVE, bold=True),
        text(_x(0.0), 82, "refused", anchor="start", color=LIVE, size=13),
        line((_x(0.08), 90), (_x(0.465), 205), color=LIVE),
        text(_x(1), 64, f"APCER {100 * apcer:.1f} %", anchor="end", color=ATTACK, bold=True),
        text(_x(1), 82, "accepted", anchor="end", color=ATTACK, size=13),
        line((_x(0.94), 90), (_x(0.535), 203), color=ATTACK),
    ]
    title = "Two curves of scores: attacks above the threshold are APCER, live faces below it are BPCER"
    return draw(WIDTH, 270, title, marks)


def draw_thresholds() -> str:
    bottom, height = 205, 165
    scores = [step / STEPS for step in range(STEPS + 1)]
    apcer = [(_x(score), bottom - height * _share_above(score, ATTACK_MEAN)) for score in scores]
    bpcer = [(_x(score), bottom - height * (1 - _share_above(score, LIVE_MEAN))) for score in scores]
    equal = (LIVE_MEAN + ATTACK_MEAN) / 2
    rate = _share_above(equal, ATTACK_MEAN)
    strict = next(score for score in scores if _share_above(score, ATTACK_MEAN) <= 0.01)
    refused = 1 - _share_above(strict, LIVE_MEAN)
    marks = [
        *_axis(bottom, "threshold"),
        arrow((LEFT, bottom), (LEFT, 22)),
        text(LEFT + 8, 18, "100 %", anchor="start", size=13),
        curve(apcer, color=ATTACK),
        curve(bpcer, color=LIVE),
        text(_x(0.09), 82, "APCER", color=ATTACK, bold=True),
        text(_x(0.93), 82, "BPCER", color=LIVE, bold=True),
        line((_x(equal), 52), (_x(equal), bottom), dashed=True),
        dot(_x(equal), bottom - height * rate, color=INK, radius=5),
        text(_x(equal) - 8, 45, "eer", bold=True),
        text(_x(equal) - 12, 105, f"both {100 * rate:.1f} %", anchor="end", size=13),
        line((_x(strict), 52), (_x(strict), bottom), dashed=True),
        text(_x(strict) + 4, 45, "apcer:0.01", anchor="start", bold=True),
        text(_x(strict) + 12, 172, f"BPCER {100 * refused:.0f} %", anchor="start", size=13),
    ]
    title = "APCER falls and BPCER rises with the threshold; eer is where they cross, apcer:0.01 above it"
    return draw(WIDTH, 262, title, marks)


def draw_species() -> str:
    rates = {"print": (2, 100), "replay": (4, 100), "mask": (30, 100)}
    pooled = sum(wrong for wrong, _ in rates.values()) / sum(count for _, count in rates.values())
    bottom, scale, step = 200, 4.6, 115
    marks = [line((LEFT, bottom), (RIGHT, bottom))]
    for index, (name, (wrong, count)) in enumerate(rates.items()):
        x = LEFT + 20 + index * step
        marks += [
            box(x, bottom - wrong * scale, 70, wrong * scale, color=ATTACK, opacity=0.3 + wrong / 43),
            text(x + 35, bottom + 20, name),
            text(x + 35, bottom - wrong * scale - 8, f"{wrong} of {count}", bold=wrong == 30),
        ]
    level = bottom - pooled * 100 * scale
    marks += [
        line((LEFT, level), (RIGHT, level), dashed=True),
        text(RIGHT, level - 8, f"pooled: {100 * pooled:.0f} %", anchor="end"),
        text(LEFT + 98 + 2 * step, bottom - 30 * scale + 18, "worst: 30 %", anchor="start", bold=True),
    ]
    title = "Accepted attacks by species: prints 2, replays 4, masks 30 of 100; pooled 12 %"
    return draw(WIDTH, 235, title, marks)


def draw_people() -> str:
    """People by sessions, each cell in the split that it is in; test has new people in a new session."""
    people = ["anna", "berta", "carla", "dora", "emma", "frida"]
    marks = [text(120 + index * 95, 22, f"session {index + 1}") for index in range(3)]
    for row, name in enumerate(people):
        y = 34 + row * 32
        marks.append(text(66, y + 19, name, anchor="end"))
        for session in range(3):
            color, word, opacity = FAINT, "", 0.35
            if row < 4:
                color, word, opacity = (LIVE, "train", 0.35) if session < 2 else (INK, "dev", 0.2)
            elif session == 2:
                color, word, opacity = ATTACK, "test", 0.45
            marks.append(box(75 + session * 95, y, 89, 27, color=color, opacity=opacity))
            marks.append(text(120 + session * 95, y + 19, word, size=14))
    marks += [
        text(372, 98, "dev: a session", anchor="start", size=14),
        text(372, 117, "of its own", anchor="start", size=14),
        text(372, 190, "test: new people,", anchor="start", size=14),
        text(372, 209, "too", anchor="start", size=14),
    ]
    title = "Six people by three sessions: train and dev share no session, test no person with either"
    return draw(WIDTH, 235, title, marks)


def draw_protocols() -> str:
    species = ["live", "print", "replay", "mask"]
    protocols = {"grandtest": ("tdT", "tdT", "tdT", "tdT"), "unseen species": ("tdT", "tdT", "tdT", "T")}
    names = {"t": ("train", LIVE), "d": ("dev", INK), "T": ("test", ATTACK)}
    marks = []
    for index, (protocol, splits) in enumerate(protocols.items()):
        x0 = 62 + index * 236
        marks.append(text(x0 + 103, 20, protocol, bold=True))
        for row, (kind, used) in enumerate(zip(species, splits, strict=True)):
            y = 34 + row * 36
            if index == 0:
                marks.append(text(54, y + 20, kind, anchor="end"))
            for column, (letter, (word, color)) in enumerate(names.items()):
                is_used = letter in used
                opacity = 0.4 if is_used and letter != "d" else 0.2
                x, fill = x0 + column * 70, color if is_used else FAINT
                marks.append(box(x, y, 65, 30, color=fill, opacity=opacity))
                marks.append(text(x + 32, y + 20, word if is_used else "", size=14))
    return draw(WIDTH, 190, "Two protocols: all species in every split, and masks in test alone", marks)


if __name__ == "__main__":
    main()
