"""Files on HTTP servers: failed requests, and objects that change."""

from __future__ import annotations

import time

import polars as pl
import pytest
from http_objects import FAST, encode, frame
from polars.testing import assert_frame_equal
from servers import Fault, Server, serving

import polars_avro
from polars_avro import AvroReader, read_avro, read_avro_metadata, read_avro_schema, scan_avro


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
    # Prefetched ranges of the first read may arrive late, so it reads fewer rows first.
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
