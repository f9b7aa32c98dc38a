"""Patterns in `columns`: regular expressions and `*`, as in `read_parquet`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import polars_avro

FRAME = pl.DataFrame({"ab": [1, 2], "ac": [3, 4], "b": [{"x": 5}, {"x": 6}]})

SELECTIONS: list[Any] = [
    "^a.*$",
    ["^a.*$"],
    ["b", "^a.*$"],
    ["^.c$", "ab"],
    "*",
    ["^nothing.*$", "b"],
    "^nothing.*$",
    [r"^\w{2}$"],
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    polars_avro.write_avro(FRAME, tmp_path / "a.avro", namespace="n")
    return tmp_path / "a.avro"


@pytest.mark.parametrize("columns", SELECTIONS, ids=str)
def test_patterns_select_columns(path: Path, columns: Any) -> None:
    expected = FRAME.select(columns)
    assert polars_avro.read_avro(path, columns=columns).columns == expected.columns
    assert_frame_equal(polars_avro.read_avro([path, path], columns=columns).head(2)[expected.columns], expected)
    assert_frame_equal(polars_avro.scan_avro(path, columns=columns).collect()[expected.columns], expected)
    with polars_avro.AvroReader(path, columns=columns) as reader:
        assert reader.schema.names() == expected.columns


def test_patterns_and_paths_of_fields(path: Path) -> None:
    assert polars_avro.read_avro(path, columns=["b.x", "^a.$"]).to_dict(as_series=False) == {
        "b": [{"x": 5}, {"x": 6}],
        "ab": [1, 2],
        "ac": [3, 4],
    }


def test_a_column_of_that_very_name_is_no_pattern(tmp_path: Path) -> None:
    polars_avro.write_avro(pl.DataFrame({"^odd$": [1], "odd": [2]}), tmp_path / "a.avro")
    assert polars_avro.read_avro(tmp_path / "a.avro", columns="^odd$").columns == ["^odd$"]


def test_a_column_must_not_be_selected_twice(path: Path) -> None:
    with pytest.raises(ValueError, match="twice"):
        polars_avro.read_avro(path, columns=["ab", "^a.*$"])


def test_an_invalid_pattern_is_an_error(path: Path) -> None:
    with pytest.raises(ValueError, match=r"`columns`: .* is not a valid pattern: invalid regex"):
        polars_avro.read_avro(path, columns="^a($")


def test_patterns_of_fields() -> None:
    schema = {"type": "record", "name": "R", "fields": [{"name": name, "type": "long"} for name in ("ab", "ac", "b")]}
    datums = pl.DataFrame({"datum": [bytes([2, 4, 6])]})
    decoded = datums.select(polars_avro.decode("datum", schema, fields=["^a.*$"]))
    assert decoded["datum"].to_list() == [{"ab": 1, "ac": 2}]
