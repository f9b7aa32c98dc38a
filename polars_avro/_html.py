"""Objects as HTML, for notebooks."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from polars_avro._metadata import AvroMetadata


def metadata_table(metadata: AvroMetadata) -> str:
    """Return the metadata of a file as a table, with the schema below it."""
    rows = {
        "rows": f"{metadata.n_rows:,}",
        "blocks": f"{metadata.n_blocks:,}",
        "codec": metadata.codec,
        "header": f"{metadata.header_size:,} bytes",
        "sync marker": metadata.sync_marker.hex(),
        **{f"fingerprint {name}": digest.hex() for name, digest in metadata.fingerprints.items()},
        **{key: value.decode("utf-8", "backslashreplace") for key, value in metadata.metadata.items()},
    }
    cells = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows.items())
    schema = f"<details><summary>Avro schema</summary><pre>{escape(_indented(metadata.avro_schema))}</pre></details>"
    return f"<table>{cells}</table>{schema}"


def _indented(schema: str) -> str:
    try:
        return json.dumps(json.loads(schema), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return schema
