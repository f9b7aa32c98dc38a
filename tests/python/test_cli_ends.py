"""The end of commands: interrupts at any instant, closed pipes, full disks, closed streams."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time

import polars as pl
import pytest
from command_line import HOME, process
from rows import make_rows, write

import polars_avro

if sys.platform == "win32":
    pytest.skip("signals and descriptors differ", allow_module_level=True)

#: Commands that write to standard output, each in another way.
COMMANDS = [["cat"], ["head"], ["check"], *(["convert", "--to", form] for form in ("avro", "csv", "parquet"))]
#: Commands that write in the same way as others.
MORE = [["tail"], ["sample"], ["count"], ["schema"], ["metadata"], *(["convert", "--to", f] for f in ("ndjson", "ipc"))]
ALL_COMMANDS = [*COMMANDS, *(pytest.param(command, marks=pytest.mark.slow) for command in MORE)]
#: Interrupts at random instants of each command.
INTERRUPTS = [1, pytest.param(10, marks=pytest.mark.slow)]


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A file of some 90 MB that takes a second to print."""
    path = tmp_path_factory.mktemp("large") / "large.avro"
    n = 1_000_000
    df = pl.select(id=pl.int_range(n)).with_columns(
        a=pl.col("id") * 7919 % 100_003, b=pl.col("id").sin(), s=pl.format("a text for row {} of many rows", "id")
    )
    with polars_avro.AvroWriter(path, compression="uncompressed") as writer:
        writer.write(df)
        writer.write(df)
    return path


@pytest.fixture(scope="module")
def flat(tmp_path_factory):
    path = tmp_path_factory.mktemp("flat") / "flat.avro"
    polars_avro.write_avro(pl.DataFrame({"a": range(30_000), "s": ["some text"] * 30_000}), path)
    return path


def arguments(command, path):
    name, *options = command
    return [name, *options, path, *(["-"] if name == "convert" else [])]


def start(*arguments, **options):
    """Start a command that logs its imports on standard error."""
    command = [sys.executable, "-X", "importtime", "-m", "polars_avro", *map(str, arguments)]
    return subprocess.Popen(
        command,
        cwd=HOME,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        # The tests may run where interrupts are ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        **options,
    )


def plain(*arguments, **options):
    """Start a command."""
    return subprocess.Popen([sys.executable, "-m", "polars_avro", *map(str, arguments)], cwd=HOME, **options)


def ended(running):
    """Wait for a command, and return its status and its output on standard error."""
    with running.stderr:
        lines = [line for line in running.stderr if not line.startswith(b"import time:")]
    return running.wait(60), lines


def interrupted(running, delay):
    """Interrupt a command a delay after the import of the package began, and return its output on standard error."""
    for line in running.stderr:
        if b"polars_avro._interrupts" in line:
            break
    lines = []
    # Standard error must be drained, so that the command does not block.
    reader = threading.Thread(target=lambda: lines.extend(running.stderr))
    reader.start()
    time.sleep(delay)
    running.send_signal(signal.SIGINT)
    running.wait(60)
    reader.join()
    running.stderr.close()
    return b"".join(line for line in lines if not line.startswith(b"import time:"))


@pytest.mark.parametrize("interrupts", INTERRUPTS)
@pytest.mark.parametrize("command", [["cat"], ["convert", "--to", "avro"], ["convert", "--to", "parquet"]], ids=str)
def test_an_interrupt_at_any_instant(command, interrupts, large):
    for delay in (0, *(random.uniform(0.05, 1) for _ in range(interrupts))):
        running = start(*arguments(command, large), stdout=subprocess.DEVNULL)
        noise = interrupted(running, delay)
        # The command may have ended earlier.
        assert (running.returncode, noise) in [(130, b""), (0, b"")], delay


@pytest.mark.parametrize("interrupts", INTERRUPTS)
@pytest.mark.parametrize("ending", [".avro", ".parquet", ".csv"])
def test_an_interrupt_leaves_a_target_whole_or_as_it_was(ending, interrupts, large, tmp_path):
    target = tmp_path / f"target{ending}"
    for _ in range(interrupts):
        target.write_bytes(b"as it was")
        running = start("convert", large, target, stdout=subprocess.DEVNULL)
        noise = interrupted(running, random.uniform(0.2, 2))
        assert (running.returncode, noise) in [(130, b""), (0, b"")]
        assert os.listdir(tmp_path) == [target.name]
        if running.returncode == 130 and target.stat().st_size > 9:
            assert target.stat().st_size > 10_000_000


