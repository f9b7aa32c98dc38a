"""Files behind HTTP: what is requested, and what happens when that fails."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import fastavro
import polars as pl
import pytest
from conftest import COLUMNS, SCHEMA, make_rows
from polars.testing import assert_frame_equal
from servers import Fault, Server, serving

import polars_avro
from polars_avro import AvroReader, read_avro, read_avro_metadata, read_avro_schema, scan_avro

#: Retries that do not slow tests down.
FAST = {"retry_init_backoff_ms": 1, "retry_max_backoff_ms": 5}


def encode(rows: int, first: int = 0, *, sync_interval: int = 16000, codec: str = "null", text: int = 0) -> bytes:
    out = io.BytesIO()
    values = make_rows(rows, first)
    for value in values:
        value["name"] += "x" * text
    fastavro.writer(out, SCHEMA, values, codec=codec, sync_interval=sync_interval)
    return out.getvalue()


@pytest.fixture
def server():
    with serving() as running:
        yield running


@pytest.fixture
def small(server: Server) -> str:
    return server.put("/small.avro", encode(1000))


@pytest.fixture(scope="session")
def large_bytes() -> bytes:
    """Some 12 MB in blocks of 16 kB."""
    return encode(60_000, text=150)


@pytest.fixture
def large(server: Server, large_bytes: bytes) -> str:
    return server.put("/large.avro", large_bytes)


def frame(rows: int, first: int = 0) -> pl.DataFrame:
    return pl.DataFrame(make_rows(rows, first), schema=COLUMNS)


def test_a_small_file_is_one_request(server: Server, small: str) -> None:
    assert_frame_equal(read_avro(small), frame(1000))
    assert len(server.requests) == 1
    server.reset()
    assert_frame_equal(scan_avro(small).collect(), frame(1000))
    assert len(server.requests) == 1


def test_a_scan_sends_nothing_before_its_schema_is_asked_for(server: Server, small: str) -> None:
    lf = scan_avro(small)
    query = lf.filter(pl.col("id") > 990).select("name")
    assert server.requests == []
    assert lf.collect_schema() == pl.Schema(COLUMNS)
    assert len(server.requests) == 1
    assert query.collect().height == 9
    # The schema and the first blocks have come with one request.
    assert len(server.requests) == 1


def test_a_later_query_reads_the_object_of_its_time(server: Server, small: str) -> None:
    lf = scan_avro(small)
    assert lf.select("id").collect().height == 1000
    server.objects["/small.avro"] = encode(10)
    assert lf.select("id").collect().height == 10


def test_a_large_file_is_read_in_ranges(server: Server, large: str, large_bytes: bytes) -> None:
    got = read_avro(large, columns=["id", "score"])
    assert_frame_equal(got, frame(60_000).select("id", "score"))
    assert all(request.range for request in server.requests)
    assert server.sent == len(large_bytes), "every byte once"
    assert 2 <= server.most_at_once <= 10
    assert len(server.requests) < 10


def test_the_first_rows_cost_little(server: Server, large: str) -> None:
    assert_frame_equal(scan_avro(large).select("id").head(10).collect(), frame(10).select("id"))
    assert server.sent < 400_000
    assert len(server.requests) <= 2


@pytest.mark.parametrize("n", [1, 3000, 59_990])
def test_slices(server: Server, large: str, n: int) -> None:
    assert scan_avro(large).slice(n, 5).select("id").collect()["id"].to_list() == list(range(n, n + 5))
    assert server.sent < 16_000_000


def test_tail_and_count(server: Server, large: str, large_bytes: bytes) -> None:
    assert scan_avro(large).select(pl.len()).collect().item() == 60_000
    assert server.sent <= 1.2 * len(large_bytes)
    assert len(server.requests) < 30, "headers of small blocks are not fetched one by one"
    assert scan_avro(large).select("id").tail(3).collect()["id"].to_list() == [59_997, 59_998, 59_999]


def test_large_blocks_are_passed_over(server: Server) -> None:
    # Four blocks of some 10 MB.
    url = server.put("/blocks.avro", encode(8000, text=5000, sync_interval=10_000_000))
    assert scan_avro(url).select(pl.len()).collect().item() == 8000
    assert server.sent < 2_000_000
    assert read_avro_metadata(url).n_blocks == 5
    server.reset()
    assert scan_avro(url).select("id").tail(2).collect()["id"].to_list() == [7998, 7999]
    assert server.sent < 14_000_000


def test_many_small_files(server: Server) -> None:
    urls = [server.put(f"/{i}.avro", encode(10, i * 10)) for i in range(40)]
    assert_frame_equal(scan_avro(urls).collect(), frame(400))
    assert len(server.requests) == 40
    assert server.most_at_once > 1
    server.reset()
    assert scan_avro(urls).select(pl.len()).collect().item() == 400
    assert len(server.requests) == 40
    server.reset()
    assert scan_avro(urls).head(5).collect().height == 5
    assert len(server.requests) == 1


def test_nothing_is_requested_after_the_consumer_stops(server: Server, large: str) -> None:
    server.latency = 0.05
    server.objects["/large.avro"] *= 1
    reader = AvroReader(large, batch_size=100)
    next(iter(reader))
    reader.close()
    del reader
    time.sleep(0.2)
    before = len(server.requests)
    time.sleep(0.3)
    assert len(server.requests) == before


def test_a_slow_consumer_bounds_what_is_requested(server: Server) -> None:
    content = encode(400_000, text=250)
    assert len(content) > 100_000_000
    reader = AvroReader(server.put("/huge.avro", content), columns=["id"])
    rows = next(iter(reader)).height
    time.sleep(1.0)
    # 32 MB are held or requested; the rest is in tasks, in sockets, and in batches that wait.
    assert server.sent < 85_000_000
    assert rows + sum(batch.height for batch in reader) == 400_000
    assert server.sent == len(content)


def test_reader(server: Server, large: str) -> None:
    with AvroReader(large, columns=["id"]) as reader:
        got = pl.concat(reader)
    assert got["id"].to_list() == list(range(60_000))
    size = len(server.objects["/large.avro"])
    parts = [read_avro(large, columns=["id"], byte_range=(i * size // 3, (i + 1) * size // 3)) for i in range(3)]
    assert pl.concat(parts)["id"].to_list() == list(range(60_000))


def test_metadata_and_schema(server: Server, small: str) -> None:
    assert read_avro_schema(small) == pl.Schema(COLUMNS)
    assert read_avro_metadata(small).n_rows == 1000


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_passing_failures_are_tried_again(server: Server, large: str, status: int) -> None:
    server.faults.extend([Fault(status=status), None, Fault(status=status), Fault(status=status)])
    assert read_avro(large, columns=["id"], storage_options=FAST).height == 60_000


def test_failures_that_do_not_pass(server: Server, small: str) -> None:
    server.fault = Fault(status=503)
    with pytest.raises(OSError, match=r"small\.avro: the server answered 503 .*3 attempts"):
        read_avro(small, storage_options={**FAST, "max_retries": 2})
    assert len(server.requests) == 3
    server.reset()
    with pytest.raises(OSError, match="503"):
        scan_avro(small, storage_options={"max_retries": 0}).collect()
    assert len(server.requests) == 1


def test_the_retry_time_ends(server: Server, small: str) -> None:
    server.fault = Fault(status=503)
    start = time.monotonic()
    with pytest.raises(OSError, match="503"):
        read_avro(small, storage_options={"retry_init_backoff_ms": 100, "retry_timeout_ms": 300, "max_retries": 1000})
    assert time.monotonic() - start < 10


def test_times_that_are_too_long_to_count(server: Server, small: str) -> None:
    server.faults.extend([Fault(status=503)] * 2)
    server.fault = Fault(status=503, headers={"Retry-After": str(2**64 - 1)})
    options = {"retry_init_backoff_ms": 10**16, "retry_max_backoff_ms": 1, "retry_base_multiplier": 1e9}
    with pytest.raises(OSError, match=r"small\.avro: .*503.*3 attempts"):
        read_avro(small, storage_options=options)


def test_environment_sets_retries(server: Server, small: str, monkeypatch: pytest.MonkeyPatch) -> None:
    server.fault = Fault(status=503)
    monkeypatch.setenv("POLARS_CLOUD_MAX_RETRIES", "1")
    with pytest.raises(OSError, match="2 attempts"):
        read_avro(small, storage_options=FAST)


@pytest.mark.parametrize("etags", [True, False])
def test_cut_bodies_are_completed(server: Server, large: str, etags: bool) -> None:
    server.etags = etags
    server.faults.extend([Fault(cut_after=100), Fault(cut_after=0), None, Fault(cut_after=70_000), Fault(cut_after=1)])
    got = read_avro(large, storage_options=FAST)
    assert_frame_equal(got.select("id", "score"), frame(60_000).select("id", "score"))


def test_bodies_that_are_always_cut(server: Server, small: str) -> None:
    server.fault = Fault(cut_after=0)
    with pytest.raises(ConnectionError, match="small"):
        read_avro(small, storage_options={**FAST, "max_retries": 3})
    assert len(server.requests) == 4


def test_timeouts_are_tried_again(server: Server, small: str) -> None:
    server.faults.extend([Fault(stall=5), Fault(stall_body=5)])
    assert read_avro(small, storage_options={**FAST, "read_timeout": "200ms"}).height == 1000
    server.fault = Fault(stall=5)
    with pytest.raises(TimeoutError, match="small"):
        read_avro(small, storage_options={**FAST, "read_timeout": "100ms", "max_retries": 1})


@pytest.mark.parametrize("kind", ["etag", "weak", "modified"])
@pytest.mark.parametrize("ignore_errors", [False, True])
def test_an_object_that_changes_is_an_error(
    server: Server, large: str, large_bytes: bytes, kind: str, ignore_errors: bool
) -> None:
    server.weak_etags = kind == "weak"
    server.etags = kind != "modified"
    other = large_bytes[:-20] + bytes(20) if kind != "modified" else large_bytes + b"\0"

    def change(request: object) -> None:
        if len(server.requests) > 1:
            server.objects["/large.avro"] = other

    server.before = change
    with pytest.raises(OSError, match=r"large\.avro: the object changed while it was read"):
        read_avro(large, ignore_errors=ignore_errors)


def test_a_server_without_ranges_is_read_from_the_start(server: Server, large: str) -> None:
    server.ranges = False
    assert_frame_equal(read_avro(large, columns=["id"]), frame(60_000).select("id"))
    assert scan_avro(large).select(pl.len()).collect().item() == 60_000
    assert scan_avro(large).select("id").tail(2).collect()["id"].to_list() == [59_998, 59_999]
    server.faults.extend([None, Fault(cut_after=3_000_000)])
    assert read_avro(large, columns=["id"], storage_options=FAST).height == 60_000


def test_a_server_without_ranges_fills_no_memory(server: Server, small: str) -> None:
    server.ranges = False
    server.claims["/small.avro"] = (1 << 30) + 1
    with pytest.raises(OSError, match=r"small\.avro: the server cannot send a part .* download it first"):
        read_avro(small)


def test_the_first_rows_of_many_small_files(server: Server) -> None:
    urls = [server.put(f"/{i:02}.avro", encode(1, i)) for i in range(60)]
    # What is asked ahead for the first rows may arrive after them, so fewer rows go first.
    assert scan_avro(urls).head(1).collect().height == 1
    assert len(server.requests) <= 3
    server.latency = 0.1
    since = time.monotonic()
    assert scan_avro(urls).head(30).collect()["id"].to_list() == list(range(30))
    assert time.monotonic() - since < 30 * server.latency
    assert server.most_at_once > 2


def test_missing_and_denied(server: Server, small: str) -> None:
    for status, error in ((404, FileNotFoundError), (401, PermissionError), (403, PermissionError)):
        server.fault = Fault(status=status)
        with pytest.raises(error, match=r"127.0.0.1:\d+/small\.avro"):
            read_avro(small)
        with pytest.raises(error, match="small"):
            scan_avro(small).collect()
        with pytest.raises(error, match="small"):
            read_avro_schema(small)


def test_a_missing_file_of_several(server: Server, small: str) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.avro"):
        scan_avro([small, f"{server.url}/none.avro", small], ignore_errors=True).collect()


def test_an_empty_object(server: Server) -> None:
    url = server.put("/empty.avro", b"")
    with pytest.raises(polars_avro.AvroDataError, match=r"empty\.avro: at byte 0: empty file"):
        read_avro(url)


def test_a_refused_connection() -> None:
    with serving() as server:
        url = f"{server.url}/x.avro"
    with pytest.raises(ConnectionRefusedError, match=r"x\.avro"):
        read_avro(url, storage_options={"max_retries": 0})


def test_ignore_errors_hides_no_failure_of_the_network(server: Server, large: str) -> None:
    server.faults.extend([None] * 3 + [Fault(status=500)] * 20)
    with pytest.raises(OSError, match="500"):
        read_avro(large, ignore_errors=True, storage_options={**FAST, "max_retries": 2})


def test_ignore_errors_skips_damaged_blocks(server: Server, large_bytes: bytes) -> None:
    damaged = bytearray(large_bytes)
    damaged[5_000_000:5_000_100] = b"\xff" * 100
    url = server.put("/damaged.avro", bytes(damaged))
    with pytest.warns(polars_avro.AvroWarning):
        got = read_avro(url, ignore_errors=True, columns=["id"])
    assert 59_800 < got.height < 60_000


def test_nothing_secret_is_shown(server: Server, small: str) -> None:
    signed = f"{small}?X-Amz-Signature=topsecret&token=hidden#frag"
    lf = scan_avro(signed, storage_options={"user_agent": "topsecret"})
    texts = [lf.explain(), repr(lf)]
    assert lf.collect().height == 1000
    assert "X-Amz-Signature=topsecret" in server.requests[0].path
    for status in (403, 404, 500, 412):
        server.fault = Fault(status=status, body=b"<Code>Wrong</Code>topsecret")
        with pytest.raises(OSError, match="small") as raised:
            read_avro(signed, storage_options={"max_retries": 0})
        texts.append(str(raised.value))
    server.fault = Fault(cut_after=0)
    with pytest.raises(OSError, match="small") as raised:
        read_avro(signed, storage_options={"max_retries": 0})
    texts.append(str(raised.value))
    for text in texts:
        assert "topsecret" not in text
        assert "hidden" not in text


def test_unknown_schemes_and_options(server: Server, small: str) -> None:
    for call in (read_avro, scan_avro, AvroReader, read_avro_schema, read_avro_metadata):
        with pytest.raises(polars_avro.AvroUnsupportedError, match=r"ftp://.* s3:// s3a:// gs:// gcs://.*file://"):
            call("ftp://host/x.avro")
        with pytest.raises(ValueError, match="max_retries"):
            call(small, storage_options={"max_retrys": 1})
        with pytest.raises(ValueError, match=r"max_retries.*expected int"):
            call(small, storage_options={"max_retries": "1"})
    assert server.requests == []


def test_local_and_remote_files_in_one_list(server: Server, small: str, tmp_path: Path) -> None:
    local = tmp_path / "local.avro"
    local.write_bytes(encode(20, 1000))
    got = scan_avro([small, str(local), f"file://{local}", small], include_file_paths="path").collect()
    assert_frame_equal(got.drop("path"), pl.concat([frame(1000), frame(20, 1000), frame(20, 1000), frame(1000)]))
    assert got["path"].unique(maintain_order=True).to_list() == [small, str(local), f"file://{local}"]


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
