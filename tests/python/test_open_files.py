"""Open files and seekable objects are read by ranges, in bounded memory."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import subprocess
import sys
import tempfile
import threading
import zipfile
from pathlib import Path
from typing import Any

import fastavro
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from rows import SCHEMA, make_rows

import polars_avro
from polars_avro import AvroReader, read_avro, read_avro_metadata, read_avro_schema, scan_avro


@pytest.fixture(scope="module")
def content() -> bytes:
    """Some 4 MB."""
    out = io.BytesIO()
    fastavro.writer(out, SCHEMA, make_rows(100_000), codec="null", sync_interval=16000)
    return out.getvalue()


class Seekable:
    def __init__(self, content: bytes) -> None:
        self.file = io.BytesIO(content)
        self.reads: list[int] = []

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        return self.file.tell()

    def read(self, n: int = -1) -> bytes:
        assert n >= 0, "not to the end"
        found = self.file.read(n)
        self.reads.append(len(found))
        return found


def kinds(path: Path, content: bytes) -> dict[str, Any]:
    path.write_bytes(content)
    archive = path.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("rows.avro", content)
    packed = path.with_suffix(".gz")
    packed.write_bytes(gzip.compress(content, 1))
    temporary = tempfile.NamedTemporaryFile()  # noqa: SIM115
    temporary.write(content)
    temporary.seek(0)
    return {
        "open": path.open("rb"),
        "unbuffered": path.open("rb", buffering=0),
        "to write as well": path.open("r+b"),
        "temporary": temporary,
        "zip member": zipfile.ZipFile(archive).open("rows.avro"),
        "gzip": gzip.open(packed),
        "object": Seekable(content),
    }


KINDS = ["open", "unbuffered", "to write as well", "temporary", "zip member", "gzip", "object"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind(tmp_path: Path, content: bytes, kind: str) -> None:
    files = kinds(tmp_path / "rows.avro", content)
    file = files[kind]
    whole = read_avro(content)
    assert_frame_equal(read_avro(file), whole)
    file.seek(0)
    lf = scan_avro(file)
    assert_frame_equal(lf.filter(pl.col("id") > 99_990).collect(), whole[99_991:])
    assert lf.select(pl.len()).collect().item() == 100_000
    assert lf.slice(50_000, 3).select("id").collect()["id"].to_list() == [50_000, 50_001, 50_002]
    file.seek(0)
    assert read_avro_schema(file) == whole.schema
    file.seek(0)
    assert read_avro_metadata(file).n_rows == 100_000
    file.seek(0)
    with AvroReader(file, columns=["id"]) as reader:
        assert pl.concat(reader)["id"].to_list() == whole["id"].to_list()
    for each in files.values():
        getattr(each, "close", lambda: None)()


def test_only_what_is_needed_is_read(content: bytes) -> None:
    file = Seekable(content)
    assert scan_avro(file).select("id").head(5).collect().height == 5
    assert sum(file.reads) < 500_000
    assert max(file.reads) < 1_000_000
    file = Seekable(content)
    assert read_avro(file).height == 100_000
    assert max(file.reads) < len(content)


def test_from_the_position_on(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "shifted"
    path.write_bytes(b"in front" + content)
    with path.open("rb") as file:
        assert file.read(8) == b"in front"
        assert read_avro(file).height == 100_000
        assert file.tell() == 8, "an open file keeps its position"
    shifted = Seekable(b"in front" + content)
    shifted.seek(8)
    assert read_avro(shifted).height == 100_000


def test_a_scan_outlives_the_file_object(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "rows.avro"
    path.write_bytes(content)
    with path.open("rb") as file:
        lf = scan_avro(file)
    assert lf.select(pl.len()).collect().item() == 100_000
    os.remove(path)
    assert lf.select("id").tail(1).collect().item() == 99_999


def test_a_scan_of_an_open_file_is_not_pickled(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "rows.avro"
    path.write_bytes(content)
    with path.open("rb") as file:
        lf = scan_avro(file)
        for serialise in (lf.serialize, lambda: pickle.dumps(lf)):
            with pytest.raises(pl.exceptions.ComputeError, match="open file cannot be serialised: scan its path"):
                serialise()


def test_fsspec(tmp_path: Path, content: bytes) -> None:
    fsspec = pytest.importorskip("fsspec")
    (tmp_path / "rows.avro").write_bytes(content)
    with fsspec.filesystem("memory").open("/rows.avro", "wb") as file:
        file.write(content)
    whole = read_avro(content)
    for url in (f"file://{tmp_path}/rows.avro", "memory://rows.avro", f"simplecache::file://{tmp_path}/rows.avro"):
        with fsspec.open(url, "rb") as file:
            assert_frame_equal(read_avro(file), whole)
            file.seek(0)
            assert_frame_equal(scan_avro(file).tail(3).collect(), whole.tail(3))
    with fsspec.open("memory://out.avro", "wb") as file:
        polars_avro.write_avro(whole, file)
    assert_frame_equal(read_avro(fsspec.filesystem("memory").cat("/out.avro")), whole)


def test_smart_open(tmp_path: Path, content: bytes) -> None:
    smart_open = pytest.importorskip("smart_open")
    whole = read_avro(content)
    for name in ("rows.avro", "rows.avro.gz"):
        with smart_open.open(str(tmp_path / name), "wb") as file:
            file.write(content)
        with smart_open.open(str(tmp_path / name), "rb") as file:
            assert_frame_equal(read_avro(file), whole)
    with smart_open.open(str(tmp_path / "out.avro"), "wb") as file:
        polars_avro.write_avro(whole, file)
    assert_frame_equal(read_avro(tmp_path / "out.avro"), whole)


def test_several_open_files(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "rows.avro"
    path.write_bytes(content)
    with path.open("rb") as file:
        assert scan_avro([file, Seekable(content), content]).select(pl.len()).collect().item() == 300_000


def test_errors_of_the_object_keep_their_type(content: bytes) -> None:
    class BrokenError(Exception):
        pass

    class Broken(Seekable):
        def read(self, n: int = -1) -> bytes:
            if self.tell() > 1_000_000:
                raise BrokenError("no more")
            return super().read(n)

    with pytest.raises(BrokenError, match="no more"):
        read_avro(Broken(content))
    with pytest.raises(BrokenError, match="no more"):
        read_avro(Broken(content), ignore_errors=True)


def test_an_object_that_gives_text(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="binary mode"):
        read_avro(io.StringIO("text"))  # type: ignore[arg-type]
    path = tmp_path / "text"
    path.write_text("text")
    with path.open() as file, pytest.raises(TypeError, match="binary mode"):
        read_avro(file)  # type: ignore[arg-type]


def test_what_cannot_seek_is_read_to_its_end(content: bytes) -> None:
    read, write = os.pipe()

    def fill() -> None:
        with open(write, "wb") as pipe:
            pipe.write(content)

    thread = threading.Thread(target=fill)
    thread.start()
    with open(read, "rb") as pipe:
        assert read_avro(pipe).height == 100_000
    thread.join()


def test_a_closed_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "rows.avro"
    path.write_bytes(content)
    file = path.open("rb")
    file.close()
    with pytest.raises(ValueError, match="closed"):
        read_avro(file)


def test_damage_in_an_object(content: bytes) -> None:
    damaged = bytearray(content)
    damaged[2_000_000:2_000_050] = b"\xff" * 50
    with pytest.raises(polars_avro.AvroDataError, match="<Seekable>: block"):
        read_avro(Seekable(bytes(damaged)))
    with pytest.warns(polars_avro.AvroWarning):
        assert read_avro(Seekable(bytes(damaged)), ignore_errors=True).height > 99_000


NESTED = """
import io, sys
import polars_avro

