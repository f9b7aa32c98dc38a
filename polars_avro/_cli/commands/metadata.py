"""``polars-avro metadata``: codec, blocks, rows and metadata of files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from polars_avro._cli import escapes
from polars_avro._cli import sources as sources_
from polars_avro._cli.attempts import Attempts
from polars_avro._cli.command import Command
from polars_avro._metadata import AvroMetadata, read_avro_metadata

if TYPE_CHECKING:
    from polars_avro._cli.sources import Sources


@click.command(cls=Command)
@sources_.argument
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per file, each on a line.")
@click.pass_context
def metadata(ctx: click.Context, sources: Sources, as_json: bool) -> None:
    """Print codec, blocks, rows, fingerprint and metadata of each file."""
    attempts = Attempts()
    results = attempts.results(
        sources.files(), lambda file: _entries(read_avro_metadata(file, storage_options=sources.storage_options))
    )
    for i, (file, entries) in enumerate(results):
        entries = {"file": sources_.name_of(file), **entries}
        if as_json:
            click.echo(json.dumps(entries, ensure_ascii=False))
        else:
            click.echo(("\n" if i else "") + _lines(entries))
    ctx.exit(attempts.status)


def _entries(file_metadata: AvroMetadata) -> dict[str, Any]:
    schema = json.loads(file_metadata.avro_schema)
    named = isinstance(schema, dict) and "name" in schema
    space = schema.get("namespace") if named and "." not in schema["name"] else None
    return {
        "schema": f"{space}.{schema['name']}" if space else schema["name"] if named else None,
        "codec": file_metadata.codec,
        "rows": file_metadata.n_rows,
        "blocks": file_metadata.n_blocks,
        "header_bytes": file_metadata.header_size,
        "sync_marker": file_metadata.sync_marker.hex(),
        "fingerprints": {name: digest.hex() for name, digest in file_metadata.fingerprints.items()},
        "metadata": {key: value.decode("utf-8", "backslashreplace") for key, value in file_metadata.metadata.items()},
    }


def _lines(entries: dict[str, Any]) -> str:
    lines = []
    for name, value in entries.items():
        if isinstance(value, dict):
            lines += [f"{name}:", *(f"  {key}: {inner}" for key, inner in value.items())] if value else []
        elif value is not None:
            lines.append(f"{name}: {value}")
    return "\n".join(map(escapes.text, lines))
