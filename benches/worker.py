"""The process of one reader: one request per line on standard input, one response per line on standard output.

Its arguments are the engine and the number of threads. It lives for all rounds, so imports and first calls are not
timed.
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
    """Pin the process to as many cores as threads, because some readers have no option for threads."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])


def memory(field: str) -> float:
    """Return a memory field of the process in megabytes; without /proc, the peak since its start."""
    if not STATUS.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024 / 1e6


def cpu() -> float:
    """Return the processor time of all threads so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def answer(engine: ModuleType, digest: ModuleType, request: dict) -> dict:
    """Execute one request."""
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
    # Includes the time of an engine's child processes.
    clock = getattr(engine, "cpu", cpu)
    used, began = clock(), time.perf_counter()
    for _ in range(repeat):
        frame = engine.run(paths, query)
    wall = time.perf_counter() - began
    return {"wall": wall / repeat, "cpu": (clock() - used) / repeat, "height": frame.height}


def serve(engine: ModuleType, digest: ModuleType) -> None:
    """Answer requests until the input ends. Output of the reader goes to standard error, apart from the responses."""
    with os.fdopen(os.dup(1), "w") as out:
        os.dup2(2, 1)
        for line in sys.stdin:
            try:
                reply = answer(engine, digest, json.loads(line))
            except KeyboardInterrupt:
                raise
            # Panics of Rust extensions do not derive from Exception.
            except BaseException as error:
                reply = {"error": f"{type(error).__name__}: {error}"}
            print(json.dumps(reply), file=out, flush=True)


if __name__ == "__main__":
    count = int(sys.argv[2])
    # Before the imports, because threads that they start inherit the affinity.
    confine(count)
    reader = importlib.import_module(f"engines.{sys.argv[1]}")
    reader.start(count)
    serve(reader, importlib.import_module("digest"))
