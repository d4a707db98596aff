"""Large jobs in parts, done in this process: tables of one process, parts that are kept, photos of URLs."""

from __future__ import annotations

import csv
import pickle
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pyarrow.parquet
import pytest
from attrs import evolve, field, frozen
from fsspec.implementations.memory import MemoryFileSystem

from fas_core.data.open import open_manifest
from fas_core.errors import ConfigError, DataError, FasError, ModelError
from fas_core.inference.loaded_model import load_model
from fas_core.inference.part_jobs import EvaluationJob, to_table
from fas_core.inference.parts import Part, PartOptions, PartWorker, run_parts
from fas_core.inference.predict_inputs import PictureOptions, PredictOptions, predict_inputs
from fas_core.inference.predict_parts import PartVerdicts, predict_parts
from fas_core.inference.score_samples import score_samples
from fas_core.records.samples import SampleTable
from fas_core.registry import registry

MeanModel = Callable[..., Path]
OPTIONS = PredictOptions(detect=False)
PHOTOS = 70


@frozen
class InProcess:
    """An engine that does the parts in turn, by workers that were pickled as those of a cluster are."""

    numbers: list[int] = field(factory=list)

    def __call__(self, worker: PartWorker, parts: Iterable[Part], workers: int | None) -> Iterator[int]:
        copy = pickle.loads(pickle.dumps(worker))
        for number, table in parts:
            self.numbers.append(number)
            yield copy((number, table))


class Locked(MemoryFileSystem):  # type: ignore[misc]
    """A file system that nobody may read."""

    protocol = "locked"

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **options: Any) -> bytes:
        raise PermissionError("no credentials")


@pytest.fixture
def manifest(tmp_path: Path, save: Callable[..., Path]) -> Path:
    """Photos of two splits; one file is missing, one is damaged, and one is given with a box."""
    rng = np.random.default_rng(14)
    rows = [["path", "label", "split", "box"]]
    for number in range(PHOTOS):
        name = f"photos/{number:02}.png"
        save(tmp_path / name, rng.integers(0, 256, (12, 12, 3), np.uint8))
        rows.append(
            [name, str(number % 2), "dev" if number % 3 else "test", "2 2 5 5" if number == 7 else ""]
        )
    (tmp_path / "photos/11.png").unlink()
    (tmp_path / "photos/12.png").write_text("text")
    path = tmp_path / "manifest.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


@pytest.fixture
def complete(tmp_path: Path, manifest: Path) -> Path:
    """The manifest without the two photos that cannot be read, each of the others with a box."""
    lines = [line for line in manifest.read_text().splitlines() if "/11." not in line and "/12." not in line]
    lines = [f"{line}1 1 9 9" if line.endswith(",") else line for line in lines]
    path = tmp_path / "complete.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def predict(model: Path, manifest: Path, into: object, engine: InProcess | None = None) -> PartVerdicts:
    where = PartOptions(str(into), rows=32)
    return predict_parts(model, [str(manifest)], OPTIONS, where, engine or InProcess())


def read(folder: Path) -> list[dict[str, Any]]:
    return list(pyarrow.parquet.read_table(folder).to_pylist())


def samples_of(manifest: Path) -> SampleTable:
    return open_manifest(manifest, ["rgb"], registry()).samples("dev")


def test_verdicts_are_those_of_one_process_row_for_row(
    mean_model: MeanModel, manifest: Path, tmp_path: Path
) -> None:
    model = mean_model()
    verdicts = predict(model, manifest, tmp_path / "parts")
    alone = predict_inputs(model, [str(manifest)], evolve(OPTIONS, threads=2), PictureOptions())
    expected = to_table(alone.rows).to_pylist()
    assert read(tmp_path / "parts") == expected
    assert [path.name[:19] for path in sorted((tmp_path / "parts").iterdir())] == [
        "part-00000-of-00003",
        "part-00001-of-00003",
        "part-00002-of-00003",
    ]
    words = [row["verdict"] for row in expected]
    assert verdicts.counts == {
        **{word: words.count(word) for word in ("live", "attack", "uncertain")},
        "not scored": 2,
    }


