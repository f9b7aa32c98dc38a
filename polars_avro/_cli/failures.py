"""Reports of errors: one line on standard error, and an exit status."""

from __future__ import annotations

import re
import traceback

import click
from polars.exceptions import PanicException, PolarsError

from polars_avro._cli import escapes
from polars_avro._errors import AvroDataError
from polars_avro._sources import hidden, stores

#: `check` found damage, or `diff` found incompatible schemas.
FOUND = 1
USAGE = 2
#: A file that cannot be read or written.
FAILED = 3
INTERRUPTED = 130
#: An internal error.
BROKEN = 70

#: A URL in a message.
_URL = re.compile(r"""[A-Za-z][A-Za-z0-9+.\-]*://[^\s'"`<>]+""")
#: The query of a URL, of which Polars' messages name the end alone.
_QUERY = re.compile(r"""\?[^\s'"`<>()=]+=[^\s'"`<>()]*""")

#: Exceptions of bad files, bad arguments and full disks. Others are internal errors and print a traceback.
EXPECTED = (PolarsError, OSError, ValueError, TypeError, NotImplementedError, MemoryError)

#: Replaces advice for Python by advice for the command line.
_ADVICE = (
    (re.compile("pass missing_columns=[^;]*"), "--schema-mode union reads all columns"),
    (re.compile("; extra_columns='ignore' discards this one"), ""),
    (re.compile(r"; pass cast_options=[^;]* to (?:drop digits|skip it)"), ""),
    (
        re.compile(r"pass cast_options=pl\.ScanCastOptions\(missing_struct_fields=[^;]*"),
        "--schema-mode union reads the fields of all files",
    ),
    (
        re.compile(r"pass cast_options=pl\.ScanCastOptions\(integer_cast='allow-float'\)"),
        "--schema-mode union reads both as Float64, which rounds integers beyond 2^53",
    ),
    (re.compile(r"(?:cast|convert) the column to .*, or (change the Avro schema)"), r"\1"),
    (
        re.compile(r"pass cast_options=pl\.ScanCastOptions\([^)]*\)"),
        "--schema-mode union reads types that have a common one",
    ),
    (
        re.compile("without `schema`, field_matching='case_insensitive' matches"),
        "--field-matching case_insensitive matches",
    ),
    (re.compile("hive_partitioning=True the columns"), "--hive the columns"),
    (re.compile("schema_mode='union' reads"), "--schema-mode union reads"),
    (
        re.compile(r"pass invalid_values='null' or 'text' \(.*\) to read"),
        "--invalid-values null or text (for UUIDs, times and decimals) reads",
    ),
    (re.compile(r"hidden_file_prefix=\['_', '\.'\] skips"), "--hidden-file-prefix _ --hidden-file-prefix . skips"),
    (re.compile(r" \(`strict=True` refuses them\)"), ""),
    (re.compile("(reads one file), scan_avro reads (?:directories|patterns)"), r"\1 here"),
    (re.compile("pass its bytes instead"), "save it to a file, or pass - as the only source"),
    (re.compile("open the file with fsspec and pass the file object"), "download it first"),
    (re.compile("^`schema` is neither"), "the schema is neither"),
)


def report(error: BaseException) -> int:
    """Print an error that ended the program and return the exit status."""
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
    traceback.print_exception(error)
    return BROKEN


def describe(error: BaseException) -> str:
    """Say what is wrong in one line."""
    if isinstance(error, AvroDataError):
        hidden.explain(error)
    if isinstance(error, OSError) and error.strerror is not None:
        return one_line(error.strerror if error.filename is None else f"{error.filename}: {error.strerror}")
    return one_line(str(error)) or type(error).__name__


def one_line(message: str) -> str:
    """
    Reduce a message to its first paragraph, because Polars appends its query plan.

    Also remove secrets from URLs, and name options of the command line instead of arguments.
    """
    line = " ".join(message.strip().split("\n\n")[0].split()).replace("<bytes>", "<stdin>")
    for python, command_line in _ADVICE:
        line = python.sub(command_line, line)
    return escapes.text(_QUERY.sub("", _URL.sub(lambda match: stores.shown(match[0]), line)))


def _print(message: str) -> None:
    click.echo(f"polars-avro: error: {one_line(message)}", err=True)
