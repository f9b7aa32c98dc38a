"""Credentials of stores: their sources, when they are requested, and that they are never shown."""

from __future__ import annotations

import pickle
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from http_objects import FAST
from places import KEYS, Place, alone, cloud_place, s3_place  # noqa: F401 (a fixture)
from s3_server import S3Server
from servers import Fault, serving
from test_stores import encode, frame

import polars_avro
from polars_avro import read_avro, read_avro_schema, scan_avro


def test_the_environment(s3: Place, moto: str, monkeypatch: pytest.MonkeyPatch) -> None:
    url = s3.fill("x.avro", encode(10))
    for name, value in KEYS.items():
        monkeypatch.setenv(name.upper(), value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto)
    for provider in ("auto", None):
        assert read_avro(url, credential_provider=provider).height == 10


def test_the_profile(s3: Place, moto: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    url = s3.fill("x.avro", encode(10))
    (tmp_path / "credentials").write_text("[mine]\naws_access_key_id = a\naws_secret_access_key = b\n")
    (tmp_path / "config").write_text("[profile mine]\nregion = eu-west-1\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    options = {"endpoint_url": moto, "aws_profile": "mine"}
    for provider in ("auto", None):
        assert read_avro(url, storage_options=options, credential_provider=provider).height == 10


def test_anonymous() -> None:
    with serving() as server:
        server.put("/bucket/x.avro", encode(10))
        options = {"endpoint_url": server.url, "aws_skip_signature": "true"}
        assert read_avro("s3://bucket/x.avro", storage_options=options).height == 10
        assert all("authorization" not in request.headers for request in server.requests)


class Provider:
    """Credentials that expire."""

    def __init__(self, seconds: float | None = None) -> None:
        self.calls = 0
        self.seconds = seconds

    def __call__(self) -> tuple[dict[str, str], int | None]:
        self.calls += 1
        keys = {"aws_access_key_id": f"key{self.calls}", "aws_secret_access_key": "topsecret"}
        return keys, None if self.seconds is None else int(time.time() + self.seconds)


def signed_by(server: Any) -> list[str]:
    return [request.headers["authorization"].split("Credential=")[1].split("/")[0] for request in server.requests]


def test_a_provider_is_asked_once_until_its_keys_expire() -> None:
    with serving() as server:
        server.put("/bucket/x.avro", encode(10))
        options = {"endpoint_url": server.url, "region": "us-east-1"}
        provider = Provider()
        files = ["s3://bucket/x.avro"] * 5
        assert scan_avro(files, storage_options=options, credential_provider=provider).collect().height == 50
        assert provider.calls == 1
        assert set(signed_by(server)) == {"key1"}
        server.reset()
        provider = Provider(seconds=12)
        reader = scan_avro(files, storage_options=options, credential_provider=provider)
        assert reader.select("id").collect().height == 50
        time.sleep(2.1)
        assert reader.select("name").collect().height == 50
        assert "key2" in signed_by(server)


def test_a_refused_provider_is_asked_again() -> None:
    with serving() as server:
        server.put("/bucket/x.avro", encode(10))
        options = {"endpoint_url": server.url, "region": "us-east-1"}

        def before(request: Any) -> None:
            server.denied = {"/": 403} if "key1" in request.headers["authorization"] else {}

        server.before = before
        provider = Provider()
        assert read_avro("s3://bucket/x.avro", storage_options=options, credential_provider=provider).height == 10
        server.before = None
        server.denied = {"/": 403}
        with pytest.raises(PermissionError, match=r"s3://bucket/x\.avro"):
            read_avro("s3://bucket/x.avro", storage_options=options, credential_provider=Provider())


def test_errors_of_a_provider_keep_their_type(s3: Place) -> None:
    class OwnError(Exception):
        pass

    def failing() -> Any:
        raise OwnError("no keys today")

    options = {"endpoint_url": s3.options["endpoint_url"], "region": "us-east-1"}
    with pytest.raises(OwnError, match="no keys today"):
        read_avro(f"{s3.prefix}x.avro", storage_options=options, credential_provider=failing)
    with pytest.raises(ValueError, match="aws_access_key_id"):
        read_avro(
            f"{s3.prefix}x.avro", storage_options=options, credential_provider=lambda: ({"key": "topsecret"}, None)
        )


def test_polars_default_provider(s3: Place) -> None:
    url = s3.fill("x.avro", encode(10))
    provider = Provider()
    options = {"endpoint_url": s3.options["endpoint_url"], "region": "us-east-1"}
    pl.Config.set_default_credential_provider(provider)
    try:
        assert read_avro(url, storage_options=options).height == 10
    finally:
        pl.Config.set_default_credential_provider("auto")
    assert provider.calls == 1


def test_keys_given_are_not_mixed_with_a_token_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "old")
    with serving() as server:
        server.put("/bucket/x.avro", encode(10))
        options = {**KEYS, "endpoint_url": server.url}
        assert read_avro("s3://bucket/x.avro", storage_options=options).height == 10
        assert all("x-amz-security-token" not in request.headers for request in server.requests)
        read_avro("s3://bucket/x.avro", storage_options={**options, "aws_session_token": "new"})
        assert server.requests[-1].headers["x-amz-security-token"] == "new"


@pytest.mark.parametrize("address", ["localhost:9000", "http://", "not a url", "http://h:99999"])
@pytest.mark.parametrize(
    ("url", "name"),
    [("s3://b/x", "aws_endpoint_url"), ("gs://b/x", "google_base_url"), ("az://b/x", "azure_storage_endpoint")],
)
def test_an_address_that_is_none(url: str, name: str, address: str) -> None:
    credentials = {
        "s3": {**KEYS, "region": "x"},
        "gs": {"google_bearer_token": "x"},
        "az": {"account_name": "a", "account_key": "aGFsbG8="},
    }
    options = {key: value for key, value in credentials[url[:2]].items() if not key.endswith("endpoint_url")}
    for call in (read_avro, read_avro_schema, lambda url, **kw: polars_avro.write_avro(frame(1), url, **kw)):
        with pytest.raises(ValueError, match=rf'{url}.*"{name}" must be a URL such as'):
            call(url, storage_options={**options, name: address, "max_retries": 0})


def test_keys_that_no_header_may_have() -> None:
    with serving() as server:
        options = {**KEYS, "endpoint_url": server.url}
        with pytest.raises(ValueError, match='"aws_session_token" must not have line breaks') as raised:
            read_avro("s3://b/x", storage_options={**options, "aws_session_token": "topsecret\n"})
        assert "topsecret" not in str(raised.value)
        options = {"endpoint_url": server.url, "region": "x"}
        with pytest.raises(ValueError, match='"aws_secret_access_key" must not have line breaks'):
            read_avro("s3://b/x", storage_options=options, credential_provider=KeysOfFile())
        assert server.requests == []


class KeysOfFile:
    """A provider whose keys end in a line break."""

    def __call__(self) -> tuple[dict[str, str], None]:
        return {"aws_access_key_id": "a", "aws_secret_access_key": "topsecret\n"}, None


@pytest.mark.parametrize(
    "url",
    [
        "HTTPS://user:topsecret@127.0.0.1:1/x",
        "http://user:topsecret#x@127.0.0.1:1/x",
        "http://user:topsecret?x@127.0.0.1:1/x",
        "https://user:topsecret/x@127.0.0.1:1/x",
        "s3://AKIA:topsecret@bucket/x",
        "s3://AKIA:top/topsecret@bucket/x",
        "gs://user:topsecret@bucket/x",
        "abfss://user:topsecret@account/x",
        "ftp://user:topsecret@host/x",
    ],
)
def test_no_password_in_a_url_is_shown(url: str) -> None:
    for call in (read_avro, read_avro_schema, lambda url, **kw: polars_avro.write_avro(frame(1), url, **kw)):
        with pytest.raises((OSError, ValueError, polars_avro.AvroError)) as raised:
            call(url, storage_options={"max_retries": 0})
        assert "topsecret" not in str(raised.value)


def test_containers_of_accounts_are_shown() -> None:
    options = {"azure_storage_endpoint": "http://127.0.0.1:1", "account_key": "aGFsbG8=", "max_retries": 0}
    with pytest.raises(OSError, match=r"abfs://container@account/x\.avro: "):
        read_avro("abfs://container@account/x.avro", storage_options=options)


def test_unknown_options(s3: Place) -> None:
    for wrong, right in (("endpont_url", "endpoint_url"), ("aws_acces_key_id", "aws_access_key_id")):
        with pytest.raises(ValueError, match=f'"{wrong}".*"{right}"') as raised:
            scan_avro(f"{s3.prefix}*.avro", storage_options={wrong: "topsecret"})
        assert "topsecret" not in str(raised.value)
    with pytest.raises(ValueError, match="google_base_url"):
        scan_avro(f"{s3.prefix}x.avro", storage_options={"google_base_url": "x"})


def test_nothing_secret_is_shown_or_pickled(s3: Place, capfd: pytest.CaptureFixture[str]) -> None:
    url = s3.fill("x.avro", encode(10))
    options = {"endpoint_url": s3.options["endpoint_url"], "region": "us-east-1"}

    lf = scan_avro(url, storage_options=s3.options)
    texts = [lf.explain(), repr(lf), str(lf)]
    with pytest.raises(OSError, match="none") as raised:
        read_avro(f"{s3.prefix}none.avro", storage_options=s3.options)
    texts.append(str(raised.value))
    captured = capfd.readouterr()
    assert all("topsecret" not in text for text in [*texts, captured.out, captured.err])

    provided = scan_avro(url, storage_options=options, credential_provider=Keys())
    assert provided.collect().height == 10
    pickled = pickle.dumps(provided)
    assert b"topsecret" not in pickled
    assert pickle.loads(pickled).collect().height == 10


class Keys:
    """A provider that drops its keys when it is pickled."""

    def __call__(self) -> tuple[dict[str, str], None]:
        return {"aws_access_key_id": "a", "aws_secret_access_key": "top" + "secret"}, None


def test_several_stores(s3: Place, moto: str, tmp_path: Path) -> None:
    first = s3.fill("x.avro", encode(10))
    local = tmp_path / "y.avro"
    local.write_bytes(encode(10, 10))
    options = {**s3.options, "google_base_url": moto, "google_bearer_token": "x"}
    with serving() as server:
        web = server.put("/z.avro", encode(10, 20))
        urls = [first, str(local), web, first.replace("s3://", "gs://"), str(tmp_path / "*.avro")]
        got = scan_avro(urls, storage_options=options).collect()
    ids = [*range(30), *range(10), *range(10, 20)]
    assert got["id"].to_list() == ids


def test_denied() -> None:
    with serving() as server:
        server.denied = {"/": 403}
        options = {**KEYS, "endpoint_url": server.url}
        with pytest.raises(PermissionError, match=r"s3://bucket/x\.avro: the server answered 403") as raised:
            read_avro("s3://bucket/x.avro", storage_options=options)
        assert "topsecret" not in str(raised.value)


EXPIRED = ["ExpiredToken", "ExpiredTokenException", "InvalidToken", "TokenRefreshRequired"]


def refusing(code: str) -> Any:
    """Refuse requests that are signed with the first key."""
    return lambda request: refused(code) if "key1" in request.headers["authorization"] else None


def refused(code: str) -> Fault:
    return Fault(status=400, body=f"<?xml version='1.0'?><Error><Code>{code}</Code></Error>".encode())


@pytest.mark.parametrize("code", EXPIRED)
def test_expired_tokens_have_the_provider_asked_again(code: str) -> None:
    with serving(S3Server) as server:
        server.put("/bucket/x.avro", encode(10))
        options = {"endpoint_url": server.url, "region": "us-east-1"}
        server.before = refusing(code)
        provider = Provider()
        assert read_avro("s3://bucket/x.avro", storage_options=options, credential_provider=provider).height == 10
        assert provider.calls == 2
        provider = Provider()
        assert scan_avro("s3://bucket/", storage_options=options, credential_provider=provider).collect().height == 10
        provider = Provider()
        polars_avro.write_avro(frame(10), "s3://bucket/y.avro", storage_options=options, credential_provider=provider)
        assert provider.calls == 2
        large = pl.DataFrame({"a": ["x" * 1000]}).select(pl.col("a").repeat_by(12_000).explode())
        # The keys expire during the upload, after its first part is sent.
        begun = server.before
        server.before = lambda request: begun(request) if "partNumber" in request.path else None
        provider = Provider()
        polars_avro.write_avro(
            large,
            "s3://bucket/z.avro",
            compression="uncompressed",
            storage_options=options,
            credential_provider=provider,
        )
        assert len(server.objects["/bucket/z.avro"]) > 12_000_000
        server.before, server.fault = None, refused(code)
        with pytest.raises(PermissionError, match=f"s3://bucket/x\\.avro: .* 400 .*{code}"):
            read_avro("s3://bucket/x.avro", storage_options=options, credential_provider=Provider())


@pytest.mark.parametrize("code", ["RequestTimeout", "SlowDown", "InternalError"])
def test_names_of_passing_failures(code: str) -> None:
    with serving(S3Server) as server:
        server.put("/bucket/x.avro", encode(10))
        options = {"endpoint_url": server.url, "region": "us-east-1", "aws_skip_signature": "true", **FAST}
        server.faults.extend([refused(code)] * 2)
        assert read_avro("s3://bucket/x.avro", storage_options=options).height == 10
        server.faults.extend([refused(code)] * 2)
        assert scan_avro("s3://bucket/*.avro", storage_options=options).collect().height == 10
        server.faults.extend([refused(code)] * 2)
        polars_avro.write_avro(frame(10), "s3://bucket/y.avro", storage_options=options)
        large = pl.DataFrame({"a": ["x" * 1000]}).select(pl.col("a").repeat_by(12_000).explode())
        server.faults.extend([refused(code), refused(code), None, refused(code), refused(code)])
        polars_avro.write_avro(large, "s3://bucket/z.avro", compression="uncompressed", storage_options=options)
        assert not server.faults
        assert read_avro("s3://bucket/z.avro", storage_options=options).height == 12_000
        server.fault = refused("InvalidRequest")
        server.reset()
        with pytest.raises(OSError, match="InvalidRequest"):
            read_avro("s3://bucket/x.avro", storage_options=options)
        assert len(server.requests) == 1


def test_codes_of_google_and_azure() -> None:
    with serving() as server:
        server.put("/bucket/x%2Eavro", encode(10))
        server.put("/account/bucket/x.avro", encode(10))
        azure = {"account_name": "account", "azure_storage_endpoint": f"{server.url}/account", **FAST}
        google = {"google_base_url": server.url, **FAST}

        class Tokens:
            calls = 0

            def __call__(self) -> Any:
                self.calls += 1
                return {"bearer_token": f"key{self.calls}"}, None

        for url, options, code in (
            ("gs://bucket/x.avro", google, "ExpiredToken"),
            ("gs://bucket/x.avro", google, "InvalidToken"),
            ("az://bucket/x.avro", azure, "InvalidAuthenticationInfo"),
        ):
            provider = Tokens()
            server.before = refusing(code)
            assert read_avro(url, storage_options=options, credential_provider=provider).height == 10
            assert provider.calls == 2
        server.before, server.fault = None, None
        server.faults.append(Fault(status=400, headers={"x-ms-error-code": "OperationTimedOut"}))
        assert read_avro("az://bucket/x.avro", storage_options=azure, credential_provider=provider).height == 10


def test_none_of_a_provider_is_no_value() -> None:
    with serving() as server:
        server.put("/bucket/x.avro", encode(10))
        options = {"endpoint_url": server.url, "region": "us-east-1"}
        keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "aws_session_token": None}
        assert (
            read_avro("s3://bucket/x.avro", storage_options=options, credential_provider=lambda: (keys, None)).height
            == 10
        )
        assert all("x-amz-security-token" not in request.headers for request in server.requests)
        with pytest.raises(ValueError, match="aws_secret_access_key"):
            read_avro(
                "s3://bucket/x.avro",
                storage_options=options,
                credential_provider=lambda: ({**keys, "aws_secret_access_key": None}, None),
            )


