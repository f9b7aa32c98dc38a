"""Pipes, devices and open files as targets, and the options that appending takes from the file."""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from polars_avro import AvroSchemaError, AvroWriter, read_avro, read_avro_metadata, sink_avro, write_avro

DF = pl.DataFrame({"a": range(1000), "b": [f"text {i}" for i in range(1000)]})
SCRIPT = """
import sys, polars as pl, polars_avro
df = pl.DataFrame({"a": range(1000), "b": [f"text {i}" for i in range(1000)]})
how, path = sys.argv[1:3]
if how == "write":
    polars_avro.write_avro(df, path, sync_on_close="all")
elif how == "sink":
    polars_avro.sink_avro(df.lazy(), path)
else:
    with polars_avro.AvroWriter(path, mkdir=True) as writer:
        writer.write(df)
"""
needs_proc = pytest.mark.skipif(not os.path.exists("/dev/fd/1"), reason="the system has no /dev/fd")


def run(how: str, path: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT, how, path]
    return subprocess.run(command, check=True, **options)


@needs_proc
@pytest.mark.parametrize(
    ("how", "path"),
    [("write", "/dev/fd/1"), ("sink", "/proc/self/fd/1"), ("writer", "/dev/../dev/stdout"), ("write", "/dev/stdout")],
)
def test_standard_output_is_known_by_all_its_names(how: str, path: str) -> None:
    assert_frame_equal(read_avro(run(how, path, stdout=subprocess.PIPE).stdout), DF)


@needs_proc
@pytest.mark.parametrize("how", ["write", "sink", "writer"])
def test_standard_output_takes_a_file(tmp_path: Path, how: str) -> None:
    # Earlier and later contents of the file stay.
    path = tmp_path / "out"
    with path.open("wb") as file:
        file.write(b"before")
        file.flush()
        run(how, "/dev/stdout", stdout=file)
        file.seek(0, io.SEEK_END)
        file.write(b"after")
    content = path.read_bytes()
    assert content.startswith(b"before")
    assert content.endswith(b"after")
    assert_frame_equal(read_avro(content[6:-5]), DF)
    assert list(tmp_path.iterdir()) == [path]


