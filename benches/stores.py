"""
Reads through a network of 50 ms and 100 MB/s, against a bare parallel download of the same bytes in the same run.

``python benches/stores.py [rounds]``: a line a query, with its ratio to the download, requests, bytes and peak memory.
"""

from __future__ import annotations

import multiprocessing
import statistics
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from data import is_written, paths, write

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/python"))

LATENCY, BANDWIDTH = 0.05, 100e6
CHUNK = 8 << 20


def dataset(name: str) -> list[bytes]:
    """Return the files of a dataset."""
    if not is_written(name):
        write(name)
    return [path.read_bytes() for path in paths(name)]


def download(urls: list[str], sizes: list[int]) -> float:
    """Fetch everything on 8 connections."""

    def fetch(part: tuple[str, int, int]) -> None:
        url, start, stop = part
        request = urllib.request.Request(url, headers={"Range": f"bytes={start}-{stop - 1}"})
        with urllib.request.urlopen(request) as response:
            while response.read(1 << 20):
                pass

    parts = [
        (url, start, min(start + CHUNK, size))
        for url, size in zip(urls, sizes, strict=True)
        for start in range(0, size, CHUNK)
    ]
    begin = time.perf_counter()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(fetch, parts))
    return time.perf_counter() - begin


def query(name: str, urls: list[str]) -> None:
    """Run one query, and print its costs."""
    import polars as pl

    import polars_avro

    # Excludes work that Polars does once per process.
    sample = Path(__file__).parents[1] / "docs/sample.avro"
    polars_avro.scan_avro(sample).head(1).collect()
    queries: dict[str, Any] = {
        "all": lambda lf: lf,
        "two of 100 columns": lambda lf: lf.select("col_003", "col_070"),
        "len()": lambda lf: lf.select(pl.len()),
        "head(10)": lambda lf: lf.head(10),
        "64 files": lambda lf: lf,
    }
    before = peak()
    begin = time.perf_counter()
    queries[name](polars_avro.scan_avro(urls)).collect()
    took = time.perf_counter() - begin
    print(took, (peak() - before) / 1024, flush=True)


def peak() -> int:
    """Return the peak memory of this process in kilobytes."""
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def serve(pipe: Any) -> None:
    """Serve both data sets from a separate process."""
    from servers import serving

    with serving() as server:
        server.latency, server.bandwidth = LATENCY, BANDWIDTH
        [big] = dataset("wide")
        urls = [server.put("/wide.avro", big)]
        files = dataset("simple_64_files")
        many = [server.put(f"/{i}.avro", content) for i, content in enumerate(files)]
        pipe.send((urls, [len(big)], many, [len(content) for content in files]))
        while pipe.recv():
            pipe.send((len(server.requests), server.sent, server.most_at_once))
            server.reset()


def main(rounds: int) -> None:
    """Run every query `rounds` times, each in a new process, alternating with downloads."""
    import subprocess

    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=serve, args=(there,), daemon=True)
    process.start()
    one, one_size, many, many_sizes = here.recv()
    print(f"{one_size[0] / 1e6:.0f} MB, and {len(many)} files of {many_sizes[0] / 1e6:.2f} MB")
    for name in ("all", "two of 100 columns", "len()", "head(10)", "64 files"):
        urls, sizes = (many, many_sizes) if name == "64 files" else (one, one_size)
        took, bare, memory, counts = [], [], [], (0, 0, 0)
        for _ in range(rounds):
            bare.append(download(urls, sizes))
            here.send(True)
            here.recv()
            command = [sys.executable, __file__, "--query", name, *urls]
            out = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
            took.append(float(out[0]))
            memory.append(float(out[1]))
            here.send(True)
            counts = here.recv()
        ratio = statistics.median(a / b for a, b in zip(took, bare, strict=True))
        requests, sent, at_once = counts
        print(
            f"{name:20} {statistics.median(took):6.2f} s, download {statistics.median(bare):5.2f} s, "
            f"ratio {ratio:5.2f}, "
            f"{requests} requests ({at_once} at once), {sent / 1e6:.1f} MB, {max(memory):.0f} MB of memory",
            flush=True,
        )
    here.send(False)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--query"]:
        query(sys.argv[2], sys.argv[3:])
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
