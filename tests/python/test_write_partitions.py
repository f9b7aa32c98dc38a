"""Files of partitions: a common schema, checks before the query runs, no files after an error."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import polars_avro
from polars_avro import read_avro, read_avro_metadata, sink_avro, write_avro

pytestmark = pytest.mark.filterwarnings("ignore:`PartitionBy`")
DF = pl.DataFrame({"k": [1, 2, 2], "v": [1, 2, 3]})


def record(*names: str) -> dict[str, Any]:
    return {"type": "record", "name": "R", "fields": [{"name": name, "type": "int"} for name in names]}


def schemas(directory: Path) -> set[str]:
    return {read_avro_metadata(path).avro_schema for path in directory.rglob("*.avro")}


@pytest.mark.parametrize("target", [{"key": "k"}, {"max_rows_per_file": 1}, {"key": "k", "include_key": False}])
@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("nested", [False, True])
def test_all_files_of_a_frame_have_one_schema(tmp_path: Path, target: dict[str, Any], flip: bool, nested: bool) -> None:
    times = pl.Series([1000, 1, None]).cast(pl.Time)
    df = DF.with_columns(t=times.reverse() if flip else times)
    df = df.with_columns(pl.struct("t").alias("t")) if nested else df
    write_avro(df, pl.PartitionBy(tmp_path / "a", **target), name="Mine", namespace="ns", doc="About it.")
    (schema,) = schemas(tmp_path / "a")
    assert '"name":"Mine","namespace":"ns"' in schema
    assert '"doc":"About it."' in schema
    assert "time-micros" not in schema
    assert_frame_equal(read_avro(tmp_path / "a").sort("v").select(df.columns), df)


def test_times_in_microseconds_stay_so(tmp_path: Path) -> None:
    df = DF.with_columns(t=pl.lit(dt.time(1, 2, 3, 4)))
    write_avro(df, tmp_path / "a", partition_by="k")
    (schema,) = schemas(tmp_path / "a")
    assert "time-micros" in schema
    assert_frame_equal(read_avro(tmp_path / "a").sort("v"), df)


@pytest.mark.parametrize(
    ("target", "schema"),
    [
        ({"key": "k"}, record("zz")),
        ({"key": "k"}, record("v")),
        ({"key": "k", "include_key": False}, record("k", "v")),
        ({"max_rows_per_file": 1}, record("v")),
        ({"key": pl.col("k").alias("zz")}, record("k", "v")),
    ],
)
@pytest.mark.parametrize("rows", [0, 3])
def test_the_columns_of_the_files_are_checked_before_the_query_runs(
    tmp_path: Path, target: dict[str, Any], schema: dict[str, Any], rows: int
) -> None:
    ran = []

    def spy(column: pl.Series) -> pl.Series:
        ran.append(column)
        return column

    lf = DF.head(rows).lazy().with_columns(pl.col("v").map_batches(spy, return_dtype=pl.Int64))
    partition_by = pl.PartitionBy(tmp_path / "a" / "b", **target)
    with pytest.raises(polars_avro.AvroSchemaError):
        sink_avro(lf, partition_by, avro_schema=schema)
    with pytest.raises(polars_avro.AvroSchemaError):
        write_avro(DF.head(rows), partition_by, avro_schema=schema)
    assert not ran
    assert not list(tmp_path.iterdir())


def test_a_schema_without_the_key_is_for_files_without_the_key(tmp_path: Path) -> None:
    target = pl.PartitionBy(tmp_path / "a", key="k", include_key=False)
    sink_avro(DF.lazy(), target, avro_schema=record("v"))
    assert_frame_equal(read_avro(tmp_path / "a").select("k", "v").sort("v"), DF.cast({"v": pl.Int32}))


def test_directories_are_left_as_they_were_found(tmp_path: Path) -> None:
    (tmp_path / "a" / "k=1").mkdir(parents=True)
    (tmp_path / "a" / "k=3").mkdir()
    (tmp_path / "a" / "k=3" / "note").write_text("x")
    before = sorted(tmp_path.rglob("*"))
    schema = record("k", "v")
    for value in (2**40, None):
        df = pl.DataFrame({"k": [1, 2, 3, 4], "v": [1, 2, 3, value]})
        for base in ("a", "b/c"):
            with pytest.raises(polars_avro.AvroDataError):
                write_avro(df, tmp_path / base, partition_by="k", avro_schema=schema)
            assert sorted(tmp_path.rglob("*")) == before
    (tmp_path / "file").touch()
    with pytest.raises((FileExistsError, NotADirectoryError)):
        write_avro(DF, tmp_path / "file", partition_by="k")


@pytest.mark.parametrize(
    ("target", "options", "error", "match"),
    [
        (None, {}, TypeError, "cannot write Avro to 'NoneType'"),
        ("a.avro", {"sync_on_close": "nope"}, ValueError, "`sync_on_close`"),
        (pl.PartitionBy("a", key="k"), {"append": True}, ValueError, "`append`"),
        (pl.PartitionBy("a", key="k"), {"sync_on_close": "nope"}, ValueError, "`sync_on_close`"),
        ("https://example.com/a.avro", {}, polars_avro.AvroUnsupportedError, "HTTP"),
    ],
)
def test_a_lazy_sink_checks_where_rows_go_at_once(
    target: Any, options: dict[str, Any], error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        sink_avro(DF.lazy(), target, lazy=True, **options)


@pytest.mark.parametrize(
    "key",
    [
        pl.col("v").max().alias("m"),
        pl.int_range(pl.len()).floordiv(2).alias("m"),
        pl.col("v").rank(),
        pl.col("v").cum_count(),
        pl.col("v").max().over("k"),
    ],
)
def test_keys_that_depend_on_other_rows_are_refused(tmp_path: Path, key: pl.Expr) -> None:
    target = pl.PartitionBy(tmp_path / "a", key=key)
    with pytest.raises(pl.exceptions.InvalidOperationError, match=r"^cannot use non-elementwise expressions for Part"):
        sink_avro(DF.lazy(), target)
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("given", ["../evil.avro", "k/../../evil.avro", "/evil.avro"])
def test_a_provider_cannot_leave_the_base_path(tmp_path: Path, given: str) -> None:
    path = str(tmp_path / "evil.avro") if given.startswith("/") else given
    target = pl.PartitionBy(tmp_path / "in", key="k", file_path_provider=lambda _: path)
    with pytest.raises(ValueError, match="`file_path_provider` must return paths below the base path"):
        sink_avro(DF.lazy(), target)
    assert not (tmp_path / "evil.avro").exists()


def test_a_file_that_cannot_be_replaced_is_found_before_others_are(tmp_path: Path) -> None:
    write_avro(DF.head(1), tmp_path, partition_by="k")
    (tmp_path / "k=2" / "00000000.avro").mkdir(parents=True)
    with pytest.raises(IsADirectoryError, match=r"k=2/00000000\.avro"):
        write_avro(DF.with_columns(v=pl.lit(9)), tmp_path, partition_by="k")
    assert read_avro(tmp_path / "k=1" / "00000000.avro")["v"].to_list() == [1]
    assert not list(tmp_path.rglob("*.tmp"))


def test_links_are_followed_and_the_directory_may_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "parts" / "k=1").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "parts" / "k=1" / "00000000.avro").symlink_to(tmp_path / "elsewhere" / "one.avro")
    monkeypatch.chdir(tmp_path)

    def leave(given: Any) -> str:
        monkeypatch.chdir(tmp_path / "elsewhere")
        return f"k={given.partition_keys.item()}/00000000.avro"

    sink_avro(DF.lazy(), pl.PartitionBy("parts", key="k", file_path_provider=leave))
    assert read_avro(tmp_path / "elsewhere" / "one.avro")["v"].to_list() == [1]
    assert sorted(read_avro(f"{tmp_path}/parts/**/*.avro")["v"]) == [1, 2, 3]


def test_names_of_keys_are_no_patterns(tmp_path: Path) -> None:
    df = pl.DataFrame({"v": [1, 2], "w": [3, 4]})
    key = pl.col("v").alias("^w$")
    sink_avro(df.lazy(), pl.PartitionBy(tmp_path, key=key, include_key=False))
    assert read_avro(tmp_path / "^w$=1" / "00000000.avro").to_dict(as_series=False) == {"v": [1], "w": [3]}
