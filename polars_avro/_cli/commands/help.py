"""``polars-avro help``: the help of a command."""

from __future__ import annotations

import click

from polars_avro._cli.command import Command


def _names(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Return the commands that begin with this text, for shells."""
    group = ctx.find_root().command
    assert isinstance(group, click.Group)
    return [name for name in group.list_commands(ctx) if name.startswith(incomplete)]


@click.command("help", cls=Command, hidden=True)
@click.argument("command", required=False, shell_complete=_names)
@click.pass_context
def help_(ctx: click.Context, command: str | None) -> None:
    """Show the help of a command."""
    root = ctx.find_root()
    group = root.command
    assert isinstance(group, click.Group)
    if command is None:
        click.echo(root.get_help())
        return
    name, found, _ = group.resolve_command(root, [command])
    if found is None:
        # Options are resolved by the group.
        msg = f"no command {command!r}"
        raise click.UsageError(msg, root)
    click.echo(found.get_help(click.Context(found, parent=root, info_name=name)))
