"""Partition keys: names, values that are read back, permissions."""

from __future__ import annotations

import datetime as dt
import os
import stat
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from polars_avro import AvroUnsupportedError, read_avro, scan_avro, sink_avro, write_avro


@pytest.mark.parametrize(
    "name", ["../evil", "/abs", "a/b", "a\\b", "..\\evil", "a=b", "=", "/", "./x", "x/..", "k=1/v", "//host/share"]
)
def test_names_that_end_a_directory_are_refused(tmp_path: Path, name: str) -> None:
    target = tmp_path / "rows"
    df = pl.DataFrame({name: [1], "v": [2]})
    with pytest.raises(ValueError, match="cannot partition by"):
        write_avro(df, target, partition_by=name)
    for include in (True, False):
        with pytest.raises(ValueError, match="cannot partition by"):
            sink_avro(df.lazy(), pl.PartitionBy(target, key=[name], include_key=include))
    with pytest.raises(ValueError, match="cannot partition by"):
        sink_avro(df.lazy(), pl.PartitionBy(target, key=pl.col("v").alias(name)))
    assert list(tmp_path.iterdir()) == []
    # A provider chooses the names itself.
    sink_avro(df.lazy(), pl.PartitionBy(target, key=name, file_path_provider=lambda _: "x.avro"))
    assert_frame_equal(read_avro(target / "x.avro", hive_partitioning=False), df)


@pytest.mark.filterwarnings("ignore:Extension type")
def test_dtypes_without_a_text_are_refused(tmp_path: Path) -> None:
    extension = pl.Series("k", ["a"]).ext.to(pl.Extension("test.type", pl.String, None))
    for key in (pl.Series("k", [b"a"]), pl.Series("k", [dt.timedelta(1)]), pl.Series("k", [[1]]), extension):
        with pytest.raises(AvroUnsupportedError, match="cannot partition by 'k' of dtype"):
            sink_avro(key.to_frame().lazy(), pl.PartitionBy(tmp_path, key="k"))


NAMES = ["k", "with space", "..", ".hidden", "_k", "%", "é", "a:b", "#", "~", "'", '"', "{x}", "a,b", "?", "[x]", "-"]


@pytest.mark.parametrize("name", NAMES)
def test_other_names_are_read_back(tmp_path: Path, name: str) -> None:
    df = pl.DataFrame({name: ["p", "q"], "v": [1, 2]})
    write_avro(df, tmp_path / "rows", partition_by=name)
    assert_frame_equal(read_avro(tmp_path / "rows").sort("v").select(df.columns), df)
    assert scan_avro(tmp_path / "rows").filter(pl.col(name) == "q").collect()["v"].to_list() == [2]


TEXTS = [
    "__HIVE_DEFAULT_PARTITION__",
    "*",
    "a*b",
    "**",
    "",
    " ",
    "%",
    "%2A",
    "%5F_HIVE_DEFAULT_PARTITION__",
    "a=b",
    "a/b",
    "..",
    ".",
    "?",
    "[x]",
    "{a,b}",
    "é",
    "\n",
    "\x7f",
    "null",
    "None",
    "1",
    "1.0",
    "2024-01-02",
    "true",
    "\\",
    '"',
    "'",
    "#",
    "~",
    "_",
    ":",
]


@pytest.mark.parametrize("include_key", [True, False])
def test_every_text_is_read_back_as_it_was(tmp_path: Path, include_key: bool) -> None:
    df = pl.DataFrame({"k": [*TEXTS, None], "v": range(len(TEXTS) + 1)})
    sink_avro(df.lazy(), pl.PartitionBy(tmp_path, key="k", include_key=include_key))
    schema = {"k": pl.String}
    back = read_avro(tmp_path, hive_schema=schema).sort("v")
    assert_frame_equal(back.select("k", "v"), df)
    for text, v in df.rows():
        found = scan_avro(tmp_path, hive_schema=schema).filter(pl.col("k").eq_missing(pl.lit(text, dtype=pl.String)))
        assert found.collect()["v"].to_list() == [v]


