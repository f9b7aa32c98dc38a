"""Namespaces that type checkers do not see, and functions to write instead; mypy reads this file, nothing runs it."""

import polars as pl

import polars_avro
from polars_avro._namespaces import ExprNamespace, SeriesNamespace


def unseen(df: pl.DataFrame, lf: pl.LazyFrame, series: pl.Series) -> None:
    """Use what importing the package adds to Polars: mypy would report each line."""
    pl.scan_avro("rows.avro")  # type: ignore[attr-defined]
    df.avro.write("rows.avro")  # type: ignore[attr-defined]
    lf.avro.sink("rows.avro")  # type: ignore[attr-defined]
    pl.col("value").avro.decode('"long"')  # type: ignore[attr-defined]
    series.avro.decode('"long"')  # type: ignore[attr-defined]


def seen(df: pl.DataFrame, lf: pl.LazyFrame) -> tuple[pl.LazyFrame, pl.Expr, pl.Expr]:
    """Write the same with functions, which are typed."""
    polars_avro.write_avro(df, "rows.avro", "zstd")
    polars_avro.sink_avro(lf, "rows.avro", compression="zstd")
    decoded = polars_avro.decode("value", '"long"', framing="confluent")
    return polars_avro.scan_avro("rows.avro"), decoded, polars_avro.encode(pl.col("value"), framing="datum")


def methods(expr: ExprNamespace, series: SeriesNamespace) -> tuple[pl.Expr, pl.Series]:
    """Check that the namespaces have the types of the functions."""
    expr.decode(framing="xml")  # type: ignore[arg-type]
    series.encode(unknown=1)  # type: ignore[call-arg]
    return expr.decode('"long"', ignore_errors=True), series.encode(framing="datum")
