"""Writing to S3, Google Cloud Storage and Azure, on real servers and on one with injected faults."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from places import KEYS, Place, alone, azure_place, cloud_place, s3_place  # noqa: F401 (a fixture)
from polars.testing import assert_frame_equal
from s3_server import S3Server
from servers import Fault, serving

from polars_avro import AvroUnsupportedError, AvroWriter, read_avro, scan_avro, sink_avro, write_avro

SMALL = pl.DataFrame({"key": ["a", "b/c", None, "a"], "n": [1, 2, 3, 4]})
PART = 5 << 20


def large(parts: float = 2.5) -> pl.DataFrame:
    """Incompressible rows of this many parts."""
    rows = int(parts * PART / 80)
    noise = np.random.default_rng(1).integers(0, 256, rows * 80, dtype=np.uint8).tobytes()
    return pl.DataFrame({"noise": [noise[i : i + 80] for i in range(0, len(noise), 80)]})


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLARS_UPLOAD_CHUNK_SIZE", str(PART))
    monkeypatch.setenv("POLARS_PARTITIONED_UPLOAD_CHUNK_SIZE", str(PART))


@pytest.fixture(params=["s3", "gs", "az"])
def place(request: pytest.FixtureRequest) -> Place:
    return cloud_place(request, request.param)


@pytest.fixture
def server() -> Iterator[S3Server]:
    with serving(S3Server) as server:
        yield server


def options(server: S3Server) -> dict[str, Any]:
    return {**KEYS, "endpoint_url": server.url, "retry_init_backoff_ms": 10, "retry_max_backoff_ms": 20}


def uploads(place: Place) -> list[Any]:
    """List unfinished uploads. Azure has no list."""
    return place.uploads() if place.uploads is not None else []


@pytest.mark.parametrize("df", [SMALL, SMALL.clear(), large()], ids=["small", "empty", "large"])
def test_every_function_writes(place: Place, df: pl.DataFrame) -> None:
    url, store = f"{place.prefix}deep/one.avro", {"storage_options": place.options}
    write_avro(df, url, **store)
    assert_frame_equal(read_avro(url, **store), df)
    sink_avro(df.lazy().head(3), url, compression="uncompressed", **store)
    assert_frame_equal(read_avro(url, **store), df.head(3))
    df.avro.write(url, mkdir=True, sync_on_close="all", **store)
    assert_frame_equal(scan_avro(url, **store).collect(), df)
    assert df.lazy().avro.sink(url, lazy=True, **store).collect().shape == (0, 0)
    with AvroWriter(url, df.schema, **store) as writer:
        for rows in (df, df):
            writer.write(rows)
    assert_frame_equal(read_avro(url, **store), pl.concat([df, df]))
    assert uploads(place) == []


def names(frame: pl.DataFrame) -> list[str]:
    return frame["path"].unique().sort().to_list()


def test_partitions_are_named_as_polars_names_them(place: Place, tmp_path: Path) -> None:
    store = {"storage_options": place.options}
    SMALL.write_parquet(tmp_path, partition_by="key")
    expected = sorted(
        str(path.relative_to(tmp_path)).replace(".parquet", ".avro") for path in tmp_path.rglob("*.parq*")
    )
    for target, more in (
        (f"{place.prefix}a", {"partition_by": "key"}),
        (pl.PartitionBy(f"{place.prefix}b/", key="key"), {}),
    ):
        write_avro(SMALL, target, **more, **store)
    for folder in "ab":
        base = f"{place.prefix}{folder}/"
        found = scan_avro(base, include_file_paths="path", **store).collect()
        assert names(found) == [f"{base}{name}" for name in expected]
        assert_frame_equal(found.select("key", "n").sort("n"), SMALL)
    paths: list[Any] = []
    by = pl.PartitionBy(
        f"{place.prefix}c", file_path_provider=lambda args: f"{args.index_in_partition}.avro", max_rows_per_file=3
    )
    sink_avro(SMALL.lazy(), by, sinked_paths_callback=lambda args: paths.extend(args.paths), **store)
    assert [(path.path, path.num_rows) for path in paths] == [
        (f"{place.prefix}c/{i}.avro", n) for i, n in ((0, 3), (1, 1))
    ]


def test_large_partitions(place: Place) -> None:
    df = large(2.2).with_columns(key=pl.int_range(pl.len()) % 2)
    write_avro(df, f"{place.prefix}p", partition_by="key", storage_options=place.options)
    found = scan_avro(f"{place.prefix}p/", storage_options=place.options).collect()
    assert_frame_equal(found.sort("noise").select(df.columns), df.sort("noise"))
    assert uploads(place) == []


def failing(df: pl.DataFrame) -> pl.LazyFrame:
    """A query that fails at its end."""

    def fail(rows: pl.DataFrame) -> pl.DataFrame:
        if rows.height and rows["last"].any():
            raise RuntimeError("this query fails")
        return rows

    lf = df.lazy().with_columns(last=pl.int_range(pl.len()) == df.height - 1)
    return lf.map_batches(fail, streamable=True)


def test_what_fails_leaves_nothing(place: Place) -> None:
    store = {"storage_options": place.options}
    url = f"{place.prefix}one.avro"
    write_avro(SMALL, url, **store)
    with pytest.raises(Exception, match="this query fails"):
        sink_avro(failing(large()), url, **store)

    def interrupted() -> None:
        with AvroWriter(url, **store) as writer:
            writer.write(large())
            raise RuntimeError("the block fails")

    with pytest.raises(RuntimeError, match="the block fails"):
        interrupted()
    writer = AvroWriter(url, **store)
    writer.write(large())
    writer.abort()
    writer = AvroWriter(url, **store)
    writer.write(large())
    del writer
    assert_frame_equal(read_avro(url, **store), SMALL)
    with pytest.raises(Exception, match="this query fails"):
        sink_avro(failing(large()).with_columns(key=pl.lit(1)), pl.PartitionBy(f"{place.prefix}p", key="key"), **store)
    with pytest.raises(FileNotFoundError):
        scan_avro(f"{place.prefix}p/", **store).collect()
    assert uploads(place) == []


def test_what_cannot_be_written_touches_nothing(server: S3Server) -> None:
    df = pl.DataFrame({"o": [object()]})
    for call in (
        lambda: write_avro(df, "s3://b/x", storage_options=options(server)),
        lambda: sink_avro(df.lazy(), "s3://b/x", storage_options=options(server)),
    ):
        with pytest.raises(AvroUnsupportedError, match="`o`"):
            call()
    assert server.requests == []


def test_a_bucket_that_is_missing(place: Place) -> None:
    for df in (SMALL, large()):
        url = place.prefix.replace("://", "://none") + "x.avro"
        with pytest.raises(FileNotFoundError, match=r"x\.avro") as raised:
            write_avro(df, url, storage_options=place.options)
        assert "topsecret" not in str(raised.value)


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("df", [SMALL, large()], ids=["whole", "in parts"])
def test_wrong_keys(server: S3Server, status: int, df: pl.DataFrame) -> None:
    server.denied["/"] = status
    with pytest.raises(PermissionError, match=rf"s3://b/x: the server answered {status}") as raised:
        write_avro(df, "s3://b/x", storage_options=options(server))
    assert "topsecret" not in str(raised.value)


def test_wrong_keys_of_azure(azurite: str) -> None:
    place = azure_place(azurite)
    place.options["account_key"] = "d3JvbmcgdG9wc2VjcmV0"
    for df in (SMALL, large()):
        with pytest.raises(PermissionError, match=r"x\.avro") as raised:
            write_avro(df, f"{place.prefix}x.avro", storage_options=place.options)
        assert place.options["account_key"] not in str(raised.value)


def test_web_servers_take_nothing(server: S3Server) -> None:
    for call in (
        lambda url: write_avro(SMALL, url),
        lambda url: sink_avro(SMALL.lazy(), url),
        lambda url: write_avro(SMALL, url, partition_by="key"),
        AvroWriter,
    ):
        with pytest.raises(AvroUnsupportedError, match=r"cannot write over HTTP.*s3://") as raised:
            call(f"{server.url}/x.avro?signature=topsecret")
        assert "topsecret" not in str(raised.value)
    assert server.requests == []


def test_other_refusals(server: S3Server) -> None:
    store = options(server)
    with pytest.raises(AvroUnsupportedError, match=r"s3://b/x: `append`"):
        write_avro(SMALL, "s3://b/x", append=True, storage_options=store)
    with pytest.raises(AvroUnsupportedError, match="ftp"):
        write_avro(SMALL, "ftp://b/x", storage_options=store)
    with pytest.raises(ValueError, match=r'"endpont_url".*"endpoint_url"'):
        write_avro(SMALL, "s3://b/x", storage_options={**KEYS, "endpont_url": "topsecret"})
    for url in ("s3://b", "s3://b/x/"):
        with pytest.raises(ValueError, match="no object"):
            write_avro(SMALL, url, storage_options=store)
    assert server.requests == []


def test_small_objects_are_one_request(server: S3Server) -> None:
    write_avro(SMALL, "s3://b/x", storage_options=options(server))
    assert server.methods() == ["PUT"]
    server.reset()
    write_avro(SMALL, "s3://b/p", partition_by="key", storage_options=options(server))
    assert server.methods() == ["PUT"] * 3


def test_several_parts_are_sent_at_once_and_no_more(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLARS_UPLOAD_CONCURRENCY", "3")
    server.latency = 0.2
    df = large(7)
    write_avro(df, "s3://b/x", storage_options=options(server))
    assert sorted(server.methods()) == sorted(["POST uploads", *["PUT part"] * 8, "POST uploadId"])
    assert server.most_at_once == 3
    assert_frame_equal(read_avro(server.objects["/b/x"]), df)


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_passing_failures_are_retried(server: S3Server, status: int) -> None:
    for df in (SMALL, large()):
        server.faults.extend([Fault(status=status), None, Fault(status=status), None, Fault(status=status)])
        write_avro(df, "s3://b/x", storage_options=options(server))
        server.faults.clear()
        assert_frame_equal(read_avro(server.objects["/b/x"]), df)
    server.hidden_errors = 1
    write_avro(large(), "s3://b/x", storage_options=options(server))
    assert server.hidden_errors == 0
    assert server.uploads == {}


def test_a_completion_whose_answer_is_lost(server: S3Server) -> None:
    df = large()
    server.lost_answers = 1
    write_avro(df, "s3://b/x", storage_options=options(server))
    assert server.lost_answers == 0
    assert_frame_equal(read_avro(server.objects["/b/x"]), df)
    server.objects.clear()
    server.lost_answers, server.loses_objects = 1, True
    with pytest.raises(FileNotFoundError, match=r"404.*the object may be there nevertheless"):
        write_avro(df, "s3://b/x", storage_options=options(server))


def test_lasting_failures_give_up_what_was_sent(server: S3Server) -> None:
    server.broken = "partNumber=2"
    with pytest.raises(OSError, match=r"500.*3 attempts"):
        write_avro(large(6), "s3://b/x", storage_options={**options(server), "max_retries": 2})
    assert server.objects == {}
    assert (server.uploads, server.aborted) == ({}, 1)


def test_partitions_appear_together_or_not_at_all(server: S3Server) -> None:
    server.broken = "uploadId"
    df = large(4.4).with_columns(key=pl.int_range(pl.len()) % 2)
    with pytest.raises(OSError, match="500"):
        write_avro(df, "s3://b/p", partition_by="key", storage_options={**options(server), "max_retries": 0})
    assert server.objects == {}


class Provider:
    """A provider whose first keys are refused, and which drops keys when it is pickled."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> tuple[dict[str, str], None]:
        self.calls += 1
        return {"aws_access_key_id": f"key{self.calls}", "aws_secret_access_key": "top" + "secret"}, None