def test_scores_are_those_of_one_process_row_for_row(
    mean_model: MeanModel, complete: Path, tmp_path: Path
) -> None:
    model, samples = mean_model(), samples_of(complete)
    loaded = load_model(model, registry())
    expected = score_samples(loaded.scorer, samples, model_input=loaded.input, faces=loaded.faces).table
    options = PartOptions(str(tmp_path / "parts"), rows=32)
    finished = run_parts(EvaluationJob(model), samples, options, InProcess(), "dev")
    assert not np.isnan(expected.column("score").to_numpy()).any()
    assert finished.folder.read().equals(expected)
    assert finished.samples == len(samples)


def test_finished_parts_are_kept_and_the_others_are_done(
    mean_model: MeanModel, manifest: Path, tmp_path: Path
) -> None:
    model, into = mean_model(), tmp_path / "parts"
    predict(model, manifest, into)
    expected = read(into)
    first, second, third = sorted(into.iterdir())
    second.unlink()
    before = first.stat().st_mtime_ns, third.stat().st_mtime_ns
    engine = InProcess()
    verdicts = predict(model, manifest, into, engine)
    assert engine.numbers == [1]
    assert verdicts.finished.from_before == 2
    assert (first.stat().st_mtime_ns, third.stat().st_mtime_ns) == before
    assert read(into) == expected


def test_a_job_that_fails_keeps_what_is_finished(
    mean_model: MeanModel, manifest: Path, tmp_path: Path
) -> None:
    options = PartOptions(str(tmp_path / "parts"), rows=32)
    job = EvaluationJob(mean_model())
    samples = samples_of(manifest)
    readable = samples.take([*range(1, 7), *range(9, len(samples)), 7, 8])
    with pytest.raises(DataError, match="no such image"):
        run_parts(job, readable, options, InProcess(), "dev")
    assert len(list((tmp_path / "parts").iterdir())) == 1


@pytest.mark.parametrize("change", ["model", "samples", "threshold", "rows"])
def test_parts_of_another_job_are_refused(
    change: str, mean_model: MeanModel, manifest: Path, tmp_path: Path
) -> None:
    into = tmp_path / "parts"
    predict(mean_model(), manifest, into)
    before = sorted(into.iterdir())
    model = mean_model(threshold=0.25) if change == "model" else mean_model()
    if change == "samples":
        manifest.write_text(manifest.read_text().replace("2 2 5 5", "2 2 5 6"))
    options = evolve(OPTIONS, threshold="fixed:0.3") if change == "threshold" else OPTIONS
    where = PartOptions(str(into), rows=64 if change == "rows" else 32)
    with pytest.raises(DataError, match="another model, manifest or options: give another folder"):
        predict_parts(model, [str(manifest)], options, where, InProcess())
    assert sorted(into.iterdir()) == before


def test_a_worker_with_another_model_stops_the_job(
    mean_model: MeanModel, manifest: Path, tmp_path: Path
) -> None:
    model = mean_model()

    def replaced(worker: PartWorker, parts: Iterable[Part], workers: int | None) -> Iterator[int]:
        mean_model(threshold=0.25)
        yield from InProcess()(worker, parts, workers)

    where = PartOptions(str(tmp_path / "parts"), rows=32)
    with pytest.raises(ModelError, match="another one than where the command was given"):
        predict_parts(model, [str(manifest)], OPTIONS, where, replaced)


def test_an_engine_that_loses_a_part_is_no_success(
    mean_model: MeanModel, manifest: Path, tmp_path: Path
) -> None:
    def forgetful(worker: PartWorker, parts: Iterable[Part], workers: int | None) -> Iterator[int]:
        yield from InProcess()(worker, list(parts)[1:], workers)

    where = PartOptions(str(tmp_path / "parts"), rows=32)
    with pytest.raises(FasError, match="parts are missing"):
        predict_parts(mean_model(), [str(manifest)], OPTIONS, where, forgetful)


