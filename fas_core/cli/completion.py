"""`fas completion SHELL`: the script by which a shell completes `fas`, and what it asks `fas` for."""

from __future__ import annotations

import io
import os
import sys
from contextlib import redirect_stderr, suppress
from typing import Any, NoReturn

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    add_completion_class,
    get_completion_class,
    shell_complete,
    split_arg_string,
)

from fas_core.cli import COMPLETING, main
from fas_core.cli.command import FasCommand

BREAKS = ":="
"""Where bash divides words by default: it replaces only what follows the last of them."""

BASH = """\
%(complete_func)s() {
    local kind value
    COMPREPLY=()
    while IFS=, read -r kind value; do
        case $kind in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain)
                COMPREPLY+=("$value")
                case $value in *=) compopt -o nospace ;; esac ;;
        esac
    done < <(COMP_LINE=$COMP_LINE COMP_POINT=$COMP_POINT %(complete_var)s=bash_complete "$1" 2>/dev/null)
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""


@add_completion_class
class WholeWords(BashComplete):
    """Completion of `KEY=VALUE` and `NAME:ROOT` as the words that they are, from the line as it was typed."""

    source_template = BASH
    before = ""

    def get_completion_args(self) -> tuple[list[str], str]:
        typed = os.environ["COMP_LINE"][: int(os.environ["COMP_POINT"])]
        words = split_arg_string(typed)
        incomplete = "" if typed[-1:].isspace() else words.pop()
        self.before = incomplete[: max(map(incomplete.rfind, BREAKS)) + 1]
        return words[1:], incomplete

    def format_completion(self, item: CompletionItem[Any]) -> str:
        return f"{item.type},{item.value.removeprefix(self.before)}"


def answer_shell(root: click.Command) -> NoReturn:
    """Print what a shell asked for, and exit.

    A failure, of a plugin for example, gives no completions and no words in the line that is being typed.
    """
    status = 1
    with suppress(Exception), redirect_stderr(io.StringIO()):
        status = shell_complete(root, {}, "fas", COMPLETING, os.environ[COMPLETING])
    sys.exit(status)


@click.command(
    cls=FasCommand,
    examples="""
        # bash
        fas completion bash >> ~/.bashrc
        # zsh, in a folder of its $fpath
        fas completion zsh > ~/.zfunc/_fas
        # fish
        fas completion fish > ~/.config/fish/completions/fas.fish
    """,
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]), metavar="bash|zsh|fish")
def command(shell: str) -> None:
    """Print the script by which a shell completes `fas`.

    It completes commands, options, recipes, runs, models, data sets, components, and the keys of --set.
    """
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind.source_template % kind(main, {}, "fas", COMPLETING).source_vars(), nl=False)
