"""All readers of text and tables that a stranger could have written, each as a function of a file's bytes."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from functools import cache
from math import inf, isfinite, nan
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import yaml
from attrs import asdict, frozen
from fixtures.two_splits import TwoSplits

from fas_core.component import NoOptions
from fas_core.config.load import load_recipe, parse_sets, to_plain, to_yaml
from fas_core.config.recipe import Recipe
from fas_core.contracts import DatasetReader
from fas_core.data.faces import CropSettings
from fas_core.errors import ConfigError, FasError
from fas_core.registry import registry
from fas_core.runs.card import build_card
from fas_core.runs.conditions import Conditions
from fas_core.runs.groups import FoldRuns
from fas_core.runs.history import Entry, find_changes
from fas_core.runs.results import write_results
from fas_core.runs.run import Run
from fas_core.runs.run_sets import ProtocolRuns, SeedRuns
from fas_core.runtime.calibration_file import read_calibration
from fas_core.runtime.external_model import ExternalModel
from fas_core.scores.calibration import Calibration
from fas_core.scores.files import read_scores
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold
from fas_plugins.commands.data.crop_log import CropLog
from fas_plugins.commands.ensemble.rule import Ensemble, FittedRule
from fas_plugins.commands.importing.convert import convert_config
from fas_plugins.commands.report.html.training import plot_training
from fas_plugins.commands.report.score_source import SourceOptions
from fas_plugins.commands.report.sources import evaluate_source, open_sources
from fas_plugins.commands.report.systems import EvaluatedSystem
from fas_plugins.commands.runs.compare_runs import compare_runs, open_run
from fas_plugins.commands.runs.find_runs import list_runs
from fas_plugins.commands.runs.tables import comparison_tables, describe_agreement, runs_table
from fas_plugins.commands.tune.space import check_space, read_space
from fas_plugins.datasets.casia_surf import CasiaSurf
from fas_plugins.datasets.cefa import Cefa
from fas_plugins.datasets.cefa_submission import build_submission
from fas_plugins.datasets.celeba_spoof import CelebaSpoof
from fas_plugins.datasets.manifest import Manifest
from fas_plugins.datasets.msu_mfsd import MsuMfsd
from fas_plugins.datasets.nuaa import Nuaa
from fas_plugins.datasets.options import (
    CasiaSurfOptions,
    CefaOptions,
    CelebaSpoofOptions,
    ManifestOptions,
    NuaaOptions,
    OuluNpuOptions,
    WmcaOptions,
)
from fas_plugins.datasets.oulu_npu import OuluNpu
from fas_plugins.datasets.simulator.dataset_files import is_written
from fas_plugins.datasets.simulator.options import SyntheticOptions
from fas_plugins.datasets.wmca import Wmca

Read = Callable[[bytes], object]


@frozen
class TextReader:
    """Valid files of one kind, and what reads them.

    Args:
        originals: contents of valid files.
        prepare: makes a folder ready, and returns the function that reads one file's content there.
    """

    originals: Sequence[bytes]
    prepare: Callable[[Path], Read]


VALUES: tuple[object, ...] = (
    *(None, True, -1, 0, 2.5, 10**30, 1e308, nan, inf, "", "x", "x" * 300, "..", "/", "a\0b", "\x1b[2J"),
    *([], {}, [[]], [None], {"a": {}}, {"name": {}}, [{"name": 1}], {"": ""}),
)


def restructure(originals: Sequence[bytes], count: int, seed: int) -> Iterator[bytes]:
    """Yield originals, those that are JSON, JSON-lines or YAML, with values of other types in them."""
    documents = [document for data in originals if (document := _parse(data)) is not None]
    for number in range(count if documents else 0):
        random = Random(f"{seed} {number}")
        form, document = deepcopy(random.choice(documents))
        for _ in range(random.choice((1, 1, 2))):
            places = list(_list_places(document))
            if places:
                container, key = random.choice(places)
                value = deepcopy(random.choice(VALUES))
                if isinstance(container, dict) and random.random() < 0.2:
                    container[random.choice(("", "x", "name", "\0"))] = container.pop(key)
                else:
                    container[key] = value
        if form == "yaml":
            yield yaml.safe_dump(document).encode()
        else:
            lines = document if form == "jsonl" else [document]
            yield "".join(json.dumps(line) + "\n" for line in lines).encode()


def _parse(data: bytes) -> tuple[str, Any] | None:
    """Return the format of a file and its content; None where that is no mapping or list."""
    if data.startswith(b"PAR1"):
        return None
    text = data.decode()
    if text.startswith(("{", "[")):
        lines = text.splitlines()
        if len(lines) > 1 and lines[0].endswith("}"):
            return "jsonl", [json.loads(line) for line in lines]
        with suppress(ValueError):
            return "json", json.loads(text)
    with suppress(yaml.YAMLError):
        content = yaml.safe_load(text)
        return ("yaml", content) if isinstance(content, dict) else None
    return None


def _list_places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each container in a value with each of its keys or indices."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in items:
        yield value, key
        yield from _list_places(child)


def of_file(name: str, read: Callable[[Path], object], *originals: str | bytes) -> TextReader:
    """A reader of a file `name`, whose folder may have others."""

    def prepare(folder: Path) -> Read:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)

        def read_data(data: bytes) -> object:
            file.write_bytes(data)
            return read(file)

        return read_data

    return TextReader([text.encode() if isinstance(text, str) else text for text in originals], prepare)


def of_dataset(
    name: str,
    open_reader: Callable[[Path], DatasetReader],
    *originals: str,
    images: Sequence[str] = (),
    lists: Mapping[str, str] = {},
) -> TextReader:
    """A reader of the train split of a data set with images, which are empty, and with further lists."""

    def prepare(root: Path) -> Read:
        for image in images:
            (root / image).parent.mkdir(parents=True, exist_ok=True)
            (root / image).touch()
        for path, text in lists.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        return of_file(name, lambda _: read_splits(open_reader(root), ["train"])).prepare(root)

    return TextReader([text.encode() for text in originals], prepare)


def read_splits(reader: DatasetReader, splits: Sequence[str]) -> object:
    """Read all that a data set tells of its samples, as `fas data check` does."""
    tables = [reader.samples(split) for split in splits]
    return [reader.notes, reader.overlaps, *[(table.counts(), table.fingerprint()) for table in tables]]


def to_parquet(**columns: Sequence[object]) -> bytes:
    stream = io.BytesIO()
    pa.parquet.write_table(pa.table(columns), stream)
    return stream.getvalue()


def read_recipe(path: Path) -> str:
    return to_yaml(to_plain(load_recipe(str(path), registry()), registry()))


def read_set(path: Path) -> object:
    text = path.read_bytes().decode("utf-8", "surrogateescape")
    recipes = []
    for key in SET_KEYS:
        with suppress(ConfigError):  # of several lines, each seen by `recipe`
            recipes.append(load_recipe("quickstart", registry(), parse_sets([f"{key}={text}"])))
    return recipes


def read_table(path: Path) -> object:
    scores = ScoreTable.read(path)
    return scores.counts(), scores.rates.equal_error_threshold() if scores.rates.has_both_classes else None


def read_score_file(path: Path) -> object:
    file = read_scores(path)
    return file.description, file.notes, file.table.counts(), file.threshold("oracle:eer", file.table, None)


def read_labels(path: Path) -> object:
    scores = path.with_name("scores.csv")
    try:
        scores.write_text("id,score\na.png,0.1\nb.png,0.9\n")
        return read_scores(scores, labels=path).description
    except FasError:
        scores.write_text("id,score\n6_3_20_1,0.1\n6_3_20_2,0.9\n")
        return read_scores(scores, labels=path).description


def read_submission(path: Path) -> object:
    for number in (2, 3):
        path.with_name(f"4@{number}_dev_res.txt").write_text("dev/1\n")
    return build_submission(CefaOptions(), path.parent.parent, "dev").parts


def read_report(path: Path) -> EvaluatedSystem:
    """Read a run as the report does, whichever of its files is mutated."""
    run = path.parent if path.parent.name == "run" else path.parent.parent
    options = SourceOptions(replicates=0)
    (source,) = open_sources([run], options, registry())
    opened = Run.open(run, registry())
    build_card(opened), opened.is_finished()
    return evaluate_source(source, "run", [], options, registry())


def read_history(path: Path) -> object:
    return plot_training([read_report(path)])


def read_changes(path: Path) -> object:
    """Compare a run's history with now, as `fas train --resume --anyway` does."""
    return find_changes(Run(path.parent, Recipe(), registry()), TwoSplits(), anyway=True)


