"""The table and the record of a run: ratios to this project, and notes on the limits of the comparison."""

import datetime as dt
import json
import os
import platform
import re
import statistics
from collections.abc import Sequence
from pathlib import Path

from measure import Result
from readers import PROJECT, ROOT, Reader, version
from scenarios import Scenario

RECORDS = ROOT / "benches" / "record"

NOTES = (
    "Files come from one writer (fastavro, 16,000 bytes a block) and are in the page cache: no disk or network.",
    "Columns of the plain and the wide files contain no nulls; the scenario `nullable` does.",
    "A run on one thread is pinned to one core, because some readers have no option for threads.",
    "DuckDB and chdb run SQL, and their results are converted to Polars frames, for which neither is designed.",
    "polars-avro reads batches of 100,000 rows, because its default of 1,024 is slower.",
    "Polars' own reader takes one file and has no filter, so Polars does more work after reading.",
    "Slow readers have fewer rounds than the others; the record has the number.",
    "A reader that does not decode a logical type counts as wrong: DuckDB decimals, chdb times of day.",
    "chdb returns the rows of several files in no order; they are sorted, untimed, before the check.",
    "Checksums cover the columns named with the dataset, not all hundred of the wide file.",
    "Values that differ only in dtype (map or list of pairs, zone or none) count as equal.",
    "The decompression floor is Python over a Rust codec library: near the bound, not exactly it.",
)


def cores() -> int:
    """Return the number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def processor() -> str:
    """Return the processor's model."""
    info = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.*)", info.read_text()) if info.exists() else None
    return found[1].strip() if found else platform.processor() or platform.machine()


def ratios(results: Sequence[Result]) -> dict[tuple[str, int, str], float]:
    """Return each reader's median as a multiple of this project's, if both were timed."""
    base = {(r.scenario, r.threads): r.median for r in results if r.reader == PROJECT and r.status == "ok"}
    return {
        (r.scenario, r.threads, r.reader): r.median / base[r.scenario, r.threads]
        for r in results
        if r.status == "ok" and (r.scenario, r.threads) in base
    }


def record(results: Sequence[Result], readers: Sequence[Reader], load: float) -> dict:
    """Return the record of a run."""
    ratio = ratios(results)
    rows = []
    for result in results:
        row = result.as_record()
        key = (result.scenario, result.threads, result.reader)
        if key in ratio:
            row["ratio"] = round(ratio[key], 3)
        rows.append(row)
    return {
        "date": dt.datetime.now(dt.timezone.utc).date().isoformat(),
        "machine": {"processor": processor(), "cores": cores(), "system": platform.system(), "load_before": load},
        "python": platform.python_version(),
        "versions": {reader.name: f"{reader.distribution} {version(reader)}" for reader in readers},
        "notes": NOTES,
        "results": rows,
    }


def keep(kept: dict) -> Path:
    """Write a record under its date and machine, and return its path relative to the root of the repository."""
    machine = re.sub(r"[^a-z0-9]+", "-", processor().lower()).strip("-")
    path = RECORDS / f"{kept['date']}-{machine}-{cores()}-cores.json"
    path.parent.mkdir(exist_ok=True)
    head = json.dumps({key: value for key, value in kept.items() if key != "results"}, indent=1)
    rows = ",\n".join("  " + json.dumps(row) for row in kept["results"])
    path.write_text(f'{head[:-2]},\n "results": [\n{rows}\n ]\n}}\n')
    return path.relative_to(ROOT)


def text(results: Sequence[Result], scenarios: Sequence[Scenario], readers: Sequence[Reader]) -> str:
    """Return a table for each number of threads, and the notes."""
    ratio = ratios(results)
    by_threads = {n: [r for r in results if r.threads == n] for n in sorted({r.threads for r in results})}
    tables = [table(some, ratio, scenarios, readers, threads) for threads, some in by_threads.items()]
    return "\n\n".join([*tables, "\n".join(f"- {note}" for note in NOTES)])


def table(
    results: Sequence[Result],
    ratio: dict[tuple[str, int, str], float],
    scenarios: Sequence[Scenario],
    readers: Sequence[Reader],
    threads: int,
) -> str:
    """Return a Markdown table: medians, as multiples of this project's if it was timed, and peak memory."""
    by_key = {(r.scenario, r.reader): r for r in results}
    lines = [
        f"Threads: {threads}. Median (processor time), multiple of this project's median, peak memory.",
        "",
        "| | " + " | ".join(reader.name for reader in readers) + " |",
        "|---|" + "---|" * len(readers),
    ]
    for scenario in scenarios:
        cells = [cell(by_key.get((scenario.name, reader.name)), ratio) for reader in readers]
        lines.append(f"| {scenario.title} | " + " | ".join(cells) + " |")
    lines += [f"{r.reader}, {r.scenario}: {r.status}: {r.reason}" for r in results if r.status != "ok"]
    return "\n".join(lines)


def cell(result: Result | None, ratio: dict[tuple[str, int, str], float]) -> str:
    """Return one cell of the table."""
    if result is None:
        return ""
    if result.status != "ok":
        return result.status
    times = ratio.get((result.scenario, result.threads, result.reader))
    parts = [f"{milliseconds(result.median)} ({milliseconds(statistics.median(result.cpus))})"]
    if times is not None and result.reader != PROJECT:
        parts.append(f"{times:.2f}x")
    if "peak" in result.memory:
        parts.append(f"{result.memory['peak']:.0f} MB")
    return ", ".join(parts)


def milliseconds(seconds: float) -> str:
    """Return a time in milliseconds with three significant digits."""
    value = seconds * 1e3
    return f"{value:.0f} ms" if value >= 100 else f"{value:.3g} ms"
