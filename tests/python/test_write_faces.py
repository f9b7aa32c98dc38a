"""Every way to write: targets, sinks, writers, partitions, namespaces, Arrow."""

from __future__ import annotations

import gc
import io
import os
import weakref
from pathlib import Path

import fastavro
import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal

import polars_avro
from polars_avro import AvroWriter, read_avro, sink_avro, write_avro

DF = pl.DataFrame({"a": [1, None, 3], "b": ["x", "y", None], "k": ["p", "q/r", None]})
MARKER = b"0123456789abcdef"


def files_below(directory: Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file())


class Collector:
    """The least that a target may be."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.chunks.append(bytes(data))


def test_a_frame_goes_to_every_kind_of_target(tmp_path: Path) -> None:
    memory, least = io.BytesIO(), Collector()
    with open(tmp_path / "c.avro", "wb") as file, open(tmp_path / "d.avro", "wb", buffering=0) as raw:
        for target in (
            tmp_path / "a.avro",
            str(tmp_path / "b.avro"),
            f"file://{tmp_path}/e.avro",
            file,
            raw,
            memory,
            least,
        ):
            write_avro(DF, target, sync_marker=MARKER)
    contents = {path.read_bytes() for path in tmp_path.iterdir()} | {memory.getvalue(), b"".join(least.chunks)}
    assert len(contents) == 1
    assert len(list(tmp_path.iterdir())) == 5
    assert_frame_equal(read_avro(contents.pop()), DF)


def test_memory_is_written_at_its_position() -> None:
    target = io.BytesIO(b"abc")
    target.seek(3)
    write_avro(DF, target)
    assert target.getvalue().startswith(b"abcObj\x01")
    assert target.tell() == len(target.getvalue())


def test_polars_own_positional_arguments_work() -> None:
    target = io.BytesIO()
    DF.avro.write(target, "deflate", "Name")
    metadata = polars_avro.read_avro_metadata(target.getvalue())
    assert metadata.codec == "deflate"
    assert '"name":"Name"' in metadata.avro_schema


@pytest.mark.parametrize("name", ["uncompressed", "null", "snappy", "deflate", "zstd", "zstandard", "bzip2", "xz"])
def test_codecs_go_by_both_names(name: str) -> None:
    target = io.BytesIO()
    write_avro(DF, target, compression=name)
    expected = {"uncompressed": "null", "zstd": "zstandard"}.get(name, name)
    assert polars_avro.read_avro_metadata(target.getvalue()).codec == expected


def test_levels_compress_more_or_less() -> None:
    df = pl.DataFrame({"s": [f"{i * 7919 % 10007} some words that repeat" for i in range(20_000)]})
    for codec, low, high in (("deflate", 1, 12), ("zstd", 1, 19), ("xz", 0, 9), ("bzip2", 1, 9)):
        sizes = []
        for level in (low, high):
            target = io.BytesIO()
            write_avro(df, target, compression=codec, compression_level=level, block_size=1 << 20)
            assert_frame_equal(read_avro(target.getvalue()), df)
            sizes.append(len(target.getvalue()))
        assert sizes[0] != sizes[1]
    for codec, level in (("snappy", 1), ("null", 0), ("deflate", 13), ("zstd", 23), ("xz", 10), ("bzip2", 0)):
        with pytest.raises(ValueError, match="level"):
            write_avro(df, io.BytesIO(), compression=codec, compression_level=level)


def test_metadata_name_namespace_and_doc_are_in_the_header() -> None:
    target = io.BytesIO()
    write_avro(DF, target, name="N", namespace="a.b", doc="text", metadata={"k": "v", "raw": b"\x00"})
    metadata = polars_avro.read_avro_metadata(target.getvalue())
    assert metadata.metadata == {"k": b"v", "raw": b"\x00"}
    schema = fastavro.reader(io.BytesIO(target.getvalue())).writer_schema
    assert (schema["name"], schema["doc"]) == ("a.b.N", "text")


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"compression": "lzo"}, ValueError, "`compression`"),
        ({"name": "1x"}, ValueError, "`name`"),
        ({"name": "long"}, ValueError, "`name`"),
        ({"namespace": "a..b"}, ValueError, "`namespace`"),
        ({"block_size": 0}, ValueError, "`block_size`"),
        ({"block_size": "1"}, TypeError, "`block_size`"),
        ({"sync_marker": b"short"}, ValueError, "`sync_marker`"),
        ({"sync_marker": "0123456789abcdef"}, TypeError, "`sync_marker`"),
        ({"metadata": {"avro.codec": "null"}}, ValueError, "avro"),
        ({"metadata": [("k", "v")]}, TypeError, "`metadata`"),
        ({"metadata": {"k": 1}}, TypeError, "`metadata`"),
        ({"n_threads": 0}, ValueError, "`n_threads`"),
        ({"sync_on_close": "maybe"}, ValueError, "`sync_on_close`"),
        ({"avro_schema": '{"type":"record","name":"R","fields":[]}', "name": "N"}, ValueError, "`avro_schema`"),
    ],
)
def test_bad_arguments_are_refused_before_the_target_is_touched(
    tmp_path: Path, options: dict[str, object], error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        write_avro(DF, tmp_path / "x" / "a.avro", mkdir=True, **options)
    assert list(tmp_path.iterdir()) == []


def test_bad_targets_are_refused() -> None:
    with pytest.raises(TypeError, match="expected a str, a path"):
        write_avro(DF, 5)
    with pytest.raises(TypeError, match="binary"):
        write_avro(DF, io.StringIO())
    with pytest.raises(polars_avro.AvroUnsupportedError, match="cannot write over HTTP"):
        write_avro(DF, "https://example.org/a.avro")
    with pytest.raises(TypeError, match="DataFrame"):
        write_avro(DF.lazy(), io.BytesIO())
    with pytest.raises(TypeError, match="LazyFrame"):
        sink_avro(DF, io.BytesIO())


def test_directories_are_made_if_wanted(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_avro(DF, tmp_path / "x" / "a.avro")
    write_avro(DF, tmp_path / "x" / "a.avro", mkdir=True, sync_on_close="all")
    assert files_below(tmp_path) == ["x/a.avro"]
    with pytest.raises(IsADirectoryError):
        write_avro(DF, tmp_path / "x")


def test_a_query_is_written_as_it_comes(tmp_path: Path) -> None:
    lf = pl.LazyFrame({"i": range(500_000)}).with_columns(s=pl.col("i").cast(pl.String)).filter(pl.col("i") % 3 == 0)
    assert sink_avro(lf, tmp_path / "a.avro", engine="streaming") is None
    assert_frame_equal(read_avro(tmp_path / "a.avro"), lf.collect())
    sink_avro(lf.head(0), tmp_path / "empty.avro")
    assert read_avro(tmp_path / "empty.avro").schema == lf.collect_schema()


def test_a_lazy_sink_writes_when_it_is_collected(tmp_path: Path) -> None:
    lazy = sink_avro(DF.lazy(), tmp_path / "a.avro", lazy=True)
    assert isinstance(lazy, pl.LazyFrame)
    assert not (tmp_path / "a.avro").exists()
    other = DF.lazy().sink_parquet(tmp_path / "b.parquet", lazy=True)
    pl.collect_all([lazy, other])
    assert_frame_equal(read_avro(tmp_path / "a.avro"), DF)


def test_a_failing_query_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.avro"
    write_avro(DF, path)

    def fail(value: int) -> int:
        if value == 299_999:
            msg = "no more"
            raise RuntimeError(msg)
        return value

    lf = pl.LazyFrame({"a": range(300_000)}).select(pl.col("a").map_elements(fail, return_dtype=pl.Int64))
    with pytest.raises(Exception, match="no more"):
        sink_avro(lf, path)
    assert_frame_equal(read_avro(path), DF)
    assert files_below(tmp_path) == ["a.avro"]
    memory = io.BytesIO()
    with pytest.raises(Exception, match="no more"):
        sink_avro(lf, memory)
    assert memory.getvalue() == b""


def test_paths_of_a_sink_are_told(tmp_path: Path) -> None:
    told: list[object] = []
    sink_avro(DF.lazy(), tmp_path / "a.avro", sinked_paths_callback=told.append)
    (args,) = told
    (path,) = args.paths
    assert (path.path, path.num_rows) == (str(tmp_path / "a.avro"), 3)
    assert path.num_bytes == (tmp_path / "a.avro").stat().st_size


def test_a_writer_joins_small_frames(tmp_path: Path) -> None:
    df = pl.DataFrame({"i": range(10_000)})
    with AvroWriter(tmp_path / "a.avro", compression="null", block_size=4096) as writer:
        for rows in df.iter_slices(7):
            writer.write(rows)
        assert writer.rows_written == df.height
        assert writer.schema == df.schema
        assert not (tmp_path / "a.avro").exists()
    assert_frame_equal(read_avro(tmp_path / "a.avro"), df)
    assert polars_avro.read_avro_metadata(tmp_path / "a.avro").n_blocks < 12


def test_a_writer_that_is_left_by_an_error_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), AvroWriter(tmp_path / "a.avro") as writer:  # noqa: PT012
        writer.write(DF)
        1 / 0  # noqa: B018
    assert files_below(tmp_path) == []


def test_a_writer_knows_its_columns(tmp_path: Path) -> None:
    with AvroWriter(tmp_path / "a.avro", schema=DF.schema) as writer:
        assert '"name":"a"' in (writer.avro_schema or "")
    assert read_avro(tmp_path / "a.avro").schema == DF.schema
    writer = AvroWriter(io.BytesIO())
    with pytest.raises(TypeError, match="sink_avro"):
        writer.write(DF.lazy())
    with pytest.raises(TypeError, match="__arrow_c_stream__"):
        writer.write([1])
    writer.write(DF)
    writer.close()
    writer.close()
    with pytest.raises(ValueError, match="closed"):
        writer.write(DF)


def test_a_writer_takes_arrow(tmp_path: Path) -> None:
    table = pa.table(
        {"a": pa.array([1, None], pa.int32()), "s": pa.array(["x", "y"]), "d": pa.array(["u", "u"]).dictionary_encode()}
    )
    expected = pl.DataFrame(table)
    reader = pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=1))
    for data in (table, reader, table.to_batches()[0]):
        target = io.BytesIO()
        with AvroWriter(target) as writer:
            writer.write(data)
        assert_frame_equal(read_avro(target.getvalue()), expected)


def test_a_reader_offers_arrow() -> None:
    df = pl.DataFrame({"i": range(300_000), "s": [f"{i}" for i in range(300_000)]})
    target = io.BytesIO()
    write_avro(df, target)
    with polars_avro.AvroReader(target.getvalue(), batch_size=50_000) as reader:
        first = next(reader)
        stream = pa.RecordBatchReader.from_stream(reader)
        rest = pa.Table.from_batches(list(stream), stream.schema)
    assert_frame_equal(pl.concat([first, pl.DataFrame(rest)]), df)
    with pytest.raises(ValueError, match="closed"):
        reader.__arrow_c_stream__()


def test_two_writers_that_append(tmp_path: Path) -> None:
    path = tmp_path / "a.avro"
    write_avro(DF, path)
    first, second = (AvroWriter(path, append=True) for _ in range(2))
    first.write(DF)
    second.write(DF.reverse())
    first.close()
    with pytest.raises(OSError, match=r"a\.avro: another writer has changed the file"):
        second.close()
    assert_frame_equal(read_avro(path), pl.concat([DF, DF]))


def test_rows_are_appended(tmp_path: Path) -> None:
    path = tmp_path / "a.avro"
    for _ in range(3):
        write_avro(DF, path, append=True)
    assert_frame_equal(read_avro(path), pl.concat([DF] * 3))
    sink_avro(DF.lazy(), path, append=True)
    with AvroWriter(path, append=True) as writer:
        writer.write(DF)
    assert read_avro(path).height == 15
    before = path.read_bytes()
    for df, options, error, match in (
        (DF, {"compression": "deflate"}, ValueError, "codec"),
        (DF.drop("a"), {}, polars_avro.AvroSchemaError, None),
        (DF.with_columns(a=pl.lit("x")), {}, polars_avro.AvroSchemaError, None),
        (DF, {"metadata": {"k": "v"}}, ValueError, "metadata"),
        (DF, {"sync_marker": MARKER}, ValueError, "sync_marker"),
    ):
        with pytest.raises(error, match=match):
            write_avro(df, path, append=True, **options)
        assert path.read_bytes() == before
    path.write_bytes(before[:-5])
    with pytest.raises(polars_avro.AvroDataError):
        write_avro(DF, path, append=True)
    with pytest.raises(ValueError, match="append"):
        write_avro(DF, io.BytesIO(), append=True)


def test_a_failed_append_is_cut_back(tmp_path: Path) -> None:
    path = tmp_path / "a.avro"
    df = pl.DataFrame({"i": range(400_000)})
    write_avro(df, path, compression="null")
    before = path.read_bytes()
    with pytest.raises(ZeroDivisionError), AvroWriter(path, append=True, compression="null") as writer:  # noqa: PT012
        for _ in range(10):
            writer.write(df)
        assert path.stat().st_size > len(before)
        1 / 0  # noqa: B018
    assert path.read_bytes() == before


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


def test_thousands_of_partitions_need_few_open_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLARS_MAX_OPEN_SINKS", "8")
    monkeypatch.setattr("polars_avro._writing.partitions._WAITING_BYTES", 20_000)
    df = pl.DataFrame({"k": [i * 7919 % 3000 for i in range(30_000)], "v": range(30_000)})
    most = 0

    def count_open(_: object) -> None:
        nonlocal most
        most = max(most, len(os.listdir("/proc/self/fd")))

    before = len(os.listdir("/proc/self/fd"))
    lf = pl.concat([part.lazy() for part in df.iter_slices(5_000)]).map_batches(
        lambda part: (count_open(part), part)[1], streamable=True
    )
    write_avro(df, tmp_path / "eager", partition_by="k")
    sink_avro(lf, pl.PartitionBy(tmp_path / "lazy", key="k"))
    assert most <= before + 8 + 40
    for name in ("eager", "lazy"):
        assert len(list((tmp_path / name).iterdir())) == 3000
        back = polars_avro.scan_avro(tmp_path / name / "*" / "*.avro", hive_partitioning=False).collect()
        assert_frame_equal(back, df, check_row_order=False)


def test_a_failing_partitioned_sink_leaves_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("polars_avro._writing.partitions._WAITING_BYTES", 100)

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


def test_namespaces_write_and_tell_schemas() -> None:
    target = io.BytesIO()
    DF.avro.write(target, compression="zstd")
    assert_frame_equal(read_avro(target.getvalue()), DF)
    lazy_target = io.BytesIO()
    DF.lazy().avro.sink(lazy_target)
    assert_frame_equal(read_avro(lazy_target.getvalue()), DF)
    assert DF.avro.schema() == DF.lazy().avro.schema()
    assert polars_avro.read_avro_metadata(target.getvalue()).avro_schema == DF.avro.schema()


def test_a_frame_whose_namespace_was_used_is_freed() -> None:
    gc.disable()
    try:
        for make, use in (
            (DF.clone, lambda df: df.avro.write(io.BytesIO())),
            (DF.clone, lambda df: df.avro.schema()),
            (DF.lazy, lambda lf: lf.avro.schema()),
            (DF.lazy, lambda lf: lf.avro.sink(io.BytesIO())),
        ):
            frame = make()
            use(frame)
            alive = weakref.ref(frame)
            del frame
            assert alive() is None
    finally:
        gc.enable()


def test_unwritable_dtypes_are_named_before_the_target_is_touched(tmp_path: Path) -> None:
    for series, match in (
        (pl.Series([object()], dtype=pl.Object), "Object"),
        (pl.Series([[]], dtype=pl.Array(pl.Int8, 0)), "List"),
    ):
        df = pl.DataFrame({"column": series})
        with pytest.raises(polars_avro.AvroUnsupportedError, match=match) as error:
            write_avro(df, tmp_path / "a.avro")
        assert "`column`" in str(error.value)
        assert "cast" in str(error.value)
    assert list(tmp_path.iterdir()) == []
