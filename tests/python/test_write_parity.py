"""Parity with `sink_parquet`: equal queries and targets yield files of the same names and rows, or the same error."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from polars_avro import read_avro, sink_avro, write_avro

pytestmark = [
    pytest.mark.filterwarnings("ignore:`PartitionBy`"),
    pytest.mark.filterwarnings("ignore:.*considered unstable"),
]
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


def _lazy(sink: Sink, directory: Path, kind: str) -> Any:
    lf = sink(LF, directory / f"a.{kind}", lazy=True)
    assert isinstance(lf, pl.LazyFrame)
    assert not list(directory.iterdir())
    return lf.collect().shape


def _together(sink: Sink, directory: Path, kind: str) -> Any:
    sinks = [sink(LF.filter(pl.col("i") > n), directory / f"{n}.{kind}", lazy=True) for n in range(3)]
    return [df.shape for df in pl.collect_all(sinks)]


def _together_lazily(sink: Sink, directory: Path, kind: str) -> Any:
    sinks = [sink(LF.filter(pl.col("i") > n), directory / f"{n}.{kind}", lazy=True) for n in range(3)]
    return pl.collect_all(sinks, lazy=True).collect().shape


def _on_top(sink: Sink, directory: Path, kind: str) -> Any:
    return sink(sink(LF, directory / f"a.{kind}", lazy=True), directory / f"b.{kind}")


def _lazy_on_top(sink: Sink, directory: Path, kind: str) -> Any:
    return sink(sink(LF, directory / f"a.{kind}", lazy=True), directory / f"b.{kind}", lazy=True)


def _made_of(sink: Sink, directory: Path, kind: str) -> Any:
    return sink(sink(LF, directory / f"a.{kind}", lazy=True).with_columns(x=1), directory / f"b.{kind}")


def _polars_on_top(sink: Sink, directory: Path, kind: str) -> Any:
    return sink(LF, directory / f"a.{kind}", lazy=True).sink_csv(directory / "b.csv")


def _on_top_of_polars(sink: Sink, directory: Path, kind: str) -> Any:
    return sink(LF.sink_csv(directory / "a.csv", lazy=True), directory / f"b.{kind}")


def _input_of(operation: Callable[[pl.LazyFrame], pl.LazyFrame]) -> Case:
    return lambda sink, directory, kind: operation(sink(LF, directory / f"a.{kind}", lazy=True)).collect()


INPUTS: dict[str, Case] = {
    "filter": _input_of(lambda lf: lf.filter(pl.lit(True))),
    "select": _input_of(lambda lf: lf.select(pl.len())),
    "head": _input_of(lambda lf: lf.head(1)),
    "cache": _input_of(lambda lf: lf.cache()),
    "cross join": _input_of(lambda lf: LF.join(lf, how="cross")),
    "left of a join": _input_of(lambda lf: lf.join(LF, how="cross")),
    "horizontal": _input_of(lambda lf: pl.concat([LF, lf], how="horizontal")),
    "vertical": _input_of(lambda lf: pl.concat([lf, lf])),
}


@pytest.mark.parametrize("case", [_lazy, _together, _together_lazily])
def test_lazy_sinks(tmp_path: Path, case: Case) -> None:
    check(tmp_path, case)


@pytest.mark.parametrize("case", [_on_top, _lazy_on_top, _made_of, _polars_on_top, _on_top_of_polars])
def test_no_sink_stands_on_another_one(tmp_path: Path, case: Case) -> None:
    check(tmp_path, case, error=pl.exceptions.InvalidOperationError)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
@pytest.mark.parametrize("case", INPUTS.values(), ids=INPUTS)
def test_a_lazy_sink_is_no_input(tmp_path: Path, case: Case, engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLARS_ENGINE_AFFINITY", engine)
    check(tmp_path, case, error=pl.exceptions.InvalidOperationError)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


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
