"""Validation of time zones."""

from __future__ import annotations

from functools import cache

import polars as pl


@cache
def is_time_zone(name: str) -> bool:
    """Return whether Polars supports a time zone. A cast of an empty series tells without a query."""
    try:
        pl.Series([], dtype=pl.Int64).cast(pl.Datetime("us", name))
    except pl.exceptions.ComputeError:
        return False
    return True
