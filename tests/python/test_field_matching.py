"""Fields that are matched without case, or by position."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import polars_avro as pa


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Two files whose names differ in case, also inside of a struct."""
    pa.write_avro(pl.DataFrame({"id": [1], "Name": ["x"], "at": [{"lat": 1.5}]}), tmp_path / "a.avro")
    pa.write_avro(pl.DataFrame({"ID": [2], "at": [{"LAT": 2.5}], "name": ["y"]}), tmp_path / "b.avro")
    return [tmp_path / "a.avro", tmp_path / "b.avro"]


BOTH = pl.DataFrame({"id": [1, 2], "Name": ["x", "y"], "at": [{"lat": 1.5}, {"lat": 2.5}]})


@pytest.mark.parametrize("read", [pa.read_avro, lambda *args, **options: pa.scan_avro(*args, **options).collect()])
def test_names_may_differ_in_case(read, files: list[Path]) -> None:
    with pytest.raises(pa.AvroError):
        read(files)
    assert_frame_equal(read(files, field_matching="case_insensitive"), BOTH)


def test_a_query_names_the_columns_of_the_first_file(files: list[Path]) -> None:
    lf = pa.scan_avro(files, field_matching="case_insensitive")
    assert_frame_equal(lf.filter(pl.col("id") == 2).select("Name").collect(), BOTH[1:].select("Name"))


def test_a_reader_schema_names_the_columns(files: list[Path]) -> None:
    schema = json.loads(pa.read_avro_metadata(files[0]).avro_schema)
    schema["fields"] = [{"name": "NAME", "type": ["null", "string"]}, {"name": "Id", "type": ["null", "long"]}]
    df = pa.read_avro(files, reader_schema=schema, field_matching="case_insensitive")
    assert_frame_equal(df, pl.DataFrame({"NAME": ["x", "y"], "Id": [1, 2]}))


def test_an_equal_name_precedes_one_that_differs_in_case(tmp_path: Path) -> None:
    pa.write_avro(pl.DataFrame({"a": [1]}), tmp_path / "1.avro")
    pa.write_avro(pl.DataFrame({"A": [9], "a": [2]}), tmp_path / "2.avro")
    paths = [tmp_path / "1.avro", tmp_path / "2.avro"]
    df = pa.read_avro(paths, field_matching="case_insensitive", extra_columns="ignore")
    assert df["a"].to_list() == [1, 2]


@pytest.mark.parametrize(("first", "second"), [(["ab"], ["AB", "Ab"]), (["AB", "Ab"], ["ab"])])
def test_several_matches_are_an_error(tmp_path: Path, first: list[str], second: list[str]) -> None:
    pa.write_avro(pl.DataFrame({name: [1] for name in first}), tmp_path / "1.avro")
    pa.write_avro(pl.DataFrame({name: [1] for name in second}), tmp_path / "2.avro")
    paths = [tmp_path / "1.avro", tmp_path / "2.avro"]
    with pytest.raises(pa.AvroSchemaError, match=r'"AB" and "Ab".* in several ways'):
        pa.read_avro(paths, field_matching="case_insensitive", extra_columns="ignore", missing_columns="insert")


def test_fields_are_matched_by_position(tmp_path: Path) -> None:
    pa.write_avro(pl.DataFrame({"a": [1], "b": ["x"]}), tmp_path / "1.avro")
    pa.write_avro(pl.DataFrame({"b": [2], "c": ["y"], "d": [True]}), tmp_path / "2.avro")
    paths = [tmp_path / "1.avro", tmp_path / "2.avro"]
    with pytest.raises(pa.AvroSchemaError, match="d"):
        pa.read_avro(paths, field_matching="position")
    df = pa.read_avro(paths, field_matching="position", extra_columns="ignore")
    assert_frame_equal(df, pl.DataFrame({"a": [1, 2], "b": ["x", "y"]}))
    # A column that the other file lacks has its default.
    df = pa.read_avro(paths[::-1], field_matching="position")
    assert df.to_dict(as_series=False) == {"b": [2, 1], "c": ["y", "x"], "d": [True, None]}


def test_it_needs_one_schema(files: list[Path]) -> None:
    with pytest.raises(ValueError, match="`field_matching` needs one schema"):
        pa.scan_avro(files, field_matching="position", schema_mode="union")
    with pytest.raises(ValueError, match="`field_matching` needs one schema"):
        pa.scan_avro(files, field_matching="position", schema={"id": pl.Int64})
    with pytest.raises(ValueError, match="`field_matching` must be one of"):
        pa.scan_avro(files, field_matching="nearest")  # type: ignore[arg-type]
