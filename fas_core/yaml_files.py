"""Read YAML of any origin within limits: of size, depth and of what its aliases stand for.

`MAX_YAML` bytes and `MAX_VALUES` values are some hundred times what a recipe has. An alias counts as all the
values that it stands for, so nine levels of nine aliases each are refused before anything walks through them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import ConstructorError

from fas_core.errors import ConfigError, FasError
from fas_core.text_files import MAX_DEPTH, MAX_DIGITS, describe_bad_text, read_text, shorten

MAX_YAML = 1 << 20
MAX_VALUES = 10_000


def read_yaml(path: Path, error: type[FasError] = ConfigError) -> Any:
    """Read a YAML document; raises as `fas_core.text_files.read_text` and `parse_yaml`."""
    return parse_yaml(read_text(path, MAX_YAML, error), str(path), error)


def parse_yaml(text: str, where: str, error: type[FasError] = ConfigError) -> Any:
    """Parse YAML into plain values.

    Raises:
        FasError: it is not YAML, gives a key twice, has a tag of another program or that its value does not
            fit, or exceeds a limit. The message begins with `where`, and the line if there are several.
    """
    try:
        return yaml.load(text, _LimitedLoader)
    except yaml.YAMLError as reason:
        mark = getattr(reason, "problem_mark", None)
        line = f":{mark.line + 1}" if mark and "\n" in text else ""
        problem = getattr(reason, "problem", None) or getattr(reason, "reason", None) or str(reason)
        kind = "" if isinstance(reason, _LimitError) else "not YAML: "
        raise error(f"{where}{line}: {kind}{' '.join(str(problem).split())}") from reason


class _LimitError(ConstructorError):
    """YAML that exceeds a limit."""


class _LimitedLoader(yaml.SafeLoader):
    """A YAML loader within limits. It refuses a duplicate key too, where YAML would keep the last value."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._depth = self._count = 0
        self._sizes: dict[int, int] = {}
        """Number of values in each node that is complete, by its `id`."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose a node; count its level and the values in it."""
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _LimitError(
                problem=f"nested more than {MAX_DEPTH} levels deep", problem_mark=event.start_mark
            )
        before, is_alias = self._count, isinstance(event, yaml.AliasEvent)
        node: yaml.Node | None = super().compose_node(parent, index)
        if is_alias:
            if id(node) not in self._sizes:
                problem = f"the alias *{shorten(event.anchor)} stands for a value that it is part of"
                raise ConstructorError(problem=problem, problem_mark=event.start_mark)
            self._count += self._sizes[id(node)]
        else:
            self._count += 1
            self._sizes[id(node)] = self._count - before
        if self._count > MAX_VALUES:
            problem = f"more than {MAX_VALUES:,} values, those that aliases stand for included"
            raise _LimitError(problem=problem, problem_mark=event.start_mark)
        self._depth -= 1
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Construct a value; one that does not fit its tag is a YAML error."""
        tag = node.tag.replace("tag:yaml.org,2002:", "!!")
        try:
            if isinstance(node, yaml.ScalarNode) and tag in ("!!int", "!!float"):
                _refuse_digits(node)
            return super().construct_object(node, deep)
        except (ValueError, LookupError, AttributeError, TypeError, OverflowError) as reason:
            value = repr(shorten(node.value)) if isinstance(node.value, str) else "a mapping or list"
            problem = f"{value} is no value of the type {shorten(tag)}"
            raise ConstructorError(problem=problem, problem_mark=node.start_mark) from reason

    def construct_scalar(self, node: yaml.ScalarNode | yaml.MappingNode) -> Any:
        value = super().construct_scalar(node)
        if isinstance(value, str) and (problem := describe_bad_text(value)):
            problem = f"{problem}: {shorten(value)!r}"
            raise ConstructorError(problem=problem, problem_mark=node.start_mark)
        return value

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = set()
        pairs = node.value if isinstance(node, yaml.MappingNode) else []  # the tag !!set may be of a list
        for key in (key for key, _ in pairs if isinstance(key, yaml.ScalarNode)):
            if key.value in keys:
                problem = f"{shorten(key.value)!r} is given twice"
                raise ConstructorError(problem=problem, problem_mark=key.start_mark)
            keys.add(key.value)
        return super().construct_mapping(node, deep)


def _refuse_digits(node: yaml.ScalarNode) -> None:
    if len(node.value) > MAX_DIGITS:
        problem = f"a number of more than {MAX_DIGITS} digits"
        raise _LimitError(problem=problem, problem_mark=node.start_mark)
