"""Calls of what writes, as type checkers must see them; mypy reads this file, nothing runs it."""

import io

import polars as pl
from typing_extensions import assert_type

import polars_avro


def lazy(lf: pl.LazyFrame, wanted: bool) -> None:
    """Return a LazyFrame only if `lazy` is True."""
    assert_type(polars_avro.sink_avro(lf, "rows.avro"), None)
    assert_type(polars_avro.sink_avro(lf, "rows.avro", lazy=False, compression="zstd"), None)
    assert_type(polars_avro.sink_avro(lf, "rows.avro", lazy=True, mkdir=True), pl.LazyFrame)
    assert_type(polars_avro.sink_avro(lf, "rows.avro", lazy=wanted), pl.LazyFrame | None)
    polars_avro.sink_avro(lf, "rows.avro", mkdri=True)  # type: ignore[call-overload]
    pl.collect_all([polars_avro.sink_avro(lf, "rows.avro", lazy=True)])


def codecs(df: pl.DataFrame, codec: str) -> None:
    """Take a codec that was read from a configuration."""
    polars_avro.write_avro(df, "rows.avro", codec)
    polars_avro.sink_avro(df.lazy(), "rows.avro", compression=codec)
    with polars_avro.AvroWriter(io.BytesIO(), compression=codec) as writer:
        writer.write(df)
