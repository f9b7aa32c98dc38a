"""Locations in stores of several kinds, on real servers on this machine."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

KEYS = {"aws_access_key_id": "testing", "aws_secret_access_key": "topsecret", "aws_region": "us-east-1"}
ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Remove the store settings of this machine."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "AZURE_", "GOOGLE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def started(command: list[str], url: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=1).close()
        except urllib.error.HTTPError:
            return process
        except OSError:
            time.sleep(0.05)
        else:
            return process
    process.kill()
    raise TimeoutError(command[0])


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    command = shutil.which("moto_server") or shutil.which("moto_server", path=str(Path(sys.executable).parent))
    if command is None:
        pytest.skip("moto_server is not installed")
    port = free_port()
    process = started([command, "-H", "127.0.0.1", "-p", str(port)], f"http://127.0.0.1:{port}/moto-api/")
    yield f"http://127.0.0.1:{port}"
    process.kill()
    process.wait()


@pytest.fixture(scope="session")
def azurite() -> Iterator[str]:
    command = shutil.which("azurite-blob")
    if command is None:
        pytest.skip("azurite-blob is not installed")
    port = free_port()
    options = ["--silent", "--disableTelemetry", "--skipApiVersionCheck", "--inMemoryPersistence"]
    process = started([command, *options, "--blobPort", str(port)], f"http://127.0.0.1:{port}/")
    yield f"http://127.0.0.1:{port}"
    process.kill()
    process.wait()


@pytest.fixture(scope="session")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    command = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if command is None:
        pytest.skip("nginx is not installed")
    root = tmp_path_factory.mktemp("nginx")
    root.chmod(0o755)
    port = free_port()
    config = root / "nginx.conf"
    config.write_text(f"""
        daemon off; pid {root}/pid; error_log {root}/errors;
        user {"root" if hasattr(os, "getuid") and os.getuid() == 0 else "nobody"};
        events {{}}
        http {{ access_log off; client_body_temp_path {root}/body; proxy_temp_path {root}/proxy;
            fastcgi_temp_path {root}/fastcgi; uwsgi_temp_path {root}/uwsgi; scgi_temp_path {root}/scgi;
            server {{ listen 127.0.0.1:{port}; root {root}/files;
                location /whole/ {{ alias {root}/files/; max_ranges 0; }} }} }}
    """)
    (root / "files").mkdir()
    process = started([command, "-c", str(config), "-p", str(root)], f"http://127.0.0.1:{port}/")
    yield f"http://127.0.0.1:{port}", root / "files"
    process.terminate()
    process.wait()


@dataclass
class Place:
    """A separate folder in one kind of store."""

    prefix: str
    put: Callable[[str, bytes], object]
    options: dict[str, Any] = field(default_factory=dict)
    lists: bool = True
    #: Lists unfinished multipart uploads, if the store supports that.
    uploads: Callable[[], list[Any]] | None = None

    def fill(self, name: str, content: bytes) -> str:
        self.put(name, content)
        return self.prefix + name


def s3_place(moto: str) -> Place:
    import boto3

    client = boto3.client(
        "s3",
        endpoint_url=moto,
        aws_access_key_id="testing",
        aws_secret_access_key="topsecret",
        region_name="us-east-1",
    )
    bucket = f"bucket{time.time_ns()}"
    client.create_bucket(Bucket=bucket)
    put = lambda name, content: client.put_object(Bucket=bucket, Key=name, Body=content)  # noqa: E731
    uploads = lambda: client.list_multipart_uploads(Bucket=bucket).get("Uploads", [])  # noqa: E731
    return Place(f"s3://{bucket}/", put, {**KEYS, "endpoint_url": moto}, uploads=uploads)


@pytest.fixture
def s3(moto: str) -> Place:
    return s3_place(moto)


def azure_put(azurite: str, path: str, content: bytes, **headers: str) -> None:
    """Send a PUT signed with a shared key, as the documentation of the service describes."""
    date = dt.datetime.now(dt.timezone.utc).strftime("%a, %d %b %Y %H:%M:%S GMT")
    headers = {"x-ms-date": date, "x-ms-version": "2021-08-06", **headers}
    plain, _, query = path.partition("?")
    canonical = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    resource = f"/{ACCOUNT}/{ACCOUNT}{plain}" + ("\n" + query.replace("=", ":") if query else "")
    length = str(len(content)) if content else ""
    text = f"PUT\n\n\n{length}\n\napplication/octet-stream\n\n\n\n\n\n\n{canonical}{resource}"
    signature = base64.b64encode(hmac.digest(base64.b64decode(ACCOUNT_KEY), text.encode(), hashlib.sha256)).decode()
    headers |= {"Authorization": f"SharedKey {ACCOUNT}:{signature}", "Content-Type": "application/octet-stream"}
    request = urllib.request.Request(f"{azurite}/{ACCOUNT}{path}", content, headers, method="PUT")
    urllib.request.urlopen(request).close()


def azure_place(azurite: str) -> Place:
    container = f"container{time.time_ns()}"
    azure_put(azurite, f"/{container}?restype=container", b"")
    block = {"x-ms-blob-type": "BlockBlob"}
    put = lambda name, content: azure_put(azurite, f"/{container}/{name}", content, **block)  # noqa: E731
    options = {"account_name": ACCOUNT, "account_key": ACCOUNT_KEY, "azure_storage_endpoint": f"{azurite}/{ACCOUNT}"}
    return Place(f"az://{container}/", put, options)


def cloud_place(request: pytest.FixtureRequest, kind: str) -> Place:
    """Make a place in S3 (``s3``), Google Cloud Storage (``gs``) or Azure (``az``)."""
    if kind == "az":
        return azure_place(request.getfixturevalue("azurite"))
    moto = request.getfixturevalue("moto")
    place = s3_place(moto)
    if kind == "gs":
        place.prefix = place.prefix.replace("s3://", "gs://")
        place.options = {"google_base_url": moto, "google_bearer_token": "topsecret"}
    return place
