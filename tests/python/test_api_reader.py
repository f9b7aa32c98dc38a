"""`AvroReader`, and the metadata of files."""

import dataclasses
import io
import json
import os
import subprocess
import sys
import zlib

import containers
import fastavro
import polars as pl
import pytest
from grids import grid
from polars.testing import assert_frame_equal
from rows import COLUMNS, SCHEMA, make_rows, write

import polars_avro


@pytest.mark.parametrize("source", ["path", "bytes"])
def test_a_reader_gives_batches_of_about_the_size_asked_for(path, frame, source):
    reader = polars_avro.AvroReader(path if source == "path" else path.read_bytes(), batch_size=300)
    batches = list(reader)
    assert len(batches) == 4
    assert all(250 < batch.height < 350 for batch in batches[:-1])
    assert_frame_equal(pl.concat(batches), frame)


def test_a_reader_counts(path, frame):
    reader = polars_avro.AvroReader(path, batch_size=300)
    assert reader.rows_read == 0
    first = next(reader)
    assert reader.rows_read == first.height
    assert_frame_equal(pl.concat([first, *reader]), frame)
    assert reader.rows_read == reader.stats["rows_decoded"] == 1000
    assert reader.total_bytes == path.stat().st_size
    assert reader.bytes_read == reader.total_bytes
    assert next(reader, None) is None


@pytest.mark.parametrize(
    ("codec", "source", "sync_interval", "n_threads"),
    grid(["null", "deflate"], ["path", "bytes"], [500, 60_000, 100_000_000], [1, 4]),
)
def test_the_progress_of_a_reader_ends_at_all_bytes(tmp_path, codec, source, sync_interval, n_threads):
    path = write(tmp_path / "x.avro", make_rows(60_000), codec=codec, sync_interval=sync_interval)
    source = str(path) if source == "path" else path.read_bytes()
    reader = polars_avro.AvroReader(source, batch_size=1000, n_threads=n_threads)
    progress = [(df.height, reader.bytes_read)[1] for df in reader]
    assert progress == sorted(progress)
    assert progress[-1] == reader.bytes_read == reader.total_bytes == path.stat().st_size


def test_a_reader_knows_its_schemas(path):
    reader = polars_avro.AvroReader(path, columns=["tags", "id"], row_index_name="row")
    assert reader.schema == pl.Schema({"row": pl.get_index_type(), "tags": COLUMNS["tags"], "id": pl.Int64})
    assert next(reader).schema == reader.schema
    assert fastavro.parse_schema(json.loads(reader.avro_schema)) == fastavro.parse_schema(SCHEMA)


def test_a_reader_takes_the_options_of_a_read(path, frame):
    options = {"columns": ["tags", 0], "n_rows": 555, "row_index_name": "row", "row_index_offset": 4}
    df = pl.concat(polars_avro.AvroReader(path, **options, batch_size=100))
    assert_frame_equal(df, frame[:555].select("tags", "id").with_row_index("row", 4))


def test_a_closed_reader_has_its_counts(path):
    with polars_avro.AvroReader(path, batch_size=100) as reader:
        first = next(reader)
    assert reader.rows_read == first.height
    assert reader.stats["bytes_read"] > 0
    reader.close()


def test_a_reader_tells_where_its_time_went(path, tmp_path, caplog):
    # With few blocks all of them are timed, so a disturbed sample cannot make the decoding time zero.
    few = tmp_path / "few.avro"
    polars_avro.write_avro(polars_avro.read_avro(path), few, "deflate", block_size=1 << 20)
    names = ["lock_wait_ns", "locked_ns", "fetch_ns", "decompress_ns", "decode_ns", "filter_ns"]
    with polars_avro.AvroReader(few) as reader:
        assert [reader.stats[name] for name in names] == [0] * len(names)
        assert sum(batch.height for batch in reader) == 1000
        assert all(reader.stats[name] > 0 for name in ("locked_ns", "decompress_ns", "decode_ns"))
        assert reader.stats["filter_ns"] == 0
    with caplog.at_level("DEBUG", logger="polars_avro"):
        assert polars_avro.scan_avro(path).filter(pl.col("id") < 10).collect().height == 10
    logged = vars(caplog.records[-1])
    assert all(f"{name} {logged[name]}" in caplog.text for name in names)
    assert logged["filter_ns"] > 0


def test_a_reader_of_no_columns_keeps_heights(path):
    assert sum(batch.height for batch in polars_avro.AvroReader(path, columns=[], batch_size=300)) == 1000


def test_a_reader_takes_one_source(path):
    with pytest.raises(TypeError, match="cannot read Avro from 'list'"):
        polars_avro.AvroReader([path])


def test_a_process_ends_while_a_reader_is_under_way(path):
    """A reader that is never closed must not keep a process from ending."""
    program = "import polars_avro, sys; reader = polars_avro.AvroReader(sys.argv[1], batch_size=10); next(reader)"
    subprocess.run([sys.executable, "-c", program, path], check=True, timeout=60, cwd=path.parent)


