"""Failed writes leave only the old file."""

from __future__ import annotations

import io
import os
import resource
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import polars_avro
from polars_avro import AvroWriter, read_avro, write_avro

DF = pl.DataFrame({"i": range(200_000), "s": [f"value {i * 7919}" for i in range(200_000)]})
OLD = pl.DataFrame({"old": [1, 2, 3]})
#: Five megabytes of rows that can be appended to the old file.
LARGE = pl.DataFrame({"old": [i * 2**31 % 1_000_003 * 7919 for i in range(1_000_000)]})

#: Writes endlessly, and prints when it has begun.
ENDLESS = """
import sys
import polars as pl
import polars_avro
df = pl.DataFrame({"i": range(200_000), "s": [f"value {i * 7919}" for i in range(200_000)]})
with polars_avro.AvroWriter(sys.argv[1]) as writer:
    writer.write(df)
    print("begun", flush=True)
    while True:
        writer.write(df)
"""


def visible(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir() if not path.name.startswith("."))


def endless(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", ENDLESS, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    time.sleep(0.2)
    return process


def test_a_killed_writer_leaves_the_old_file(tmp_path: Path) -> None:
    write_avro(OLD, tmp_path / "a.avro")
    process = endless(tmp_path / "a.avro")
    process.kill()
    process.communicate()
    assert_frame_equal(read_avro(tmp_path / "a.avro"), OLD)
    process = endless(tmp_path / "b.avro")
    process.kill()
    process.communicate()
    assert visible(tmp_path) == ["a.avro"]


def test_an_interrupt_is_one_keyboard_interrupt(tmp_path: Path) -> None:
    process = endless(tmp_path / "a.avro")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode != 0
    assert errors.count("KeyboardInterrupt") == 1
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_ends_one_long_write(tmp_path: Path) -> None:
    code = """
        import signal, sys, threading, time, os
        import polars as pl, polars_avro
        df = pl.DataFrame({"i": range(3_000_000)})
        threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        started = time.monotonic()
        try:
            polars_avro.write_avro(df, sys.argv[1], compression="xz", compression_level=9, n_threads=1)
        except KeyboardInterrupt:
            print("interrupted")
        """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "a.avro")],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout == "interrupted\n"
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def small_disk(tmp_path: Path):
    """A disk of two megabytes, if it can be mounted."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], capture_output=True, check=False
    ).returncode:
        pytest.skip("a disk needs the right to mount one")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_leaves_the_old_file(small_disk: Path) -> None:
    write_avro(OLD, small_disk / "a.avro")
    for write in (
        lambda: write_avro(DF, small_disk / "a.avro", compression="null"),
        lambda: polars_avro.sink_avro(DF.lazy(), small_disk / "a.avro", compression="null"),
        lambda: write_avro(LARGE, small_disk / "a.avro", append=True),
        lambda: write_avro(DF.head(2_000), small_disk / "dir", partition_by="i"),
    ):
        with pytest.raises(OSError, match="No space") as error:
            write()
        assert error.value.errno == 28
        assert_frame_equal(read_avro(small_disk / "a.avro"), OLD)
        assert [path for path in small_disk.rglob("*") if path.is_file()] == [small_disk / "a.avro"]
    write_avro(OLD, small_disk / "b.avro")


def test_a_file_that_may_not_grow_leaves_the_old_one(tmp_path: Path) -> None:
    write_avro(OLD, tmp_path / "a.avro")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    old_handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, limit[1]))
    try:
        with pytest.raises(OSError, match="large"):
            write_avro(DF, tmp_path / "a.avro", compression="null")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, old_handler)
    assert_frame_equal(read_avro(tmp_path / "a.avro"), OLD)
    assert os.listdir(tmp_path) == ["a.avro"]


class Failing(io.RawIOBase):
    """A target that accepts few bytes at a time, and fails after some."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.taken = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:
        if self.room <= 0:
            msg = "no more room"
            raise RuntimeError(msg)
        part = bytes(data[:1000])
        self.room -= len(part)
        self.taken += part
        return len(part)


