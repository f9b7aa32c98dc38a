"""Files on HTTP servers in several threads and processes, including processes that end while they wait."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time

import polars as pl
import pytest
from servers import Fault, Server

from polars_avro import read_avro, scan_avro


def test_pickled_scans(server: Server, small: str) -> None:
    lf = scan_avro(small)
    lf.collect_schema()
    again = pl.LazyFrame.deserialize(io.BytesIO(lf.serialize()))
    assert again.collect().height == 1000


def test_threads_share_a_reader(server: Server, large: str) -> None:
    results: list[int] = []

    def read() -> None:
        results.append(read_avro(large, columns=["id"])["id"].sum())

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [60_000 * 59_999 // 2] * 4


def run(code: str, url: str, **options: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, url],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


@pytest.mark.parametrize("call", ["read_avro(url)", "read_avro_schema(url)", "next(iter(AvroReader(url)))"])
def test_ctrl_c_ends_a_waiting_read(server: Server, small: str, call: str) -> None:
    server.fault = Fault(stall=30)
    code = f"import sys; from polars_avro import *; url = sys.argv[1]; print('go', flush=True); {call}"
    process = run(code, small)
    assert process.stdout is not None
    assert process.stdout.readline() == "go\n"
    deadline = time.monotonic() + 10
    while not server.requests and time.monotonic() < deadline:
        time.sleep(0.01)
    start = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert "KeyboardInterrupt" in errors
    assert time.monotonic() - start < 10


def test_the_interpreter_exits_while_a_read_waits(server: Server, large: str) -> None:
    code = """if True:
        import sys, threading, polars_avro
        reader = polars_avro.AvroReader(sys.argv[1], batch_size=10)
        next(iter(reader))
        threading.Thread(target=lambda: list(reader), daemon=True).start()
        print("done")
    """
    server.faults.extend([None, *[Fault(stall=30)] * 20])
    process = run(code, large)
    out, errors = process.communicate(timeout=20)
    assert (out, errors, process.returncode) == ("done\n", "", 0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_fork(server: Server, small: str) -> None:
    code = """if True:
        import os, sys, warnings, polars_avro
        warnings.simplefilter("ignore")
        url = sys.argv[1]
        lf = polars_avro.scan_avro(url)
        lf.collect_schema()
        assert polars_avro.read_avro(url).height == 1000
        reader = polars_avro.AvroReader(url)
        child = os.fork()
        height = polars_avro.read_avro(url).height + sum(df.height for df in reader)
        if not child:
            os._exit(0 if height == 2000 else 1)
        assert os.waitpid(child, 0)[1] == 0 and height == 2000
        print("done")
    """
    process = run(code, small)
    out, errors = process.communicate(timeout=30)
    assert (out, errors) == ("done\n", "")


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_other_processes(server: Server, small: str, method: str) -> None:
    code = f"""if True:
        import sys, multiprocessing, polars_avro
        url = sys.argv[1]
        assert polars_avro.read_avro(url).height == 1000
        with multiprocessing.get_context("{method}").Pool(1) as pool:
            print(pool.apply(polars_avro.read_avro, (url,)).height)
    """
    process = run(code, small)
    out, errors = process.communicate(timeout=60)
    assert (out, errors) == ("1000\n", "")
