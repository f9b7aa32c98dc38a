"""The queries as Polars expressions, for readers that return a LazyFrame or a DataFrame."""

import operator
from functools import reduce

import polars as pl

COMPARE = {"<": operator.lt, ">=": operator.ge}


def column(path: str) -> pl.Expr:
    """Return the column at a dotted path."""
    first, *rest = path.split(".")
    return reduce(lambda expr, name: expr.struct.field(name), rest, pl.col(first))


def ask(lazy: pl.LazyFrame, query: dict) -> pl.DataFrame:
    """Run the query on a LazyFrame."""
    if query["where"]:
        name, sign, number = query["where"]
        lazy = lazy.filter(COMPARE[sign](pl.col(name), number))
    if query["head"] is not None:
        lazy = lazy.head(query["head"])
    if query["tail"] is not None:
        lazy = lazy.tail(query["tail"])
    if query["columns"]:
        lazy = lazy.select(query["columns"])
    if query["count"]:
        return lazy.select(pl.len()).collect()
    if query["group_by"]:
        groups = lazy.group_by(column(query["group_by"]).alias("key"))
        totals = groups.agg(pl.len().alias("rows"), pl.col(query["total"]).sum().alias("total"))
        return totals.sort("key").collect(engine="streaming")
    return lazy.collect()


def is_plain(query: dict) -> bool:
    """Return whether the query reads all rows, of all or of some columns."""
    return not (query["where"] or query["count"] or query["group_by"] or query["head"] or query["tail"])
