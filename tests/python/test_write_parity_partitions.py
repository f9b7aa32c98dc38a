"""Parity with `sink_parquet`: partitions have the same files, paths, callbacks and errors."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from write_parity import DF, LARGE, LF, Case, Sink, check, outcome, parquet, read

from polars_avro import sink_avro, write_avro

pytestmark = [
    pytest.mark.filterwarnings("ignore:`PartitionBy`"),
    pytest.mark.filterwarnings("ignore:.*considered unstable"),
]


def _by(**options: Any) -> Case:
    return lambda sink, directory, kind: sink(LF, pl.PartitionBy(directory / "rows", **options))


def _chunks(lf: pl.LazyFrame, **options: Any) -> Case:
    return lambda sink, directory, kind: sink(lf, pl.PartitionBy(directory / "rows", **options))


PARTITIONS: dict[str, Case] = {
    "one key": _by(key="s"),
    "keys": _by(key=["s", "b"]),
    "expression": _by(key=pl.col("i") % 2),
    "expressions": _by(key=[pl.col("i") % 2, pl.col("s").str.len_bytes().alias("len")]),
    "mapping": _by(key={"year": pl.col("d").dt.year(), "day": pl.col("d").dt.day()}),
    "without key": _by(key="s", include_key=False),
    "with key": _by(key="s", include_key=True),
    "new key without": _by(key=pl.col("i").alias("z"), include_key=False),
    "date": _by(key="d"),
    "datetime": _by(key="t"),
    "float": _by(key="f"),
    "bool": _by(key="b"),
    "rows": _by(max_rows_per_file=4),
    "key and rows": _by(key="b", max_rows_per_file=1),
    "more rows": _by(max_rows_per_file=100),
    "bytes": _by(key="b", approximate_bytes_per_file=1),
    "many rows": _chunks(LARGE, max_rows_per_file=100_000),
    "bytes of many rows": _chunks(LARGE.select("a"), approximate_bytes_per_file=1),
    "more bytes of many rows": _chunks(LARGE.select("a"), approximate_bytes_per_file=1_600_000),
    "many rows by key": _chunks(LARGE, key="k"),
    "nothing": _chunks(LF.clear(), key="s"),
    "nothing without key": _chunks(LF.clear(), max_rows_per_file=3),
}


@pytest.mark.parametrize("partition", PARTITIONS)
def test_partitions(tmp_path: Path, partition: str) -> None:
    check(tmp_path, PARTITIONS[partition])


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"key": "missing"}, pl.exceptions.ColumnNotFoundError),
        ({"key": pl.col("i").max()}, pl.exceptions.InvalidOperationError),
        ({"key": pl.col("i").rank()}, pl.exceptions.InvalidOperationError),
        ({}, None),
    ],
)
def test_keys_that_are_refused(tmp_path: Path, options: dict[str, Any], error: type[Exception] | None) -> None:
    check(tmp_path, _by(**options), error=error)


def test_providers_see_the_same_partitions(tmp_path: Path) -> None:
    def case(sink: Sink, directory: Path, kind: str) -> Any:
        seen: list[Any] = []

        def path_of(args: Any) -> str:
            seen.append((args.index_in_partition, args.partition_keys.schema, args.partition_keys.rows()))
            return f"{len(seen)}/x.{kind}"

        target = pl.PartitionBy(directory, key=["b", "s"], file_path_provider=path_of, max_rows_per_file=1)
        sink(LF, target, maintain_order=True)
        return sorted(seen, key=repr)

    ours, files = outcome("avro", tmp_path / "avro", case)
    theirs, others = outcome("parquet", tmp_path / "parquet", case)
    assert ours == theirs
    assert len(files) == len(others) == DF.height
    assert_frame_equal(pl.concat(files.values()), pl.concat(others.values()), check_row_order=False)


def test_providers_may_return_objects() -> None:
    for kind, sink in (("avro", sink_avro), ("parquet", parquet)):
        memory: list[io.BytesIO] = []

        def object_of(_: Any, memory: list[io.BytesIO] = memory) -> io.BytesIO:
            memory.append(io.BytesIO())
            return memory[-1]

        sink(LF, pl.PartitionBy("x", key="b", file_path_provider=object_of))
        assert sorted(read(kind, file.getvalue()).height for file in memory) == [1, 2, 3]


def test_two_files_of_one_path_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="two files of one sink"):
        sink_avro(LF, pl.PartitionBy(tmp_path, key="b", file_path_provider=lambda _: Path("x.avro")))
    assert not list(tmp_path.iterdir())


def test_the_callback_gets_the_same_paths(tmp_path: Path) -> None:
    def of(make: Callable[[Path, str], Any]) -> Case:
        def case(sink: Sink, directory: Path, kind: str) -> Any:
            seen: list[Any] = []
            sink(LF, make(directory, kind), sinked_paths_callback=seen.append)
            (args,) = seen
            paths = [
                (str(Path(path.path).relative_to(directory).with_suffix("")), path.num_rows) for path in args.paths
            ]
            sizes = [Path(path.path).stat().st_size == path.num_bytes for path in args.paths]
            return sorted(paths), all(sizes)

        return case

    for number, make in enumerate(
        [
            lambda directory, kind: directory / f"a.{kind}",
            lambda directory, kind: pl.PartitionBy(directory, key="b"),
            lambda directory, kind: pl.PartitionBy(directory, max_rows_per_file=2),
        ]
    ):
        (tmp_path / str(number)).mkdir()
        check(tmp_path / str(number), of(make))


@pytest.mark.parametrize("lazy", [False, True])
def test_the_callback_needs_paths(tmp_path: Path, lazy: bool) -> None:
    memory = io.BytesIO()

    def by_object(sink: Sink, directory: Path, kind: str) -> Any:
        made = sink(LF, memory, sinked_paths_callback=print, lazy=lazy)
        return made.collect() if lazy else made

    def by_provider(sink: Sink, directory: Path, kind: str) -> Any:
        target = pl.PartitionBy(directory, key="b", file_path_provider=lambda _: memory)
        made = sink(LF, target, sinked_paths_callback=print, lazy=lazy)
        return made.collect() if lazy else made

    for case in (by_object, by_provider):
        directory = tmp_path / case.__name__
        directory.mkdir()
        check(directory, case, error=pl.exceptions.ComputeError)
        assert memory.getvalue() == b""


@pytest.mark.parametrize("n_bytes", [1, 2, 16, 17, 100, 10_000, 2**32])
def test_files_of_a_frame_by_bytes(tmp_path: Path, n_bytes: int) -> None:
    df = LARGE.select("a", k=pl.col("a") % 2).collect()
    small = DF.select("b", "i")
    for name, frame, key in (("small", small, "b"), ("large", df, "k")):
        write_avro(frame, tmp_path / name / "avro", partition_by=key, partition_chunk_size_bytes=n_bytes)
        frame.write_parquet(
            tmp_path / name / "parquet", partition_by=key, partition_chunk_size_bytes=n_bytes, mkdir=True
        )
        files = {
            kind: {
                str(path.relative_to(tmp_path / name / kind).with_suffix("")): read(kind, path)
                for path in sorted((tmp_path / name / kind).rglob(f"*.{kind}"))
            }
            for kind in ("avro", "parquet")
        }
        assert list(files["avro"]) == list(files["parquet"])
        for path, rows in files["avro"].items():
            assert_frame_equal(rows, files["parquet"][path])


class RefusedError(Exception):
    """Raised by a query."""


@pytest.mark.parametrize("partitioned", [False, True])
def test_errors_of_a_query_pass_through(tmp_path: Path, partitioned: bool) -> None:
    def fail(_: pl.DataFrame) -> pl.DataFrame:
        raise RefusedError

    for error, lf in {
        RefusedError: LF.map_batches(fail, schema=DF.schema),
        pl.exceptions.ColumnNotFoundError: LF.select("missing"),
        pl.exceptions.InvalidOperationError: LF.select(pl.col("s").cast(pl.Int64)),
    }.items():
        for kind, sink in (("avro", sink_avro), ("parquet", parquet)):
            target = pl.PartitionBy(tmp_path, key="s") if partitioned else tmp_path / f"a.{kind}"
            with pytest.raises(Exception) as raised:  # noqa: PT011
                sink(lf, target)
            assert error.__name__ in f"{type(raised.value).__name__} {raised.value}"
        assert not list(tmp_path.rglob("*.avro"))
