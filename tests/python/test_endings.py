"""Programs end with the expected status: no signal, no hang, no leftover files."""

import os
import subprocess
import sys

import polars as pl
import pytest
from endings import ENDINGS, Ending

import polars_avro as pa

ROWS = 400_000
#: Runs of each script. Some faults occur only in some runs.
RUNS = [1, pytest.param(20, marks=pytest.mark.slow)]

HEAD = """
import os, sys, threading, time
import polars as pl
import polars_avro as pa
path, folder = sys.argv[1:]
scan = pa.scan_avro(path)
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("endings") / "rows.avro"
    numbers = pl.int_range(ROWS, eager=True)
    pa.write_avro(pl.DataFrame({"a": numbers, "text": "value " + numbers.cast(pl.String)}), path)
    return path


def run(code: str, path, folder, status: int) -> str:
    command = [sys.executable, "-W", "ignore", "-c", HEAD + code, str(path), str(folder)]
    # With a buffer, the interpreter writes again at exit to a closed pipe, and ends with status 120.
    env = {**os.environ, "PYTHONUNBUFFERED": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=folder, env=env)
    assert done.returncode == status, done.stderr
    for noise in ("Exception ignored", "panicked", "Fatal Python error"):
        assert noise not in done.stderr
    return done.stdout


@pytest.mark.skipif(not hasattr(os, "fork"), reason="some scripts need what Unix has")
@pytest.mark.parametrize("runs", RUNS)
@pytest.mark.parametrize("name", ENDINGS)
def test_a_script_ends_as_it_should(name, runs, path, tmp_path):
    if "forked" in name and (pl.__version__ < "2.1" or sys.version_info < (3, 11)):
        pytest.skip("iterators of Polars hang in a forked process, whatever they scan")
    ending: Ending = ENDINGS[name]
    for _ in range(runs):
        assert ending.printed in run(ending.code, path, tmp_path, ending.status)
        for left in tmp_path.rglob("*"):
            assert left.name == ending.whole
            assert pa.read_avro_metadata(left).n_rows == 9 * ROWS
            left.unlink()
