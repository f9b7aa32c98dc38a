"""Compare reading with Ray Data: this project, and Ray's own reader, in turn.

Run it with the package, Ray and fastavro installed: ``python benches/ray_readers.py``.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

import polars as pl
import ray
import ray.data

import polars_avro
import polars_avro.ray


def write(path: Path, rows: int) -> None:
    """Write 100 columns of numbers and strings, in snappy."""
    ids = pl.int_range(rows, eager=True)
    columns = {}
    for i in range(100):
        numbers = ids * (i + 3) % 10_007
        kind = i % 4
        columns[f"c{i:02}"] = (
            numbers
            if kind == 0
            else numbers.cast(pl.Float64) / 7
            if kind == 1
            else numbers.cast(pl.Int32)
            if kind == 2
            else numbers.cast(pl.String) + " text"
        )
    polars_avro.write_avro(pl.DataFrame(columns), path, compression="snappy")


def consume(dataset: ray.data.Dataset, columns: list[str]) -> tuple[int, int]:
    """Run the read in the workers, and return the rows and the sum of one column."""
    assert dataset.schema() is not None
    rows = total = 0
    for reference in dataset.map_batches(
        lambda table: summed(table, columns), batch_format="pyarrow", batch_size=None
    ).iter_batches(batch_format="pyarrow", batch_size=None):
        rows += sum(reference["rows"].to_pylist())
        total += sum(reference["total"].to_pylist())
    return rows, total


def summed(table: "pyarrow.Table", columns: list[str]) -> "pyarrow.Table":  # noqa: F821
    """Use every wanted column, and return little data."""
    import pyarrow as pa
    import pyarrow.compute as pc

    assert set(table.column_names) >= set(columns)
    return pa.table({"rows": [table.num_rows], "total": [pc.sum(table["c00"]).as_py() or 0]})


def main() -> None:
    """Print the median of each reader."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=250_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=4)
    options = parser.parse_args()
    ray.init(num_cpus=options.workers, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "wide.avro"
        write(path, options.rows)
        size = path.stat().st_size
        target = -(-size // 64)
        names = [f"c{i:02}" for i in range(100)]
        print(f"{options.rows:,} rows of 100 columns, {size / 1e6:.0f} MB; splits: ", end="")
        print(len(polars_avro.plan_splits(path, target_bytes=target)))
        readers: dict[str, Callable[[], tuple[int, int]]] = {
            "all columns, 64 splits": lambda: consume(polars_avro.ray.read_avro(path, target_bytes=target), names),
            "all columns, 8 splits": lambda: consume(polars_avro.ray.read_avro(path, target_bytes=target * 8), names),
            "2 columns, 8 splits": lambda: consume(
                polars_avro.ray.read_avro(path, target_bytes=target * 8, columns=names[:2]), names[:2]
            ),
            "Ray's own": lambda: consume(ray.data.read_avro(str(path)), names),
        }
        times: dict[str, list[float]] = {name: [] for name in readers}
        answers = set()
        # The first round starts the workers and is discarded.
        for number in range(options.rounds + 1):
            for name, read in readers.items():
                start = time.perf_counter()
                answers.add(read())
                if number:
                    times[name].append(time.perf_counter() - start)
        assert len(answers) == 1, answers
        own = statistics.median(times["Ray's own"])
        for name, taken in times.items():
            median = statistics.median(taken)
            print(f"{name:24} {median:7.2f} s  {own / median:6.1f} times as fast as Ray's own")


if __name__ == "__main__":
    main()
