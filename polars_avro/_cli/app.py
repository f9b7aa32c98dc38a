"""The command ``polars-avro``: its subcommands, and its exit status."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from typing import TYPE_CHECKING, Any

import click

from polars_avro import __version__, _interrupts
from polars_avro._bad_blocks import AvroWarning
from polars_avro._cli import ending, failures
from polars_avro._cli.command import Group
from polars_avro._cli.commands.aliases import getmeta, getschema
from polars_avro._cli.commands.cat import cat
from polars_avro._cli.commands.check import check
from polars_avro._cli.commands.completion import completion
from polars_avro._cli.commands.concat import concat
from polars_avro._cli.commands.convert import convert
from polars_avro._cli.commands.count import count
from polars_avro._cli.commands.diff import diff
from polars_avro._cli.commands.fromjson import fromjson
from polars_avro._cli.commands.head import head
from polars_avro._cli.commands.help import help_
from polars_avro._cli.commands.metadata import metadata
from polars_avro._cli.commands.random_rows import random_rows
from polars_avro._cli.commands.recodec import recodec
from polars_avro._cli.commands.repair import repair
from polars_avro._cli.commands.sample import sample
from polars_avro._cli.commands.schema import schema
from polars_avro._cli.commands.schemata import schemata
from polars_avro._cli.commands.tail import tail
from polars_avro._cli.commands.tojson import tojson

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAME = "polars-avro"
#: The environment variable by which shells request completions.
_COMPLETE = "_POLARS_AVRO_COMPLETE"
_EPILOG = """\
\b
Sources are files, directories, quoted patterns such as 'day=*/*.avro', URLs,
or - for standard input.

\b
Exit status:
  0    success, also if the reader of the output stopped early
  1    `check` or `repair` found damage, or `diff` found a schema that cannot
       read the other
  2    the command line is wrong
  3    a file cannot be read or written
  70   an internal error
  130  interrupted; 143 and 129 after the signals TERM and HUP
"""


@click.group(
    cls=Group,
    epilog=_EPILOG,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, "-V", "--version", prog_name=_NAME)
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Look into Apache Avro files, check them, and convert them."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


_COMMANDS = (
    *(head, tail, sample, cat, schema, metadata, count, check, convert),
    *(repair, concat, recodec, tojson, fromjson, random_rows, schemata, diff, completion),
    *(getschema, getmeta, help_),
)
for command in _COMMANDS:
    cli.add_command(command)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status."""
    if logging.lastResort is not None:
        # Records without another handler, such as those about retried requests.
        logging.lastResort.setFormatter(logging.Formatter("polars-avro: warning: %(message)s"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", AvroWarning)
        warnings.showwarning = _show_warning
        try:
            status = _invoke(sys.argv[1:] if arguments is None else list(arguments))
            sys.stdout.flush()
        except BaseException as error:
            return _status(error)
    return status


def main() -> None:
    """Run the command line and end the process."""
    status = failures.INTERRUPTED
    try:
        _interrupts.install()
        _interrupts.interrupts.begin()
        ending.prepare_streams()
        status = run()
        _interrupts.interrupts.end()
    except KeyboardInterrupt:
        status = failures.INTERRUPTED
    ending.leave(status)


def _invoke(arguments: list[str]) -> int:
    """
    Run one command.

    ``cli.main`` is not used, because it prints to standard error at Ctrl-C, and has another status for closed pipes.
    """
    if instruction := os.environ.get(_COMPLETE):
        from click.shell_completion import shell_complete

        return shell_complete(cli, {}, _NAME, _COMPLETE, instruction)
    try:
        with cli.make_context(_NAME, arguments) as ctx:
            cli.invoke(ctx)
    except click.exceptions.Exit as error:
        return error.exit_code
    return 0


def _status(error: BaseException) -> int:
    """Return the exit status of an error that ended a command."""
    if _interrupts.interrupts.happened:
        # Polars turns a KeyboardInterrupt into errors of other types.
        return failures.INTERRUPTED
    if ending.is_closed_pipe(error):
        return 0
    return failures.report(error)


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    click.echo(f"polars-avro: warning: {failures.one_line(str(message))}", err=True)
