"""Published forms of score files and lists: of bob, OULU-NPU and ASVspoof."""

from __future__ import annotations

from pathlib import Path

import pytest

from fas_core.errors import DataError
from fas_core.scores.files import Reading, ScoreFile, read_scores
from fas_core.scores.files.published import number_repeated

BOB = """\
1 1 real/1a 0.9
1 1 real/1b 0.8
2 2 real/2a 0.4
1 attack/print attack/1a 0.2
2 attack/print attack/2a nan
2 mask attack/2b 0.7
2 attack attack/2c -0.3
"""


def read(folder: Path, text: str, labels: str | None = None) -> ScoreFile:
    (folder / "scores.txt").write_text(text)
    if labels is None:
        return read_scores(folder / "scores.txt")
    (folder / "list.txt").write_text(labels)
    return read_scores(folder / "scores.txt", Reading(), folder / "list.txt")


def columns(file: ScoreFile, *names: str) -> list[tuple[object, ...]]:
    return list(zip(*(file.table.table.column(name).to_pylist() for name in names), strict=True))


def test_four_columns_of_bob(tmp_path: Path) -> None:
    file = read(tmp_path, BOB)
    assert columns(file, "id", "label", "species", "subject") == [
        ("real/1a", 1, "live", "1"),
        ("real/1b", 1, "live", "1"),
        ("real/2a", 1, "live", "2"),
        ("attack/1a", 0, "print", "1"),
        ("attack/2a", 0, "print", "2"),
        ("attack/2b", 0, "mask", "2"),
        ("attack/2c", 0, None, "2"),
    ]
    assert file.table.counts() == {"live": 3, "attack": 3, "unknown": 0, "no_response": 1, "total": 7}
    assert "text of bob (claimed real path score)" in file.description
    # At 0.5 one of three live samples is refused, and one of three attacks accepted.
    assert [float(rate(0.5)) for rate in (file.table.rates.bpcer, file.table.rates.apcer)] == pytest.approx(
        [1 / 3, 1 / 3]
    )


def test_five_columns_of_bob_have_the_models_name(tmp_path: Path) -> None:
    file = read(tmp_path, "1 m1 1 a 0.9\n2 m2 2 b 0.8\n1 m1 attack/print c 0.1\n")
    assert columns(file, "id", "score", "label", "species") == [
        ("a", 0.9, 1, "live"),
        ("b", 0.8, 1, "live"),
        ("c", 0.1, 0, "print"),
    ]


def test_several_rows_of_a_path_are_scores_of_a_video(tmp_path: Path) -> None:
    file = read(tmp_path, "1 1 a 0.9\n1 1 a 0.7\n1 print b 0.1\n")
    assert columns(file, "id", "video") == [("a#1", "a"), ("a#2", "a"), ("b", "b")]


def test_zero_effort_impostors_are_no_attacks(tmp_path: Path) -> None:
    licit = "1 1 p/a 0.9\n1 2 p/b 0.1\n2 2 p/b 0.8\n2 1 p/a 0.2\n"
    with pytest.raises(
        DataError, match=r"2 rows are zero-effort impostors.*none is a presentation attack.*--attacks"
    ):
        read(tmp_path, licit)
    file = read(tmp_path, licit + "1 attack x 0.5\n")
    assert columns(file, "id", "label") == [("p/a", 1), ("p/b", 1), ("x", 0)]
    assert "2 rows of zero-effort impostors left out" in file.description


def test_three_images_and_a_score_are_no_clients(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        "c/1.jpg d/1.jpg i/1.jpg 0.9\nc/2.jpg d/2.jpg i/2.jpg 0.1\n",
        "c/1.jpg d/1.jpg i/1.jpg 1\nc/2.jpg x y 0\n",
    )
    assert columns(file, "id", "label") == [("c/1.jpg", 1), ("c/2.jpg", 0)]


def test_csv_of_bob(tmp_path: Path) -> None:
    header = "claimed_id,test_label,is_bonafide,attack_type,score\n"
    file = read(tmp_path, f"{header}1,a,True,,0.9\n1,a,True,,0.8\n2,b,False,print,0.1\n")
    assert columns(file, "id", "label", "species", "subject", "video") == [
        ("a#1", 1, "live", "1", "a"),
        ("a#2", 1, "live", "1", "a"),
        ("b", 0, "print", "2", "b"),
    ]


