"""The classes of commands, which correct help and messages of click."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Options that help lists last, because few sources need them.
_LAST = ("hidden_file_prefix", "storage_options")
#: Options of other tools, and the options here that do the same. The first that a command has is suggested.
_USUAL = {
    **dict.fromkeys(
        ("--limit", "--lines", "--head", "--num", "--nrows", "--n-rows", "--max-rows"), ("--rows", "--count")
    ),
    **dict.fromkeys(("--rows", "--count"), ("--count", "--rows")),
    **dict.fromkeys(("--filter", "--query", "--condition", "--predicate", "--sql"), ("--where",)),
    **dict.fromkeys(("--select", "--fields", "--cols", "--column", "--field", "--project"), ("--columns",)),
    "--skip": ("--offset",),
    "--output-format": ("--to",),
    "--input-format": ("--from",),
    "--format": ("--to",),
    "--delimiter": ("--separator",),
    "--sep": ("--separator",),
    "--force": ("--overwrite",),
    "--compression-level": ("--level",),
    "--indent": ("--pretty",),
}
#: Commands of avro-tools and parquet-tools, and what does the same here.
_USUAL_COMMANDS = {
    "canonical": "schema --format canonical",
    "fingerprint": "schema --format fingerprint",
    "totext": "cat",
    "show": "head",
    "csv": "convert",
    "inspect": "metadata",
    "meta": "metadata",
    "rowcount": "count",
    "merge": "concat",
}
#: Similarity of an option that is suggested. By click's own 0.6, `--codec` is like `--schema-mode`.
_SIMILARITY = 0.75


class Command(click.Command):
    """A subcommand."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the parameters in the order of help."""
        *params, help_option = super().get_params(ctx)
        return [*sorted(params, key=lambda parameter: parameter.name in _LAST), help_option]

    def get_short_help_str(self, limit: int = 45) -> str:
        """Return the whole first sentence of the description."""
        return super().get_short_help_str(1000)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments. Errors refer to the help of this command."""
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            number = next((arg for arg in given if re.fullmatch("-[0-9]+", arg)), None)
            name = error.option_name if number is None else number
            raise click.UsageError(f"no option {name}{self._suggestion(ctx, name)}", ctx) from None
        except click.MissingParameter as error:
            # click gives a single argument to TARGET, and misses SOURCE.
            target = next((parameter for parameter in self.params if parameter.name == "target"), None)
            missing = None if error.param is None else error.param.name
            if target and missing == "sources" and isinstance(self._parsed(ctx, given).get("target"), str):
                error.param = target
            raise
        except click.UsageError as error:
            error.ctx = error.ctx or ctx
            raise

    def option_names(self) -> list[str]:
        """Return the names of the options."""
        return [name for parameter in self.params if isinstance(parameter, click.Option) for name in parameter.opts]

    def _parsed(self, ctx: click.Context, args: list[str]) -> dict[str, Any]:
        """Return the texts of arguments and options, without conversion."""
        options, _, _ = self.make_parser(ctx).parse_args(list(args))
        return dict(options)

    def _suggestion(self, ctx: click.Context, name: str) -> str:
        names = self.option_names()
        if name[1:].isdecimal() and "-n" in names:
            return f"; did you mean -n {name[1:]}?"
        if name in ("-o", "--output", "--out") and any(parameter.name == "target" for parameter in self.params):
            return "; the last argument is TARGET"
        usual = next((option for option in _USUAL.get(name, ()) if option in names), None)
        if usual is not None:
            return f"; did you mean {usual}?"
        if others := [other for other in _siblings(ctx) if name in other.option_names()]:
            return f"; {', '.join(str(other.name) for other in others)} {'has' if len(others) == 1 else 'have'} it"
        near = difflib.get_close_matches(name, names, n=1, cutoff=_SIMILARITY)
        return f"; did you mean {near[0]}?" if near else ""


def _siblings(ctx: click.Context) -> Iterator[Command]:
    group = ctx.parent.command if ctx.parent is not None else None
    commands = group.commands.values() if isinstance(group, click.Group) else ()
    return (command for command in commands if isinstance(command, Command) and not command.hidden)


class Group(click.Group):
    """The command that has subcommands."""

    command_class = Command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a subcommand. The name of a file is a forgotten subcommand."""
        name = args[0]
        if ctx.resilient_parsing or name.startswith("-") or self.get_command(ctx, name) is not None:
            return super().resolve_command(ctx, args)
        msg = f"no command {name!r}"
        if "." in name or "/" in name:
            msg += f"; `{ctx.command_path} head {name}` shows its rows"
        elif usual := _USUAL_COMMANDS.get(name):
            msg += f"; did you mean `{usual}`?"
        elif near := difflib.get_close_matches(name, self.commands, n=1):
            msg += f"; did you mean {near[0]!r}?"
        raise click.UsageError(msg, ctx)
