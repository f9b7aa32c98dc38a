"""fastavro, with rows converted to Polars frames. Its results are the reference for the other readers."""

from collections.abc import Iterator
from itertools import islice

import fastavro
import polars as pl

from engines.frames import ask

ROWS = 20_000
LOGICAL = {
    "timestamp-micros": pl.Datetime("us", "UTC"),
    "timestamp-millis": pl.Datetime("ms", "UTC"),
    "date": pl.Date(),
    "time-micros": pl.Time(),
    "time-millis": pl.Time(),
}
PRIMITIVE = {
    "boolean": pl.Boolean(),
    "int": pl.Int32(),
    "long": pl.Int64(),
    "float": pl.Float32(),
    "double": pl.Float64(),
    "string": pl.String(),
    "bytes": pl.Binary(),
}


def start(threads: int) -> None:
    """Nothing to set: it decodes on one thread."""


def dtype(schema: object) -> pl.DataType:
    """Return the dtype of a schema of the benchmarks."""
    if isinstance(schema, list):
        return dtype(next(branch for branch in schema if branch != "null"))
    if isinstance(schema, str):
        return PRIMITIVE[schema]
    logical = schema.get("logicalType")
    if logical == "decimal":
        return pl.Decimal(schema["precision"], schema["scale"])
    if logical in LOGICAL:
        return LOGICAL[logical]
    match schema["type"]:
        case "record":
            return pl.Struct({field["name"]: dtype(field["type"]) for field in schema["fields"]})
        case "array":
            return pl.List(dtype(schema["items"]))
        case "map":
            return pl.List(pl.Struct({"key": pl.String(), "value": dtype(schema["values"])}))
    return PRIMITIVE[schema["type"]]


def pairs(row: dict) -> dict:
    """Return the row with its map as a list of pairs, from which Polars can build a column."""
    row["metadata"] = [{"key": key, "value": value} for key, value in row["metadata"].items()]
    return row


def batches(path: str, query: dict) -> Iterator[pl.DataFrame]:
    """Yield the file's rows as frames of `ROWS` rows, up to the query's head."""
    with open(path, "rb") as file:
        rows = fastavro.reader(file)
        schema = dict(dtype(rows.writer_schema).to_schema())
        left = islice(rows, query["head"])
        if "metadata" in schema:
            left = map(pairs, left)
        yield pl.DataFrame(schema=schema)
        while chunk := list(islice(left, ROWS)):
            yield pl.from_dicts(chunk, schema=schema)


def run(paths: list[str], query: dict) -> pl.DataFrame:
    """Read every row, then run the query in Polars."""
    frames = [frame for path in paths for frame in batches(path, query)]
    frame = pl.concat(frames, rechunk=False)
    return frame if query["eager"] else ask(frame.lazy(), query)