def test_lines_of_asvspoof(tmp_path: Path) -> None:
    file = read(tmp_path, "LA_E_2834763.flac - spoof -6.77\nLA_E_5849185.flac - bonafide -0.06\n")
    assert columns(file, "id", "score", "label") == [
        ("LA_E_2834763.flac", -6.77, 0),
        ("LA_E_5849185.flac", -0.06, 1),
    ]


OULU = "+1,6_3_20_1\n-1,6_3_20_2\n-1,6_3_20_5\n"


def test_lists_of_oulu_npu(tmp_path: Path) -> None:
    file = read(tmp_path, "6_3_20_5,0.3\n6_3_20_1,0.9\n6_3_20_2,0.7\n", OULU)
    assert columns(file, "id", "score", "label", "species", "subject", "session", "device") == [
        ("6_3_20_5", 0.3, 0, "replay", "20", "3", "6"),
        ("6_3_20_1", 0.9, 1, "live", "20", "3", "6"),
        ("6_3_20_2", 0.7, 0, "print", "20", "3", "6"),
    ]
    assert "list of OULU-NPU (label,video)" in file.description


def test_frames_take_the_labels_of_their_videos(tmp_path: Path) -> None:
    rows = "".join(
        f"{video}/{frame}.jpg,{video},0.5\n"
        for video in ("6_3_20_1", "6_3_20_2", "6_3_20_5")
        for frame in (1, 2)
    )
    file = read(tmp_path, f"id,video,score\n{rows}", OULU)
    assert columns(file, "id", "label", "video")[1:3] == [
        ("6_3_20_1/2.jpg", 1, "6_3_20_1"),
        ("6_3_20_2/1.jpg", 0, "6_3_20_2"),
    ]
    assert file.description.endswith("whose ids are the videos of the samples")


def test_a_list_of_oulu_npu_has_to_fit(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"2 of 2 ids have no label \(6_3_20_1\.avi, .*3 of 3 labelled ones no score"
    ):
        read(tmp_path, "6_3_20_1.avi,0.3\n6_3_20_2.avi,0.9\n", OULU)


def test_a_contradicting_label_of_oulu_npu_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="label and species contradict each other in 1 rows"):
        read(tmp_path, "6_3_20_1,0.3\n6_3_20_2,0.9\n", "+1,6_3_20_1\n+1,6_3_20_2\n")


@pytest.mark.parametrize("labels", ["a,1\nb,-1\n", "+1,a\n-1,b\n", "a -1\nb +1\n", "id,label\na,1\nb,-2\n"])
def test_signed_labels(tmp_path: Path, labels: str) -> None:
    file = read(tmp_path, "a,0.3\nb,0.9\n", labels)
    assert sorted(columns(file, "label")) == [(0,), (1,)]
    assert "1 = live, -1 = attack" in file.description


def test_signed_labels_with_zero_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="labels of 1 rows are not understood: '-1'"):
        read(tmp_path, "a,0.3\nb,0.9\nc,0.1\n", "id,label\na,1\nb,-1\nc,0\n")


def test_repeated_ids_of_other_files_are_explained(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"1 ids are given more than once: v1: .*--column video=id --column id="
    ):
        read(tmp_path, "id,score,label\nv1,0.5,1\nv1,0.6,1\n")
    (tmp_path / "scores.txt").write_text("id,score,label\nv1,0.5,1\nv1,0.6,1\n")
    file = read_scores(tmp_path / "scores.txt", Reading(columns={"video": "id", "id": ""}))
    assert columns(file, "id", "video") == [("1", "v1"), ("2", "v1")]


def test_words_for_splits(tmp_path: Path) -> None:
    file = read(tmp_path, "id,score,label,split\na,0.5,1,devel\nb,0.6,0,eval\n")
    assert columns(file, "split") == [("dev",), ("test",)]
    assert "split is 'split' (devel = dev, eval = test)" in file.description
    with pytest.raises(DataError, match="'dev' and 'val' both mean 'dev'"):
        read(tmp_path, "id,score,label,split\na,0.5,1,dev\nb,0.6,0,val\n")


def test_a_declared_separator(tmp_path: Path) -> None:
    file = read(tmp_path, "sep=;\nid;score;label\na;0,5;real\nb;0,25;spoof\n")
    assert columns(file, "id", "score", "label") == [("a", 0.5, 1), ("b", 0.25, 0)]


def test_only_repeated_names_are_numbered() -> None:
    assert number_repeated(["a", "b", "a"]) == ["a#1", "b", "a#2"]
