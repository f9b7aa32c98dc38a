"""Errors as one line on standard error and an exit status."""

from __future__ import annotations

import click
from polars.exceptions import PanicException, PolarsError

#: A `check` that found damage, a `diff` that found a schema that cannot read the other.
FOUND = 1
USAGE = 2
#: A file that cannot be read or written.
FAILED = 3
INTERRUPTED = 130

#: What bad files, bad arguments and full disks raise. Anything else is a fault of the program, and shows its traceback.
EXPECTED = (PolarsError, OSError, ValueError, TypeError, NotImplementedError, MemoryError)


def report(error: BaseException) -> int:
    """Print an error that ended the program and return the exit status; raise unexpected ones."""
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        return INTERRUPTED
    if isinstance(error, click.UsageError):
        command = error.ctx.command_path if error.ctx is not None else "polars-avro"
        _print(f"{error.format_message()} (see '{command} --help')")
        return USAGE
    if isinstance(error, click.ClickException):
        _print(error.format_message())
        return FAILED
    if isinstance(error, PanicException):
        _print(f"Polars failed: {error}")
        return FAILED
    if isinstance(error, EXPECTED):
        _print(describe(error))
        return FAILED
    raise error


def is_broken_pipe(error: BaseException) -> bool:
    """Return whether the reader of the output has seen enough. Polars' sinks have no type for it."""
    return isinstance(error, BrokenPipeError) or (isinstance(error, EXPECTED) and "Broken pipe" in str(error))


def describe(error: BaseException) -> str:
    """Say what is wrong in one line."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror is not None:
        return f"{error.filename}: {error.strerror}"
    return one_line(str(error)) or type(error).__name__


def one_line(message: str) -> str:
    """Keep the first paragraph of a message, which Polars follows with its query plan."""
    return " ".join(message.strip().split("\n\n")[0].split()).replace("<bytes>", "<stdin>")


def _print(message: str) -> None:
    click.echo(f"polars-avro: error: {one_line(message)}", err=True)
