"""All ways to write: targets, sinks, writers, partitions, namespaces, Arrow."""

from __future__ import annotations

import gc
import io
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
    """A minimal target."""

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