def test_a_token_for_google() -> None:
    with serving() as server:
        server.put("/bucket/x%2Eavro", encode(10))
        for name in ("token", "TOKEN", "bearer_token", "google_bearer_token"):
            options = {"google_base_url": server.url, name: "topsecret"}
            for provider in ("auto", None):
                how = {"storage_options": options, "credential_provider": provider}
                assert read_avro("gs://bucket/x.avro", **how).height == 10
                assert scan_avro("gs://bucket/x.avro", **how).collect().height == 10
        assert {request.headers["authorization"] for request in server.requests} == {"Bearer topsecret"}


@pytest.mark.parametrize(
    ("url", "option", "suggested"),
    [
        ("gs://b/x", "tokn", "token"),
        ("gs://b/x", "google_bearer_tokn", "google_bearer_token"),
        ("az://b/x", "acount_key", "account_key"),
        ("az://b/x", "endpoint_url", "endpoint"),
        ("s3://b/x", "account_key", "access_key_id"),
        ("s3://b/x", "skip_signatur", "skip_signature"),
    ],
)
def test_suggestions_are_options_of_the_store(url: str, option: str, suggested: str) -> None:
    with pytest.raises(ValueError, match=f"unknown storage option '?\"?{option}.*did you mean .*{suggested}") as raised:
        read_avro(url, storage_options={option: "topsecret"})
    assert "topsecret" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "option", "value"),
    [
        ("s3://b/x", "aws_virtual_hosted_style_request", "maybe"),
        ("s3://b/x", "aws_skip_signature", "perhaps"),
        ("s3://b/x", "connect_timeout", "soon"),
        ("s3://b/x", "aws_checksum_algorithm", "crc7"),
        ("az://b/x", "account_key", "not base64!"),
        ("az://b/x", "use_emulator", "maybe"),
        ("gs://b/x", "google_service_account_key", "topsecret"),
        ("gs://b/x", "google_skip_signature", "maybe"),
        ("http://127.0.0.1:1/x", "timeout", "soon"),
    ],
)
def test_a_bad_value_names_its_option(url: str, option: str, value: str) -> None:
    needed = {"s3": {"region": "us-east-1"}, "az": {"account_name": "a"}}.get(url[:2], {})
    with pytest.raises(ValueError, match=option) as raised:
        read_avro(url, storage_options={**needed, option: value, "max_retries": 0}, credential_provider=None)
    assert "topsecret" not in str(raised.value)
