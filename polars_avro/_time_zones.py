"""Time zones that Polars knows."""

from __future__ import annotations

from functools import cache

import polars as pl


@cache
def is_time_zone(name: str) -> bool:
    """Return whether a column can have this time zone. Casts a column of no rows, which is no query."""
    try:
        pl.Series([], dtype=pl.Int64).cast(pl.Datetime("us", name))
    except pl.exceptions.ComputeError:
        return False
    return True