def test_schema(path):
    assert polars_avro.read_avro_schema(path) == pl.Schema(COLUMNS)
    assert polars_avro.read_avro_schema(path.read_bytes()) == pl.Schema(COLUMNS)


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy", "zstandard", "bzip2", "xz"])
def test_metadata(tmp_path, codec):
    path = write(
        tmp_path / "x.avro", make_rows(100), codec=codec, metadata={"who": "me"}, sync_marker=b"0123456789abcdef"
    )
    with path.open("rb") as file:
        blocks = list(fastavro.block_reader(file))
    metadata = polars_avro.read_avro_metadata(path)
    assert fastavro.parse_schema(json.loads(metadata.avro_schema)) == fastavro.parse_schema(SCHEMA)
    assert metadata.canonical_form == fastavro.schema.to_parsing_canonical_form(SCHEMA)
    assert metadata.codec == codec
    assert metadata.sync_marker == b"0123456789abcdef"
    assert metadata.metadata == {"who": b"me"}
    assert metadata.header_size == blocks[0].offset
    assert (metadata.n_blocks, metadata.n_rows) == (len(blocks), 100)
    assert polars_avro.read_avro(path).height == 100


def test_fingerprints(path):
    fingerprints = polars_avro.read_avro_metadata(path).fingerprints
    canonical = fastavro.schema.to_parsing_canonical_form(SCHEMA)
    assert {name: value.hex() for name, value in fingerprints.items()} == {
        "CRC-64-AVRO": fastavro.schema.fingerprint(canonical, "CRC-64-AVRO"),
        "MD5": fastavro.schema.fingerprint(canonical, "MD5"),
        "SHA-256": fastavro.schema.fingerprint(canonical, "SHA-256"),
    }


def test_metadata_is_frozen(path):
    with pytest.raises(dataclasses.FrozenInstanceError):
        polars_avro.read_avro_metadata(path).codec = "null"


def write_wide(path, rows, **options):
    """Rows of 268 bytes or so."""
    schema = {"type": "record", "name": "R", "fields": [{"name": name, "type": "string"} for name in "ab"]}
    return write(
        path, [{"a": f"{row:0130}", "b": f"{row:0134}"} for row in range(rows)], schema, codec="null", **options
    )


@pytest.mark.parametrize("batch_size", [1000, 3000, 10_000, None])
@pytest.mark.parametrize("several", [False, True])
def test_batches_have_the_rows_that_were_asked_for(tmp_path, batch_size, several):
    """Not the fewer ones that small blocks, or several threads, make of the input."""
    path = write_wide(tmp_path / "x.avro", 10_000, sync_interval=16_000)
    reader = polars_avro.AvroReader(path, batch_size=batch_size)
    scan = polars_avro.scan_avro([path, path] if several else path, batch_size=batch_size)
    for batches in (list(reader), list(scan.collect_batches())):
        heights = [df.height for df in batches]
        # Without `batch_size` the first batch of a query may be small.
        first = int(batch_size is None and len(heights) > 1)
        size = 100_000 if batch_size is None else batch_size
        assert all(size <= height <= 2 * size + 100 for height in heights[first:-1]), heights
        assert len(heights) <= 20_000 // size + first + 1
    assert_frame_equal(pl.concat(polars_avro.AvroReader(path, batch_size=batch_size)), polars_avro.read_avro(path))


def test_joined_batches_keep_to_their_bytes(tmp_path):
    path = write_wide(tmp_path / "x.avro", 200_000, sync_interval=500_000)
    heights = [df.height for df in polars_avro.AvroReader(path, batch_size=1_000_000)]
    assert sum(heights) == 200_000
    assert all(height * 268 <= 17 << 20 for height in heights)
    assert len(heights) <= 6


INTERRUPT = """
import os, resource, signal, sys, threading, time
import polars_avro

path, threads = sys.argv[1], int(sys.argv[2]) or None
read = {
    "read_avro": lambda: polars_avro.read_avro(path, columns=[], n_threads=threads),
    "AvroReader": lambda: list(polars_avro.AvroReader(path, columns=[], n_threads=threads)),
}[sys.argv[3]]
sent = []
def interrupt():
    time.sleep(0.3)
    sent.append(time.monotonic())
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt).start()
try:
    read()
except KeyboardInterrupt:
    print(time.monotonic() - sent[0])
else:
    sys.exit("not interrupted")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent in another way")
@pytest.mark.parametrize("read", ["read_avro", "AvroReader"])
@pytest.mark.parametrize(("blocks", "megabytes", "n_threads"), [(20_000, 1, 0), (20_000, 1, 1), (1, 700, 0)])
def test_a_read_is_interrupted_at_once(tmp_path, blocks, megabytes, n_threads, read):
    """Decompression takes seconds, of many blocks or of one, and yields no rows."""
    zeros = bytes(1 << 20)
    packer = zlib.compressobj(1, wbits=-15)
    packed = b"".join(packer.compress(zeros) for _ in range(megabytes)) + packer.flush()
    schema = {"type": "fixed", "name": "F", "size": 1024}
    path = tmp_path / "x.avro"
    block = containers.long(megabytes * 1024) + containers.text(packed) + containers.SYNC
    path.write_bytes(containers.header(schema, "deflate") + block * blocks)
    command = [sys.executable, "-c", INTERRUPT, path, str(n_threads), read]
    waits = []
    # The machine may be busy.
    while min(waits, default=1) >= 0.2 and len(waits) < 5:
        done = subprocess.run(command, check=False, timeout=60, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        waits.append(float(done.stdout))
    assert min(waits) < 0.2, waits


INTERRUPT_AND_LOOK = """
import os, signal, sys, threading, time
import polars_avro