def test_photos_of_urls_are_read_where_they_lie(
    mean_model: MeanModel, manifest: Path, tmp_path: Path
) -> None:
    memory = fsspec.filesystem("memory")
    for photo in (tmp_path / "photos").iterdir():
        memory.pipe_file(f"/bucket/photos/{photo.name}", photo.read_bytes())
    urls = tmp_path / "urls.csv"
    urls.write_text(manifest.read_text().replace("photos/", "memory://bucket/photos/"))
    model = mean_model()
    predict(model, manifest, tmp_path / "files")
    predict(model, urls, tmp_path / "urls")
    files, rows = read(tmp_path / "files"), read(tmp_path / "urls")
    assert [row["score"] for row in rows] == [row["score"] for row in files]
    assert to_table(predict_inputs(model, [str(urls)], OPTIONS, PictureOptions()).rows).to_pylist() == rows
    reasons = {row["id"]: row["reason"] for row in rows if row["reason"]}
    assert reasons.keys() == {f"memory://bucket/photos/{number}.png" for number in (11, 12)}
    assert "no such image" in reasons["memory://bucket/photos/11.png"]
    assert not any("fas-photos-" in reason for reason in reasons.values())


def test_a_file_url_is_the_file(mean_model: MeanModel, complete: Path, tmp_path: Path) -> None:
    urls = tmp_path / "urls.csv"
    urls.write_text(complete.read_text().replace("photos/", f"file://{tmp_path}/photos/"))
    model = mean_model()
    predict(model, complete, tmp_path / "files")
    predict(model, urls, tmp_path / "urls")
    assert [row["score"] for row in read(tmp_path / "urls")] == [
        row["score"] for row in read(tmp_path / "files")
    ]


def test_a_url_that_cannot_be_read_ends_the_job_with_its_name(mean_model: MeanModel, tmp_path: Path) -> None:
    fsspec.register_implementation("locked", Locked, clobber=True)
    for url, problem in (
        ("locked://bucket/1.png", "cannot be read: no credentials"),
        ("nowhere://bucket/1.png", "nowhere"),
    ):
        (tmp_path / "urls.csv").write_text(f"path\n{url}\n")
        with pytest.raises(FasError, match=problem) as error:
            predict(mean_model(), tmp_path / "urls.csv", tmp_path / "parts")
        assert error.value.message.startswith(url)


def test_parts_are_written_to_a_url(mean_model: MeanModel, complete: Path, tmp_path: Path) -> None:
    model, url = mean_model(), "memory://scores/job"
    predict(model, complete, url)
    predict(model, complete, tmp_path / "parts")
    engine = InProcess()
    verdicts = predict(model, complete, url, engine)
    assert engine.numbers == []
    assert verdicts.finished.folder.read().to_pylist() == read(tmp_path / "parts")


def test_a_damaged_part_is_named(mean_model: MeanModel, complete: Path, tmp_path: Path) -> None:
    predict(mean_model(), complete, tmp_path / "parts")
    part = min((tmp_path / "parts").iterdir())
    part.write_bytes(part.read_bytes()[:-20])
    with pytest.raises(DataError, match=rf"{part.name}: cannot be read: .*: remove it"):
        predict(mean_model(), complete, tmp_path / "parts")


def test_what_parts_cannot_be_of_is_refused(mean_model: MeanModel, complete: Path, tmp_path: Path) -> None:
    model, where = mean_model(), PartOptions(str(tmp_path / "parts"))
    for inputs, options, problem in (
        (["photo.jpg"], OPTIONS, "one manifest"),
        ([str(complete)] * 2, OPTIONS, "one manifest"),
        ([str(complete)], evolve(OPTIONS, every=2), "about videos"),
        ([str(complete)], evolve(OPTIONS, threads=2), "--predictors"),
    ):
        with pytest.raises(ConfigError, match=problem):
            predict_parts(model, inputs, options, where, InProcess())
    with pytest.raises(ConfigError, match="100 rows a part: give a multiple of 32"):
        predict_parts(model, [str(complete)], OPTIONS, evolve(where, rows=100), InProcess())
    (tmp_path / "run").mkdir()
    with pytest.raises(ModelError, match="a run, and --engine takes an exported model: fas export"):
        predict_parts(tmp_path / "run", [str(complete)], OPTIONS, where, InProcess())


def test_a_file_that_is_no_calibration_beside_an_exported_model_does_not_matter(
    mean_model: MeanModel, manifest: Path, tmp_path: Path
) -> None:
    """The card is in the model; the file counts as a part of what the scores depend on."""
    model = mean_model()
    expected = predict(model, manifest, tmp_path / "parts").counts
    Path(f"{model}.calibration.json").write_bytes(b"\xff\xfe")
    assert predict(model, manifest, tmp_path / "others").counts == expected
    with pytest.raises(DataError, match="holds something else"):
        predict(model, manifest, tmp_path / "parts")