@cache
def make_finished_run(path: Path) -> Run:
    """Make a run whose test split has figures."""
    run = Run(path, Recipe(), registry())
    run.create()
    write_results(path, {"splits": {"test": {"metrics": {"eer": 0.1}}}, "data": {"test": "ab"}})
    return run


def read_run_list(path: Path) -> object:
    """List a run and compare it with another, as `fas runs list` and `fas runs diff` do."""
    folder = path.parent if path.parent.name == "run" else path.parent.parent
    runs_table(list_runs(folder, registry()))
    comparison = compare_runs(open_run(folder, registry()), make_finished_run(folder.parent / "other"))
    return comparison_tables(comparison, ("a", "b")), describe_agreement(comparison), comparison.to_json()


def read_file_calibration(path: Path) -> object:
    """Read the calibration beside a model file, and use its threshold."""
    model = path.with_name("model.onnx")
    model.write_bytes(b"a model")
    calibration = read_calibration(model, DIGEST)
    assert calibration is not None
    assert isfinite(calibration.threshold.value)
    return calibration.threshold.text(), calibration.to_json(), calibration.interval[1] - calibration.bpcer


def of_run(name: str, *originals: str, read: Callable[[Path], object] = read_report) -> TextReader:
    """A reader of one file of a run folder."""

    def prepare(folder: Path) -> Read:
        run = Run(folder / "run", Recipe(), registry())
        run.create()
        table = ScoreTable.of({"id": ["a", "b"], "score": [0.1, 0.9], "label": [0, 1]})
        for split in ("dev", "test"):  # without digests, as runs of former versions
            table.write(run.scores(split))
        return of_file(f"run/{name}", read).prepare(folder)

    return TextReader([text.encode() for text in originals], prepare)