@pytest.mark.parametrize("threads", [1, 2])
def test_what_an_object_raises_comes_out_as_it_was_raised(threads: int) -> None:
    for room in (1, 100, 1_000_000):
        with pytest.raises(RuntimeError, match="no more room"):
            write_avro(DF, Failing(room), compression="null", n_threads=threads)
    complete = Failing(1 << 40)
    write_avro(DF, complete, n_threads=threads)
    assert_frame_equal(read_avro(bytes(complete.taken)), DF)


def test_an_object_that_takes_nothing_is_an_error() -> None:
    class Full:
        def write(self, _: bytes) -> int:
            return 0

    with pytest.raises(OSError, match="took none"):
        write_avro(OLD, Full())


def test_a_bad_value_leaves_the_old_file(tmp_path: Path) -> None:
    write_avro(OLD, tmp_path / "a.avro")
    schema = {"type": "record", "name": "R", "fields": [{"name": "i", "type": {"type": "int"}}]}
    df = pl.DataFrame({"i": [*range(300_000), 2**31]})
    for threads in (1, 2):
        with pytest.raises(polars_avro.AvroDataError, match="2147483648") as error:
            write_avro(df, tmp_path / "a.avro", avro_schema=schema, n_threads=threads)
        assert error.value.field == "i"
    assert_frame_equal(read_avro(tmp_path / "a.avro"), OLD)
    assert os.listdir(tmp_path) == ["a.avro"]


def test_a_writer_that_failed_stays_failed(tmp_path: Path) -> None:
    writer = AvroWriter(
        tmp_path / "a.avro", avro_schema='{"type":"record","name":"R","fields":[{"name":"a","type":"long"}]}'
    )
    writer.write(pl.DataFrame({"a": [1, None]}))
    with pytest.raises(polars_avro.AvroDataError, match="null"):
        writer.close()
    with pytest.raises(ValueError, match="closed"):
        writer.write(pl.DataFrame({"a": [1]}))
    assert os.listdir(tmp_path) == []


# `getrusage` is not usable, because its peak includes that of the forking process.
@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs /proc")
def test_memory_is_bounded_while_a_query_is_written(tmp_path: Path) -> None:
    code = """
        import pathlib, sys
        import polars as pl, polars_avro
        source = pl.scan_parquet(sys.argv[1])
        many = pl.concat([source] * 40)
        polars_avro.sink_avro(many, sys.argv[2])
        status = pathlib.Path("/proc/self/status").read_text()
        print(next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM")))
        """
    DF.with_columns(t=pl.lit("x" * 100)).write_parquet(tmp_path / "a.parquet")
    run = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "a.parquet"), str(tmp_path / "a.avro")]
    done = subprocess.run(run, capture_output=True, text=True, timeout=300, check=True)
    # 1.1 GB of rows.
    assert int(done.stdout) < 400
    assert polars_avro.read_avro_metadata(tmp_path / "a.avro").n_rows == 40 * DF.height


def test_the_working_directory_may_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other").mkdir()
    for name, append in (("new.avro", False), ("new.avro", True)):
        monkeypatch.chdir(tmp_path)
        with AvroWriter(name, append=append) as writer:
            writer.write(OLD)
            monkeypatch.chdir(tmp_path / "other")
    assert read_avro(tmp_path / "new.avro").height == 6
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["new.avro", "other"]


def test_a_link_stays_where_there_is_no_file_yet(tmp_path: Path) -> None:
    (tmp_path / "link.avro").symlink_to("file.avro")
    write_avro(OLD, tmp_path / "link.avro")
    assert (tmp_path / "link.avro").is_symlink()
    assert_frame_equal(read_avro(tmp_path / "file.avro"), OLD)


