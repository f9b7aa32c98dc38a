"""``polars-avro schema``: the schema of files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from polars_avro._cli import sources as sources_
from polars_avro._metadata import read_avro_metadata, read_avro_schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    from polars_avro._sources.inputs import Source


@click.command()
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
def schema(sources: Sequence[str], form: str, storage_options: dict[str, Any] | None) -> None:
    """Print the schema of each file."""
    files = sources_.list_files(sources, storage_options)
    for i, file in enumerate(files):
        if len(files) > 1:
            click.echo(("\n" if i else "") + f"==> {sources_.name_of(file)} <==")
        click.echo(_text(file, form, storage_options))


def _text(file: Source, form: str, storage_options: dict[str, Any] | None) -> str:
    if form == "polars":
        columns = read_avro_schema(file, storage_options=storage_options)
        longest = max((len(name) for name in columns), default=0)
        return "\n".join(f"{name:<{longest}}  {dtype}" for name, dtype in columns.items())
    metadata = read_avro_metadata(file, storage_options=storage_options)
    if form == "avro":
        return json.dumps(json.loads(metadata.avro_schema), indent=2, ensure_ascii=False)
    if form == "canonical":
        return metadata.canonical_form
    return "\n".join(f"{name:<11}  {digest.hex()}" for name, digest in metadata.fingerprints.items())
