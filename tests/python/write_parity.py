"""Comparison of a use of `sink_avro` with the same use of `sink_parquet`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import polars as pl
from polars.testing import assert_frame_equal

from polars_avro import read_avro, sink_avro

Sink: TypeAlias = Callable[..., Any]
#: A function that uses a sink in a directory, with a file extension, and returns a comparable result.
Case: TypeAlias = Callable[[Sink, Path, str], Any]

DF = pl.DataFrame(
    {
        "i": [1, 2, 3, None, 5, 6],
        "s": ["a", "b", "a", None, "", "a/b c"],
        "f": [1.5, None, 0.25, -1.0, 1e300, 0.0],
        "b": [True, False, None, True, True, False],
        "d": [dt.date(2024, 1, day) for day in range(1, 7)],
        "t": [dt.datetime(2024, 1, 1, hour, 30) for hour in range(6)],
    }
)
LF = DF.lazy()
LARGE = pl.LazyFrame({"a": range(300_000)}).with_columns(k=pl.col("a") % 3, s=pl.col("a").cast(pl.String))


def parquet(lf: pl.LazyFrame, target: Any, **options: Any) -> Any:
    return lf.sink_parquet(target, **options)


def read(kind: str, source: Any) -> pl.DataFrame:
    if kind == "avro":
        return read_avro(source, hive_partitioning=False)
    return pl.read_parquet(source, hive_partitioning=False)


def outcome(kind: str, directory: Path, case: Case) -> tuple[Any, dict[str, pl.DataFrame]]:
    """Run a case, and return its result or error, and the rows of all files by their names without extension."""
    directory.mkdir()
    sink: Sink = sink_avro if kind == "avro" else parquet
    try:
        result = case(sink, directory, kind)
    except Exception as error:
        result = type(error)
    files = {
        str(path.relative_to(directory).with_suffix("")): read(kind, path)
        for path in sorted(directory.rglob(f"*.{kind}"))
    }
    return result, files


def check(tmp_path: Path, case: Case, *, error: type[Exception] | None = None) -> None:
    ours, our_files = outcome("avro", tmp_path / "avro", case)
    theirs, their_files = outcome("parquet", tmp_path / "parquet", case)
    assert list(our_files) == list(their_files)
    for name, df in our_files.items():
        assert_frame_equal(df, their_files[name])
    assert ours == theirs
    if error is not None:
        assert ours is error