def test_credential_providers(server: S3Server) -> None:
    provider = Provider()
    store = {"endpoint_url": server.url, "region": "us-east-1"}

    def before(request: Any) -> None:
        server.denied = {"/": 403} if "key1" in request.headers["authorization"] else {}

    server.before = before
    lf = sink_avro(large().lazy(), "s3://b/x", storage_options=store, credential_provider=provider, lazy=True)
    assert provider.calls == 0
    assert "topsecret" not in lf.explain()
    lf.collect()
    assert provider.calls == 2
    assert read_avro(server.objects["/b/x"]).height == large().height
    with AvroWriter("s3://b/y", storage_options=store, credential_provider=Provider()) as writer:
        writer.write(SMALL)
        assert "secret" not in repr(writer)
    assert read_avro(server.objects["/b/y"]).height == 4


CTRL_C = """
import sys, polars as pl, polars_avro
rows = pl.DataFrame({"n": range(2_000_000)})
options = dict(endpoint_url=sys.argv[1], aws_access_key_id="a", aws_secret_access_key="b", aws_region="r")
print("go", flush=True)
getattr(polars_avro, sys.argv[2])(*eval(sys.argv[3]), compression="uncompressed", storage_options=options)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for one process")
@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("write_avro", "(rows, 's3://b/x')"),
        ("sink_avro", "(rows.lazy(), 's3://b/x')"),
        ("write_avro", "(rows.with_columns(k=pl.col('n') % 3), pl.PartitionBy('s3://b/x', key='k'))"),
    ],
)
def test_ctrl_c_ends_a_write_that_waits(server: S3Server, function: str, arguments: str) -> None:
    stalled = threading.Event()

    def before(request: Any) -> None:
        if request.method == "PUT":
            stalled.set()
            time.sleep(20)

    server.before = before
    command = [sys.executable, "-c", CTRL_C, server.url, function, arguments]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "POLARS_UPLOAD_CONCURRENCY": "1", "POLARS_PARTITIONED_UPLOAD_CONCURRENCY": "1"},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"go\n"
    assert stalled.wait(60)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    since = time.monotonic()
    _, errors = process.communicate(timeout=30)
    assert time.monotonic() - since < 15
    assert b"KeyboardInterrupt" in errors
    assert server.objects == {}
    assert server.uploads == {}


def test_a_fork_leaves_the_upload_to_its_parent(server: S3Server) -> None:
    code = """
