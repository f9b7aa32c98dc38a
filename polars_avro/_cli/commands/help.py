"""``polars-avro help``: the help of a command."""

from __future__ import annotations

import click

from polars_avro._cli.command import Command


@click.command("help", cls=Command, hidden=True)
@click.argument("command", required=False)
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
