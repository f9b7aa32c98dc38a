"""Writes a frame with each writer, in turn and in separate processes, and compares the files by reading them.

Run as ``python benches/writers.py [--rounds N] [--threads N] [--rival PYTHON] [SCENARIO...]``. ``PYTHON`` is the
interpreter of an environment that has polars-avro, which installs a package of the same name as ours.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from data import CACHE, is_written, paths, write

CODECS = ("null", "snappy", "deflate", "zstandard")
#: Writers and the codecs that they are measured with.
WRITERS = {"ours": CODECS, "built-in": ("null", "snappy"), "polars-avro": ("null", "snappy"), "fastavro": CODECS[2:]}
#: Block size of fastavro before compression. Other writers make one block, and this project uses its default.
BLOCK = 16_000
FRAMES = {"six": ("simple_snappy", 1_000_000), "nested": ("nested", 1_000_000), "wide": ("wide", 250_000)}


def frame(name: str) -> Path:
    """Return the file of a frame in Arrow IPC format, which every environment can read."""
    target = CACHE / "frames" / f"{name}.arrow"
    if not target.exists():
        import polars as pl

        import polars_avro

        dataset, height = FRAMES[name]
        if not is_written(dataset):
            write(dataset)
        df = polars_avro.read_avro(paths(dataset))
        df = pl.concat([df] * -(-height // df.height)).head(height).rechunk()
        if name == "nested":
            # Writers without maps get a list of pairs.
            df = df.with_columns(pl.col("metadata").cast(pl.List(pl.Struct({"key": pl.String, "value": pl.String}))))
        target.parent.mkdir(parents=True, exist_ok=True)
        df.write_ipc(target)
    return target


def writer(name: str, codec: str) -> object:
    """Return the function that writes a frame to a path."""
    if name == "ours":
        import polars_avro

        return lambda df, path: polars_avro.write_avro(df, path, compression=codec)
    if name == "built-in":
        return lambda df, path: df.write_avro(path, {"null": "uncompressed"}.get(codec, codec))
    if name == "polars-avro":
        import polars_avro

        compressed = None if codec == "null" else polars_avro.Codec.Snappy
        return lambda df, path: polars_avro.write_avro([df], path, codec=compressed)
    import fastavro

    def by_fastavro(df: object, path: str) -> None:
        schema = json.loads(os.environ["AVRO_SCHEMA"])
        with open(path, "wb") as file:
            fastavro.writer(file, schema, df.iter_rows(named=True), codec=codec, sync_interval=BLOCK)

    return by_fastavro


def work(name: str, codec: str, source: str) -> None:
    """Write a frame to each path on standard input, and print the seconds."""
    import time

    import polars as pl

    df = pl.read_ipc(source).rechunk()
    put = writer(name, codec)
    print("ready", flush=True)
    for line in sys.stdin:
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            put(df, line.strip())
        except Exception as error:  # a writer that refuses is a result
            print(json.dumps({"error": f"{type(error).__name__}: {error}"[:120]}), flush=True)
        else:
            took = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
            print(json.dumps(took), flush=True)


class Worker:
    """A process that writes one frame by one writer."""

    def __init__(self, name: str, codec: str, scenario: str, python: str, threads: int) -> None:
        self.name = name
        self.target = Path(os.environ.get("BENCH_FOLDER", CACHE / "written")) / f"{scenario}-{codec}-{name}.avro"
        self.target.parent.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, "POLARS_MAX_THREADS": str(threads), "AVRO_SCHEMA": avro_schema(scenario)}
        if name == "polars-avro":
            environment.pop("PYTHONPATH", None)
        command = [python, __file__, "--worker", name, codec, str(frame(scenario))]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self.process.stdout.readline()
        self.walls: list[float] = []
        self.cpus: list[float] = []
        self.error: str | None = None

    def run(self) -> None:
        """Write once."""
        if self.error is not None:
            return
        # Replacing a file would make the file system flush the old or the new one to the disk.
        self.target.unlink(missing_ok=True)
        self.process.stdin.write(f"{self.target}\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        self.error = answer.get("error")
        if self.error is None:
            self.walls.append(answer["wall"])
            self.cpus.append(answer["cpu"])

    def end(self) -> None:
        """End the process."""
        self.process.stdin.close()
        self.process.wait()


def avro_schema(scenario: str) -> str:
    """Return the schema that all writers use for a frame, with nullable columns."""
    import polars as pl

    import polars_avro  # noqa: F401  # it registers the namespace

    return pl.scan_ipc(frame(scenario)).avro.schema()


def check(worker: Worker, scenario: str) -> str:
    """Compare a written file with the frame."""
    import polars as pl

    import polars_avro

    expected = pl.read_ipc(frame(scenario))
    got = polars_avro.read_avro(worker.target)
    return "same rows" if got.equals(expected.cast(dict(got.schema))) else "OTHER ROWS"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rival", default="")
    parser.add_argument("--worker", nargs=3)
    parser.add_argument("scenarios", nargs="*")
    given = parser.parse_args()
    if given.worker:
        work(*given.worker)
        return
    for scenario in given.scenarios or FRAMES:
        for codec in CODECS:
            names = [name for name, codecs in WRITERS.items() if codec in codecs]
            pythons = {"polars-avro": given.rival}
            workers = [
                Worker(name, codec, scenario, pythons.get(name, sys.executable), given.threads)
                for name in names
                if pythons.get(name, sys.executable)
            ]
            for _ in range(given.rounds):
                for worker in workers:
                    if worker.name != "fastavro" or not worker.walls:
                        worker.run()
            report(scenario, codec, workers)


def report(scenario: str, codec: str, workers: list[Worker]) -> None:
    """Print a line for each writer."""
    ours = statistics.median(workers[0].walls)
    for worker in workers:
        worker.end()
        if worker.error is not None:
            print(f"{scenario:7} {codec:9} {worker.name:12} {worker.error}", flush=True)
            continue
        wall, size = statistics.median(worker.walls), worker.target.stat().st_size
        times = f"{wall * 1e3:8.1f} ms {statistics.median(worker.cpus) * 1e3:8.1f} cpu {wall / ours:6.2f} x"
        print(
            f"{scenario:7} {codec:9} {worker.name:12} {times} {size:>12,} bytes  {check(worker, scenario)}", flush=True
        )


if __name__ == "__main__":
    main()
