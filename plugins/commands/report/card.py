"""A model card of a run: Markdown with Hugging Face's block of metadata, from the facts of a report.

The block is YAML between two lines of `---` at the top, which the Hub reads: license, library, tags, and the
results under `model-index` (https://huggingface.co/docs/hub/model-cards).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

import yaml
from attrs import frozen

from fas_core import __version__
from fas_core.config.recipe import Recipe
from fas_core.evaluation import format_tables
from fas_core.evaluation.formatting import figure_name
from fas_core.evaluation.metrics import finite_values
from fas_core.evaluation.tables import ISO_FIRST
from fas_core.names import escape_lines
from fas_core.text_table import Table
from fas_plugins.commands.report.groups import groups_table
from fas_plugins.commands.report.in_words import MODEL, put_in_words
from fas_plugins.commands.report.systems import EvaluatedSystem, TrainingRecord

MARK = "<!-- Written by fas card. -->"
"""A line by which the command knows the cards that it wrote."""

TAGS = ("face-anti-spoofing", "presentation-attack-detection", "liveness")
TASK = {"type": "image-classification", "name": "Face presentation attack detection"}

SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")
"""Characters that Markdown gives a meaning."""

SIMULATED = (
    "> **Simulated faces.** All figures are of computer-made faces: they say that the pipeline works, not "
    "that anyone's face is protected."
)

USE = (
    "It tells whether the face in front of a camera is alive or a presentation attack: a print, a screen, a "
    "mask. It does not tell who somebody is. Its figures hold for people, cameras and attacks like those it "
    "was judged on: judge it on your own before you rely on it, and set its threshold there, by "
    "`fas calibrate`."
)


@frozen(eq=False)
class ModelCard:
    """What a model card is written of.

    Args:
        name: of the model.
        license: identifier of its license, as the Hub lists them.
        recipe: of the run.
        training: how it was trained.
        system: its evaluation on one split.
        split: name of that split.
    """

    name: str
    license: str
    recipe: Recipe
    training: TrainingRecord
    system: EvaluatedSystem
    split: str

    def to_markdown(self) -> str:
        """Return the card."""
        block = yaml.safe_dump(self.metadata(), sort_keys=False, allow_unicode=True, width=110)
        sections = "\n\n".join(self._write_sections())
        return f"---\n{block}---\n{MARK}\n\n{sections}\n"

    def metadata(self) -> dict[str, Any]:
        """Return the block of metadata."""
        known = finite_values(self.system.result.metrics)
        order = [*(key for key in ISO_FIRST if key in known), *(key for key in known if key not in ISO_FIRST)]
        metrics = {key: value for key in order if (value := known[key]) is not None}
        figures = [
            {"type": key, "name": figure_name(key), "value": float(value)} for key, value in metrics.items()
        ]
        data = {"name": self._data, "type": self.recipe.data.name, "split": self.split}
        results = [{"task": TASK, "dataset": data, "metrics": figures}] if figures else []
        networks = sorted(_list_networks(self.recipe))
        return {
            "license": self.license,
            "library_name": "fas",
            "pipeline_tag": TASK["type"],
            "tags": [*TAGS, *self.recipe.modalities, *networks],
            "metrics": list(metrics),
            "model-index": [{"name": self.name, "results": results}],
        }

    @property
    def _data(self) -> str:
        """The data set and its protocol."""
        protocol = getattr(self.recipe.data.options, "protocol", None)
        return f"{self.recipe.data.name} {protocol}" if isinstance(protocol, str) else self.recipe.data.name

    def _write_sections(self) -> Iterator[str]:
        words, result = put_in_words(self.system), self.system.result
        yield f"# {escape_markdown(self.name)}"
        if self.system.simulated:
            yield SIMULATED
        yield f"{escape_markdown(self.recipe.describe())}. Trained and judged by fas {__version__}."
        yield f"## Intended use\n\n{USE}"
        facts = [(term, text) for term, text in words.facts.items() if term != MODEL]
        lines = [f"- **{term}.** {escape_markdown(text)}" for term, text in facts]
        lines += [f"- **Target {item.verdict}.** {escape_markdown(item.text)}." for item in words.targets]
        lines += [f"- **Warning.** {escape_markdown(text)}." for text in result.warnings]
        yield "\n".join([f"## How good it is, on the split {escape_markdown(self.split)}\n", *lines])
        for table in format_tables([result], lead=ISO_FIRST):
            yield format_markdown(table)
        if self.system.groups is not None:
            yield "## Differences between groups"
            yield format_markdown(groups_table(self.system.groups, self.name))
        yield f"## Data\n\n{self._describe_data()}"
        if not isinstance(self.system.data, str):
            yield format_markdown(self.system.data.table("Samples"))
        yield f"## How it was trained\n\n{self._describe_training()}"
        yield _fence("yaml", self.training.recipe)
        run, model = (shlex.quote(str(path)) for path in (self.system.path, self.system.path / "model.onnx"))
        yield "## How to use it"
        yield _fence("sh", f"fas export {run}\nfas predict {model} PHOTO")

    def _describe_data(self) -> str:
        prints = [f"{escape_markdown(split)} `{text}`" for split, text in self.training.data.items()]
        lines = [f"{escape_markdown(self._data)}. Fingerprints: {', '.join(prints) or 'not recorded'}."]
        check = self.system.data
        if isinstance(check, str):
            lines.append(f"The data were not checked: {escape_markdown(check)}.")
        else:
            lines += [f"- **Problem.** {escape_markdown(text)}." for text in check.problems]
            lines += [f"- **To look at.** {escape_markdown(text)}." for text in check.warnings]
            if not check.problems:
                lines.append("No person or sample is in two splits.")
        return "\n\n".join(lines)

    def _describe_training(self) -> str:
        hours = self.training.train_hours
        time = "" if hours is None else f" in {hours:.2f} hours"
        packages = self.training.environment.get("packages", {})
        versions = ", ".join(f"{name} {version}" for name, version in packages.items())
        made_with = f" Made with {escape_markdown(versions)}." if versions else ""
        epochs = len(self.training.history)
        return f"{epochs} epoch{'' if epochs == 1 else 's'}{time}.{made_with} The recipe:"


def _list_networks(recipe: Recipe) -> set[str]:
    backbone = recipe.model.backbone
    return {item.name for item in backbone.values()} if isinstance(backbone, dict) else {backbone.name}


def escape_markdown(text: str) -> str:
    """Return a text of one line that Markdown shows as it is: users choose names, species and paths."""
    return SPECIAL.sub(r"\\\1", escape_lines(text).replace("\n", " "))


def format_markdown(table: Table) -> str:
    """Return a table in Markdown, its title in bold above and its note below."""
    heads = [head.replace("\n", " ") or " " for head in table.columns]
    aligned = [":--" if index in table.left else "--:" for index in range(len(heads))]
    rows = [_format_row(heads), _format_row(aligned, escaped=False), *map(_format_row, table.rows)]
    note = [escape_markdown(line) for line in table.note.splitlines()]
    return "\n".join(
        [f"**{escape_markdown(table.title)}**\n", *rows, *(["", "\\\n".join(note)] if note else [])]
    )


def _format_row(cells: Sequence[str], *, escaped: bool = True) -> str:
    texts = [escape_markdown(cell) if escaped else cell for cell in cells]
    return f"| {' | '.join(texts)} |"


def _fence(language: str, text: str) -> str:
    """Return a block of code, between more backticks than it holds in a row."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    marks = "`" * max(3, longest + 1)
    return f"{marks}{language}\n{text.rstrip()}\n{marks}"
