"""The program ``polars-avro``: its commands, and its exit status."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from typing import TYPE_CHECKING, Any

import click

from polars_avro import __version__
from polars_avro._bad_blocks import AvroWarning
from polars_avro._cli import failures
from polars_avro._cli.commands.cat import cat
from polars_avro._cli.commands.check import check
from polars_avro._cli.commands.completion import completion
from polars_avro._cli.commands.convert import convert
from polars_avro._cli.commands.count import count
from polars_avro._cli.commands.diff import diff
from polars_avro._cli.commands.head import head
from polars_avro._cli.commands.metadata import metadata
from polars_avro._cli.commands.schema import schema

if TYPE_CHECKING:
    from collections.abc import Sequence

_EPILOG = """\
\b
Sources are files, directories, quoted patterns such as 'day=*/*.avro', URLs,
or - for standard input.

\b
Exit status:
  0    done
  1    `check` found damage, or `diff` found a schema that cannot read the other
  2    the command line is wrong
  3    a file cannot be read or written
  130  interrupted
"""


@click.group(epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", prog_name="polars-avro")
def cli() -> None:
    """Look into Apache Avro files, check them, and convert them."""


for command in (head, cat, schema, metadata, count, check, convert, diff, completion):
    cli.add_command(command)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", AvroWarning)
        warnings.showwarning = _show_warning
        try:
            status = cli.main(arguments, prog_name="polars-avro", standalone_mode=False)
            sys.stdout.flush()
        except BaseException as error:
            if not failures.is_broken_pipe(error):
                return failures.report(error)
            # Python would complain again when it flushes at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
    return status if isinstance(status, int) else 0


def main() -> None:
    """Run the command line and exit."""
    if hasattr(signal, "siginterrupt"):
        # Polars' handler makes a wait for input go on.
        signal.siginterrupt(signal.SIGINT, True)
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character is no reason to stop.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run())


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    click.echo(f"polars-avro: warning: {failures.one_line(str(message))}", err=True)
