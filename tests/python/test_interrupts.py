"""After an interrupt at any instant, a read has every row or an error, and a target is complete or unchanged."""

import os
import random
import signal
import subprocess
import sys
import textwrap
import time

import polars as pl
import pytest
from interrupts import LOOPS

import polars_avro as pa

ROWS = 400_000
#: Interrupts of each loop.
RUNS = [1, pytest.param(20, marks=pytest.mark.slow)]

HEAD = """
import os, sys, time
import polars as pl
import polars_avro as pa
path, target = sys.argv[1:]
rows = 400_000
def scan():
    return pa.scan_avro(path)
def check(count):
    if count != rows:
        print(count, "rows", flush=True)
        os._exit(1)
def check_target():
    check(pa.read_avro_metadata(target).n_rows)
{begin}
print("begun", flush=True)
while True:
{body}
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("interrupts") / "rows.avro"
    numbers = pl.int_range(ROWS, eager=True)
    pa.write_avro(pl.DataFrame({"a": numbers, "text": "value " + numbers.cast(pl.String)}), path)
    return path


@pytest.mark.skipif(os.name == "nt", reason="signals of Unix")
@pytest.mark.parametrize("runs", RUNS)
@pytest.mark.parametrize("name", LOOPS)
def test_an_interrupt_loses_nothing_in_silence(name, runs, path, tmp_path):
    begin, body = LOOPS[name]
    code = HEAD.format(begin=begin, body=textwrap.indent(body, "    "))
    for _ in range(runs):
        target = tmp_path / "out.avro"
        command = [sys.executable, "-c", code, str(path), str(target)]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
        ) as process:
            assert process.stdout.readline() == "begun\n"
            time.sleep(random.random() * 0.4)
            process.send_signal(signal.SIGINT)
            try:
                printed, errors = process.communicate(timeout=60)
            finally:
                process.kill()
        assert printed == ""
        # After an uncaught KeyboardInterrupt the interpreter kills itself with the signal.
        is_raised = process.returncode == -signal.SIGINT and "Exception ignored" not in errors
        # If the signal arrives while Polars converts an expression, it raises a TypeError or panics instead.
        # Polars 1 raises a ComputeError if it arrives in a source.
        replaced = (
            "is not a Polars data type",
            "type: <class 'KeyboardInterrupt'>",
            "exception: KeyboardInterrupt",
        )
        is_replaced = process.returncode == 1 and any(text in errors for text in replaced)
        assert is_raised or is_replaced, errors
        if target.exists():
            assert pa.read_avro_metadata(target).n_rows == ROWS
        assert {each.name for each in tmp_path.iterdir()} <= {"out.avro", "out.avrod"}
