"""Seconds of `fas` for the worst text that a stranger can send, each in a process of its own.

Run it as `python benchmarks/worst_inputs.py`. Each input is an error of one line; `fas --version` is the time
that every command takes to start.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet

LIMIT = 60
ROWS = "id,label,score\n" + "".join(f"s{row},{row % 2},{row / 100}\n" for row in range(100))
DIGITS = "1" * 500_000
NINES = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 9)
)
SCORES: dict[str, tuple[str, str]] = {
    "one number of 500,000 digits": ("digits.csv", f"{ROWS}x,1,{DIGITS}\n"),
    "JSON, one number of 500,000 digits": ("digits.json", f'{{"a": 0.{DIGITS}}}'),
    "20,000 columns": ("columns.csv", f"{','.join(map(str, range(20_000)))}\n"),
    "200,000 columns": ("wide.csv", f"{','.join(map(str, range(200_000)))}\n"),
    "JSON, 20,000 keys": ("keys.json", f"{json.dumps({f'c{key}': [1] for key in range(20_000)})}\n" * 2),
    "a line of 50 MB": ("line.csv", f"{ROWS}{'x' * 50_000_000},1,0.5\n"),
}
RECIPES: dict[str, str] = {
    "nine levels of aliases": f"{NINES}train: *a8\n",
    "3,000 levels": f"train: {'[' * 3000}{']' * 3000}\n",
    "500,000 values": f"train: [{'1,' * 500_000}]\n",
    "10 MB of text": f"train: '{'x' * 10_000_000}'\n",
    "one number of 500,000 digits": f"train: {{lr: {DIGITS}}}\n",
}


def write_inputs(folder: Path) -> dict[str, list[str]]:
    """Write the inputs; return the arguments of a command for each."""
    commands = {"fas --version": ["--version"]}
    for name, (file, text) in SCORES.items():
        (folder / file).write_text(text)
        commands[f"score file: {name}"] = ["score", str(folder / file)]
    (folder / "manifest.csv").write_text(f"path,{','.join(map(str, range(20_000)))}\n1\n")
    commands["manifest: 20,000 columns"] = ["data", "check", str(folder / "manifest.csv")]
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 3000, pa.int32()), ["x" * 1_000_000])
    pa.parquet.write_table(pa.table({"id": column}), folder / "text.parquet")
    commands["Parquet: 3 GB of one text"] = ["score", str(folder / "text.parquet")]
    for number, (name, text) in enumerate(RECIPES.items()):
        (folder / f"{number}.yaml").write_text(text)
        commands[f"recipe: {name}"] = ["config", "show", str(folder / f"{number}.yaml")]
    commands["--set: nine levels of aliases"] = ["config", "show", "--set", f"train.lr={NINES}z: *a8"]
    return commands


def main() -> None:
    """Print a line for each input: its name, the seconds, and the error."""
    with TemporaryDirectory() as folder:
        for name, arguments in write_inputs(Path(folder)).items():
            start = time.monotonic()
            try:
                command = [sys.executable, "-m", "fas_core", *arguments]
                process = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT)
                message = (process.stderr or process.stdout).strip().splitlines()[-1].replace(folder, "")
            except subprocess.TimeoutExpired:
                message = "no answer"
            print(f"{name:48} {time.monotonic() - start:6.1f} s  {message[:80]}")


if __name__ == "__main__":
    main()
