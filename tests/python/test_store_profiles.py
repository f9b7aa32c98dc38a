"""Endpoints in the profiles of ``~/.aws``, with keys from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from places import KEYS
from s3_server import S3Server
from servers import serving
from test_stores import encode, frame

import polars_avro
from polars_avro import read_avro, scan_avro


@pytest.fixture
def profile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A profile with the endpoint of a private store."""
    path = tmp_path / "config"
    monkeypatch.setenv("AWS_CONFIG_FILE", str(path))
    return path


KEYS_OR_NONE = [
    {"aws_access_key_id": "a", "aws_secret_access_key": "b"},
    {"aws_skip_signature": "true"},
    {"access_key_id": "a", "secret_access_key": "b", "session_token": "c"},
]


@pytest.mark.parametrize("options", KEYS_OR_NONE, ids=lambda options: next(iter(options)))
@pytest.mark.parametrize("provider", ["auto", None])
def test_the_endpoint_of_a_profile(profile: Path, options: dict[str, str], provider: Any) -> None:
    with serving(S3Server) as server:
        profile.write_text(f"[default]\nregion = eu-west-1\nendpoint_url = {server.url}\n")
        how = {"storage_options": options, "credential_provider": provider}
        polars_avro.write_avro(frame(10), "s3://bucket/d/x.avro", **how)
        polars_avro.sink_avro(frame(10).lazy(), "s3://bucket/d/y.avro", **how)
        assert set(server.objects) == {"/bucket/d/x.avro", "/bucket/d/y.avro"}
        assert read_avro("s3://bucket/d/x.avro", **how).height == 10
        assert scan_avro("s3://bucket/d/", **how).collect().height == 20
        assert scan_avro("s3://bucket/d/*.avro", **how).collect().height == 20


@pytest.mark.parametrize(
    "text",
    [
        "[default]\nendpoint_url: <server>\n",
        "[default] # the private store\nEndpoint_URL = <server>\n",
        "[default]\ns3 =\n    endpoint_url = http://127.0.0.1:1\nendpoint_url=<server>\n",
        '[default]\nendpoint_url = http://127.0.0.1:1\n[profile "p"]\nendpoint_url = <server>\n',
        "[profile   p]\nendpoint_url = <server>\n",
        "[default]\nservices = own\nendpoint_url = http://127.0.0.1:1\n[services own]\nec2 =\n  endpoint_url = http://x\n"
        "s3 =\n  addressing_style = path\n  endpoint_url = <server>\n[other]\n",
    ],
)
def test_files_of_profiles_are_read_as_botocore_reads_them(
    profile: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    with serving(S3Server) as server:
        server.put("/bucket/x.avro", encode(10))
        profile.write_text(text.replace("<server>", server.url) + "region = eu-west-1\n")
        if "profile" in text:
            monkeypatch.setenv("AWS_DEFAULT_PROFILE", "p")
        assert read_avro("s3://bucket/x.avro", storage_options=KEYS_OR_NONE[0]).height == 10


def test_the_endpoint_may_be_beside_credentials(profile: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    profile.write_text("[default]\nregion = eu-west-1\nendpoint_url = http://127.0.0.1:1\n")
    credentials = tmp_path / "credentials"
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    with serving(S3Server) as server:
        server.put("/bucket/x.avro", encode(10))
        credentials.write_text(f"[default]\nendpoint_url = {server.url}\n")
        assert read_avro("s3://bucket/x.avro", storage_options=KEYS_OR_NONE[0]).height == 10


def test_errors_name_the_whole_key(profile: Path) -> None:
    with serving(S3Server) as server:
        options = {**KEYS, "endpoint_url": server.url, "max_retries": 0}
        server.put("/bucket/a%231/x%3Fy.avro", b"no file")
        with pytest.raises(polars_avro.AvroDataError) as raised:
            read_avro("s3://bucket/a#1/x?y.avro", storage_options=options)
        assert raised.value.file == "s3://bucket/a#1/x?y.avro"


def test_other_endpoints_come_before_that_of_a_profile(profile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    profile.write_text("[default]\nregion = eu-west-1\nendpoint_url = http://127.0.0.1:1\n")
    with serving(S3Server) as server:
        server.put("/bucket/x.avro", encode(10))
        options = {"aws_skip_signature": "true", "max_retries": 0}
        for name in ("endpoint_url", "aws_endpoint", "aws_endpoint_url_s3"):
            assert read_avro("s3://bucket/x.avro", storage_options={**options, name: server.url}).height == 10
        for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
            with monkeypatch.context() as patched:
                patched.setenv(name, server.url)
                assert read_avro("s3://bucket/x.avro", storage_options=options).height == 10
        with pytest.raises(OSError, match=r"s3://bucket/x\.avro"):
            read_avro("s3://bucket/x.avro", storage_options=options)


def test_a_profile_may_switch_its_endpoints_off(profile: Path) -> None:
    with serving(S3Server) as server:
        server.put("/bucket/x.avro", encode(10))
        profile.write_text(f"[default]\nregion = eu-west-1\nendpoint_url = {server.url}\n")
        options = {"aws_skip_signature": "true", "max_retries": 0, "timeout": "2s", "connect_timeout": "2s"}
        assert read_avro("s3://bucket/x.avro", storage_options=options).height == 10
        before = len(server.requests)
        with profile.open("a") as file:
            file.write("ignore_configured_endpoint_urls = true\n")
        # The request to AWS ends at a proxy that does not exist.
        with pytest.raises(OSError, match=r"s3://bucket/x\.avro"):
            read_avro("s3://bucket/x.avro", storage_options={**options, "proxy_url": "http://127.0.0.1:1"})
        assert len(server.requests) == before