DIGEST = "0" * 64
CALIBRATION = json.dumps(
    {
        "sha256": DIGEST,
        "calibration": asdict(
            Calibration(
                threshold=Threshold(0.5, "site:blend", "site"),
                shipped=Threshold(0.4, "eer", "dev"),
                date="2026-03-01",
                rule="blend",
                bpcer=0.05,
                confidence=0.95,
                photos=20,
                people=4,
                attacks=0,
                rejected=0.05,
                interval=(0.0, 0.2),
            )
        ),
    }
)
SET_KEYS = ("train.lr", "model.backbone", "data", "loss", "modalities", "train.seed", "threshold")
RECIPE = to_yaml(to_plain(Recipe(), registry()))
SHORT_RECIPE = "extends: quickstart\ntrain: {lr: 0.02, epochs: 3}\nloss: &a {name: focal, gamma: 2}\n"
CONDITIONS = Conditions.of(Run(Path(), Recipe(), registry()), TwoSplits())
HISTORY = json.dumps([asdict(Entry("2026-03-01", "epoch 1", (), CONDITIONS))])
SCORES = "id,label,species,score\n" + "".join(
    f"photo/{row}.png,{row % 2},{('print', 'live')[row % 2]},{row / 12:.3f}\n" for row in range(12)
)
ROWS = [{"path": f"{row}.jpg", "label": row % 2, "prob": row / 9} for row in range(9)]
BOB = "1 1 a/1_real 0.9\n1 attack/print a/1_print -0.3\n2 2 a/2_real 0.8\n2 attack/replay a/2_replay 0.1\n"
MANIFEST = (
    "path;label;split;species;subject;frame;box\na.png;1;train;;7;1;1 2 30 40\nb.png;0;dev;print;8;2;\n"
)
PATHS = [
    "train/1_031_1_1_1/profile/0001.jpg",
    "train/1_031_3_2_2/profile/0012.jpg",
    *("dev/003000/profile/0001.jpg", "test/000001/profile/0001.jpg"),
]
STATION = "face-station/12.02.18"
NUMBERS = [1] * 40 + [0, 1, 0, 0]
SPOOF_NUMBERS = [*NUMBERS[:40], 3, 1, 1, 1]
ENSEMBLE = Ensemble(
    FittedRule("stacking", ("a", "b"), (1.0, -2.5), bias=0.1),
    Threshold(0.5, "eer", "dev"),
    (Threshold(0.25, "eer", "dev"), Threshold(0.75, "fixed:0.75", "given")),
)

