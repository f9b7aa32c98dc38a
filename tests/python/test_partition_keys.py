"""Partition keys are read back unchanged, as from a tree of Parquet files."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import polars_avro
from polars_avro import plan_splits, read_avro, scan_avro, scan_splits, sink_avro, write_avro

pytestmark = pytest.mark.filterwarnings("ignore:.*considered unstable", "ignore:`PartitionBy`")

KEYS = {
    "i8": pl.Series([1, None, -3], dtype=pl.Int8),
    "u64": pl.Series([2**64 - 1, None, 3], dtype=pl.UInt64),
    "i128": pl.Series([2**100, None, -3], dtype=pl.Int128),
    "f16": pl.Series([1.0, 0.1, None], dtype=pl.Float16),
    "f32": pl.Series([1.0, 0.1, None, 1e30], dtype=pl.Float32),
    "f64": pl.Series([1 / 3, 5e-324, None, float("inf")]),
    "bool": pl.Series([True, False, None]),
    "digits": pl.Series(["007", "010", "1e3", None]),
    "empty text": pl.Series(["x", "", None]),
    "dates": pl.Series(["2020-01-01", "2021-02-03"]),
    "date": pl.Series([dt.date(2020, 1, 2), None]),
    "ms": pl.Series([1_577_934_245_678, None, 0]).cast(pl.Datetime("ms")),
    "ns": pl.Series([1_577_934_245_000_000_001, None, 0]).cast(pl.Datetime("ns")),
    "utc": pl.Series([0, None]).cast(pl.Datetime("us", "UTC")),
    "zone": pl.Series([1, None]).cast(pl.Datetime("ms", "America/St_Johns")),
    "decimal": pl.Series([Decimal("1.50"), None, Decimal(-2)], dtype=pl.Decimal(10, 2)),
    "categorical": pl.Series(["7", None, "r"], dtype=pl.Categorical),
    "enum": pl.Series(["q", None, "7"], dtype=pl.Enum(["7", "q"])),
}
#: Keys that Polars cannot read from paths of Parquet files, or reads as other values.
ALONE = {
    "time": pl.Series([dt.time(1, 2, 3, 456), dt.time(1, 2, 3), None]),
    "null": pl.Series([None, None], dtype=pl.Null),
    "empty category": pl.Series(["x", "", None], dtype=pl.Categorical),
}


def frame(key: pl.Series) -> pl.DataFrame:
    return pl.DataFrame({"k": key, "v": range(key.len())}, schema_overrides={"v": pl.Int64})


@pytest.mark.parametrize("name", [*KEYS, *ALONE])
def test_a_key_keeps_its_dtype_and_its_values(tmp_path: Path, name: str) -> None:
    df = frame((KEYS | ALONE)[name])
    write_avro(df, tmp_path / "avro", partition_by="k")
    assert_frame_equal(read_avro(tmp_path / "avro").sort("v"), df)
    splits = plan_splits(tmp_path / "avro", target_bytes=200)
    assert len(splits) > df["k"].n_unique()
    assert_frame_equal(scan_splits(splits).sort("v").collect(), df)
    assert_frame_equal(pl.concat([split.read() for split in splits]).sort("v"), df)
    for row in range(df.height):
        term = pl.col("k").eq_missing(pl.lit(df["k"].slice(row, 1)).first())
        found = scan_avro(tmp_path / "avro").filter(term).sort("v").collect()
        assert_frame_equal(found, df.filter(term))
    if name in KEYS:
        df.lazy().sink_parquet(pl.PartitionBy(tmp_path / "parquet", key="k"), mkdir=True)
        assert_frame_equal(pl.read_parquet(tmp_path / "parquet").sort("v"), df)


OPTIONS: list[dict[str, Any]] = [
    {},
    {"schema": {"k": pl.Int8, "v": pl.Int64}},
    {"schema": {"v": pl.Int64, "k": pl.Int8}},
    {"schema": {"k": pl.Int64, "v": pl.Int64}},
    {"schema": {"k": pl.String, "v": pl.Int64}},
    {"schema": {"v": pl.Int64}},
    {"schema": {"v": pl.Int64}, "hive_schema": {"k": pl.Int16}},
    {"schema": {"k": pl.Int8, "v": pl.Int64}, "hive_schema": {"k": pl.Int16}},
    {"hive_schema": {"k": pl.String}},
    {"hive_partitioning": False},
    {"schema": {"k": pl.Int8, "v": pl.Int64}, "hive_partitioning": False},
    {"schema": {"k": pl.Int16, "v": pl.Int64}, "extra_columns": "ignore"},
    {"schema": {"k": pl.Int8, "v": pl.Int64, "w": pl.Int64}, "missing_columns": "insert"},
    {"schema": {"k": pl.Int8, "v": pl.Int64, "w": pl.Int64}},
    {"schema": {"k": pl.Int8, "v": pl.String}},
]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("include_key", [True, False, None])
def test_options_choose_the_dtype_as_they_do_for_parquet(
    tmp_path: Path, options: dict[str, Any], include_key: bool | None
) -> None:
    df = frame(KEYS["i8"])
    sink_avro(df.lazy(), pl.PartitionBy(tmp_path / "avro", key="k", include_key=include_key))
    df.lazy().sink_parquet(pl.PartitionBy(tmp_path / "parquet", key="k", include_key=include_key), mkdir=True)
    try:
        expected = pl.scan_parquet(tmp_path / "parquet", **options).sort("v").collect()
    except pl.exceptions.PolarsError:
        with pytest.raises(polars_avro.AvroSchemaError):
            scan_avro(tmp_path / "avro", **options).collect()
        return
    assert_frame_equal(scan_avro(tmp_path / "avro", **options).sort("v").collect(), expected)
    planned = scan_splits(plan_splits(tmp_path / "avro", **options))
    assert_frame_equal(planned.sort("v").collect(), expected)


def test_paths_that_do_not_fit_the_column_of_the_files_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "k=x").mkdir()
    write_avro(frame(KEYS["i8"]), tmp_path / "k=x" / "a.avro")
    with pytest.raises(pl.exceptions.PolarsError, match=r"'k' is Int8, but the paths have 'x'.*hive_schema"):
        read_avro(tmp_path)
    assert read_avro(tmp_path, hive_schema={"k": pl.String})["k"].to_list() == ["x"] * 3
    assert read_avro(tmp_path, hive_partitioning=False)["k"].to_list() == [1, None, -3]


@pytest.mark.parametrize(
    "key", [pl.Series([dt.timedelta(1)]), pl.Series([b"x"]), pl.Series([[1]]), pl.Series([{"a": 1}])]
)
def test_keys_without_a_text_are_refused_by_name(tmp_path: Path, key: pl.Series) -> None:
    with pytest.raises(polars_avro.AvroUnsupportedError, match="'k' of dtype"):
        write_avro(frame(key), tmp_path / "avro", partition_by="k")
    assert not (tmp_path / "avro").exists()
