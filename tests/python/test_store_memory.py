"""Memory of reads from HTTP servers, independent of what the server announces."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator

import polars as pl
import pytest
from servers import Server, serving

from polars_avro import write_avro

#: Reads a column of files by a query, and prints the used megabytes.
READ = """
import resource, sys, polars as pl, polars_avro
lf = polars_avro.scan_avro(sys.argv[2:])
if sys.argv[1] == "limited":
    lf = lf.head(10**9)
lf.head(1).collect(engine="streaming")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
total = lf.select(pl.col("noise").bin.size().sum()).collect(engine="streaming").item()
print(total, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10)
"""


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=120, check=False
    )


def noise(values: int, size: int) -> bytes:
    """Encode incompressible values."""
    out = io.BytesIO()
    write_avro(pl.DataFrame({"noise": [os.urandom(size) for _ in range(values)]}), out)
    return out.getvalue()


def taken(mode: str, urls: list[str]) -> tuple[int, int]:
    """Read files, and return the bytes of their values and the used megabytes."""
    done = run(READ, mode, *urls)
    assert done.returncode == 0, done.stderr
    total, megabytes = done.stdout.split()
    return int(total), int(megabytes)


def test_a_server_without_ranges_sends_no_more_than_is_bounded(server: Server) -> None:
    content = noise(20 << 8, 4096)
    urls = [server.put(f"/{i}.avro", content) for i in range(16)]
    server.ranges = False
    total, megabytes = taken("all", urls)
    assert total == 16 * (20 << 20)
    # One file of 20 MB and decoded rows are in memory. Without a bound it would be ten files.
    assert megabytes < 190


def test_files_that_were_read_are_let_go_with_a_row_limit(server: Server) -> None:
    content = noise(15, 1 << 14)
    urls = [server.put(f"/{i}.avro", content) for i in range(1200)]
    total, megabytes = taken("limited", urls)
    assert total == 1200 * (15 << 14)
    # Together the files have 280 MB.
    assert megabytes < 190


def varint(number: int) -> bytes:
    number <<= 1
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


@pytest.mark.parametrize("codec", ["deflate", "uncompressed"])
def test_a_size_that_is_not_true(server: Server, codec: str) -> None:
    out = io.BytesIO()
    write_avro(pl.DataFrame(schema={"a": pl.Int64}), out, compression=codec)
    size = 1 << 50
    content = out.getvalue() + varint(10) + varint(size // 2) + b"x" * 400_000
    url = server.put("/huge.avro", content)
    server.sizes["/huge.avro"] = size
    code = "import sys, polars_avro; polars_avro.read_avro(sys.argv[1], storage_options={'max_retries': 0}, %s)"
    for arguments in ("n_rows=1", "ignore_errors=True", ""):
        done = run(code % arguments, url)
        assert done.returncode == 1, arguments
        assert "huge.avro: " in done.stderr, arguments
    if codec == "deflate":
        assert "AvroLimitError" in done.stderr
        assert "`block_bytes`" in done.stderr