ZONES = ["America/New_York", "Europe/Amsterdam", "Asia/Tokyo", "Africa/Monrovia", "UTC", "Asia/Kolkata", "Etc/GMT+5"]


@pytest.mark.parametrize(("zone", "unit"), [(zone, ("ms", "us", "ns")[i % 3]) for i, zone in enumerate(ZONES)])
def test_times_before_standard_time_are_read_back(tmp_path: Path, zone: str, unit: Any) -> None:
    years = (1829, 1880, 1884, 1890, 1906, 1917, 1937, 1945, 1971, 1972, 2024)
    instants = [dt.datetime(year, 1, 1, 12, 34, 56, 789_000, tzinfo=dt.timezone.utc) for year in years]
    times = pl.Series("t", instants, dtype=pl.Datetime(unit, "UTC")).dt.convert_time_zone(zone)
    df = pl.DataFrame({"t": times, "v": range(len(years))})
    write_avro(df, tmp_path, partition_by="t")
    assert len(list(tmp_path.iterdir())) == len(years)
    assert_frame_equal(read_avro(tmp_path).sort("v"), df)
    for time, v in zip(times, range(len(years)), strict=True):
        assert scan_avro(tmp_path).filter(pl.col("t") == time).collect()["v"].to_list() == [v]
        assert scan_avro(tmp_path).filter(pl.col("t") < time).collect().height == v


def test_files_that_are_replaced_keep_their_permissions(tmp_path: Path) -> None:
    df = pl.DataFrame({"k": [1, 2], "v": [3, 4]})
    write_avro(df, tmp_path / "one.avro")
    write_avro(df, tmp_path / "rows", partition_by="k")
    paths = [tmp_path / "one.avro", *sorted(tmp_path.rglob("0*.avro"))]
    assert len(paths) == 3
    for mode in (0o600, 0o640, 0o666, 0o755):
        for path in paths:
            path.chmod(mode)
        write_avro(df, paths[0])
        write_avro(df, tmp_path / "rows", partition_by="k")
        assert [stat.S_IMODE(path.stat().st_mode) for path in paths] == [mode] * 3
        sink_avro(df.lazy(), paths[0])
        sink_avro(df.lazy(), pl.PartitionBy(tmp_path / "rows", key="k"))
        assert [stat.S_IMODE(path.stat().st_mode) for path in paths] == [mode] * 3
    assert len(list(tmp_path.rglob("*.avro"))) == 3
    assert not list(tmp_path.rglob(".*"))
    # A link is followed, and a new file has default permissions.
    link, real = paths[1], tmp_path / "real"
    os.replace(link, real)
    real.chmod(0o600)
    link.symlink_to(real)
    write_avro(df.with_columns(k=pl.Series([1, 7])), tmp_path / "rows", partition_by="k")
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    (tmp_path / "probe").touch()
    new = tmp_path / "rows/k=7/00000000.avro"
    assert stat.S_IMODE(new.stat().st_mode) == stat.S_IMODE((tmp_path / "probe").stat().st_mode)


def test_a_failed_sink_leaves_files_and_permissions(tmp_path: Path) -> None:
    df = pl.DataFrame({"k": [1, 2], "v": [3, 4]})
    write_avro(df, tmp_path, partition_by="k")
    paths = sorted(tmp_path.rglob("*.avro"))
    before = [path.read_bytes() for path in paths]
    paths[0].chmod(0o600)

    def fail(_: pl.DataFrame) -> pl.DataFrame:
        raise ZeroDivisionError

    lf = pl.concat([df.lazy(), df.lazy().map_batches(fail, schema=df.schema)])
    with pytest.raises(ZeroDivisionError):
        sink_avro(lf, pl.PartitionBy(tmp_path, key="k"))
    assert [path.read_bytes() for path in paths] == before
    assert stat.S_IMODE(paths[0].stat().st_mode) == 0o600
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 2
