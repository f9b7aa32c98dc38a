"""Parity with `sink_parquet`: equal queries and targets yield files of the same names and rows, or the same error."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from write_parity import DF, LARGE, LF, Case, Sink, check, parquet, read

from polars_avro import read_avro, sink_avro

pytestmark = [
    pytest.mark.filterwarnings("ignore:`PartitionBy`"),
    pytest.mark.filterwarnings("ignore:.*considered unstable"),
]


QUERIES: dict[str, pl.LazyFrame] = {
    "all": LF,
    "filter": LF.filter(pl.col("i") > 2),
    "nothing": LF.filter(pl.lit(value=False)),
    "select": LF.select("s", (pl.col("i") * 2).alias("x")),
    "slice": LF.slice(2, 3),
    "tail": LF.tail(2),
    "row index": LF.with_row_index("n"),
    "sort": LF.sort("f", nulls_last=True),
    "group": LF.group_by("s").agg(pl.col("i").sum()).sort("s"),
    "join": LF.join(LF.select("s", j="i"), on="s", maintain_order="left_right"),
    "concat": pl.concat([LF, LF.filter(pl.col("b"))]),
    "explode": LF.select("i", l=pl.concat_list("i", "i")).explode("l"),
    "large": LARGE,
    "large sorted": LARGE.sort("a", descending=True),
    "chunks": pl.concat([LF] * 50, rechunk=False),
    "one row": LF.head(1),
    "no rows": pl.LazyFrame(schema={"a": pl.Int64, "b": pl.List(pl.String)}),
    "no columns": pl.LazyFrame(),
}


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
def test_queries(tmp_path: Path, query: str, engine: str) -> None:
    def case(sink: Sink, directory: Path, kind: str) -> Any:
        return sink(QUERIES[query], directory / f"a.{kind}", engine=engine)

    check(tmp_path, case)


def test_the_order_is_kept_by_default_and_no_row_is_lost_without(tmp_path: Path) -> None:
    sink_avro(LARGE, tmp_path / "a.avro")
    assert read_avro(tmp_path / "a.avro")["a"].is_sorted()
    sink_avro(LARGE, tmp_path / "b.avro", maintain_order=False)
    assert_frame_equal(read_avro(tmp_path / "b.avro"), LARGE.collect(), check_row_order=False)


DTYPES: dict[str, pl.Series] = {
    "nested": pl.Series([[[1, None], []], None, [[2]]]),
    "struct": pl.Series([{"x": 1, "y": ["a"]}, None, {"x": None, "y": []}]),
    "array": pl.Series([[1, 2], [3, 4], None], dtype=pl.Array(pl.Int16, 2)),
    "enum": pl.Series(["b", None, "a"], dtype=pl.Enum(["a", "b"])),
    "categorical": pl.Series(["b", None, "a"], dtype=pl.Categorical),
    "decimal": pl.Series([Decimal("1.25"), None, Decimal("-3.50")], dtype=pl.Decimal(10, 2)),
    "time": pl.Series([dt.time(1, 2, 3, 4), None, dt.time(0)]),
    "duration": pl.Series([dt.timedelta(1), None, dt.timedelta(microseconds=-1)]),
    "zone": pl.Series([dt.datetime(2024, 1, 1), None]).dt.replace_time_zone("Europe/Berlin"),
    "binary": pl.Series([b"\xff", None, b""]),
    "unsigned": pl.Series([2**64 - 1, None, 0], dtype=pl.UInt64),
    "small": pl.Series([-128, None, 127], dtype=pl.Int8),
    "half": pl.Series([1.5, None], dtype=pl.Float16),
    "null": pl.Series([None, None], dtype=pl.Null),
}


@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes(tmp_path: Path, dtype: str) -> None:
    df = pl.DataFrame({"v": DTYPES[dtype]})
    check(tmp_path, lambda sink, directory, kind: sink(df.lazy(), directory / f"a.{kind}"))


def _to(make: Callable[[Path, str], Any], **options: Any) -> Case:
    return lambda sink, directory, kind: sink(LF, make(directory, kind), **options)


def _below_file(directory: Path, kind: str) -> Path:
    (directory / "file").touch()
    return directory / "file" / f"a.{kind}"


def _directory(directory: Path, kind: str) -> Path:
    (directory / "d").mkdir()
    return directory / "d"


def _old(directory: Path, kind: str) -> Path:
    (directory / f"a.{kind}").write_bytes(b"old")
    return directory / f"a.{kind}"


TARGETS: dict[str, Case] = {
    "path": _to(lambda directory, kind: directory / f"a.{kind}"),
    "text": _to(lambda directory, kind: str(directory / f"a.{kind}")),
    "replaced": _to(_old),
    "spaces": _to(lambda directory, kind: directory / f"a b é.{kind}"),
    "mkdir": _to(lambda directory, kind: directory / "x" / "y" / f"a.{kind}", mkdir=True),
    "missing": _to(lambda directory, kind: directory / "x" / f"a.{kind}"),
    "synced": _to(lambda directory, kind: directory / f"a.{kind}", sync_on_close="all"),
    "url": _to(lambda directory, kind: f"file://{directory}/a.{kind}"),
}


@pytest.mark.parametrize("target", TARGETS)
def test_targets(tmp_path: Path, target: str) -> None:
    check(tmp_path, TARGETS[target])


@pytest.mark.parametrize("make", [_below_file, _directory])
def test_targets_that_no_file_can_have_are_errors_of_the_system(tmp_path: Path, make: Any) -> None:
    for kind, sink in (("avro", sink_avro), ("parquet", parquet)):
        (tmp_path / kind).mkdir()
        with pytest.raises(OSError, match="directory"):
            sink(LF, make(tmp_path / kind, kind))


def test_objects_take_whole_files(tmp_path: Path) -> None:
    for kind, sink in (("avro", sink_avro), ("parquet", parquet)):
        memory = io.BytesIO()
        assert sink(LF, memory) is None
        assert_frame_equal(read(kind, memory.getvalue()), DF)
        with (tmp_path / kind).open("wb") as file:
            sink(LF, file)
        assert_frame_equal(read(kind, tmp_path / kind), DF)
