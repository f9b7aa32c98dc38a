"""Files of fsspec that are not open yet: `UPath`, and what `fsspec.open` returns."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import uuid

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import polars_avro
from polars_avro import AvroReader, AvroUnsupportedError, AvroWriter, read_avro, scan_avro, sink_avro, write_avro
from polars_avro._sources import fsspec_files

fsspec = pytest.importorskip("fsspec")
UPath = pytest.importorskip("upath").UPath
LocalFileSystem = pytest.importorskip("fsspec.implementations.local").LocalFileSystem


class DeferringFileSystem(LocalFileSystem):
    """Lets files appear when they are committed; not recognised as the local filesystem."""

    protocol = "deferring"


@pytest.fixture
def base():
    """A new directory of the memory filesystem."""
    folder = f"/{uuid.uuid4().hex}"
    yield UPath(f"memory:/{folder}")
    if fsspec.filesystem("memory").exists(folder):
        fsspec.filesystem("memory").rm(folder, recursive=True)


@pytest.fixture
def in_memory(base, path):
    target = base / "rows.avro"
    target.write_bytes(path.read_bytes())
    (base / "more.avro").write_bytes(path.read_bytes())
    return target


@pytest.fixture
def deferring(tmp_path):
    fsspec.register_implementation("deferring", DeferringFileSystem, clobber=True)
    return fsspec.open(f"deferring://{tmp_path}/rows.avro", "wb")


READERS = {
    "scan": lambda source: scan_avro(source).collect(),
    "read": read_avro,
    "reader": lambda source: pl.concat(AvroReader(source)),
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_a_upath_of_another_filesystem_is_opened_by_it(read, in_memory, frame):
    assert_frame_equal(read(in_memory), frame)
    assert_frame_equal(read(fsspec.open(str(in_memory))), frame)


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_local_files_are_read_by_their_path(read, path, frame, tmp_path):
    odd = tmp_path / "100%25 [a].avro"
    odd.write_bytes(path.read_bytes())
    for each in (path, odd):
        for source in (UPath(each), UPath(f"file://{each}"), fsspec.open(f"file://{each}")):
            assert_frame_equal(read(source), frame)
            assert isinstance(polars_avro._sources.inputs.normalize_source(source), str)


def test_schema_and_metadata(in_memory, frame):
    assert polars_avro.read_avro_schema(in_memory) == frame.schema
    assert polars_avro.read_avro_metadata(in_memory).n_rows == 1000


def test_lists_and_iterators(in_memory, base, frame):
    twice = pl.concat([frame, frame])
    assert_frame_equal(scan_avro([in_memory, in_memory]).collect(), twice)
    assert_frame_equal(scan_avro(base.glob("*.avro")).collect(), twice)
    assert_frame_equal(read_avro(fsspec.open_files(f"{base}/*.avro")), twice)


def test_paths_and_files_of_fsspec_do_not_mix(in_memory, path):
    with pytest.raises(TypeError, match=r"either paths, or bytes, file-likes and files of fsspec"):
        scan_avro([in_memory, path])


def test_patterns_and_directories_of_other_filesystems_are_refused_by_name(in_memory, base):
    with pytest.raises(AvroUnsupportedError, match=rf"{base}/\*\.avro: patterns are not expanded"):
        scan_avro(base / "*.avro")
    with pytest.raises(AvroUnsupportedError, match=f"{base}: directories are not listed"):
        read_avro(base)
    with pytest.raises(FileNotFoundError, match="missing"):
        read_avro(base / "missing.avro")


def test_a_directory_that_opens_as_an_empty_file_is_refused(tmp_path):
    class Store(LocalFileSystem):
        def _open(self, path, mode="rb", **options):
            return super()._open(os.devnull)

    with pytest.raises(AvroUnsupportedError, match="directories are not listed"):
        read_avro(fsspec.core.OpenFile(Store(), str(tmp_path)))


def test_a_name_with_brackets_is_read(base, path, frame):
    (base / "rows[1].avro").write_bytes(path.read_bytes())
    assert_frame_equal(scan_avro(base / "rows[1].avro").collect(), frame)


def test_what_needs_paths_is_refused(in_memory):
    with pytest.raises(AvroUnsupportedError, match="columns from paths need paths"):
        scan_avro(in_memory, hive_partitioning=True)
    with pytest.raises(TypeError, match="splits need paths"):
        polars_avro.plan_splits(in_memory)


def test_errors_name_the_file(base):
    (base / "text.avro").write_bytes(b"no Avro file at all")
    with pytest.raises(polars_avro.AvroDataError, match=rf"{base}/text\.avro"):
        read_avro(base / "text.avro")


def test_two_scans_of_a_file_in_memory_do_not_share_a_position(in_memory, frame):
    first, second = scan_avro(in_memory), scan_avro(in_memory)
    assert_frame_equal(pl.concat([first, second]).collect(), pl.concat([frame, frame]))
    assert_frame_equal(first.collect(), frame)


def test_a_compressed_file(base, frame):
    target = fsspec.open(f"{base}/rows.avro.gz", "wb", compression="gzip")
    write_avro(frame, target)
    assert (base / "rows.avro.gz").read_bytes()[:2] == b"\x1f\x8b"
    assert_frame_equal(read_avro(fsspec.open(f"{base}/rows.avro.gz", compression="gzip")), frame)


@pytest.mark.parametrize("mode", ["wb", "r", "rt"])
def test_a_source_must_be_opened_for_reading_bytes(in_memory, path, mode):
    for url in (str(in_memory), str(path)):
        with pytest.raises(ValueError, match=rf"the mode of `fsspec.open` must be 'rb', got '{mode}'"):
            read_avro(fsspec.open(url, mode, auto_mkdir=False))


@pytest.mark.parametrize("mode", ["rb", "ab", "w"])
def test_a_target_must_be_opened_for_writing_bytes(base, tmp_path, frame, mode):
    for url in (f"{base}/x.avro", str(tmp_path / "x.avro")):
        with pytest.raises(ValueError, match=rf"must be 'wb' or 'xb', got '{mode}'"):
            write_avro(frame, fsspec.open(url, mode))


# Which opens a file: this package by its URL, or the filesystem of the path.


@pytest.mark.parametrize("url", ["s3://b/k.avro", "gs://b/k.avro", "az://c/k.avro", "https://host/k.avro?sign=1"])
def test_paths_of_stores_without_options_are_read_by_their_url(url):
    assert fsspec_files.place_of(UPath(url), ()) == url


def test_paths_with_options_keep_their_filesystem():
    assert fsspec_files.place_of(UPath("s3://b/k.avro", anon=True), ()) is None
    assert fsspec_files.place_of(UPath("simplecache::s3://b/k.avro"), ()) is None
    assert fsspec_files.place_of(UPath("https://host/k.avro", headers={"Authorization": "secret"}), ()) is None


def test_options_in_the_configuration_of_fsspec_count(monkeypatch):
    import fsspec.config

    monkeypatch.setitem(fsspec.config.conf, "s3", {"endpoint_url": "http://localhost:1"})
    assert fsspec_files.place_of(UPath("s3://b/k.avro"), ()) is None


WRITERS = {
    "write": write_avro,
    "sink": lambda df, target, **options: sink_avro(df.lazy(), target, **options),
    "writer": lambda df, target, **options: written(df, target, **options),
}


def written(df, target, **options):
    with AvroWriter(target, **options) as writer:
        writer.write(df[:300])
        writer.write(df[300:])


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_every_kind_of_target(write, base, tmp_path, frame, deferring):
    for target, source in (
        (base / "x.avro", base / "x.avro"),
        (fsspec.open(f"{base}/y.avro", "wb"), base / "y.avro"),
        (UPath(tmp_path / "x.avro"), tmp_path / "x.avro"),
        (UPath(f"file://{tmp_path}/y.avro"), tmp_path / "y.avro"),
        (fsspec.open(f"file://{tmp_path}/z.avro", "wb"), tmp_path / "z.avro"),
        (deferring, tmp_path / "rows.avro"),
    ):
        write(frame, target)
        assert_frame_equal(read_avro(source), frame)
    assert not [name for name in os.listdir(tmp_path) if name.endswith(".tmp")]


def test_directories_are_made_on_request(frame, tmp_path):
    fs = DeferringFileSystem(auto_mkdir=False)
    target = fsspec.core.OpenFile(fs, f"{tmp_path}/a/b/x.avro", "wb")
    with pytest.raises(FileNotFoundError):
        write_avro(frame, target)
    write_avro(frame, target, mkdir=True)
    assert_frame_equal(read_avro(tmp_path / "a/b/x.avro"), frame)


def write_until_error(writer, frame):
    for _ in range(100):
        writer.write(frame)
    raise RuntimeError("no more")


@pytest.mark.parametrize("failure", ["error", "abort", "collected"])
def test_a_file_that_is_deferred_stays_as_it_was(failure, deferring, frame, tmp_path):
    write_avro(frame, deferring)
    before = (tmp_path / "rows.avro").read_bytes()
    fail(failure, deferring, frame)
    assert (tmp_path / "rows.avro").read_bytes() == before
    os.remove(tmp_path / "rows.avro")
    fail(failure, deferring, frame)
    assert not (tmp_path / "rows.avro").exists()
    assert not deferring.fs.transaction.files


@pytest.mark.parametrize("failure", ["error", "abort", "collected"])
def test_a_file_that_is_written_in_place_is_removed(failure, base, frame):
    fail(failure, base / "x.avro", frame)
    assert not (base / "x.avro").exists()
    write_avro(frame, base / "x.avro")
    with pytest.raises(pl.exceptions.ColumnNotFoundError):
        sink_avro(frame.lazy().select("missing"), base / "x.avro")
    assert_frame_equal(read_avro(base / "x.avro"), frame)


def fail(failure, target, frame):
    writer = AvroWriter(target, compression="uncompressed", block_size=1000)
    if failure == "error":
        with pytest.raises(RuntimeError, match="no more"), writer:
            write_until_error(writer, frame)
        return
    for _ in range(100):
        writer.write(frame)
    if failure == "abort":
        writer.abort()
    del writer
    gc.collect()


def test_a_failed_completion_removes_the_file(deferring, frame, monkeypatch, tmp_path):
    from fsspec.implementations.local import LocalFileOpener

    def refuse(self):
        raise PermissionError("not now")

    monkeypatch.setattr(LocalFileOpener, "commit", refuse)
    with pytest.raises(PermissionError, match="not now"):
        write_avro(frame, deferring)
    assert not (tmp_path / "rows.avro").exists()


def test_a_transaction_of_the_caller_decides(frame, base, deferring, tmp_path):
    for fs, target in ((base.fs, base / "x.avro"), (deferring.fs, deferring)):
        with fs.transaction:
            write_avro(frame, target)
            assert not fs.exists(target.path)
        assert fs.exists(target.path)
        size = fs.size(target.path)
        with fs.transaction, pytest.raises(RuntimeError, match="no more"), AvroWriter(target) as writer:
            write_until_error(writer, frame)
        assert fs.size(target.path) == size


def test_a_refused_frame_opens_nothing(base):
    with pytest.raises(AvroUnsupportedError, match="Object"):
        write_avro(pl.DataFrame({"a": [object()]}), base / "x.avro")
    assert not (base / "x.avro").exists()


def test_what_is_not_supported_names_the_target(base, frame):
    with pytest.raises(ValueError, match=rf"{base}/x\.avro: `append` needs a local path"):
        write_avro(frame, base / "x.avro", append=True)
    with pytest.raises(AvroUnsupportedError, match=f"{base}: the directory of `partition_by` must be local"):
        write_avro(frame, base, partition_by="id")
    partitions = pl.PartitionBy("unused", key="id", file_path_provider=lambda _: base / "x.avro")
    with pytest.raises(AvroUnsupportedError, match=rf"{base}/x\.avro: the path of a `file_path_provider` must be"):
        sink_avro(frame.lazy(), partitions)
    assert repr(AvroWriter(base / "x.avro")) == f"<AvroWriter to '{base}/x.avro', open, 0 rows written>"


def test_a_local_upath_may_be_the_directory_of_partitions(tmp_path, frame):
    write_avro(frame.with_columns(part=pl.col("id") % 2), UPath(tmp_path), partition_by="part")
    assert read_avro(tmp_path).height == 1000


def test_reading_a_path_imports_no_filesystem(path):
    program = (
        "import sys, polars_avro; polars_avro.read_avro(sys.argv[1]); print({'fsspec', 'upath'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
