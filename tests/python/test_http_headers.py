"""Headers of requests to web servers."""

from __future__ import annotations

import pytest
from http_objects import frame
from polars.testing import assert_frame_equal
from servers import Server

from polars_avro import AvroReader, read_avro, read_avro_metadata, scan_avro

HEADERS = {"headers": {"Authorization": "Bearer topsecret", "X-Team": "data"}}


def test_headers_are_part_of_every_request(server: Server, small: str) -> None:
    assert_frame_equal(read_avro(small, storage_options=HEADERS), frame(1000))
    assert_frame_equal(scan_avro(small, storage_options=HEADERS).collect(), frame(1000))
    assert read_avro_metadata(small, storage_options=HEADERS).n_rows == 1000
    assert sum(batch.height for batch in AvroReader(small, storage_options=HEADERS)) == 1000
    assert server.requests
    for request in server.requests:
        assert request.headers["authorization"] == "Bearer topsecret"
        assert request.headers["x-team"] == "data"


@pytest.mark.parametrize(
    ("headers", "error", "message"),
    [
        (["x"], TypeError, "must be a dict of str to str"),
        ({"x": 1}, TypeError, "must be a dict of str to str"),
        ({"x y": "1"}, ValueError, "the name of the header"),
        ({"x": "topsecret\n"}, ValueError, "the value of the header"),
    ],
)
def test_invalid_headers_are_refused(small: str, headers: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as raised:
        read_avro(small, storage_options={"headers": headers})
    assert "topsecret" not in str(raised.value)


def test_headers_are_for_web_servers() -> None:
    with pytest.raises(ValueError, match="is for web servers only"):
        scan_avro("s3://bucket/x.avro", storage_options=HEADERS)
