"""S3, Google Cloud Storage, Azure and HTTP: one suite for all of them, against real servers on this machine."""

from __future__ import annotations

import io
import pickle
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fastavro
import polars as pl
import pytest
from conftest import COLUMNS, SCHEMA, make_rows
from places import KEYS, Place, alone, cloud_place, s3_place  # noqa: F401 (a fixture)
from polars.testing import assert_frame_equal
from servers import serving

import polars_avro
from polars_avro import AvroReader, read_avro, read_avro_metadata, read_avro_schema, scan_avro


@pytest.fixture(params=["s3", "gs", "az", "http", "nginx", "nginx-whole"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    kind = request.param
    if kind == "http":
        with serving() as server:
            yield Place(f"{server.url}/", lambda name, content: server.put(f"/{name}", content), lists=False)
        return
    if kind.startswith("nginx"):
        url, root = request.getfixturevalue("nginx")
        folder = f"{time.time_ns()}"

        def put(name: str, content: bytes) -> None:
            (root / folder / name).parent.mkdir(parents=True, exist_ok=True)
            (root / folder / name).write_bytes(content)

        yield Place(f"{url}/{'whole/' if kind == 'nginx-whole' else ''}{folder}/", put, lists=False)
        return
    yield cloud_place(request, kind)


@pytest.fixture
def s3(moto: str) -> Place:
    return s3_place(moto)


def encode(rows: int, first: int = 0, **options: Any) -> bytes:
    out = io.BytesIO()
    fastavro.writer(out, SCHEMA, make_rows(rows, first), **{"codec": "deflate", "sync_interval": 4000, **options})
    return out.getvalue()


def frame(rows: int, first: int = 0) -> pl.DataFrame:
    return pl.DataFrame(make_rows(rows, first), schema=COLUMNS)


def test_one_file(place: Place) -> None:
    url, options = place.fill("one.avro", encode(5000)), place.options
    whole = frame(5000)
    assert_frame_equal(read_avro(url, storage_options=options), whole)
    lf = scan_avro(url, storage_options=options, row_index_name="i")
    assert_frame_equal(lf.collect(), whole.with_row_index("i"))
    assert_frame_equal(lf.filter(pl.col("id") > 4990).select("name").collect(), whole[4991:].select("name"))
    assert_frame_equal(lf.slice(2500, 7).collect(engine="streaming"), whole.with_row_index("i")[2500:2507])
    assert_frame_equal(lf.tail(3).drop("i").collect(), whole.tail(3))
    assert lf.select(pl.len()).collect().item() == 5000
    assert read_avro_schema(url, storage_options=options) == pl.Schema(COLUMNS)
    assert read_avro_metadata(url, storage_options=options).n_rows == 5000
    with AvroReader(url, storage_options=options) as reader:
        assert_frame_equal(pl.concat(reader), whole)


def test_several_files(place: Place) -> None:
    urls = [place.fill(f"{i}.avro", encode(100, i * 100)) for i in range(10)]
    lf = scan_avro(urls, storage_options=place.options, include_file_paths="path")
    got = lf.collect()
    assert_frame_equal(got.drop("path"), frame(1000))
    assert got["path"].unique(maintain_order=True).to_list() == urls
    assert lf.select(pl.len()).collect().item() == 1000
    assert lf.slice(450, 100).select("id").collect()["id"].to_list() == list(range(450, 550))


def test_options_of_reading(place: Place) -> None:
    content = encode(3000)
    url, options = place.fill("one.avro", content), place.options
    schema = {"type": "record", "name": "Row", "fields": [{"name": "id", "type": "double"}]}
    assert read_avro(url, reader_schema=schema, storage_options=options)["id"].dtype == pl.Float64
    middle = len(content) // 2
    parts = [read_avro(url, byte_range=each, storage_options=options) for each in ((0, middle), (middle, None))]
    assert_frame_equal(pl.concat(parts), frame(3000))
    other = io.BytesIO()
    fields = [{"name": "id", "type": "long"}, {"name": "extra", "type": "string"}]
    fastavro.writer(other, {"type": "record", "name": "Row", "fields": fields}, [{"id": -1, "extra": "e"}])
    union = scan_avro(
        [url, place.fill("other.avro", other.getvalue())], schema_mode="union", storage_options=options
    ).collect()
    assert union.height == 3001
    assert union["extra"].drop_nulls().to_list() == ["e"]


def test_damaged_blocks(place: Place) -> None:
    damaged = bytearray(encode(3000))
    damaged[len(damaged) // 2 : len(damaged) // 2 + 50] = b"\xff" * 50
    url = place.fill("damaged.avro", bytes(damaged))
    with pytest.raises(polars_avro.AvroDataError, match="damaged"):
        read_avro(url, storage_options=place.options)
    with pytest.warns(polars_avro.AvroWarning):
        got = read_avro(url, ignore_errors=True, storage_options=place.options)
    assert 2500 < got.height < 3000


def test_patterns_and_directories(place: Place) -> None:
    if not place.lists:
        pytest.skip("a web server lists nothing")
    for day in (1, 2, 3):
        for part in range(2):
            place.put(f"d/day={day}/{part}.avro", encode(10, day * 100 + part * 10))
    place.put("d/day=1/empty.avro", b"")
    options = place.options
    assert scan_avro(f"{place.prefix}d/day=*/*.avro", storage_options=options).collect().height == 60
    assert scan_avro(f"{place.prefix}d/**/0.avro", storage_options=options).collect().height == 30
    lf = scan_avro(f"{place.prefix}d/", storage_options=options, include_file_paths="path")
    got = lf.filter(pl.col("day") == 2).collect()
    assert got["id"].to_list() == list(range(200, 220))
    assert got["path"].unique(maintain_order=True).to_list() == [f"{place.prefix}d/day=2/{i}.avro" for i in range(2)]
    assert read_avro(f"{place.prefix}d/day=*/1.avro", storage_options=options, hive_partitioning=True)[
        "day"
    ].unique().to_list() == [1, 2, 3]
    with pytest.raises(FileNotFoundError):
        scan_avro(f"{place.prefix}none/*.avro", storage_options=options).collect()


def test_missing(place: Place) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.avro"):
        read_avro(f"{place.prefix}none.avro", storage_options=place.options)
    with pytest.raises(FileNotFoundError, match=r"none\.avro"):
        scan_avro(f"{place.prefix}none.avro", storage_options=place.options).collect()


def test_empty(place: Place) -> None:
    with pytest.raises(polars_avro.AvroDataError, match=r"empty\.avro: at byte 0: empty file"):
        read_avro(place.fill("empty.avro", b""), storage_options=place.options)


def test_gcs_is_gs(moto: str, s3: Place) -> None:
    s3.put("x.avro", encode(10))
    options = {"google_base_url": moto, "google_bearer_token": "x"}
    base = s3.prefix.replace("s3://", "gcs://")
    assert scan_avro(f"{base}x.avro", storage_options=options).collect().height == 10
    assert scan_avro(f"{base}*.avro", storage_options=options).collect().height == 10


def test_s3a_and_capital_options(s3: Place) -> None:
    url = s3.fill("x.avro", encode(10)).replace("s3://", "s3a://")
    options = {name.upper(): value for name, value in s3.options.items()}
    assert read_avro(url, storage_options=options).height == 10


def test_keys_of_any_spelling(s3: Place) -> None:
    url = s3.fill("k=a b/c&d/ü %41+.avro", encode(10))
    assert read_avro(url, storage_options=s3.options).height == 10
    got = scan_avro(f"{s3.prefix}k=*/*/*.avro", storage_options=s3.options, hive_partitioning=True).collect()
    assert got["k"].unique().to_list() == ["a b"]


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
    """A provider that pickles without its keys."""

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
