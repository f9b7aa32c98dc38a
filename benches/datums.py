"""Compares decoders of datums in a column: interleaved rounds, medians, and checks of the results.

    python benches/datums.py [rounds] [arrow-avro driver]

A million Confluent-framed rows of six fields are decoded by this package (in memory and streaming), by fastavro in
``map_elements``, and by arrow-avro if its driver is given (``cargo build --release`` in ``benches/arrow_avro``); and
the same rows are read from an uncompressed file. Each number of threads has its own process. Every variant except the
slow one runs twice per turn and the second run counts, to exclude the time that an idle processor needs to wake up.
"""

from __future__ import annotations

import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastavro
import polars as pl

import polars_avro

ROWS = 1_000_000
SCHEMA_ID = 7
SCHEMA = {
    "type": "record",
    "name": "Row",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "name", "type": "string"},
        {"name": "int_val", "type": "int"},
        {"name": "float_val", "type": "float"},
        {"name": "double_val", "type": "double"},
        {"name": "bool_val", "type": "boolean"},
    ],
}
#: Rounds of the slow variant.
SLOW_ROUNDS = 2


def make_rows() -> pl.DataFrame:
    """The rows as columns."""
    i = pl.int_range(ROWS, dtype=pl.Int64)
    return pl.select(
        id=i * 1000,
        name=pl.format("user_{}", i.cast(pl.String).str.zfill(8)),
        int_val=(i % 1000).cast(pl.Int32),
        float_val=(i * 0.5).cast(pl.Float32),
        double_val=i * 0.25,
        bool_val=i % 2 == 0,
    )


def by_fastavro(frame: pl.DataFrame) -> pl.DataFrame:
    """Decodes row by row in Python."""
    sizes = {"id": pl.Int64, "name": pl.String, "int_val": pl.Int64, "float_val": pl.Float64, "double_val": pl.Float64}
    dtype = pl.Struct(sizes | {"bool_val": pl.Boolean})
    schema = fastavro.parse_schema(SCHEMA)
    read = lambda row: fastavro.schemaless_reader(io.BytesIO(row[5:]), schema, None)  # noqa: E731
    return frame.select(pl.col("value").map_elements(read, return_dtype=dtype))


class ArrowAvro:
    """A process that decodes once per line of input, and times itself."""

    def __init__(self, driver: str, data: Path) -> None:
        command = [driver, str(data), json.dumps(SCHEMA), str(SCHEMA_ID)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def decode(self) -> tuple[float, float, int, int]:
        """Return wall seconds, processor seconds, rows, and the sum of the first column."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        seconds, cpu, rows, total = self.process.stdout.readline().split()
        return float(seconds), float(cpu), int(rows), int(total)


def measure(rounds: int, driver: str | None, folder: Path) -> None:
    """Check the results, then run all variants in turn."""
    whole = make_rows()
    frame = whole.select(
        value=polars_avro.encode(pl.struct(pl.all()), SCHEMA, framing="confluent", schema_id=SCHEMA_ID)
    )
    path, framed = folder / "rows.avro", folder / "framed.bin"
    polars_avro.write_avro(whole, path, "uncompressed", avro_schema=SCHEMA, block_size=64_000)
    framed.write_bytes(b"".join(frame["value"]))
    expr = polars_avro.decode("value", SCHEMA, framing="confluent")
    ways: dict[str, Callable[[], Any]] = {
        "decode, in memory": lambda: frame.select(expr),
        "decode, streaming": lambda: frame.lazy().select(expr).collect(engine="streaming"),
        "the file, read_avro": lambda: polars_avro.read_avro(path),
        "the file, scan_avro streaming": lambda: polars_avro.scan_avro(path).collect(engine="streaming"),
        "fastavro in map_elements": lambda: by_fastavro(frame),
    }
    for name, way in ways.items():
        got = way()
        got = got if "file" in name else got.select(pl.col("value").struct.unnest())
        got = got.cast(dict(whole.schema)) if "fastavro" in name else got
        assert got.equals(whole), name
    times: dict[str, list[float]] = {name: [] for name in ways}
    processor: dict[str, list[float]] = {name: [] for name in ways}
    arrow = None if driver is None else ArrowAvro(driver, framed)
    if arrow is not None:
        assert arrow.decode()[2:] == (ROWS, whole["id"].sum())
        times["arrow-avro"], processor["arrow-avro"] = [], []
    for number in range(rounds):
        for name, way in ways.items():
            if "fastavro" in name and number >= SLOW_ROUNDS:
                continue
            if "fastavro" not in name:
                way()
            start, start_cpu = time.perf_counter(), time.process_time()
            result = way()
            times[name].append(time.perf_counter() - start)
            processor[name].append(time.process_time() - start_cpu)
            del result
        if arrow is not None:
            arrow.decode()
            seconds, cpu, *_ = arrow.decode()
            times["arrow-avro"].append(seconds)
            processor["arrow-avro"].append(cpu)
    print(f"{os.environ['POLARS_MAX_THREADS']} threads, {rounds} rounds")
    print(" " * 34 + "".join(f"{what:>12}" for what in ("median ms", "least ms", "median CPU", "least CPU")))
    for name, wall in times.items():
        numbers = (statistics.median(wall), min(wall), statistics.median(processor[name]), min(processor[name]))
        print(f"  {name:32}" + "".join(f"{1e3 * number:12.1f}" for number in numbers))


def main() -> None:
    """Measure with one thread, then with two."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    driver = sys.argv[2] if len(sys.argv) > 2 else None
    if "POLARS_MAX_THREADS" in os.environ:
        with tempfile.TemporaryDirectory() as folder:
            measure(rounds, driver, Path(folder))
        return
    for threads in ("1", "2"):
        subprocess.run([sys.executable, *sys.argv], env=os.environ | {"POLARS_MAX_THREADS": threads}, check=True)


if __name__ == "__main__":
    main()
