"""Accepted and refused sources."""

import io
import os
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from rows import COLUMNS, make_rows, write

import polars_avro

READERS = {
    "read": polars_avro.read_avro,
    "scan": lambda source, **options: polars_avro.scan_avro(source, **options).collect(),
    "scan, in-memory": lambda source, **options: polars_avro.scan_avro(source, **options).collect(engine="in-memory"),
    "scan, streaming": lambda source, **options: polars_avro.scan_avro(source, **options).collect(engine="streaming"),
}


@pytest.fixture(params=READERS)
def read(request):
    return READERS[request.param]


class Readable:
    """Has only `read`."""

    def __init__(self, data):
        self.data = data

    def read(self):
        return self.data


class FileSystemPath:
    def __init__(self, path, of=str):
        self.path = of(path)

    def __fspath__(self):
        return self.path


@pytest.mark.parametrize(
    "source",
    [
        str,
        Path,
        FileSystemPath,
        lambda path: f"file://{path}",
        Path.read_bytes,
        lambda path: io.BytesIO(path.read_bytes()),
        lambda path: Readable(path.read_bytes()),
        lambda path: [path],
        lambda path: (str(path),),
        lambda path: [path.read_bytes()],
        lambda path: [io.BytesIO(path.read_bytes())],
        lambda path: f"{path.parent}/r*ws.avro",
        lambda path: f"{path.parent}/row?.avr[o]",
        lambda path: path.parent,
    ],
)
def test_every_kind_of_source_gives_the_same_frame(read, source, path, frame):
    assert_frame_equal(read(source(path)), frame)


def test_an_open_file_is_read_from_where_it_is(read, path, frame, tmp_path):
    shifted = tmp_path / "shifted"
    shifted.write_bytes(b"in front" + path.read_bytes())
    with shifted.open("rb") as file:
        file.seek(8)
        assert_frame_equal(read(file), frame)


def test_a_bytesio_is_read_from_its_position_and_keeps_it(read, path, frame):
    source = io.BytesIO(b"in front" + path.read_bytes())
    source.seek(8)
    assert_frame_equal(read(source), frame)
    assert source.tell() == 8
    assert_frame_equal(read(source), frame)


def test_home_is_expanded(read, path, frame, monkeypatch):
    monkeypatch.setenv("HOME", str(path.parent))
    assert_frame_equal(read("~/rows.avro"), frame)


@pytest.mark.parametrize("pattern", ["", "*.avro", "[abde].avro", "**/*.avro"])
def test_directories_and_patterns_leave_out_empty_files(read, directory, frame, pattern):
    assert_frame_equal(read(os.path.join(directory, pattern)), frame)


def test_an_empty_file_is_refused_if_it_is_named(read, directory):
    with pytest.raises(polars_avro.AvroDataError, match="empty file"):
        read(directory / "c.avro")


def test_files_of_a_list_come_in_its_order(read, directory, frame):
    df = read([directory / "e.avro", directory / "a.avro"])
    assert_frame_equal(df, pl.concat([frame[800:], frame[:300]]))


def test_an_iterator_of_sources_is_read_once(directory, frame):
    names = ("e.avro", "a.avro")
    expected = pl.concat([frame[800:], frame[:300]])
    assert_frame_equal(polars_avro.scan_avro(directory / name for name in names).collect(), expected)
    assert_frame_equal(
        polars_avro.scan_avro(iter([(directory / name).read_bytes() for name in names])).collect(), expected
    )
    assert_frame_equal(polars_avro.read_avro(directory / name for name in names), expected)
    assert len(polars_avro.plan_splits(map(directory.joinpath, names))) == 1
    with pytest.raises(TypeError, match="AvroReader reads one file"):
        polars_avro.AvroReader(iter(["a.avro"]))


def test_hidden_files_can_be_left_out(read, tmp_path, frame):
    write(tmp_path / "_draft.avro", make_rows(3))
    write(tmp_path / ".hidden.avro", make_rows(3))
    write(tmp_path / "rows.avro", make_rows(1000))
    assert_frame_equal(read(tmp_path, hidden_file_prefix=[".", "_"]), frame)
    assert read(tmp_path, hidden_file_prefix=".").height == 1003


def test_glob_false_takes_a_path_as_it_is(read, tmp_path, frame):
    path = write(tmp_path / "rows[1].avro", make_rows(1000))
    assert_frame_equal(read(path, glob=False), frame)


def test_file_paths_are_named(read, directory):
    df = read(directory, include_file_paths="file")
    assert df.columns == [*COLUMNS, "file"]
    names = df.group_by("file", maintain_order=True).len().rows()
    assert names == [
        (str(directory / "a.avro"), 300),
        (str(directory / "d.avro"), 500),
        (str(directory / "e.avro"), 200),
    ]


def test_a_file_without_rows_has_columns(read, directory):
    assert_frame_equal(read(directory / "b.avro"), pl.DataFrame(schema=COLUMNS))


@pytest.mark.parametrize("source", [3, None, {"a": 1}, [3], object(), FileSystemPath("x", os.fsencode)])
def test_what_cannot_be_read_is_refused_by_naming_what_can(read, source):
    with pytest.raises(TypeError, match=r"expected a str, a path, bytes, a BytesIO, a file opened"):
        read(source)


def test_text_is_refused(read, path):
    with path.open(encoding="latin-1") as file, pytest.raises(TypeError, match="binary mode"):
        read(file)


def test_paths_and_bytes_do_not_mix(read, path):
    with pytest.raises(TypeError, match="either paths"):
        read([path, path.read_bytes()])


def test_no_sources_are_refused(read):
    with pytest.raises(ValueError, match="at least one source"):
        read([])


@pytest.mark.parametrize("url", ["hdfs://host/key.avro", "ftp://host/x.avro", "gcp://c/x"])
def test_other_schemes_are_refused_by_name(read, url):
    with pytest.raises(polars_avro.AvroUnsupportedError, match=url.split(":")[0] + "://"):
        read(url)


@pytest.mark.parametrize("name", ["missing.avro", "missing*.avro"])
def test_a_missing_file_is_file_not_found(read, tmp_path, name):
    with pytest.raises(FileNotFoundError, match="missing"):
        read(tmp_path / name)


def test_a_missing_file_later_in_a_list_is_file_not_found(read, path, tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        read([path, tmp_path / "missing.avro"])
    assert caught.value.filename == str(tmp_path / "missing.avro")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_forbidden_file_is_permission_denied(read, tmp_path):
    path = write(tmp_path / "secret.avro", make_rows(1))
    path.chmod(0)
    with pytest.raises(PermissionError, match=r"secret\.avro"):
        read(path)


def test_an_empty_file_named_alone_is_an_error(read, directory):
    with pytest.raises(polars_avro.AvroDataError, match=r"c\.avro"):
        read(directory / "c.avro")


def test_only_empty_files_are_an_error(read, tmp_path):
    (tmp_path / "a.avro").touch()
    with pytest.raises(FileNotFoundError, match="or only empty ones"):
        read(tmp_path)


def test_an_empty_directory_is_file_not_found(read, tmp_path):
    with pytest.raises(FileNotFoundError, match="no file found"):
        read(tmp_path)