def memory(key):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) >> 10 for line in lines if line.startswith(key))

def interrupt():
    while memory("VmHWM") < before + 100:
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGINT)

before = memory("VmRSS")
threading.Thread(target=interrupt).start()
try:
    polars_avro.read_avro(sys.argv[1])
except KeyboardInterrupt:
    end = time.monotonic() + 10
    while memory("VmRSS") > before + 40 and time.monotonic() < end:
        time.sleep(0.05)
    print(memory("VmRSS") - before)
else:
    sys.exit("not interrupted")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_an_interrupted_read_gives_its_memory_back(tmp_path):
    packer = zlib.compressobj(1, wbits=-15)
    packed = packer.compress(bytes(1 << 20)) + packer.flush()
    block = containers.long(1024) + containers.text(packed) + containers.SYNC
    path = tmp_path / "x.avro"
    path.write_bytes(containers.header({"type": "fixed", "name": "F", "size": 1024}, "deflate") + block * 10_000)
    command = [sys.executable, "-c", INTERRUPT_AND_LOOK, path]
    # By default freed memory is kept for ten seconds.
    environment = {**os.environ, "MIMALLOC_PURGE_DELAY": "0"}
    done = subprocess.run(command, check=False, timeout=60, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) <= 40


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such pipes")
@pytest.mark.parametrize("read", [polars_avro.read_avro, polars_avro.AvroReader, polars_avro.scan_avro])
def test_a_pipe_is_refused_before_it_is_opened(tmp_path, read):
    path = tmp_path / "pipe.avro"
    os.mkfifo(path)
    for source in (path, [path]):
        if read is polars_avro.AvroReader and source is not path:
            continue
        with pytest.raises(OSError, match="a pipe or a device"):
            read(source)


GOES_ON = """
import os, signal, sys, threading, time
import polars_avro

# With large batches signals arrive during decoding, not between batches.
reader = polars_avro.AvroReader(sys.argv[1], n_threads=int(sys.argv[2]) or None, batch_size=10_000_000)
frames, interrupted, is_over = [], 0, False

def interrupt():
    for _ in range(3):
        time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

threading.Thread(target=interrupt).start()
while not is_over:
    try:
        for df in reader:
            frames.append(df)
        # An earlier signal is caught below and ends the loop.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        is_over = True
    except KeyboardInterrupt:
        interrupted += 1
print(interrupted, sum(df.height for df in frames))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent in another way")
@pytest.mark.parametrize("n_threads", [0, 1])
def test_a_reader_that_was_interrupted_goes_on_where_it_was(tmp_path, n_threads):
    packer = zlib.compressobj(1, wbits=-15)
    packed = packer.compress(bytes(1 << 20)) + packer.flush()
    block = containers.long(1024) + containers.text(packed) + containers.SYNC
    path = tmp_path / "x.avro"
    path.write_bytes(containers.header({"type": "fixed", "name": "F", "size": 1024}, "deflate") + block * 800)
    command = [sys.executable, "-c", GOES_ON, path, str(n_threads)]
    done = subprocess.run(command, check=False, timeout=60, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    interrupted, rows = map(int, done.stdout.split())
    assert interrupted > 0
    assert rows == 800 * 1024


@pytest.mark.filterwarnings("ignore::polars_avro.AvroWarning")
@pytest.mark.parametrize("by_stream", [False, True])
@pytest.mark.parametrize("batch_size", [None, 3_000])
def test_an_error_of_the_callback_loses_no_rows_and_no_reports(tmp_path, by_stream, batch_size):
    df = pl.DataFrame({"i": range(40_000)})
    target = io.BytesIO()
    polars_avro.write_avro(df, target, compression="deflate", block_size=8_000)
    data = bytearray(target.getvalue())
    blocks = [block.offset for block in fastavro.block_reader(io.BytesIO(data))]
    for offset in blocks[3:5]:
        data[offset + 40 : offset + 60] = bytes(20)
    path = tmp_path / "x.avro"
    path.write_bytes(data)
    expected, kept = polars_avro.read_avro(path, ignore_errors=True), []
    calls: list[polars_avro.BadBlock] = []

    def raises_once(bad: polars_avro.BadBlock) -> None:
        calls.append(bad)
        if len(calls) == 1:
            raise ZeroDivisionError

    reader = polars_avro.AvroReader(path, ignore_errors=True, on_bad_block=raises_once, batch_size=batch_size)
    with pytest.raises(ZeroDivisionError):
        kept.extend(reader)
    if by_stream:
        kept.append(pl.DataFrame(reader))
        reader.close()
    else:
        kept.extend(reader)
    assert pl.concat(kept).equals(expected)
    assert len(calls) == len(set(calls)) == 2
