"""Read the scores of an ensemble's members, for the samples to score and for dev."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from fas_core.digests import hash_file, read_weights_digest
from fas_core.errors import DataError, FasError, format_list
from fas_core.inference.scores_of import names_of, read_file, scores_of, stored_scores
from fas_core.runs import files
from fas_core.scores.files import Reading
from fas_core.scores.table import ScoreTable
from fas_plugins.commands.ensemble.joined_scores import JoinedScores, join_scores


@frozen
class ScoreSources:
    """Where the members' scores come from, and how to read them.

    Args:
        members: run folders, score files or exported models.
        split: the split to score, of runs and models.
        dev: dev score files, one for each member; empty for the dev scores that runs hold.
        labels, dev_labels: lists with the labels of score files that have none.
        workers: threads that read images, where a split has to be scored first.
        reading: how to read score files; None to find out.
    """

    members: Sequence[Path]
    split: str = "test"
    dev: Sequence[Path] = ()
    labels: Path | None = None
    dev_labels: Path | None = None
    workers: int = 2
    reading: Reading | None = None

    def names(self) -> list[str]:
        """The shortest paths that tell the members apart."""
        return names_of(self.members)

    def read_digests(self) -> tuple[str | None, ...]:
        """Return `KIND:SHA256` of each member's weights: of a run's best, or of an exported file.

        None for a score file, and for a run of a former version, which has no digest.
        """
        return tuple(map(_read_digest, self.members))

    def read(self) -> JoinedScores:
        """Read the members' scores, or compute them where a run or model has none for the split.

        Raises:
            FasError: a member does not exist or cannot be read, or two members hold different samples.
        """
        return join_scores(
            {
                name: scores_of(
                    path, self.split, workers=self.workers, labels=self.labels, reading=self.reading
                )
                for name, path in zip(self.names(), self.members, strict=True)
            }
        )

    def read_dev(self) -> JoinedScores | None:
        """Read the members' dev scores; None where no member has any.

        Raises:
            DataError: only some members have dev scores, or two members hold different samples.
        """
        if self.dev and len(self.dev) != len(self.members):
            raise FasError(
                f"--dev: {len(self.dev)} files for {len(self.members)} members: "
                f"give one for each, in their order"
            )
        tables: Sequence[ScoreTable | None]
        if self.dev:
            tables = [read_file(path, self.dev_labels, self.reading) for path in self.dev]
        else:
            tables = [stored_scores(path, "dev") for path in self.members]
        names = self.names()
        known = {name: table for name, table in zip(names, tables, strict=True) if table is not None}
        missing = [name for name in names if name not in known]
        if known and missing:
            raise DataError(
                f"{format_list(known)} come with dev scores and {format_list(missing)} without: "
                f"give --dev, a file for each (fas eval RUN --split dev --scores OUT.csv makes one)"
            )
        return join_scores({f"{name} (dev)": table for name, table in known.items()}) if known else None


def _read_digest(path: Path) -> str | None:
    if path.is_dir():
        digest = read_weights_digest(path / files.BEST)
        return None if digest is None else f"run:{digest}"
    is_model = files.is_model(path) and path.is_file()
    return f"{path.suffix[1:]}:{hash_file(path)}" if is_model else None