import os, sys, warnings, polars as pl, polars_avro
warnings.simplefilter("ignore")
options = dict(endpoint_url=sys.argv[1], aws_access_key_id="a", aws_secret_access_key="b", aws_region="r")
writer = polars_avro.AvroWriter("s3://b/x", storage_options=options, compression="uncompressed")
writer.write(pl.DataFrame({"n": range(2_000_000)}))
if os.fork() == 0:
    writer.abort()
    os._exit(7)
_, status = os.wait()
assert os.waitstatus_to_exitcode(status) == 7, status
writer.close()
"""
    if not hasattr(os, "fork"):
        pytest.skip("no fork")
    subprocess.run([sys.executable, "-c", code, server.url], check=True, timeout=60)
    assert server.aborted == 0
    assert read_avro(server.objects["/b/x"]).height == 2_000_000


PEAK = """
import sys, polars as pl, polars_avro
rows = 12_000_000
numbers = pl.LazyFrame({"n": range(1000)}).join(pl.LazyFrame({"m": range(rows // 1000)}), how="cross")
lf = numbers.select(a=(pl.col("n") * 1000 + pl.col("m")).hash(), b=(pl.col("n") * 1007 + pl.col("m")).hash())
lf = lf.cast(pl.Int64, strict=False).fill_null(2**62)
options = dict(endpoint_url=sys.argv[1], aws_access_key_id="a", aws_secret_access_key="b", aws_region="r")
polars_avro.sink_avro(lf, sys.argv[2], compression="uncompressed", engine="streaming", storage_options=options)
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="no peak of memory")
def test_a_slow_store_bounds_memory(server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POLARS_UPLOAD_CHUNK_SIZE")
    # By default freed memory is kept for a while.
    monkeypatch.setenv("MIMALLOC_PURGE_DELAY", "0")
    server.forgets = True
    server.latency = 0.3
    peaks = [
        int(subprocess.run([sys.executable, "-c", PEAK, server.url, target], check=True, capture_output=True).stdout)
        for target in (str(tmp_path / "local.avro"), "s3://b/x")
    ]
    assert server.received > 150 << 20
    # 64 MiB in flight, a part being filled, and copies of the client.
    assert (peaks[1] - peaks[0]) << 10 < 110 << 20


def test_a_dropped_writer_stalls_no_other_thread(server: S3Server) -> None:
    writer = AvroWriter("s3://bucket/x.avro", compression="uncompressed", storage_options=options(server))
    writer.write(large())
    while not server.uploads:
        time.sleep(0.01)
    server.before = lambda request: time.sleep(1.5) if request.method == "DELETE" else None
    gaps, stop = [0.0], threading.Event()

    def tick() -> None:
        last = time.monotonic()
        while not stop.is_set():
            time.sleep(0.01)
            gaps.append(time.monotonic() - last)
            last = time.monotonic()

    thread = threading.Thread(target=tick)
    thread.start()
    del writer
    stop.set()
    thread.join()
    assert server.aborted == 1
    assert max(gaps) < 1
    assert not server.uploads


def test_dropping_a_writer_waits_for_no_store_that_is_silent(server: S3Server) -> None:
    writer = AvroWriter("s3://bucket/x.avro", compression="uncompressed", storage_options=options(server))
    writer.write(large())
    while not server.uploads:
        time.sleep(0.01)
    released = threading.Event()
    server.before = lambda request: released.wait(60)
    since = time.monotonic()
    del writer
    assert time.monotonic() - since < 15
    released.set()
