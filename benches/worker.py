"""The process in which one reader runs: a request a line on standard input, an answer a line on standard output.

The first argument names the engine, the second the number of threads. It stays alive from round to round, so that
imports and first calls are not in what is timed.
"""

import gc
import importlib
import json
import os
import resource
import sys
import time
from pathlib import Path
from types import ModuleType

STATUS = Path("/proc/self/status")
RESET_PEAK = "5"


def confine(threads: int) -> None:
    """Keep the process to as many cores as it may have threads, for not every reader can be told its threads."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])


def memory(field: str) -> float:
    """Give a field of the process's memory in megabytes; without /proc, the peak since its start."""
    if not STATUS.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024 / 1e6


def cpu() -> float:
    """Give the processor time of all threads so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def answer(engine: ModuleType, digest: ModuleType, request: dict) -> dict:
    """Do what one request asks."""
    paths, query = request["paths"], request["query"]
    gc.collect()
    if request["do"] == "check":
        before = memory("VmRSS")
        if STATUS.exists():
            Path("/proc/self/clear_refs").write_text(RESET_PEAK)
        frame = engine.run(paths, query)
        taken = {"before": before, "peak": memory("VmHWM"), "held": frame.estimated_size() / 1e6}
        if request["sort"]:
            frame = frame.sort(request["checked"][0])
        account = {"times": engine.times(paths, query)} if hasattr(engine, "times") else {}
        return digest.describe(frame, request["checked"]) | {"memory": taken} | account
    repeat = request["repeat"]
    # An engine with processes of its own counts their time too.
    clock = getattr(engine, "cpu", cpu)
    used, began = clock(), time.perf_counter()
    for _ in range(repeat):
        frame = engine.run(paths, query)
    wall = time.perf_counter() - began
    return {"wall": wall / repeat, "cpu": (clock() - used) / repeat, "height": frame.height}


def serve(engine: ModuleType, digest: ModuleType) -> None:
    """Answer requests until the input ends. What a reader prints goes to standard error, not among the answers."""
    with os.fdopen(os.dup(1), "w") as out:
        os.dup2(2, 1)
        for line in sys.stdin:
            try:
                reply = answer(engine, digest, json.loads(line))
            except KeyboardInterrupt:
                raise
            # Panics of Rust extensions are not Exceptions.
            except BaseException as error:
                reply = {"error": f"{type(error).__name__}: {error}"}
            print(json.dumps(reply), file=out, flush=True)


if __name__ == "__main__":
    count = int(sys.argv[2])
    # Before the imports: threads that an import starts are confined too.
    confine(count)
    reader = importlib.import_module(f"engines.{sys.argv[1]}")
    reader.start(count)
    serve(reader, importlib.import_module("digest"))
