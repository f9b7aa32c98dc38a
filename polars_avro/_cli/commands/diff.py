"""``polars-avro diff``: compares two schemas by the rules of resolution."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click
import polars as pl

from polars_avro._cli import escapes, failures
from polars_avro._cli import sources as sources_
from polars_avro._cli.command import Command
from polars_avro._cli.schema_files import is_avro, of_stream, parse
from polars_avro._compatibility import Incompatibility, check_compatibility
from polars_avro._core import FileOpener
from polars_avro._metadata import read_avro_metadata

if TYPE_CHECKING:
    from collections.abc import Iterator


@click.command(cls=Command)
@click.argument("old", type=sources_.PATH)
@click.argument("new", type=sources_.PATH)
@click.option(
    "--compatibility",
    type=click.Choice(["backward", "forward", "full", "none"]),
    default="full",
    show_default=True,
    help="Condition for exit status 0: NEW reads OLD, OLD reads NEW, both, or none.",
)
@sources_.storage_option
@click.pass_context
def diff(ctx: click.Context, old: str, new: str, compatibility: str, storage_options: dict[str, Any] | None) -> None:
    """
    Compare two schemas by Avro's rules of resolution.

    OLD and NEW are Avro files, .avsc files, or JSON text. Lists the columns that differ, and reports if a reader with
    one schema can read files of the other, and if not, why.
    """
    if old == new == sources_.STDIN:
        msg = "standard input (-) cannot be both OLD and NEW"
        raise click.UsageError(msg)
    before, after = _schema(old, storage_options), _schema(new, storage_options)
    for line in _columns(before, after):
        click.echo(escapes.text(line))
    backward = _verdict("NEW reads OLD", check_compatibility(after, before))
    forward = _verdict("OLD reads NEW", check_compatibility(before, after))
    asked = {"backward": [backward], "forward": [forward], "full": [backward, forward], "none": []}
    ctx.exit(0 if all(asked[compatibility]) else failures.FOUND)


def _schema(source: str, storage_options: dict[str, Any] | None) -> str:
    if is_avro(source):
        return parse(source)
    if source == sources_.STDIN:
        return read_avro_metadata(of_stream(sources_.standard_input())).avro_schema
    if os.path.isdir(source):
        msg = f"{source}: expected a file, found a directory"
        raise click.UsageError(msg)
    return read_avro_metadata(source, storage_options=storage_options).avro_schema


def _columns(old: str, new: str) -> Iterator[str]:
    """Yield a line for each column that differs."""
    before, after = pl.Schema(FileOpener(old)), pl.Schema(FileOpener(new))
    for name, dtype in before.items():
        if name not in after:
            yield f"- {name}: {dtype}"
        elif after[name] != dtype:
            yield f"~ {name}: {dtype} -> {after[name]}"
    for name, dtype in after.items():
        if name not in before:
            yield f"+ {name}: {dtype}"


def _verdict(question: str, differences: list[Incompatibility]) -> bool:
    """Print and return whether one schema can read the other."""
    if not differences:
        click.echo(f"{question}: yes")
        return True
    always = any(problem.values is None for problem in differences)
    click.echo(f"{question}: {'no' if always else 'not all values'}")
    for problem in differences:
        click.echo(escapes.text(f"  {problem}"))
    return False
