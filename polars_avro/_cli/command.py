"""The class of all subcommands, which corrects some messages of click."""

from __future__ import annotations

import click


class Command(click.Command):
    """A subcommand."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments. Errors refer to the help of this command."""
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.MissingParameter as error:
            # click gives a single argument to TARGET, and misses SOURCE.
            target = next((parameter for parameter in self.params if parameter.name == "target"), None)
            if target is not None and isinstance(self._parsed(ctx, given).get("target"), str):
                error.param = target
            raise

    def _parsed(self, ctx: click.Context, args: list[str]) -> dict[str, object]:
        """Return the texts of arguments and options, without conversion."""
        options, _, _ = self.make_parser(ctx).parse_args(list(args))
        return dict(options)
