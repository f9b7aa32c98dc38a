"""Runs the readers in turn, round by round, each in its own process, after checking their results."""

import contextlib
import hashlib
import json
import os
import selectors
import statistics
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from data import CACHE, DATASETS, paths
from readers import FLOOR, Reader
from scenarios import Scenario

WORKER = Path(__file__).with_name("worker.py")
# Seconds of a reader per scenario. Slow readers get fewer rounds, so that they do not dominate the run.
BUDGET = 5.0
TIMEOUT = 600.0


@dataclass
class Result:
    """The measurements of one reader in one scenario with one number of threads."""

    scenario: str
    threads: int
    reader: str
    status: str = "ok"
    reason: str = ""
    walls: list[float] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)
    memory: dict[str, float] = field(default_factory=dict)
    times: dict[str, float] = field(default_factory=dict)

    @property
    def median(self) -> float:
        """Return the median wall time in seconds."""
        return statistics.median(self.walls)

    def as_record(self) -> dict[str, object]:
        """Return the entry of the record."""
        row: dict[str, object] = {"scenario": self.scenario, "threads": self.threads, "reader": self.reader}
        row["status"] = self.status
        if self.reason:
            row["reason"] = self.reason
        if self.walls:
            row["median_ms"] = round(self.median * 1e3, 4)
            row["minimum_ms"] = round(min(self.walls) * 1e3, 4)
            row["cpu_ms"] = round(statistics.median(self.cpus) * 1e3, 4)
            row["rounds"] = len(self.walls)
        return row | {f"{name}_mb": round(value, 1) for name, value in self.memory.items()} | self.times


class FailedError(Exception):
    """A reader crashed or timed out."""

    status = "failed"


class UnsupportedError(FailedError):
    """A reader reported an error."""

    status = "unsupported"


class Worker:
    """A process that runs one reader for one scenario."""

    def __init__(self, reader: Reader, threads: int) -> None:
        self.reader = reader
        environment = {**os.environ, "POLARS_MAX_THREADS": str(threads), "PYTHONWARNINGS": "ignore"}
        environment.pop("PYTHONPATH", None)
        self.process = subprocess.Popen(
            [reader.python, WORKER, reader.engine, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            text=True,
        )

    def ask(self, do: str, scenario: Scenario) -> dict:
        """Send a request and return the response."""
        request = {"do": do, "paths": [str(path) for path in paths(scenario.dataset)], **scenario.as_request()}
        if self.reader.name == FLOOR:
            request["checked"] = ()
        # The order is checked only if the query defines it.
        request["sort"] = DATASETS[scenario.dataset].files > 1 and not self.reader.orders_files
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            if not selector.select(TIMEOUT):
                reason = f"no answer in {TIMEOUT:.0f} seconds"
                raise FailedError(reason)
        line = self.process.stdout.readline()
        if not line:
            reason = f"the process ended with status {self.process.wait()}"
            raise FailedError(reason)
        reply = json.loads(line)
        if "error" in reply:
            raise UnsupportedError(reply["error"].replace(str(CACHE), "cache").splitlines()[0][:200])
        return reply

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.communicate()


def expected(scenario: Scenario, reference: Reader) -> dict:
    """Return height, width and checksums of the reference reader, which are cached beside the files."""
    name = json.dumps([scenario.dataset, scenario.as_request()["query"], scenario.checked()])
    kept = CACHE / "expected.json"
    known = json.loads(kept.read_text()) if kept.exists() else {}
    if name not in known:
        worker = Worker(reference, os.cpu_count() or 1)
        try:
            known[name] = worker.ask("check", scenario)
        finally:
            worker.close()
        kept.write_text(json.dumps(known, indent=1))
    return known[name]


def floor(scenario: Scenario) -> dict:
    """Return the expected result of the floor, which is the number of rows."""
    dataset = DATASETS[scenario.dataset]
    text = f"part\n{dataset.per_file * dataset.files}\n"
    return {"height": 1, "width": 1, "checksums": {"0": hashlib.sha256(text.encode()).hexdigest()[:16]}}


def fault(reply: dict, wanted: dict) -> str:
    """Return a description of a wrong result, or None."""
    for part in ("height", "width"):
        if reply[part] != wanted[part]:
            return f"{part} is {reply[part]}, not {wanted[part]}"
    columns = [name for name, checksum in wanted["checksums"].items() if reply["checksums"].get(name) != checksum]
    return f"values or their order differ in {', '.join(columns)}" if columns else ""


@dataclass
class Entry:
    """One reader in one scenario."""

    result: Result
    reader: Reader
    worker: Worker
    spent: float = 0.0


def compare(
    scenario: Scenario, readers: Sequence[Reader], reference: Reader, threads: int, rounds: int
) -> list[Result]:
    """Check the result and the memory of every reader, then time those with correct results in turn."""
    wanted = expected(scenario, reference)
    entries = [enter(scenario, reader, threads, wanted) for reader in readers if takes_part(reader, scenario)]
    try:
        for turn in range(rounds):
            for entry in rotated(entries, turn):
                if entry.result.status == "ok" and entry.spent < BUDGET:
                    timed(entry, scenario)
    finally:
        for entry in entries:
            entry.worker.close()
    return [entry.result for entry in entries]


def takes_part(reader: Reader, scenario: Scenario) -> bool:
    """Return whether the reader takes part in the scenario."""
    return scenario.floor or reader.name != FLOOR


def enter(scenario: Scenario, reader: Reader, threads: int, wanted: dict) -> Entry:
    """Start a reader and compare its first result with the expected one. The first run also measures its memory."""
    result = Result(scenario.name, threads, reader.name)
    entry = Entry(result, reader, Worker(reader, threads))
    try:
        reply = entry.worker.ask("check", scenario)
    except FailedError as error:
        result.status, result.reason = error.status, str(error)
        return entry
    result.reason = fault(reply, floor(scenario) if reader.name == FLOOR else wanted)
    result.status = "wrong" if result.reason else "ok"
    if reader.name != FLOOR:
        result.memory, result.times = reply["memory"], reply.get("times", {})
    return entry


def timed(entry: Entry, scenario: Scenario) -> None:
    """Run the reader once, timed."""
    try:
        reply = entry.worker.ask("time", scenario)
    except FailedError as error:
        entry.result.status, entry.result.reason = error.status, str(error)
        return
    entry.spent += reply["wall"] * scenario.repeat
    entry.result.walls.append(reply["wall"])
    entry.result.cpus.append(reply["cpu"])


def rotated(entries: list[Entry], turn: int) -> Iterator[Entry]:
    """Rotate the entries by one per round, so that their order varies."""
    for i in range(len(entries)):
        yield entries[(i + turn) % len(entries)]
