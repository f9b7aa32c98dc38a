"""``polars-avro schema``: the schema of files."""

from __future__ import annotations

import glob
import json
import os
from typing import TYPE_CHECKING, Any

import click

from polars_avro._cli import escapes
from polars_avro._cli import sources as sources_
from polars_avro._cli.attempts import Attempts
from polars_avro._cli.command import Command
from polars_avro._cli.schema_files import empty_file, of_stream, parse
from polars_avro._metadata import read_avro_metadata, read_avro_schema

if TYPE_CHECKING:
    from polars_avro._cli.sources import Sources


@click.command(cls=Command)
@sources_.argument
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(["polars", "avro", "canonical", "fingerprint"]),
    default="polars",
    show_default=True,
    help="Columns and dtypes; the file's own JSON; the Parsing Canonical Form; digests of that form.",
)
@click.pass_context
def schema(ctx: click.Context, sources: Sources, form: str) -> None:
    """Print the schema of each file, or of each .avsc file."""
    files = _files(sources)
    attempts = Attempts()
    texts = attempts.results(files, lambda file: _text(file, form, sources.storage_options))
    for i, (file, text) in enumerate(texts):
        if len(files) > 1:
            click.echo(("\n" if i else "") + f"==> {escapes.text(sources_.name_of(file))} <==")
        click.echo(text)
    ctx.exit(attempts.status)


def _files(sources: Sources) -> list[Any]:
    """List files in the order of their sources. Directories are not searched for .avsc files."""
    if not any(map(_is_schema, sources.names)):
        return sources.files()
    named = [_matching(name) if _is_schema(name) else sources._replace(names=(name,)).files() for name in sources.names]
    return [file for files in named for file in files]


def _matching(name: str) -> list[str]:
    """Return the files of a pattern, or the name if it is none."""
    return [name] if os.path.exists(name) else sorted(glob.glob(name, recursive=True)) or [name]


def _is_schema(name: Any) -> bool:
    return isinstance(name, str) and name.endswith((".avsc", ".json"))


def _text(file: Any, form: str, storage_options: dict[str, Any] | None) -> str:
    if _is_schema(file):
        file = empty_file(parse(file))
    elif not isinstance(file, str):
        file = of_stream(file)
    if form == "polars":
        columns = read_avro_schema(file, storage_options=storage_options)
        names = [escapes.text(name) for name in columns]
        longest = max(map(len, names), default=0)
        return "\n".join(f"{name:<{longest}}  {dtype}" for name, dtype in zip(names, columns.values(), strict=True))
    metadata = read_avro_metadata(file, storage_options=storage_options)
    if form == "avro":
        return json.dumps(json.loads(metadata.avro_schema), indent=2, ensure_ascii=False)
    if form == "canonical":
        return metadata.canonical_form
    return "\n".join(f"{name:<11}  {digest.hex()}" for name, digest in metadata.fingerprints.items())
