"""Digests of results: height, width, and checksums of columns that depend on the order of rows.

Values are first converted to a common form, because readers may choose different dtypes: an enum may be a Categorical,
a map a list of pairs, a timestamp may have a zone or none, and ClickHouse has one type for text and bytes.
"""

import hashlib
from collections.abc import Iterator, Sequence

import polars as pl

NULL = "\\N"


def describe(frame: pl.DataFrame, checked: Sequence[str]) -> dict[str, object]:
    """Return height, width and checksums of the `checked` columns, or of all columns if it is empty."""
    named = {path: column(frame, path) for path in checked} if checked else dict(enumerate(frame.get_columns()))
    checksums = {str(name): checksum(series) for name, series in named.items()}
    return {"height": frame.height, "width": frame.width, "checksums": checksums}


def checksum(series: pl.Series) -> str:
    """Return the checksum of a column."""
    digest = hashlib.sha256()
    for part in parts(series):
        digest.update(part.alias("part").to_frame().write_csv(null_value=NULL).encode())
    return digest.hexdigest()[:16]


def column(frame: pl.DataFrame, path: str) -> pl.Series:
    """Return the column at a dotted path."""
    first, *rest = path.split(".")
    series = frame.get_column(first)
    for name in rest:
        series = series.struct.field(name)
    return series


def parts(series: pl.Series) -> Iterator[pl.Series]:
    """Return the flat columns of a column, which may be nested."""
    dtype = series.dtype
    if dtype == pl.Map:
        pair = pl.Struct({"key": dtype.key, "value": dtype.value})
        yield from parts(series.cast(pl.List(pair)))
    elif dtype == pl.List:
        lengths = series.list.len()
        yield lengths.cast(pl.Int64)
        yield from parts(series.filter(lengths > 0).explode())
    elif dtype == pl.Struct:
        for field in dtype.fields:
            yield from parts(series.struct.field(field.name))
    else:
        yield scalar(series)


def scalar(series: pl.Series) -> pl.Series:
    """Return a flat column in the common form of its kind."""
    dtype = series.dtype
    if dtype.is_integer() or dtype == pl.Boolean:
        return series.cast(pl.Int64)
    if dtype.is_float():
        return series.cast(pl.Float64)
    if dtype == pl.Binary:
        return series.bin.encode("hex")
    if dtype == pl.Datetime:
        return series.dt.epoch("us")
    if dtype.is_temporal():
        return series.to_physical().cast(pl.Int64)
    return series.cast(pl.String).str.encode("hex")