class Nested(io.RawIOBase):
    # `read` itself reads other files with the package.
    def __init__(self, path, others):
        self.file, self.others, self.nested = open(path, "rb", buffering=0), others, 0

    def readable(self):
        return True

    def seekable(self):
        return True

    def seek(self, offset, whence=0):
        return self.file.seek(offset, whence)

    def tell(self):
        return self.file.tell()

    def readinto(self, buffer):
        if self.nested < 20:
            self.nested += 1
            rows = polars_avro.read_avro(self.others[0]).height
            assert rows == polars_avro.scan_avro(self.others).select("id").collect().height // 2
            assert rows == polars_avro.read_avro(io.BufferedReader(open(self.others[0], "rb", buffering=0))).height
        return self.file.readinto(buffer)

path, *others = sys.argv[1:]
nested = Nested(path, others)
expected = polars_avro.read_avro(path)
assert polars_avro.read_avro(nested).equals(expected)
assert nested.nested > 1
nested.nested = nested.seek(0)
assert polars_avro.scan_avro(nested).collect().equals(expected)
nested.seek(0)
with polars_avro.AvroReader(nested) as reader:
    assert sum(df.height for df in reader) == expected.height
"""


def test_an_object_may_read_other_files_while_it_is_read(tmp_path, content):
    paths = [tmp_path / f"{name}.avro" for name in ("outer", "one", "two")]
    for path in paths:
        path.write_bytes(content)
    command = [sys.executable, "-W", "ignore", "-c", NESTED, *map(str, paths)]
    # No thread may wait for a thread that waits for the GIL.
    done = subprocess.run(command, timeout=120, check=False, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