def test_a_file_that_is_replaced_takes_no_more_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.avro"
    write_avro(OLD, path)
    writer = AvroWriter(path, append=True)
    writer.write(OLD)
    write_avro(OLD.head(1), path)
    with pytest.raises(OSError, match="replaced by another one"):
        writer.close()
    assert_frame_equal(read_avro(path), OLD.head(1))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes fork on Unix")
@pytest.mark.parametrize("append", [False, True])
def test_a_forked_process_leaves_the_file_alone(tmp_path: Path, append: bool) -> None:
    script = """
    import os, sys
    import polars as pl
    import polars_avro
    df = pl.DataFrame({"old": range(1_000_000)})
    writer = polars_avro.AvroWriter(sys.argv[1], append=sys.argv[2] == "True")
    writer.write(df)
    child = os.fork()
    if child == 0:
        try:
            writer.close()
        except ValueError as error:
            assert "begun by another process" in str(error), error
            del writer
            os._exit(7)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    writer.close()
    """
    path = tmp_path / "a.avro"
    if append:
        write_avro(OLD, path)
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(script), str(path), str(append)]
    subprocess.run(command, check=True, timeout=60)
    assert read_avro(path).height == 1_000_000 + 3 * append
    assert visible(tmp_path) == ["a.avro"]
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.skipif(not hasattr(os, "set_blocking"), reason="pipes block there")
def test_a_raw_file_that_takes_nothing_is_an_error() -> None:
    readable, writable = os.pipe()
    os.set_blocking(writable, False)
    with os.fdopen(writable, "wb", buffering=0) as target, pytest.raises(BlockingIOError, match="took none of"):
        write_avro(DF, target, compression="uncompressed")
    os.close(readable)


@pytest.mark.parametrize("df", [pl.DataFrame({"a\0b": [1]}), pl.DataFrame({"a": [[{"x\0": 1}]]})])
def test_a_name_with_a_nul_is_refused(tmp_path: Path, df: pl.DataFrame) -> None:
    for empty in (df, df.clear()):
        with pytest.raises(polars_avro.AvroUnsupportedError, match=r"'a.*\\x00.*NUL.*rename it"):
            write_avro(empty, tmp_path / "a.avro")
    with pytest.raises(polars_avro.AvroUnsupportedError, match="NUL"):
        polars_avro.sink_avro(df.lazy(), tmp_path / "a.avro")
    assert not list(tmp_path.iterdir())


def test_equal_frames_make_equal_files() -> None:
    rows = 40_000
    texts = pl.DataFrame({"i": range(rows), "s": ["x" * 200] * rows})
    masked = texts.with_columns(s=pl.when(pl.col("i") % 64 >= 4).then("s"))
    plain = pl.DataFrame(masked.to_dict(as_series=False))
    times = pl.DataFrame({"t": [[1], [1000]]}).cast({"t": pl.List(pl.Time)})
    for one, other in ((masked, plain), (times[1:], pl.DataFrame({"t": [[1000]]}).cast({"t": pl.List(pl.Time)}))):
        assert one.equals(other)
        files = []
        for df in (one, other):
            target = io.BytesIO()
            write_avro(df, target, sync_marker=bytes(16))
            files.append(target.getvalue())
        assert files[0] == files[1]


def test_directories_that_were_made_go_with_the_file(tmp_path: Path) -> None:
    schema = {"type": "record", "name": "R", "fields": [{"name": "old", "type": "int"}]}
    (tmp_path / "there").mkdir()
    for path in (tmp_path / "new" / "inner" / "a.avro", tmp_path / "there" / "inner" / "a.avro"):
        with pytest.raises(polars_avro.AvroDataError):
            write_avro(pl.DataFrame({"old": [2**40]}), path, avro_schema=schema, mkdir=True)
    assert [path.name for path in tmp_path.rglob("*")] == ["there"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_that_takes_no_files_is_named(tmp_path: Path) -> None:
    write_avro(OLD, tmp_path / "a.avro")
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError, match="temporary file in the directory"):
        write_avro(OLD, tmp_path / "a.avro")
    tmp_path.chmod(0o700)
