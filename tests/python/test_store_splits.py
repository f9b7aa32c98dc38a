"""Splits of files in stores have every row once, and pickles contain no credentials."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import Any

import polars as pl
import pytest
from places import KEYS, Place, alone, azure_place, cloud_place, s3_place  # noqa: F401 (a fixture)
from polars.testing import assert_frame_equal
from s3_server import S3Server
from servers import serving
from test_stores import encode, frame

import polars_avro
from polars_avro import plan_splits, scan_splits


@pytest.fixture(params=["s3", "gs", "az"])
def place(request: pytest.FixtureRequest) -> Place:
    return cloud_place(request, request.param)


def fill(place: Place) -> pl.DataFrame:
    """Put files of several sizes into several directories, and an empty one."""
    at = 0
    for day, part, rows in ((1, "a", 700), (1, "b", 5), (1, "c", 0), (1, "d", 3), (2, "a", 2500), (3, "z", 1)):
        place.put(f"d/day={day}/{part}.avro", encode(rows, at))
        at += rows
    place.put("d/day=2/empty.avro", b"")
    return frame(at)


@pytest.mark.parametrize("target_bytes", [500, 3000, 10_000, 1 << 27])
def test_every_row_once_and_in_order(place: Place, target_bytes: int) -> None:
    rows = fill(place)
    store = {"storage_options": place.options}
    source = f"{place.prefix}d/day=*/*.avro"
    splits = plan_splits(source, target_bytes=target_bytes, **store)
    assert splits == plan_splits(source, target_bytes=target_bytes, **store)
    assert_frame_equal(pl.concat([split.read() for split in splits]), rows)
    assert_frame_equal(scan_splits(splits).collect(), rows)
    sent = [pickle.loads(pickle.dumps(split)) for split in splits]
    assert sent == splits
    assert_frame_equal(pl.concat([split.read(columns=["id"], **store) for split in sent]), rows.select("id"))
    assert scan_splits(sent, **store).filter(pl.col("id") == 702).select("name").collect().item() == "name 702"
    if target_bytes == 1 << 27:
        assert [part.file for part in splits[0].parts] == sorted({part.file for part in splits[0].parts})
        assert 0.5 < (splits[0].estimated_rows or 0) / rows.height < 2


def test_directories_and_partitions(place: Place) -> None:
    rows = fill(place)
    store = {"storage_options": place.options}
    splits = plan_splits(f"{place.prefix}d/", target_bytes=2000, include_file_paths="path", **store)
    found = pl.concat([split.read() for split in splits])
    assert_frame_equal(found.drop("day", "path"), rows)
    assert found["day"].unique().to_list() == [1, 2, 3]
    assert found["path"].n_unique() == 5
    for source in (f"{place.prefix}none/*.avro", f"{place.prefix}none.avro"):
        with pytest.raises(FileNotFoundError, match="none"):
            plan_splits(source, **store)


def test_planning_reads_one_header_and_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(S3Server) as server:
        urls = [f"s3://bucket/{name}.avro" for name in "ab"]
        for name in "ab":
            server.put(f"/bucket/{name}.avro", encode(20_000))
        store: dict[str, Any] = {"storage_options": {**KEYS, "endpoint_url": server.url}}
        splits = plan_splits(urls, target_bytes=10_000, **store)
        assert sorted(request.method for request in server.requests) == ["GET", "HEAD", "HEAD"]
        assert len(splits) > 10
        assert sum(split.read().height for split in splits) == 40_000


def test_files_over_http() -> None:
    with serving() as server:
        url = server.put("/a.avro?sig=topsecret".partition("?")[0], encode(2000)) + "?sig=topsecret"
        splits = plan_splits(url, target_bytes=5000)
        assert "topsecret" not in repr(splits) + scan_splits(splits[1:]).explain()
        assert_frame_equal(pl.concat([split.read() for split in splits]), frame(2000))


def test_no_credentials_are_sent(moto: str) -> None:
    place = s3_place(moto)
    rows = fill(place)
    splits = plan_splits(f"{place.prefix}d/day=*/*.avro", target_bytes=4000, storage_options=place.options)
    data = pickle.dumps(splits)
    assert b"topsecret" not in data
    assert b"aws_secret_access_key" not in data
    assert "topsecret" not in repr(splits)
    # Splits contain the location of the store, and keys come from the environment of the worker.
    worker = "import pickle, sys; print(sum(s.read().height for s in pickle.load(sys.stdin.buffer)))"
    found = subprocess.run(
        [sys.executable, "-c", worker],
        input=data,
        capture_output=True,
        env={"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "PYTHONSAFEPATH": "1", **_path()},
    )
    assert found.returncode == 0, found.stderr.decode()
    assert int(found.stdout) == rows.height


def _path() -> dict[str, str]:
    import os

    return {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "SYSTEMROOT") if name in os.environ}


class Keys:
    """A provider."""

    def __call__(self) -> tuple[dict[str, str], None]:
        return {"aws_access_key_id": "a", "aws_secret_access_key": "top" + "secret"}, None


def test_credential_providers(moto: str) -> None:
    place = s3_place(moto)
    rows = fill(place)
    store: dict[str, Any] = {
        "storage_options": {"endpoint_url": moto, "region": "us-east-1"},
        "credential_provider": Keys(),
    }
    splits = plan_splits(f"{place.prefix}d/day=*/*.avro", target_bytes=4000, **store)
    assert sum(split.read().height for split in splits) == rows.height
    sent = pickle.loads(pickle.dumps(splits))
    assert sum(split.read(credential_provider=Keys()).height for split in sent) == rows.height
    with pytest.raises(ValueError, match='"endpont_url"'):
        plan_splits(f"{place.prefix}d/", storage_options={"endpont_url": "topsecret"})


def test_a_file_that_changed_is_refused(moto: str) -> None:
    place = s3_place(moto)
    url = place.fill("a.avro", encode(2000))
    splits = plan_splits(url, target_bytes=5000, storage_options=place.options)
    place.put("a.avro", encode(2001))
    with pytest.raises(polars_avro.AvroDataError, match="plan them again"):
        splits[1].read()
