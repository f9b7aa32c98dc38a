"""Files of partitions: names, directories and number."""

from __future__ import annotations

import io
import os
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from test_write_faces import DF, files_below

import polars_avro
from polars_avro import read_avro, sink_avro, write_avro


def test_partitions_are_named_as_polars_names_them(tmp_path: Path) -> None:
    df = DF.with_columns(n=pl.Series([1.5, None, 2.0]), t=pl.datetime(2024, 1, 2, 3, 4, 5), b=pl.lit(value=True))
    keys = ["k", "n", "t", "b"]
    df.write_parquet(tmp_path / "parquet", partition_by=keys)
    write_avro(df, tmp_path / "avro", partition_by=keys)
    expected = [name.replace(".parquet", ".avro") for name in files_below(tmp_path / "parquet")]
    assert files_below(tmp_path / "avro") == expected
    for name in expected:
        parquet = tmp_path / "parquet" / name.replace(".avro", ".parquet")
        assert_frame_equal(
            read_avro(tmp_path / "avro" / name, glob=False, hive_partitioning=False),
            pl.read_parquet(parquet, glob=False, hive_partitioning=False),
        )


@pytest.mark.filterwarnings("ignore:`PartitionBy`")
def test_partition_by_is_honoured(tmp_path: Path) -> None:
    lf = pl.LazyFrame({"v": range(10), "w": range(10)})
    sink_avro(lf, pl.PartitionBy(tmp_path / "rows", max_rows_per_file=4))
    assert [read_avro(tmp_path / "rows" / name).height for name in files_below(tmp_path / "rows")] == [4, 4, 2]
    sink_avro(lf, pl.PartitionBy(tmp_path / "keys", key=pl.col("v") % 2, include_key=False, max_rows_per_file=3))
    assert files_below(tmp_path / "keys") == [f"v={k}/0000000{i}.avro" for k in (0, 1) for i in (0, 1)]
    assert read_avro(tmp_path / "keys/v=1/00000000.avro", hive_partitioning=False).columns == ["w"]
    seen = []

    def path_of(args: object) -> str:
        seen.append((args.index_in_partition, args.partition_keys.rows()))
        return f"deep/{len(seen)}.avro"

    sink_avro(lf, pl.PartitionBy(tmp_path / "own", key="w", file_path_provider=path_of))
    assert len(files_below(tmp_path / "own")) == 10
    assert seen[0] == (0, [(0,)])
    sink_avro(lf.head(0), pl.PartitionBy(tmp_path / "none", key="w"))
    assert not (tmp_path / "none").exists()
    sink_avro(lf.head(0), pl.PartitionBy(tmp_path / "empty", max_rows_per_file=5))
    assert read_avro(tmp_path / "empty/00000000.avro").schema == lf.collect_schema()
    memory = [io.BytesIO(), io.BytesIO()]
    sink_avro(
        lf,
        pl.PartitionBy("x", key=pl.col("v") % 2, file_path_provider=lambda args: memory[args.partition_keys["v"][0]]),
    )
    assert [read_avro(target.getvalue()).height for target in memory] == [5, 5]


def test_hundreds_of_partitions_need_few_open_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLARS_MAX_OPEN_SINKS", "8")
    monkeypatch.setattr("polars_avro._writing.partitions._BUFFERED_BYTES", 2_000)
    df = pl.DataFrame({"k": [i * 7919 % 300 for i in range(3_000)], "v": range(3_000)})
    most = 0

    def count_open(_: object) -> None:
        nonlocal most
        most = max(most, len(os.listdir("/proc/self/fd")))

    before = len(os.listdir("/proc/self/fd"))
    lf = pl.concat([part.lazy() for part in df.iter_slices(500)]).map_batches(
        lambda part: (count_open(part), part)[1], streamable=True
    )
    write_avro(df, tmp_path / "eager", partition_by="k")
    sink_avro(lf, pl.PartitionBy(tmp_path / "lazy", key="k"))
    assert most <= before + 8 + 40
    for name in ("eager", "lazy"):
        assert len(list((tmp_path / name).iterdir())) == 300
        back = polars_avro.scan_avro(tmp_path / name / "*" / "*.avro", hive_partitioning=False).collect()
        assert_frame_equal(back, df, check_row_order=False)


def test_a_failing_partitioned_sink_leaves_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("polars_avro._writing.partitions._BUFFERED_BYTES", 100)

    def fail(df: pl.DataFrame) -> pl.DataFrame:
        if (df["v"] > 40_000).any():
            msg = "no more"
            raise RuntimeError(msg)
        return df

    lf = pl.concat([pl.LazyFrame({"v": range(at, at + 100)}) for at in range(0, 50_000, 10_000)])
    lf = lf.map_batches(fail, streamable=True)
    with pytest.raises(Exception, match="no more"):
        sink_avro(lf, pl.PartitionBy(tmp_path, key=pl.col("v") % 5))
    assert files_below(tmp_path) == []
