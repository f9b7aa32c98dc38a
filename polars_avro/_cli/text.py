"""Writing of rows as text, in small pieces."""

from __future__ import annotations

import json
from io import BytesIO
from typing import IO, TYPE_CHECKING

from polars_avro._cli import printable
from polars_avro._cli.json_lines import json_columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import polars as pl

#: Rows that are converted at a time: enough for all threads, and few enough for bounded memory.
_ROWS = 8192


def write_json_lines(
    frames: Iterable[pl.DataFrame], schema: pl.Schema, out: IO[bytes], *, indent: int | None = None
) -> None:
    """Write each row as a line of JSON, or with `indent` as several lines."""
    columns = json_columns(schema)
    for rows in _pieces(printable.checked(frames, schema)):
        text = BytesIO()
        rows.with_columns(columns).write_ndjson(text)
        if indent is None:
            out.write(text.getbuffer())
            continue
        for line in text.getvalue().splitlines():
            out.write(json.dumps(json.loads(line), indent=indent, ensure_ascii=False).encode() + b"\n")


def _pieces(frames: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    for df in frames:
        yield from df.iter_slices(_ROWS)
