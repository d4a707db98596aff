"""The documentation's commands and programs run: every `sh` and `python` block of README.md and docs/.

Blocks of `docs/learn/` and `docs/extend/` run in `test_learn.py`, `test_tutorial.py` and `test_extend.py`.

`CASES` says for each block what it needs, and `Skip` why one cannot run. Training is shortened by flags that
are appended to every `fas train` (`SMALL`); data are those of `fixtures.documented`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from attrs import frozen
from fixtures import documented as data
from fixtures.code_blocks import ROOT, Block, pages, read_blocks
from fixtures.running import run_script

SMALL = "--epochs 1 --input-size 64 -b 8 -j 0 --device cpu"
SIMULATED = "--set data.subjects=9 --set data.shots=1 --set data.size=64"
SIM = "--set subjects=9 --set shots=1 --set size=64"
CASIA_SURF = f"fas data make CASIA-SURF {SIM}"
TRAIN_QUICKSTART = f"fas train quickstart {SIMULATED}"
TRAIN_RGB = f"{TRAIN_QUICKSTART} --set modalities=[rgb] --set model.fusion=single"
INSTALL = "python -m pip install --no-index --no-deps --no-build-isolation --quiet --target site ."
NOTEBOOK_SIZE = (
    'model={"fusion": "single", "input_size": 64}, data={"name": "synthetic", "subjects": 9, "shots": 1, '
    '"size": 64}, train={"epochs": 1, "batch_size": 8, "workers": 0, "device": "cpu"}'
)
NETWORK = "needs the network"
FACES_TABLE = (
    "(cd faces; echo path,split,label; "
    "find . -name '*.png' | sed -E 's|^[.]/(([a-z]+)/([a-z]+)/.*)|\\1,\\2,\\3|') > faces.csv"
)


@frozen
class Run:
    """How a block runs.

    Args:
        build: functions that write data into its folder.
        before: shell commands that run first.
        replace: texts of the block -> what stands for them.
        train: flags appended to every `fas train`.
        after: appended to a Python block.
        long: whether it is left to `pytest -m long`.
    """

    build: tuple[data.Build, ...] = ()
    before: str = ""
    replace: Mapping[str, str] = {}
    train: str = SMALL
    after: str = ""
    long: bool = True


@frozen
class Skip:
    """Why a block does not run here."""

    reason: str


CASES: dict[str, Run | Skip] = {
    "README.md: pip install -c constraints.txt": Skip(f"{NETWORK}; the tests install the wheel and train"),
    "README.md: pip install .": Skip(f"{NETWORK}; tests/docs/test_learn.py runs the same from files"),
    "docs/index.md: pip install .": Skip(f"{NETWORK}; tests/docs/test_learn.py runs the same from files"),
    "docs/api.md: FAS_API": Run(after="import fas_core; assert FAS_API == fas_core.API_VERSION", long=False),
    "docs/command-line.md: fas completion bash": Run(
        before="export HOME=$PWD; mkdir -p .zfunc .config/fish/completions", long=False
    ),
    "docs/command-line.md: fas doctor": Run(),
    "docs/data.md: fas train nuaa-feathernet-b --data faces.csv --set data.image_root=s3": Run(
        (data.faces,), before=FACES_TABLE, replace={"s3://bucket": "local://$PWD"}
    ),
    "docs/data.md: fas train nuaa-feathernet-b --data faces.csv --set data.image_root=zip": Run(
        (data.faces,), before=f"{FACES_TABLE}; (cd faces; python -m zipfile -c ../faces.zip *)"
    ),
    "docs/data.md: fas data split photos": Run((data.flat_photos,)),
    "docs/data.md: fas data crop photos": Run((data.photos,), long=False),
    "docs/data.md: fas data frames videos": Run((data.videos,), long=False),
    "docs/data.md: fas data frames OULU": Run((data.oulu,)),
    "docs/data.md: fas data frames replay": Run((data.replay,)),
    "docs/data.md: fas data frames MSU-MFSD": Run((data.msu,)),
    "docs/data.md: fas train nuaa-feathernet-b --data LCC_FASD": Run((data.lcc_fasd,)),
    "docs/data.md: fas data crop CelebA_Spoof": Run((data.celeba_spoof,)),
    "docs/data.md: # wmca_frames.py": Skip("needs h5py and WMCA's release, which may not be passed on"),
    "docs/data.md: python wmca_frames.py": Run(
        (data.wmca_frames,), replace={"python wmca_frames.py WMCA frames\n": ""}
    ),
    "docs/data.md: fas train feathernet-b-32 --data casia_surf": Run(before=CASIA_SURF),
    "docs/data.md: fas train feathernet-modal-fusion --data cefa": Run((data.cefa,)),
    "docs/data.md: fas data crop NUAA": Run((data.nuaa,)),
    "docs/deploy.md: import json": Run(
        before=f"{TRAIN_RGB} --name trial\nfas export runs/trial --format executorch -o model.pte",
        replace={"execute([face])": "execute([__import__('torch').zeros(1, 64, 64, 3).byte()])"},
        after="assert 0 <= score <= 1",
    ),
    "docs/deploy.md: import numpy": Skip("needs a running Triton server"),
    "docs/ensembles.md: fas ensemble runs/a runs/b runs/c": Run(
        before=f"{CASIA_SURF}\n"
        "for name in a b c; do fas train quickstart --data casia_surf:CASIA-SURF --name $name; done"
    ),
    "docs/ensembles.md: fas ensemble a.txt b.txt": Run((data.submissions,), long=False),
    "docs/ensembles.md: fas ensemble runs/a runs/b --rule published": Run(
        (data.scores,),
        before=f"fas data make sim {SIM}\n"
        "for name in a b; do fas train quickstart --data casia_surf:sim --name $name; done\n"
        "for name in a b; do fas eval runs/$name --scores ${name}_test.csv; done",
    ),
    "docs/ensembles.md: fas ensemble runs/concat_linear": Run(
        before="for name in concat_linear pipenet cdcn; do\n"
        f"  {TRAIN_QUICKSTART} --name $name --set model.fusion=$name\n"
        "done"
    ),
    "docs/ensembles.md: fas train quickstart --data data/cefa": Run(
        (lambda folder, draw: data.cefa(folder, draw, "data/cefa"),)
    ),
    "docs/explain.md: fas train quickstart": Run(
        replace={
            "--set data.subjects=18": "",
            "--set subjects=18": "--set subjects=18 --set shots=1 --set size=64",
        },
        train=f"{SMALL} {SIMULATED}",
    ),
    "docs/export.md: fas export runs/trial  ": Run(before=f"{TRAIN_RGB} --name trial"),
    "docs/export.md: import cv2": Run(
        before=f"{TRAIN_RGB} --name trial\nfas export runs/trial -o model.onnx",
        replace={
            "(224, 224)": "(64, 64)",
            "import cv2\n": "import cv2\nimport numpy as np\ncrop = np.zeros((80, 80, 3), np.uint8)\n",
        },
        after="assert 0 <= score <= 1",
    ),
    "docs/export.md: import torch": Run(
        before=f"{TRAIN_RGB} --name trial\nfas export runs/trial --format torch -o model.pt2",
        after="assert extra['fas.json']",
    ),
    "docs/judging.md: fas score test.csv": Run((data.scores,), long=False),
    "docs/uncertain.md: fas predict": Run(
        (data.faces,),
        before=f"{TRAIN_RGB} --name trial\nfas export runs/trial -o model.onnx\ncp -r faces/test photos",
        replace={"fas train --set": f"{TRAIN_RGB} --set", "0.4:0.6": "-9:9"},
    ),
    "docs/judging.md: fas score submission.txt": Run((data.submissions,), long=False),
    "docs/judging.md: fas score oulu.csv": Run((data.oulu_scores,), long=False),
    "docs/judging.md: fas score scores-eval-real": Run((data.bob_scores,), long=False),
    "docs/judging.md: fas report a.csv": Run((data.scores,)),
    "docs/calibrate.md: fas calibrate door.onnx": Run(
        (data.faces, data.periods),
        before="fas train feathernet-b-32 --data faces --set modalities=[rgb] --set model.normalize={}\n"
        "fas export runs/feathernet-b-32 -o door.onnx\n"
        "mkdir site\ncp -r march site/ann\ncp march/crops.jsonl site",
        replace={"fas serve door.onnx                           # serve\n": ""},
    ),
    "docs/calibrate.md: fas eval runs/trial": Skip("tests/inference/test_calibrate_on.py runs it"),
    "docs/monitoring.md: fas predict door.onnx": Run(
        (data.faces, data.periods),
        before="fas train feathernet-b-32 --data faces --set modalities=[rgb] --set model.normalize={}\n"
        "fas export runs/feathernet-b-32 -o door.onnx",
    ),
    "docs/following.md: fas train quickstart": Run(train=f"{SMALL} {SIMULATED}"),
    "docs/folds.md: fas train quickstart --folds": Run(
        train=f"{SMALL} {SIMULATED} --set data.subjects=30",
    ),
    "docs/notebooks.md: import fas_core as fas": Run(
        (data.photos,), replace={'model={"fusion": "single"}, train={"epochs": 2}': NOTEBOOK_SIZE}
    ),
    "docs/notebooks.md: from fas_core import load_recipe": Run(long=False),
    "docs/plugins.md: fas plugins new soft-hinge": Run(long=False),
    "docs/plugins.md: fas config show --set model.backbone=fas-core": Run(
        (data.plugin,), before=INSTALL, long=False
    ),
    "docs/plugins.md: fas --disable-plugin": Run(
        (data.plugin,), before=INSTALL, train=f"{SMALL} {SIMULATED}"
    ),
    "docs/predict.md: from pathlib import Path": Run(
        (data.faces,),
        before="fas train feathernet-b-32 --data faces --set modalities=[rgb] --set model.normalize={}\n"
        "fas export runs/feathernet-b-32 -o model.onnx\n"
        "cp faces/test/live/0.png face.jpg",
    ),
    "docs/protocols.md: fas train quickstart --data data/cefa": Run(
        (lambda folder, draw: data.cefa(folder, draw, "data/cefa"),)
    ),
    "docs/ray.md: fas predict model.onnx photos.csv": Run(
        (data.faces,),
        before="fas train feathernet-b-32 --data faces --set modalities=[rgb] --set model.normalize={}\n"
        "fas export runs/feathernet-b-32 -o model.onnx\n"
        "(echo path; ls faces/test/*/*.png) > photos.csv",
    ),
    "docs/ray.md: fas data crop photos.csv": Run(
        (data.photos,), before="(echo path; ls photos/test/*/*.png photos/test/*/*/*.png) > photos.csv"
    ),
    "docs/recipes.md: fas config show mine.yaml": Run((data.recipe,), long=False),
    "docs/recipes.md: fas config show augmented.yaml": Run((data.recipe,), long=False),
    "docs/recipes.md: fas config convert": Run(
        (data.old_config,), before=CASIA_SURF, replace={"/data/CASIA-SURF": "CASIA-SURF"}
    ),
    "docs/recipes.md: pip install": Skip(NETWORK),
    "docs/recipes.md: fas train feathernet-modal-fusion-patches": Run(
        (lambda folder, draw: data.cefa(folder, draw, "CASIA_CeFA"),),
        before=f"fas data make sim {SIM}",
        replace={"quickstart": "quickstart --data casia_surf:sim"},
    ),
    "docs/recipes.md: fas train quickstart --name big": Run(train=f"{SMALL} {SIMULATED}"),
    "docs/recipes.md: fas train quickstart --set train.cache": Run(
        replace={"~/": ""}, train=f"{SMALL} {SIMULATED}"
    ),
    "docs/recipes.md: fas train --set train.modality_dropout": Run(train=f"{SMALL} {SIMULATED}"),
    "docs/report.md: fas report runs/quickstart": Run(
        (data.scores,),
        before="\n".join(f"{TRAIN_QUICKSTART} --name {name}" for name in ("quickstart", "a", "b")),
    ),
    "docs/report.md: fas train quickstart --name all_cameras": Run(
        replace={"chromium --headless": "true"}, train=f"{SMALL} {SIMULATED}"
    ),
    "docs/report.md: fas report vendor.csv --threshold fixed:0.5 --target": Run((data.scores,)),
    "docs/report.md: fas report vendor.csv --threshold fixed:0.5 --group-by": Run(
        (data.scores,), before="sed -i '1s/$/,skin_tone/; 2~2s/$/,light/; 3~2s/$/,dark/' vendor.csv"
    ),
    "docs/report.md: fas card": Run(before=f"{TRAIN_QUICKSTART} --name quickstart"),
    "docs/results.md: pip install -c constraints.txt": Skip(NETWORK),
    "docs/results.md: fas train quickstart --set model.fusion": Run(train=f"{SMALL} {SIMULATED}"),
    "docs/results.md: fas train quickstart --name teacher": Run(train=f"{SMALL} {SIMULATED}"),
    "docs/results.md: fas train quickstart --set train.modality_dropout": Run(train=f"{SMALL} {SIMULATED}"),
    "docs/results.md: fas data crop db": Run((lambda folder, draw: data.nuaa(folder, draw, "db"),)),
    "docs/results.md: fas train nuaa-feathernet-b --data": Run((data.nuaa_crops,)),
    "docs/results.md: fas train nuaa-feathernet-b --set 'model.backbone": Run((data.nuaa_crops,)),
    "docs/results.md: fas train nuaa-feathernet-b --folds": Run((data.nuaa_crops,)),
    "docs/results.md: fas train nuaa-texture --data": Skip(NETWORK),
    "docs/results.md: fas train nuaa-texture --set train.copies": Skip(NETWORK),
    "docs/results-at-a-glance.md: fas train quickstart --name avx512": Run(),
    "docs/runs.md: fas train quickstart --seeds": Run(train=f"{SMALL} {SIMULATED}"),
    "docs/runs.md: fas train --name first": Run(train=f"{SMALL} {SIMULATED}"),
    "docs/runs.md: fas runs diff": Run(
        before=f"{TRAIN_QUICKSTART} --name first\n{TRAIN_QUICKSTART} --name second"
    ),
    "docs/scale.md: torchrun --nproc-per-node 2": Run(
        replace={"train quickstart": f"train quickstart {SMALL} {SIMULATED}"}
    ),
    "docs/scale.md: accelerate launch --multi_gpu --num_processes": Run(
        replace={"train quickstart": f"train quickstart {SMALL} {SIMULATED}"}
    ),
    "docs/scale.md: torchrun --nnodes 2": Skip("needs two machines"),
    "docs/scale.md: accelerate launch --multi_gpu --num_machines": Skip("needs two machines"),
    "docs/scale.md: torchrun --nproc-per-node 8": Skip("needs several machines"),
    "docs/scale.md: export FSSPEC_SIMPLECACHE": Run(
        (data.faces,),
        before=FACES_TABLE,
        replace={"/local/cache": "$PWD/cache", "s3://bucket": "local://$PWD"},
    ),
    "docs/scale.md: python benchmarks/scaling.py": Run(
        replace={"benchmarks/": f"{ROOT}/benchmarks/"}, long=False
    ),
    "docs/simulator.md: fas train ": Run(
        replace={"data make FOLDER": f"data make FOLDER {SIM}", "show synthetic": "show FOLDER"},
        train=f"{SMALL} {SIMULATED}",
    ),
    "docs/use/cameras.md: fas data crop photos": Run((data.camera_photos,)),
    "docs/use/cameras.md: fas export runs/door": Run(
        (data.camera_photos,),
        before="fas data split photos --by subject --pattern '/([^/_]+)_' -o faces.csv\n"
        "fas train feathernet-modal-fusion --data faces.csv --name door",
    ),
    "docs/use/cameras.md: from fas_core import Predictor": Run(
        (data.camera_photos,),
        before=f"{TRAIN_QUICKSTART} --name door\nfas export runs/door -o door.onnx\n"
        "for name in rgb depth ir; do cp photos/live/$name/anna_01.png anna_$name.png; done",
        after="assert answer.verdict in ('live', 'attack')",
    ),
    "docs/weights.md: fas import feathernetB.pth.tar": Run(
        (data.checkpoints, data.depth_image),
        before=CASIA_SURF,
        replace={
            "casia_surf:ROOT": "casia_surf:CASIA-SURF",
            "--data synthetic": "--data casia_surf:CASIA-SURF",
        },
    ),
    "docs/tune.md: fas tune quickstart": Run(
        train=f"{SMALL} {SIMULATED}",
        replace={"fas tune quickstart": f"fas tune quickstart {SMALL} {SIMULATED}"},
    ),
    "docs/weights.md: fas import three_classes.pth": Run((data.three_classes,)),
    "docs/weights.md: fas import fused.pth": Run((data.fused_checkpoint,)),
    "docs/weights.md: fas import checkpoint.pth.tar": Run(
        (data.checkpoints,),
        before=CASIA_SURF,
        replace={"casia_surf:ROOT": "casia_surf:CASIA-SURF"},
        train="--epochs 2 -j 0 --device cpu",
    ),
}

BLOCKS = [
    block
    for page in pages()
    for block in read_blocks(page)
    if block.language in ("sh", "python") and not block.file_name
]


def find_cases(block: Block) -> list[str]:
    return [key for key in CASES if block.key.startswith(key)]


def parameters() -> list[object]:
    """The blocks that run, the long ones marked."""
    found = []
    for block in BLOCKS:
        for case in (CASES[key] for key in find_cases(block)):
            if isinstance(case, Run):
                marks = [pytest.mark.long] if case.long else []
                found.append(pytest.param(block, case, marks=marks, id=f"{block.page}:{block.line}"))
    return found


def test_every_block_runs_or_has_a_reason_not_to() -> None:
    matches = {f"{block.page}:{block.line}": find_cases(block) for block in BLOCKS}
    assert {name: keys for name, keys in matches.items() if len(keys) != 1} == {}
    assert sorted(CASES) == sorted(key for keys in matches.values() for key in keys)


def test_every_fenced_block_is_closed_and_read() -> None:
    for page in pages():
        lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
        fences = [line for line in lines if line.startswith("```")]
        assert set(fences[1::2]) <= {"```"}, page
        with_language = [fence for fence in fences[::2] if fence != "```"]
        assert len(with_language) == len(read_blocks(page)), page


@pytest.mark.parametrize(("block", "case"), parameters())
def test_a_block_runs(block: Block, case: Run, tmp_path: Path, photo_with: Callable[..., data.Image]) -> None:
    rng = np.random.default_rng(14)

    def draw(live: bool, number: int) -> data.Image:
        photo = photo_with((160 + number, 120, 60)) - rng.integers(0, 8, (240, 320, 3), np.uint8)
        return photo if live else photo // 2

    for build in case.build:
        build(tmp_path, draw)
    text = block.text
    for old, new in case.replace.items():
        assert old in text, f"{old!r} is not in the block"
        text = text.replace(old, new)
    if block.language == "python":
        (tmp_path / "block.py").write_text(f"{text}\n{case.after}\n")
        text = "python block.py"
    run_script(f"{case.before}\n{text}", case.train, tmp_path)