#: Functions that are interrupted while the command prints.
SWALLOWING = {
    "a finalizer, which Python ignores": """
class Swallows:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)

def write_json_lines(*_, **__):
    Swallows()
""",
    "a query, whose error is another": """
import polars as pl

def write_json_lines(*_, **__):
    try:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(60)
    except KeyboardInterrupt:
        raise pl.exceptions.ComputeError("the query was interrupted") from None
""",
}


@pytest.mark.parametrize("name", SWALLOWING)
def test_an_interrupt_that_is_swallowed_ends_the_command(name, flat):
    code = f"""
import os, signal, sys, time
sys.argv = ["polars-avro", "cat", sys.argv[1]]
from polars_avro._cli import app, text
{SWALLOWING[name]}
text.write_json_lines = write_json_lines
app.main()
"""
    done = subprocess.run([sys.executable, "-c", code, str(flat)], capture_output=True, cwd=HOME, check=False)
    assert (done.returncode, done.stderr) == (130, b"")


def test_a_second_interrupt_does_not_wait_and_leaves_nothing(flat, tmp_path):
    code = """
import os, signal, sys, time
sys.argv = ["polars-avro", "convert", *sys.argv[1:]]
import polars as pl
import polars_avro
from polars_avro._cli import app, formats

def write(table, path, **_):
    open(path, "wb").close()
    writer = polars_avro.AvroWriter(path)
    writer.write(pl.DataFrame({"a": [1]}))
    assert len(os.listdir(os.path.dirname(path))) == 2
    try:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(60)
    finally:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(60)

object.__setattr__(formats.BY_NAME["csv"], "write", write)
app.main()
"""
    command = [sys.executable, "-c", code, str(flat), str(tmp_path / "a.csv")]
    done = subprocess.run(command, capture_output=True, cwd=HOME, check=False, timeout=50)
    assert (done.returncode, done.stderr, os.listdir(tmp_path)) == (130, b"", [])


@pytest.mark.parametrize("command", ALL_COMMANDS, ids=" ".join)
def test_a_reader_that_has_left(command, flat):
    mine, theirs = os.pipe()
    os.close(mine)
    running = start(*arguments(command, flat), stdout=theirs)
    os.close(theirs)
    assert ended(running) == (0, [])


def test_a_reader_that_has_left_before_damage_is_reported(tmp_path):
    path = write(tmp_path / "a.avro", make_rows(10_000), sync_interval=1000)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    mine, theirs = os.pipe()
    os.close(mine)
    running = start("check", path, stdout=theirs)
    os.close(theirs)
    assert ended(running) == (0, [])


def test_a_reader_that_leaves_ends_the_command_soon(large):
    running = plain("cat", large, stdout=subprocess.PIPE)
    assert json.loads(running.stdout.readline())["id"] == 0
    running.stdout.close()
    left = time.monotonic()
    assert running.wait(60) == 0
    # Printing the whole file takes longer.
    assert time.monotonic() - left < 2


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no such device")
@pytest.mark.parametrize("command", ALL_COMMANDS, ids=" ".join)
def test_a_full_disk_behind_standard_output(command, flat):
    with open("/dev/full", "wb") as full:
        running = start(*arguments(command, flat), stdout=full)
        status, lines = ended(running)
    assert (status, len(lines)) == (3, 1)
    assert lines[0].startswith(b"polars-avro: error: ")
    assert b"No space left on device" in lines[0]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no such device")
@pytest.mark.parametrize("form", ["avro", "csv", "ndjson", "parquet", "ipc"])
def test_a_full_disk_as_the_target(form, large):
    done = process("convert", large, "/dev/full", "--to", form)
    assert done.returncode == 3
    assert done.stderr == b"polars-avro: error: /dev/full: No space left on device\n"


@pytest.mark.parametrize(
    "command",
    ["cat", "check", *(pytest.param(c, marks=pytest.mark.slow) for c in ("head", "count", "schema", "metadata"))],
)
def test_standard_input_that_is_closed(command):
    shell = f'"{sys.executable}" -m polars_avro {command} - <&-'
    done = subprocess.run(shell, shell=True, capture_output=True, cwd=HOME, check=False)
    assert (done.returncode, done.stderr) == (3, b"polars-avro: error: standard input: is closed\n")


