"""Web servers with incomplete responses: files are read by ranges if these can be trusted, else from the start."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any

import polars as pl
import pytest
import servers
from http_objects import FAST, encode, frame
from polars.testing import assert_frame_equal
from servers import serving

from polars_avro import read_avro, read_avro_metadata, scan_avro


class LaxServer(servers.Server):
    """A handler whose flags select the response."""

    flags: frozenset[str] = frozenset()


class _Handler(servers._Handler):
    server: LaxServer

    def reply(self, status: int, content: bytes, headers: dict[str, str], **options: Any) -> None:
        flags = self.server.flags
        # Simulates network latency.
        if "always now" in flags:
            headers["Last-Modified"] = formatdate(time.time() - 1, usegmt=True)
        if "no date" in flags:
            headers["Last-Modified"] = "yesterday at noon"
        if status == 206:
            headers, content = self.range_of(headers, content)
        if "coded" in flags and "identity" not in self.headers.get("Accept-Encoding", ""):
            status, headers, content = 200, {"Content-Encoding": "gzip"}, b"\x1f\x8b"
        if not {"HTTP/1.0", "chunked"} & flags or status >= 300:
            super().reply(status, content, headers, **options)
            return
        self.protocol_version = "HTTP/1.0" if "HTTP/1.0" in flags else "HTTP/1.1"
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "chunked" in flags:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        cut = "cut" in flags and len(self.server.requests) < 3
        for at in range(0, len(content), 50_000):
            part = content[at : at + 50_000]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part) if "chunked" in flags else part)
            if cut:
                break
        if "chunked" in flags and not cut:
            self.wfile.write(b"0\r\n\r\n")
        self.close_connection = "HTTP/1.0" in flags or cut
        self.server.sent += len(content)

    def range_of(self, headers: dict[str, str], content: bytes) -> tuple[dict[str, str], bytes]:
        """Change the bytes of a range, or its headers."""
        found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", headers["Content-Range"])
        assert found is not None
        first, last, size = map(int, found.groups())
        flags, whole = self.server.flags, self.server.objects[self.path]
        if "short" in flags:
            last = min(last, first + 99_999)
        if "aligned" in flags:
            first, last = first // 30_000 * 30_000, min(last // 30_000 * 30_000 + 29_999, size - 1)
        if "elsewhere" in flags:
            first = min(first + 1, last)
        shown = "*" if "star" in flags else size
        return {**headers, "Content-Range": f"bytes {first}-{last}/{shown}"}, whole[first : last + 1]


LaxServer.handler = _Handler


@pytest.fixture
def lax() -> Iterator[LaxServer]:
    with serving(LaxServer) as server:
        server.put("/small.avro", encode(100))
        yield server


@pytest.fixture(scope="module")
def megabyte() -> bytes:
    return encode(5000, text=200)


SILENT = [
    ["HTTP/1.0"],
    ["HTTP/1.0", "whole"],
    ["chunked"],
    ["chunked", "whole"],
    ["chunked", "whole", "no ETag"],
    ["chunked", "star"],
    ["star"],
    ["short"],
    ["short", "chunked"],
    ["short", "no ETag"],
    ["aligned"],
    ["aligned", "short"],
    ["elsewhere"],
    ["coded"],
    ["no date"],
    ["no date", "no ETag"],
    ["always now"],
    ["always now", "no ETag"],
    ["always now", "weak ETag"],
    ["always now", "weak ETag", "chunked"],
]


@pytest.mark.parametrize("flags", SILENT, ids="+".join)
def test_servers_that_say_little(lax: LaxServer, megabyte: bytes, flags: list[str]) -> None:
    lax.flags = frozenset(flags)
    lax.ranges = "whole" not in flags
    lax.etags, lax.weak_etags = "no ETag" not in flags, "weak ETag" in flags
    url = lax.put("/x.avro", megabyte)
    wanted = frame(5000).select("id", "score")
    small = f"{lax.url}/small.avro"
    assert_frame_equal(read_avro(small), frame(100))
    assert_frame_equal(read_avro(url, columns=["id", "score"], storage_options=FAST), wanted)
    lf = scan_avro(url, storage_options=FAST)
    assert lf.select(pl.len()).collect().item() == 5000
    if flags == ["always now"]:
        time.sleep(1.1)
    assert_frame_equal(lf.select("id", "score").tail(7).collect(), wanted.tail(7))
    assert read_avro_metadata(url).n_rows == 5000
    assert scan_avro([small, url, small]).select(pl.len()).collect().item() == 5200


def test_ranges_that_can_be_trusted_are_used(lax: LaxServer) -> None:
    url = lax.put("/x.avro", encode(30_000, text=150))
    for flags in (["always now"], ["no date"], ["short"], ["aligned"]):
        lax.flags = frozenset(flags)
        lax.reset()
        assert scan_avro(url).select("id").head(3).collect().height == 3
        assert lax.sent < 500_000, flags


def test_a_cut_body_without_length_is_asked_for_again(lax: LaxServer, megabyte: bytes) -> None:
    lax.flags, lax.ranges = frozenset(["chunked", "cut"]), False
    assert read_avro(lax.put("/x.avro", megabyte), columns=["id"], storage_options=FAST).height == 5000


def test_an_object_that_changes_between_short_ranges_is_an_error(lax: LaxServer, megabyte: bytes) -> None:
    lax.flags = frozenset(["short"])
    url = lax.put("/x.avro", megabyte)
    other = encode(5000, 1, text=200)

    def change(request: object) -> None:
        if len(lax.requests) > 2:
            lax.objects["/x.avro"] = other

    lax.before = change
    with pytest.raises(OSError, match=r"x\.avro: the object changed while it was read"):
        read_avro(url)


@pytest.mark.parametrize(
    ("user", "sent"),
    [("user:pass", b"user:pass"), ("u%40x:p%3Aa%2Fb%25", b"u@x:p:a/b%"), ("user", b"user:"), ("user:", b"user:")],
)
def test_user_and_password_of_a_url(user: str, sent: bytes) -> None:
    with serving() as server:
        server.put("/x.avro", encode(10))
        url = f"{server.url}/x.avro".replace("http://", f"http://{user}@")
        assert read_avro(url).height == 10
        assert scan_avro(url, include_file_paths="path").collect().height == 10
        basic = "Basic " + base64.b64encode(sent).decode()
        assert {request.headers["authorization"] for request in server.requests} == {basic}
        assert all("@" not in request.headers["host"] for request in server.requests)
        server.denied = {"/": 401}
        with pytest.raises(PermissionError) as raised:
            read_avro(url)
        assert "@" not in str(raised.value)
        assert "pass" not in str(raised.value)