@needs_proc
def test_links_to_open_files_and_sockets_take_a_file(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("/dev/stdout")
    assert_frame_equal(read_avro(run("write", str(link), stdout=subprocess.PIPE).stdout), DF)
    assert link.is_symlink()
    here, there = socket.socketpair()
    with here, there:
        received = bytearray()
        thread = threading.Thread(target=lambda: [received.extend(part) for part in iter(lambda: here.recv(4096), b"")])
        thread.start()
        run("write", "/dev/stdout", stdout=there.fileno())
        there.close()
        thread.join()
    assert_frame_equal(read_avro(bytes(received)), DF)


@needs_proc
@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_process_substitutions_take_a_file(tmp_path: Path) -> None:
    out = tmp_path / "out.avro"
    shell = f'"$0" -W ignore -c "$1" write >(cat > {out}.part; mv {out}.part {out})'
    subprocess.run(["bash", "-c", shell, sys.executable, SCRIPT], check=True)
    for _ in range(500):
        if out.exists():
            break
        threading.Event().wait(0.01)
    assert_frame_equal(read_avro(out), DF)


@needs_proc
def test_other_open_files_are_written_at_their_end(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with path.open("wb", buffering=0) as file:
        file.write(b"before")
        write_avro(DF, f"/dev/fd/{file.fileno()}")
    assert_frame_equal(read_avro(path.read_bytes()[6:]), DF)
    read, written = os.pipe()
    received = bytearray()

    def receive() -> None:
        with open(read, "rb") as pipe:
            received.extend(pipe.read())

    thread = threading.Thread(target=receive)
    thread.start()
    sink_avro(DF.lazy(), f"/proc/self/fd/{written}")
    os.close(written)
    thread.join()
    assert_frame_equal(read_avro(bytes(received)), DF)
    with pytest.raises(FileNotFoundError):
        write_avro(DF, "/dev/fd/987")


@pytest.mark.skipif(not os.path.exists("/proc/self/fdinfo/1"), reason="the system does not tell positions")
def test_descriptors_that_cannot_be_written_at_their_position_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.avro"
    write_avro(DF, path)
    whole = path.read_bytes()
    for flags in (os.O_RDONLY, os.O_RDWR):
        descriptor = os.open(path, flags)
        try:
            with pytest.raises(OSError, match=r"not open for writing|would be overwritten"):
                write_avro(DF, f"/dev/fd/{descriptor}")
        finally:
            os.close(descriptor)
    assert path.read_bytes() == whole


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_named_pipes_and_devices_take_a_file(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    received = bytearray()
    thread = threading.Thread(target=lambda: received.extend(path.read_bytes()))
    thread.start()
    write_avro(DF, path, sync_on_close="data")
    thread.join()
    assert_frame_equal(read_avro(bytes(received)), DF)
    assert list(tmp_path.iterdir()) == [path]
    write_avro(DF, os.devnull)
    for target in (path, os.devnull):
        with pytest.raises(ValueError, match="`append` needs a file, not a pipe or a device"):
            write_avro(DF, target, append=True)


CODECS = ["uncompressed", "snappy", "deflate", "zstd", "bzip2", "xz"]


@pytest.mark.parametrize("codec", CODECS)
def test_appending_goes_on_with_the_codec_of_the_file(tmp_path: Path, codec: Any) -> None:
    path = tmp_path / "a.avro"
    write_avro(DF, path, compression=codec)
    write_avro(DF, path, append=True)
    sink_avro(DF.lazy(), path, append=True)
    with AvroWriter(path, append=True) as writer:
        writer.write(DF)
    DF.avro.write(path, append=True)  # type: ignore[attr-defined]
    write_avro(DF, path, append=True, compression=codec)
    assert_frame_equal(read_avro(path), pl.concat([DF] * 6))
    own = read_avro_metadata(path).codec
    other = next(name for name in CODECS if name not in (codec, "uncompressed"))
    with pytest.raises(ValueError, match=f"to a file of codec {own}"):
        write_avro(DF, path, append=True, compression=other)
    new = tmp_path / "new.avro"
    write_avro(DF, new, append=True)
    assert read_avro_metadata(new).codec == "snappy"
    assert read_avro_metadata(write_to_memory(DF)).codec == "snappy"


def write_to_memory(df: pl.DataFrame) -> bytes:
    target = io.BytesIO()
    write_avro(df, target)
    return target.getvalue()


def test_a_level_is_that_of_the_codec_of_the_file(tmp_path: Path) -> None:
    write_avro(DF, tmp_path / "a.avro", compression="zstd")
    write_avro(DF, tmp_path / "a.avro", append=True, compression_level=19)
    assert read_avro(tmp_path / "a.avro").height == 2000
    write_avro(DF, tmp_path / "b.avro")
    with pytest.raises(ValueError, match="level"):
        write_avro(DF, tmp_path / "b.avro", append=True, compression_level=19)


def _schema(**changed: Any) -> dict[str, Any]:
    symbols = {"type": "enum", "name": "E", "symbols": ["A"], "doc": "an enum", "aliases": ["E0"]}
    fixed = {"type": "fixed", "name": "F", "size": 1, "doc": "a fixed", "aliases": ["F0"]}
    fields = [
        {"name": "e", "type": symbols, "doc": "a field", "aliases": ["x"], "default": "A"},
        {"name": "f", "type": ["null", fixed], "order": "ignore"},
    ]
    return {"type": "record", "name": "R", "fields": fields, "doc": "a record", "aliases": ["R0"]} | changed


def _without_notes(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_notes(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _without_notes(value) for key, value in schema.items() if key not in ("doc", "aliases")}


def test_docs_and_aliases_may_differ_when_appending(tmp_path: Path) -> None:
    path, df = tmp_path / "a.avro", pl.DataFrame({"e": ["A"], "f": [b"x"]})
    write_avro(df, path, avro_schema=_schema())
    bare = _without_notes(_schema())
    other = json.loads(json.dumps(bare).replace('"symbols"', '"doc": "other", "aliases": ["n.E9"], "symbols"'))
    fields = _schema()["fields"]
    ordered = _schema(fields=[{**fields[0], "order": "ascending"}, fields[1]])
    for schema in (_schema(), bare, other, _schema(doc=5), _schema(aliases=[]), ordered):
        write_avro(df, path, avro_schema=schema, append=True)
    assert read_avro(path).height == 7
    assert json.loads(read_avro_metadata(path).avro_schema) == _schema()
    for schema in (
        _schema(name="Q"),
        _schema(fields=_schema()["fields"][::-1]),
        json.loads(json.dumps(bare).replace('"ignore"', '"ascending"')),
        json.loads(json.dumps(bare).replace('"null", ', "")),
        json.loads(json.dumps(bare).replace('"size": 1', '"size": 2')),
    ):
        with pytest.raises(AvroSchemaError, match="cannot append by another schema than the file's"):
            write_avro(df, path, avro_schema=schema, append=True)
    assert read_avro(path).height == 7
