"""Simulate reads on 100 machines from rates measured on this one: the cost of scheduling, stragglers and listing.

Run it with the package installed: ``python benches/cluster.py``. It measures processor time, which other work on this
machine affects little, and then replays the splits of the real planner.
"""

import argparse
import heapq
import random
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

import polars_avro
from polars_avro import FilePart
from polars_avro._splitting import tiling

MB = 1e6


@dataclass(frozen=True)
class Rates:
    """The measured costs of a task."""

    decode_mb_s: float
    """Megabytes of files that one core decodes in a second."""
    task_s: float
    """Core seconds of a task that reads one small file, without decoding."""
    file_s: float
    """Core seconds for each further file of a task."""
    plan_s: float
    """Driver seconds for planning a file of known name and size."""


@dataclass(frozen=True)
class Cluster:
    """Assumptions about machines, network and scheduler."""

    nodes: int = 100
    cores: int = 16
    node_mb_s: float = 1250.0
    """Network of a machine: 10 Gbit/s."""
    request_s: float = 0.05
    """Seconds until the first byte of a response arrives."""
    requests: int = 10
    """Concurrent requests of a task."""
    list_per_s: float = 10_000.0
    """Objects that a listing returns in a second: a page of 1,000 takes 100 ms."""
    dispatch_per_s: float = 1000.0
    """Tasks that the scheduler starts in a second."""
    spread: float = 0.2
    """Standard deviation of the logarithm of a task's time."""
    slow_nodes: float = 0.02
    """Share of the machines that take three times as long."""


def cpu_seconds(run: Callable[[], object], rounds: int = 3) -> float:
    """Return the minimum processor time of some runs."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return min(times)


def measure(folder: Path) -> Rates:
    """Measure on files of ten columns in snappy."""
    n = 400_000
    ids = pl.int_range(n, eager=True)
    columns = {f"i{i}": ids * (i + 1) % 100_003 for i in range(4)}
    columns |= {f"f{i}": (ids * (i + 7) % 10_007).cast(pl.Float64) / 3 for i in range(3)}
    columns |= {f"s{i}": ids * (i + 3) % 5003 for i in range(3)}
    frame = pl.DataFrame(columns).with_columns(pl.format("value {}", pl.col(f"s{i}")).alias(f"s{i}") for i in range(3))
    large = folder / "large.avro"
    polars_avro.write_avro(frame, large, compression="snappy")
    whole = polars_avro.plan_splits(large)[0]
    decode = large.stat().st_size / MB / cpu_seconds(lambda: whole.read(n_threads=1))
    small = folder / "small"
    small.mkdir()
    for i in range(1000):
        polars_avro.write_avro(frame.head(10), small / f"{i:04}.avro", compression="snappy")
    many = polars_avro.plan_splits(small)[0]
    one = polars_avro.plan_splits(small / "0000.avro")[0]
    task = cpu_seconds(lambda: one.read(n_threads=1), rounds=20)
    each = max(0.0, cpu_seconds(lambda: many.read(n_threads=1)) - task) / 999
    names = [(f"s3://bucket/table/part-{i:08}.avro", 1_000_000) for i in range(200_000)]
    plan = cpu_seconds(lambda: list(tiling.tile(names, 128 << 20))) / len(names)
    return Rates(decode, task, each, plan)


def seconds(parts: Iterable[FilePart], rates: Rates, cluster: Cluster) -> float:
    """Return the time of a task on a core of an ordinary machine."""
    parts = list(parts)
    n_bytes = sum(part.n_bytes for part in parts) / MB
    decode = n_bytes / rates.decode_mb_s + rates.task_s + rates.file_s * (len(parts) - 1)
    # Bytes arrive while the task decodes. The first byte of each file adds latency, divided by the concurrent requests.
    fetch = n_bytes / (cluster.node_mb_s / cluster.cores)
    wait = cluster.request_s * (1 + (len(parts) - 1) / cluster.requests)
    return max(decode, fetch, wait) + cluster.request_s


def simulate(tasks: list[float], cluster: Cluster) -> tuple[float, float]:
    """Return the time until the last task ends, and the time until tasks run out for some cores."""
    chance = random.Random(1)
    slow = {node for node in range(cluster.nodes) if chance.random() < cluster.slow_nodes}
    slots = [(0.0, node, core) for node in range(cluster.nodes) for core in range(cluster.cores)]
    heapq.heapify(slots)
    last = drained = 0.0
    for number, duration in enumerate(tasks):
        free, node, core = heapq.heappop(slots)
        start = max(free, number / cluster.dispatch_per_s)
        end = start + duration * chance.lognormvariate(0, cluster.spread) * (3 if node in slow else 1)
        heapq.heappush(slots, (end, node, core))
        last, drained = max(last, end), start
    return last, drained


def one_by_one(files: Iterable[tuple[str, int]]) -> Iterator[tuple[FilePart, ...]]:
    """Return one task per file, as for readers that cannot cut or pack files."""
    return ((FilePart(name, (0, None), size),) for name, size in files)


def main() -> None:
    """Print the rates and a line for each way to divide the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the files, for a quick look")
    options = parser.parse_args()
    cluster = Cluster()
    with tempfile.TemporaryDirectory() as folder:
        rates = measure(Path(folder))
    print(f"decode {rates.decode_mb_s:.0f} MB/s a core, task {rates.task_s * 1e3:.2f} ms, ", end="")
    print(f"file {rates.file_s * 1e6:.0f} us, plan {rates.plan_s * 1e6:.2f} us a file")
    datasets = {"10 TB, 1 GB a file": (10_000, 10**9), "10 TB, 1 MB a file": (10_000_000, 10**6)}
    ways = {"a file a task": None, "32 MiB": 32 << 20, "128 MiB": 128 << 20, "512 MiB": 512 << 20}
    for name, (count, size) in datasets.items():
        count = round(count * options.scale)
        for way, target in ways.items():
            files = ((f"part-{i:08}.avro", size) for i in range(count))
            parts = one_by_one(files) if target is None else tiling.tile(files, target)
            tasks = [seconds(split, rates, cluster) for split in parts]
            busy = sum(tasks) / (cluster.nodes * cluster.cores)
            ends, drained = simulate(tasks, cluster)
            listing = count / cluster.list_per_s
            row = f"{name} | {way:13} | {len(tasks):9,} tasks of {sum(tasks) / len(tasks):6.2f} s"
            row += f" | listing {listing:6.0f} s, planning {count * rates.plan_s:5.1f} s"
            row += f" | cores busy {busy:6.1f} s, reading {ends:7.1f} s, of it stragglers {ends - drained:5.1f} s"
            print(row, flush=True)


if __name__ == "__main__":
    main()