READERS: dict[str, TextReader] = {
    "recipe": of_file("recipe.yaml", read_recipe, RECIPE, SHORT_RECIPE),
    "set": of_file("value.txt", read_set, "0.02", "{name: focal, gamma: 2}", "[rgb, ir]", "!!float 3", "'a'"),
    "published config": of_file(
        "old.yaml",
        lambda path: convert_config(path, registry()),
        "common:\n  batch_size: 64\n  arch: FeatherNetA\n  lr: 0.1\nmodel:\n  input_size: 224\n",
    ),
    "external model": of_file(
        "terms.yaml",
        lambda path: ExternalModel.read(path).card.to_json(),
        "modalities: [rgb]\ninput_size: 224\nnormalize: {mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5]}\n"
        "channels: bgr\ngives: logits\nlive: 1\nthreshold: 0.5\n",
    ),
    "folds": of_file(
        "folds.yaml",
        lambda path: FoldRuns.open(path.parent, registry()).fold_runs(),
        to_yaml({"final": True, "digest": "0123", "recipe": {"folds": "subject:2"}}),
    ),
    "protocol set": of_file(
        "protocol_set.yaml",
        lambda path: ProtocolRuns.open(path.parent, registry()),
        to_yaml({"protocol": "cefa-4", "members": ["4@1", "4@2"], "recipe": {"data": "cefa"}}),
    ),
    "seeds": of_file(
        "seeds.yaml",
        lambda path: SeedRuns.open(path.parent, registry()).members,
        to_yaml({"seeds": [14, 15], "recipe": {"data": "cefa"}}),
    ),
    "score file, CSV": of_file("scores.csv", read_score_file, SCORES, SCORES.replace(",", ";"), BOB),
    "score file, JSON": of_file(
        "scores.json",
        read_score_file,
        "".join(json.dumps(row) + "\n" for row in ROWS),
    ),
    "score file, JSON object": of_file(
        "scores.json",
        lambda path: read_scores(path, need_labels=False).description,
        json.dumps({"attack/a.png": 0.25, "live/b.png": 1}),
    ),
    "score file, Parquet": of_file(
        "scores.parquet",
        read_score_file,
        to_parquet(path=["a.jpg", "b.jpg"], label=[0, 1], score=[0.1, 0.9], species=["print", None]),
    ),
    "labels": of_file(
        "labels.txt",
        read_labels,
        *(
            "a.png 1\nb.png 0\n",
            "id,label,subject\na.png,live,7\nb.png,attack,8\n",
            "+1,6_3_20_1\n-1,6_3_20_2\n",
        ),
    ),
    "score table, CSV": of_file("table.csv", read_table, SCORES),
    "score table, Parquet": of_file(
        "table.parquet", read_table, to_parquet(id=["a", "b"], score=[0.1, 0.9], label=[0, 1])
    ),
    "ensemble": of_file("rule.json", Ensemble.read, json.dumps(ENSEMBLE.to_json(), indent=2)),
    "crop log": of_file(
        "log.jsonl",
        lambda path: CropLog(path).read(CropSettings(size=48)),
        '{"settings": {"detector": "None", "margin": "0.1", "size": "48"}}\n'
        '{"id": "a", "box": [1.0, 2.0, 3.0, 4.0]}\n{"id": "b", "box": null}\n',
    ),
    "results": of_run(
        "results.json",
        json.dumps(
            {"train_hours": 0.5, "data": {"dev": "ab", "test": "cd"}, "splits": {"test": {"notes": []}}}
        ),
    ),
    "metrics": of_run(
        "metrics.jsonl",
        '{"epoch": 1, "loss": 0.5, "dev": {"eer": 0.2}}\n{"epoch": 2, "loss": NaN, "best": true}\n',
        read=read_history,
    ),
    "environment": of_run("environment.json", json.dumps({"packages": {"torch": "2"}, "python": "3.11"})),
    "runs, results": of_run(
        "results.json",
        json.dumps({"train_hours": 1, "data": {"test": "b"}, "splits": {"test": {"metrics": {"eer": 0.2}}}}),
        read=read_run_list,
    ),
    "runs, metrics": of_run(
        "metrics.jsonl",
        '{"epoch": 1, "loss": 0.5, "dev": {"eer": 0.2, "acer": 0.3}}\n{"epoch": 2, "loss": 1}\n',
        read=read_run_list,
    ),
    "runs, environment": of_run(
        "environment.json",
        json.dumps({"packages": {"torch": "2"}, "python": "3.11", "plugins": {"a": {"version": "1"}}}),
        read=read_run_list,
    ),
    "calibration": of_file("model.onnx.calibration.json", read_file_calibration, CALIBRATION),
    "search space": of_file(
        "space.yaml",
        lambda path: check_space(read_space([str(path)]), Recipe(), registry()),
        "train.lr: log:1e-4:1e-1\ntrain.batch_size: int:8:64\ntrain.optimizer: [sgd, adamw]\n",
        "augment.crop_scale: [[0.1, 1.0], [0.5, 1.0]]\nloss.name: ['focal']\n",
    ),
    "history": of_run("history.json", HISTORY, read=read_changes),
    "digests": of_run("scores/digests.json", json.dumps({"out_of_fold": {"file": "ab", "weights": None}})),
    "stored scores": of_run("scores/test.csv", SCORES),
    "run's recipe": of_run("recipe.yaml", RECIPE),
    "simulator": of_file(
        "simulator.json",
        lambda path: is_written(path.parent, SyntheticOptions()),
        json.dumps({"made_with": {"version": 1, "subjects": 42, "shots": 9, "size": 128, "seed": 0}}),
    ),
    "manifest, CSV": of_dataset(
        "m.csv",
        lambda root: Manifest(ManifestOptions(), root=root / "m.csv"),
        MANIFEST.replace(";", ","),
        "sep=;\n" + MANIFEST,
    ),
    "manifest, Parquet": of_file(
        "m.parquet",
        lambda path: read_splits(Manifest(ManifestOptions(), root=path), ["train", "dev"]),
        to_parquet(path=["a.png", "b.png"], label=[0, 1], split=["train", "val"], box=[[1.0, 2, 3, 4], None]),
    ),
    "CASIA-SURF": of_dataset(
        "train_list.txt",
        lambda root: CasiaSurf(CasiaSurfOptions(), root=root),
        "a/color/1.jpg a/depth/1.jpg a/ir/1.jpg 1\nb/color/2.jpg b/depth/2.jpg b/ir/2.jpg 0\n",
    ),
    "CASIA-SURF, manifest": of_dataset(
        "manifest.csv",
        lambda root: CasiaSurf(CasiaSurfOptions(), root=root),
        "id,species,subject,group\na/color/1.jpg,print,7,AF\nb/color/2.jpg,live,8,CA\n",
        lists={
            "train_list.txt": "a/color/1.jpg a/d/1.jpg a/ir/1.jpg 0\nb/color/2.jpg b/d/2.jpg b/ir/2.jpg 1\n"
        },
    ),
    "CeFA": of_dataset(
        "phase1/4@1_train.txt",
        lambda root: Cefa(CefaOptions("4@1"), root=root),
        f"{PATHS[0]} 1\n{PATHS[1]} 0\n",
        images=PATHS,
        lists={"phase1/4@1_dev_res.txt": "dev/003000\n", "phase2/4@1_test_res.txt": "test/000001\n"},
    ),
    "CeFA, submission": of_file(
        "phase1/4@1_dev_res.txt",
        read_submission,
        "dev/003000\ndev/003001\n",
    ),
    "OULU-NPU": of_dataset(
        "Protocols/Protocol_1/Train.txt",
        lambda root: OuluNpu(OuluNpuOptions("1"), root=root),
        "+1,1_1_01_1\n-1,1_2_01_2\n",
        images=["Train_files/1_1_01_1/0010.jpg", "Train_files/1_2_01_2/0010.jpg"],
        lists={f"Protocols/Protocol_1/{split}.txt": "" for split in ("Dev", "Test")},
    ),
    "NUAA": of_dataset(
        "client_train_raw.txt",
        lambda root: Nuaa(NuaaOptions(), root=root),
        "0001/0001_00_00_01_0.jpg\r\n0009/0009_01_05_02_7.jpg\r\n",
        images=[
            *("ClientRaw/0001/0001_00_00_01_0.jpg", "ClientRaw/0009/0009_01_05_02_7.jpg"),
            "ImposterRaw/0002/0002_00_00_01_0.jpg",
        ],
        lists={
            **{f"{name}_raw.txt": "" for name in ("client_test", "imposter_test")},
            "imposter_train_raw.txt": "0002/0002_00_00_01_0.jpg\n",
        },
    ),
    "MSU-MFSD": of_dataset(
        "train_sub_list.txt",
        lambda root: MsuMfsd(NoOptions(), root=root),
        "01 \n7\n\n55\n",
        images=["scene01/real/real_client001_android_SD_scene01/0003.png"],
        lists={"test_sub_list.txt": "2\n"},
    ),
    "WMCA": of_dataset(
        "PROTOCOL-grandtest.csv",
        lambda root: Wmca(WmcaOptions("grandtest"), root=root),
        f"{STATION}/035_01_000_0_01,bonafide,,train\n{STATION}/100_03_015_2_10,attack,attack/3D,dev\n",
        images=[f"{STATION}/{video}/color/0000.png" for video in ("035_01_000_0_01", "100_03_015_2_10")],
    ),
    "CelebA-Spoof": of_dataset(
        "metas/intra_test/train_label.json",
        lambda root: CelebaSpoof(CelebaSpoofOptions("intra_test"), root=root),
        json.dumps({"Data/train/1/live/1.jpg": NUMBERS, "Data/train/1/spoof/2.jpg": SPOOF_NUMBERS}),
        images=["Data/train/1/live/1.jpg", "Data/train/1/spoof/2.jpg"],
        lists={"metas/intra_test/test_label.json": "{}", "Data/train/1/live/1_BB.txt": "1 2 3 4 0.9"},
    ),
    "CelebA-Spoof, box": of_dataset(
        "Data/train/1/live/1_BB.txt",
        lambda root: CelebaSpoof(CelebaSpoofOptions("intra_test"), root=root),
        "56 28 112 56 0.99 \r\n",
        images=["Data/train/1/live/1.jpg"],
        lists={
            "metas/intra_test/train_label.json": json.dumps({"Data/train/1/live/1.jpg": NUMBERS}),
            "metas/intra_test/test_label.json": "{}",
        },
    ),
}