def test_standard_output_that_is_closed(flat, tmp_path):
    for command in ("cat", "count"):
        shell = f'"{sys.executable}" -m polars_avro {command} "{flat}" >&-'
        done = subprocess.run(shell, shell=True, capture_output=True, cwd=HOME, check=False)
        assert (done.returncode, done.stderr) == (3, b"polars-avro: error: standard output: is closed\n")
    # Unused streams may be closed, and no file takes their descriptors.
    target = tmp_path / "a.csv"
    shell = f'"{sys.executable}" -m polars_avro convert "{flat}" "{target}" <&- >&- 2>&-'
    assert subprocess.run(shell, shell=True, cwd=HOME, check=False).returncode == 0
    assert pl.read_csv(target).height == 30_000


def test_a_fifo_as_the_target(flat, tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    running = plain("convert", flat, fifo, "--to", "ndjson")
    with open(fifo, "rb") as reader:
        assert json.loads(reader.readline()) == {"a": 0, "s": "some text"}
    assert running.wait(60) == 0


def test_descriptors_as_targets(flat, tmp_path):
    """These targets are descriptors that the shell opened, and writing continues at their position."""
    for name in ("/dev/stdout", "/dev/fd/1"):
        done = process("convert", flat, name, "--to", "csv")
        assert (done.returncode, done.stdout.count(b"\n")) == (0, 30_001)
    log = tmp_path / "log"
    log.write_text("before\n")
    shell = f'"{sys.executable}" -m polars_avro convert "{flat}" /dev/stdout --to csv >> "{log}"'
    assert subprocess.run(shell, shell=True, cwd=HOME, check=False).returncode == 0
    assert log.read_text().startswith("before\na,s\n")


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="a process does not know its peak")
def test_cat_needs_little_memory(large):
    # The peak from `wait4` would include the memory of this process, from before the child runs its program.
    code = """
import re, sys
from polars_avro._cli.app import run
status = run(["cat", sys.argv[1]])
peak = re.search(r"VmHWM:\\s*([0-9]+) kB", open("/proc/self/status").read())
print(peak[1], file=sys.stderr)
sys.exit(status)
"""
    for source in (large, "-"):
        with large.open("rb") as stdin:
            command = [sys.executable, "-c", code, str(source)]
            done = subprocess.run(
                command, cwd=HOME, stdin=stdin, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True
            )
        assert int(done.stderr.split()[-1]) < 250_000


def test_many_tiny_files_are_counted_at_once(cli, tmp_path):
    first = write(tmp_path / "00000.avro", make_rows(3))
    for i in range(1, 5000):
        os.link(first, tmp_path / f"{i:05}.avro")
    cli.good("count", first)
    began = time.process_time()
    assert cli.good("count", tmp_path) == ["15000"]
    # A query for each took 7 s.
    assert time.process_time() - began < 2
    assert cli.good("count", "--by-file", tmp_path)[-1] == "15000\ttotal"


SIGNALS = """
import os
from polars_avro._interrupts import Interrupts
interrupts = Interrupts()
interrupts.temporary.add({temporary!r})
os.write(1, b"imports ")
interrupts.has_begun = {begun}
try:
    interrupts()
except KeyboardInterrupt:
    os.write(1, b"raised ")
assert interrupts.happened
interrupts.has_ended = {ended}
interrupts()
os.write(1, b"ended")
"""


@pytest.mark.parametrize(
    ("begun", "ended", "status", "printed"),
    [
        (False, False, 130, b"imports "),
        (True, False, 130, b"imports raised "),
        (True, True, 0, b"imports raised ended"),
    ],
)
def test_a_second_interrupt_ends_the_process_and_removes_temporary_files(begun, ended, status, printed, tmp_path):
    temporary = tmp_path / ".a.avro.part"
    temporary.write_bytes(b"")
    code = SIGNALS.format(temporary=str(temporary), begun=begun, ended=ended)
    done = subprocess.run([sys.executable, "-c", code], cwd=HOME, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (status, printed, b"")
    assert temporary.exists() == ended
