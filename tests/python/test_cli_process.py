"""The command line in a child process: streams, signals, terminals."""

import json
import os
import signal
import struct
import subprocess
import sys
import time

import pytest
from command_line import HOME, process
from rows import make_rows, write

import polars_avro


def test_standard_output_and_status(path):
    done = process("count", path)
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, [b"1000"], b"")
    done = process("cat", "-", stdin=path.read_bytes())
    assert [json.loads(line) for line in done.stdout.splitlines()] == make_rows(1000)


def test_failures(tmp_path):
    done = process("head", tmp_path / "absent.avro")
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (3, b"", 1)
    done = process("head")
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)


def test_version():
    assert process("--version").stdout.decode().strip().endswith(polars_avro.__version__)


def test_the_package_does_not_import_the_command_line():
    code = "import sys, polars_avro; sys.exit('click' in sys.modules or 'polars_avro._cli' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=HOME, check=False).returncode == 0


def test_no_bar_and_no_colour_where_there_is_no_terminal(path, tmp_path):
    for arguments in (["check", path], ["convert", path, tmp_path / "a.parquet"]):
        done = process(*arguments)
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"\x1b" not in done.stdout


def test_a_terminal_that_knows_ascii_alone(path):
    done = process("head", path, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.isascii()
    assert b"name 0" in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="pipes end otherwise")
def test_a_reader_that_has_seen_enough(tmp_path):
    path = write(tmp_path / "long.avro", make_rows(100_000), sync_interval=16_000)
    command = [sys.executable, "-m", "polars_avro", "cat", str(path)]
    with subprocess.Popen(command, cwd=HOME, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert json.loads(running.stdout.readline())["id"] == 0
        running.stdout.close()
        assert running.wait(60) == 0
        assert running.stderr.read() == b""


@pytest.mark.skipif(sys.platform == "win32", reason="signals differ")
def test_an_interrupt(tmp_path):
    import fcntl
    import termios

    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    held = os.open(fifo, os.O_RDWR)
    with open(fifo, "rb") as stdin:
        command = [sys.executable, "-m", "polars_avro", "count", "-"]
        running = subprocess.Popen(
            command,
            cwd=HOME,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # The tests may run where interrupts are ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        # An earlier signal would interrupt the start of Python. The command has started once it reads.
        os.write(held, b"Obj\x01")
        while running.poll() is None and struct.unpack("i", fcntl.ioctl(held, termios.FIONREAD, bytes(4)))[0]:
            time.sleep(0.01)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    os.close(held)
    assert (running.returncode, out, err.strip()) == (130, b"", b"")


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_a_bar_on_a_terminal(tmp_path):
    import pty

    path = write(tmp_path / "rows.avro", make_rows(1000))
    code = (
        "from polars_avro._cli import progress; progress._PATIENCE = 0\n"
        f"from polars_avro._cli.app import run; raise SystemExit(run(['check', {str(path)!r}]))"
    )
    mine, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=HOME, stdout=subprocess.PIPE, stderr=theirs, check=False, timeout=120
    )
    os.close(theirs)
    shown = os.read(mine, 100_000)
    os.close(mine)
    assert (done.returncode, done.stdout.decode()) == (0, f"{path}: ok, 1,000 rows\n")
    assert b"100%" in shown
