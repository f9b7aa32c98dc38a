"""``polars-avro completion``: scripts that complete commands and options in a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from polars_avro._cli.command import Command


@click.command(cls=Command)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """
    Print a script that completes commands and options in a shell.

    \b
    bash: polars-avro completion bash \\
            > ~/.local/share/bash-completion/completions/polars-avro
    zsh:  polars-avro completion zsh > "${fpath[1]}/_polars-avro"
    fish: polars-avro completion fish \\
            > ~/.config/fish/completions/polars-avro.fish
    """  # noqa: D301
    shells = get_completion_class(shell)
    assert shells is not None
    click.echo(shells(ctx.find_root().command, {}, "polars-avro", "_POLARS_AVRO_COMPLETE").source())
