"""``polars-avro schemata``: the schemas of a protocol."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from polars_avro._cli.command import Command
from polars_avro._cli.protocols import schemas
from polars_avro._cli.schema_files import parse
from polars_avro._cli.sources import standard_input
from polars_avro._errors import AvroError, AvroSchemaError


@click.command(cls=Command)
@click.argument("protocol", type=click.Path(allow_dash=True, path_type=Path))
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path), default=".")
def schemata(protocol: Path, directory: Path) -> None:
    """
    Write a .avsc file for each type of a protocol.

    PROTOCOL is an .avpr file, or - for standard input. `avro-tools idl` converts Avro
    IDL (.avdl) to .avpr.
    """
    if protocol.suffix == ".avdl":
        msg = f"{protocol}: files in Avro IDL are not supported; `avro-tools idl` converts them to .avpr"
        raise click.UsageError(msg)
    try:
        data = standard_input().read() if str(protocol) == "-" else protocol.read_bytes()
        found = schemas(_json(data))
        texts = {name: json.dumps(schema, indent=2, ensure_ascii=False) for name, schema in found.items()}
        for text in texts.values():
            parse(text)
    except (ValueError, AvroError) as error:
        msg = f"{protocol}: {error}"
        raise AvroSchemaError(msg) from None
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        # As in avro-tools, files have the short names of types.
        path = directory / f"{name.rpartition('.')[2]}.avsc"
        path.write_text(f"{text}\n", encoding="utf-8")
        click.echo(path)


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError as error:
        msg = f"this is no protocol in JSON: {error}"
        raise AvroSchemaError(msg) from None
