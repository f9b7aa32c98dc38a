"""Queries over the rows of `rows.make_rows`, for a scan and for the frame with the same rows."""

import polars as pl

even = pl.col("id") % 2 == 0

#: A query must not depend on columns beyond those of the rows.
QUERIES = {
    "all": lambda lf: lf,
    "twice": lambda lf: pl.concat([lf, lf]),
    "columns in another order": lambda lf: lf.select("name", "tags", "score", "id"),
    "one column": lambda lf: lf.select("score"),
    "sums": lambda lf: lf.group_by(pl.col("id") % 3).agg(pl.sum("score"), pl.len()).sort("id"),
    "head": lambda lf: lf.head(13),
    "head of no rows": lambda lf: lf.head(0),
    "head, longer than a file": lambda lf: lf.head(305),
    "head, longer than all": lambda lf: lf.head(2000),
    "tail": lambda lf: lf.tail(5),
    "tail, longer than a file": lambda lf: lf.tail(210),
    "tail, longer than all": lambda lf: lf.tail(2000),
    **{
        f"slice({offset}, {length})": lambda lf, offset=offset, length=length: lf.slice(offset, length)
        for offset, length in [
            *[(10, 7), (299, 2), (300, 1), (290, 20), (555, 300), (700, None), (998, 50), (1000, 5), (5000, 1)],
            *[(-3, 1), (-4, None), (-250, 100), (-1000, 10), (-1005, 10), (-2000, 10), (-2000, 1005)],
        ]
    },
    "filter": lambda lf: lf.filter(pl.col("id") % 10 == 3, pl.col("score") > 5),
    "filter, nothing passes": lambda lf: lf.filter(pl.col("id") < 0),
    "filter on a column that is not selected": lambda lf: lf.filter(even).select("name"),
    "filter, then head": lambda lf: lf.filter(even).head(305),
    "filter, then tail": lambda lf: lf.filter(even).tail(7),
    "head, then filter": lambda lf: lf.head(400).filter(pl.col("id") % 7 == 0),
    "slice, then filter": lambda lf: lf.slice(295, 20).filter(even),
    "tail, then filter": lambda lf: lf.tail(101).filter(even).select("name"),
    "length": lambda lf: lf.select(pl.len()),
    "length of a filter": lambda lf: lf.filter(pl.col("id") > 10).select(pl.len()),
    "length of a slice": lambda lf: lf.slice(290, 20).select(pl.len()),
    "length of a slice over the end": lambda lf: lf.slice(995, 20).select(pl.len()),
    "length of a tail": lambda lf: lf.tail(3).select(pl.len()),
    "no columns": lambda lf: lf.select([]),
    "largest rows": lambda lf: lf.sort("id", descending=True).head(7),
    "row index of the query": lambda lf: lf.with_row_index("nth", 3),
    "row index of the query alone": lambda lf: lf.with_row_index("nth").select("nth").tail(2),
    "row index of the query, filtered": lambda lf: lf.with_row_index("nth").filter(pl.col("nth") > 900),
    "row index of a filter": lambda lf: lf.filter(pl.col("id") > 400).with_row_index("nth").tail(70),
    "self-join": lambda lf: lf.join(lf.select("id", again="name"), on="id", maintain_order="left"),
}

#: Options of a scan, and the same as a query over the frame.
OPTIONS = {
    "no options": ({}, lambda lf: lf),
    "n_rows": ({"n_rows": 305}, lambda lf: lf.head(305)),
    "n_rows of 0": ({"n_rows": 0}, lambda lf: lf.head(0)),
    "row index": (
        {"row_index_name": "row", "row_index_offset": 7},
        lambda lf: lf.with_row_index("row", 7),
    ),
    "n_rows and row index": (
        {"n_rows": 710, "row_index_name": "row"},
        lambda lf: lf.head(710).with_row_index("row"),
    ),
}

#: Queries on the row index of a scan.
INDEX_QUERIES = {
    "alone": lambda lf: lf.select("row"),
    "alone, tail": lambda lf: lf.select("row").tail(2),
    "last": lambda lf: lf.select("id", "row"),
    "filter on it": lambda lf: lf.filter(pl.col("row") > 900),
    "filter on it alone": lambda lf: lf.filter(pl.col("row") % 100 == 3).select("name"),
    "filter on another column": lambda lf: lf.filter(pl.col("id") % 30 == 1).select("row", "id"),
    "filter on both": lambda lf: lf.filter((pl.col("row") < 30) | (pl.col("id") > 990)),
    "slice": lambda lf: lf.slice(290, 20),
    "slice, then filter": lambda lf: lf.slice(295, 510).filter(pl.col("id") % 300 < 2).select("row", "id"),
    "tail, then filter": lambda lf: lf.tail(101).filter(pl.col("row") > 990),
}
