"""Objects of servers that send neither ETag nor modification time."""

from __future__ import annotations

import pytest
from http_objects import encode, frame
from polars.testing import assert_frame_equal
from servers import Request, Server

from polars_avro import read_avro, scan_avro


@pytest.mark.parametrize("etag", [None, ""])
def test_an_object_that_cannot_be_identified_is_one_response(server: Server, etag: str | None) -> None:
    server.etags, server.etag, server.modified = etag is not None, etag, False
    old, new = encode(20_000, 4_000_000), encode(20_000, 4_840_000)
    assert len(old) == len(new) > 300_000
    url = server.put("/x.avro", old)
    replaced = False

    def replace_after_the_first(request: Request) -> None:
        nonlocal replaced
        if server.requests[0] is not request and not replaced:
            replaced = True
            server.put("/x.avro", new)

    server.before = replace_after_the_first
    df = read_avro(url)
    assert replaced
    assert any(df.equals(frame(20_000, first)) for first in (4_000_000, 4_840_000)), "rows of two objects"
    server.before = None
    assert_frame_equal(scan_avro(url).collect(), frame(20_000, 4_840_000))
