"""A forked process has none of its parent's threads."""

import os
import subprocess
import sys

import pytest
from rows import SCHEMA, make_rows, write

SCRIPT = """
import os, sys
from polars_avro._core import ContainerFile, ReadOptions

def rows():
    return sum(batch.height for batch in ContainerFile(sys.argv[1]).batches(ReadOptions()))

before = rows()
child = os.fork()
if child == 0:
    os._exit(0 if rows() == before else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_reads_on_threads_of_its_own(tmp_path):
    path = write(tmp_path / "large.avro", make_rows(60_000), SCHEMA, codec="null")
    assert path.stat().st_size > 1 << 20, "smaller files are decoded on the calling thread"
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT, path]
    # In the root of the repository Python would import the sources.
    assert subprocess.run(command, timeout=60, check=False, cwd=tmp_path).returncode == 0
