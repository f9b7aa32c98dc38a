"""A store that cannot be reached is reported before the last attempt."""

import logging
import socket

import pytest

from polars_avro import read_avro


def test_a_request_that_keeps_failing_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    options = {"max_retries": 1, "retry_init_backoff_ms": 2200, "retry_max_backoff_ms": 2200}
    with caplog.at_level(logging.WARNING, logger="polars_avro"), pytest.raises(ConnectionError):
        read_avro("http://127.0.0.1:1/x.avro?key=secret", storage_options=options)
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage().startswith("http://127.0.0.1:1/x.avro: ")
    assert "trying again" in record.getMessage()
    assert "secret" not in record.getMessage()


def test_a_request_that_is_soon_answered_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    options = {"max_retries": 2, "retry_init_backoff_ms": 10}
    with caplog.at_level(logging.WARNING, logger="polars_avro"), pytest.raises(ConnectionError):
        read_avro("http://127.0.0.1:1/x.avro", storage_options=options)
    assert not caplog.records


@pytest.mark.parametrize("scheme", ["http", "s3"])
def test_a_server_that_never_answers_is_logged_within_five_seconds(
    caplog: pytest.LogCaptureFixture, scheme: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        options = {"timeout": "4500ms", "max_retries": 0, "retry_timeout_ms": 1000}
        url = f"{address}/x.avro?key=secret"
        if scheme == "s3":
            url = "s3://bucket/x.avro"
            options |= {"endpoint_url": address, "aws_skip_signature": True, "aws_region": "x"}
        with caplog.at_level(logging.WARNING, logger="polars_avro"), pytest.raises(TimeoutError):
            read_avro(url, storage_options=options)
    (record,) = caplog.records
    assert record.getMessage() == f"{url.partition('?')[0]}: no answer for 4s; still waiting"
