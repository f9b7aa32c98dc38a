"""Column names that Polars treats as patterns in expressions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from polars_avro import plan_splits, read_avro, scan_avro, write_avro

DF = pl.DataFrame({"x": [3, 4], "^x$": [5, 6], "*": [1, 2]})
NAMES = ["i", "*", "^row$", "^.*$", "^x$"]


@pytest.mark.parametrize("name", NAMES)
def test_a_row_index_counts_the_rows_of_files_left_closed(tmp_path: Path, name: str) -> None:
    for key in (1, 2):
        (tmp_path / f"k={key}").mkdir()
        write_avro(pl.DataFrame({"a": [1, 2]}), tmp_path / f"k={key}" / "f.avro")
    lf = scan_avro(tmp_path, hive_partitioning=True, row_index_name=name)
    for engine in ("streaming", "in-memory"):
        rows: Any = lf.filter(pl.col("k") == 2).collect(engine=engine)
        assert rows.rows() == [(2, 1, 2), (3, 2, 2)]


@pytest.mark.parametrize("columns", [[1], ["^x$"], ["*"], ["*", "^x$"], ["x"], [2, 0]])
def test_columns_are_named_and_not_matched(tmp_path: Path, columns: Any) -> None:
    path = tmp_path / "f.avro"
    write_avro(DF, path)
    wanted = [DF.columns[column] if isinstance(column, int) else column for column in columns]
    expected = DF[wanted]
    (split,) = plan_splits(path)
    for df in (read_avro(path, columns=columns), read_avro([path], columns=columns), split.read(columns=columns)):
        assert_frame_equal(df, expected)
    assert read_avro([path], columns=columns, row_index_name="^i$").columns == ["^i$", *wanted]
    assert read_avro(path, columns=columns, include_file_paths="f").columns == [*wanted, "f"]


@pytest.mark.parametrize("name", ["^p_$", "^k$", "^.*$", "*"])
def test_a_column_of_paths_can_have_any_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "k=1").mkdir()
    path = tmp_path / "k=1" / "a.avro"
    write_avro(pl.DataFrame({"x": [1, 2]}), path)
    for hive in ({}, {"hive_partitioning": True}):
        lf = scan_avro(path, include_file_paths=name, **hive)
        for engine in ("streaming", "in-memory"):
            df: Any = lf.collect(engine=engine)
            assert df.columns[-1] == name
            assert df.get_column(name).to_list() == [str(path)] * 2
            assert df.get_column("x").to_list() == [1, 2]
            alone: Any = lf.select(pl.selectors.by_name(name)).collect(engine=engine)
            assert alone.rows() == [(str(path),)] * 2
