"""Keys with pattern characters and other special characters: every key matches only itself."""

from __future__ import annotations

import fnmatch
import io
import itertools
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import polars as pl
import pytest
from places import Place, alone, cloud_place  # noqa: F401 (a fixture)
from polars.testing import assert_frame_equal
from s3_server import S3Server
from servers import serving

from polars_avro import AvroWriter, plan_splits, read_avro, scan_avro, sink_avro, write_avro

NAMES = [
    "%",
    "#",
    "é",
    "'",
    "~",
    "{",
    "}",
    "\\",
    "|",
    "^",
    "`",
    " ",
    "+",
    "(",
    "$",
    "&",
    '"',
    "<",
    "%41",
    "a.b",
    "ü ä",
    "🦀",
]


def encode(*numbers: int) -> bytes:
    out = io.BytesIO()
    write_avro(pl.DataFrame({"n": numbers}), out)
    return out.getvalue()


@pytest.fixture(params=["s3", "gs", "az"])
def place(request: pytest.FixtureRequest) -> Place:
    return cloud_place(request, request.param)


@pytest.fixture
def s3_server() -> Iterator[tuple[S3Server, dict[str, Any]]]:
    with serving(S3Server) as server:
        yield server, {"endpoint_url": server.url, "aws_region": "us-east-1", "aws_skip_signature": "true"}


#: One name has all characters, so that each store sees each of them.
ALL_NAMES = ["".join(NAMES), *(pytest.param(name, marks=pytest.mark.slow) for name in NAMES)]


@pytest.mark.parametrize("name", ALL_NAMES)
def test_directories_of_any_name(place: Place, name: str) -> None:
    how = {"storage_options": place.options}
    for number in range(3):
        write_avro(pl.DataFrame({"n": [number]}), f"{place.prefix}d{name}x/p{number}.avro", **how)
    write_avro(pl.DataFrame({"n": [9]}), f"{place.prefix}other/p.avro", **how)
    if place.prefix.startswith("az:"):
        # Azure treats a backslash in an object name as a slash.
        name = name.replace("\\", "/")
    for pattern in (f"d{name}x/", f"d{name}x/*.avro", f"d{name}x/p[0-2].avro", f"d{name}x/**/p*.avro", f"*{name}x/*"):
        got = scan_avro(place.prefix + pattern, **how, include_file_paths="path").collect()
        assert got["n"].to_list() == [0, 1, 2], pattern
        assert got["path"].to_list() == [f"{place.prefix}d{name}x/p{number}.avro" for number in range(3)]
    several = [f"{place.prefix}d{name}x/p1.avro", f"{place.prefix}d{name}x/p*.avro", f"{place.prefix}other/*"]
    assert read_avro(several, **how)["n"].to_list() == [1, 0, 1, 2, 9]
    assert len(plan_splits(f"{place.prefix}d{name}x/", target_bytes=1, **how)) >= 3


def test_our_own_partitions_are_found(place: Place) -> None:
    how = {"storage_options": place.options}
    values = ["a%b", "é'~", "{x}", "a/b", "[1]", "?", "a=b", None, " ", "#|^`"]
    df = pl.DataFrame({"k": values, "n": range(len(values))})
    sink_avro(df.lazy(), pl.PartitionBy(f"{place.prefix}o ut%/", key="k"), **how)
    got = scan_avro(f"{place.prefix}o ut%/", **how).sort("n").collect()
    assert_frame_equal(got.select(df.columns), df)
    paths = scan_avro(f"{place.prefix}o ut%/", **how, include_file_paths="p").sort("n").collect()["p"]
    for number, path in enumerate(paths):
        folder = path.rpartition("/")[0] + "/"
        if "[" not in folder.partition("=")[2]:
            assert scan_avro(folder, **how, glob=False).collect()["n"].to_list() == [number]


def test_signs_in_names(s3_server: tuple[S3Server, dict[str, Any]]) -> None:
    server, options = s3_server
    keys = ["a*b.avro", "axb.avro", "a?b.avro", "a[1].avro", "a1.avro", "a.avro", "sub/a1.avro", "a-b.avro", "a^b.avro"]
    for number, key in enumerate(keys):
        server.put(f"/bucket/{quote(key, safe='/')}", encode(number))
    for pattern in ("a*b.avro", "a?b.avro", "a[1x].avro", "a[!x]b.avro", "a[*-^]b.avro", "*", "*.avro", "a[?]b.avro"):
        got = scan_avro(f"s3://bucket/{pattern}", storage_options=options).collect()["n"].to_list()
        wanted = sorted(key for key in keys if "/" not in key and fnmatch.fnmatchcase(key, pattern))
        assert got == [keys.index(key) for key in wanted], pattern
    assert scan_avro("s3://bucket/**", storage_options=options).collect().height == len(keys)
    assert scan_avro("s3://bucket/**/a1.avro", storage_options=options).collect()["n"].to_list() == [4, 6]
    for pattern in ("a**.avro", "a[1.avro"):
        with pytest.raises(pl.exceptions.ComputeError, match="invalid glob pattern"):
            scan_avro(f"s3://bucket/{pattern}", storage_options=options)


def test_keys_that_begin_with_a_slash_are_refused(s3_server: tuple[S3Server, dict[str, Any]], tmp_path: Path) -> None:
    server, options = s3_server
    content = encode(1)
    server.put("/bucket/x.avro", content)
    server.put("/bucket/d/x.avro", content)
    how = {"storage_options": options}
    for url in ("s3://bucket//x.avro", "s3://bucket///x.avro", "s3://bucket/d//x.avro", "s3://bucket//d/x.avro"):
        for call in (
            lambda url: read_avro(url, **how),
            lambda url: scan_avro(url, **how),
            lambda url: write_avro(pl.DataFrame({"n": [2]}), url, **how),
            lambda url: sink_avro(pl.LazyFrame({"n": [2]}), url, **how),
            lambda url: AvroWriter(url, **how),
            lambda url: scan_avro(url.replace("x.avro", "*.avro"), **how),
            lambda url: scan_avro(url.replace("x.avro", ""), **how),
        ):
            with pytest.raises(ValueError, match="not a key"):
                call(url)
    assert server.objects == {"/bucket/x.avro": content, "/bucket/d/x.avro": content}


def test_every_pattern_of_a_list_has_files(s3_server: tuple[S3Server, dict[str, Any]], tmp_path: Path) -> None:
    server, options = s3_server
    server.put("/bucket/x.avro", encode(1))
    server.put("/bucket/none/empty.avro", b"")
    (tmp_path / "x.avro").write_bytes(encode(1))
    (tmp_path / "none").mkdir()
    for base, how in (("s3://bucket", {"storage_options": options}), (str(tmp_path), {})):
        for other in ("y*.avro", "none/", "none/*.avro"):
            for named in ([f"{base}/x.avro", f"{base}/{other}"], [f"{base}/{other}", f"{base}/*.avro"]):
                for function in (scan_avro, read_avro, plan_splits):
                    with pytest.raises(FileNotFoundError, match="no file found for .*" + other.replace("*", r"\*")):
                        function(named, **how)
            # With a schema a pattern may have no files.
            assert scan_avro([f"{base}/{other}", f"{base}/x.avro"], schema={"n": pl.Int64}, **how).collect().height == 1


def test_listings_are_tried_again(s3_server: tuple[S3Server, dict[str, Any]]) -> None:
    from servers import Fault

    server, options = s3_server
    server.put("/bucket/d/x.avro", encode(1))
    server.faults.extend([Fault(status=503), Fault(status=500)])
    fast = {**options, "retry_init_backoff_ms": 1}
    assert scan_avro("s3://bucket/d/", storage_options=fast).collect().height == 1
    server.denied = {"/": 403}
    with pytest.raises(PermissionError, match="s3://bucket/d"):
        scan_avro("s3://bucket/d/", storage_options=fast)


FILES = ["a?b.avro", "axb.avro", "a*b.avro", "[1].avro", "1.avro", "a%3Fb.avro", "ä b.avro"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("[d1]", "d1", "d"):
        (tmp_path / name).mkdir()
        for number, file in enumerate(FILES):
            (tmp_path / name / file).write_bytes(encode(number))
    return tmp_path


@pytest.mark.parametrize("directory", ["[d1]", "d1"])
def test_escapes_of_a_uri_stand_for_themselves(folder: Path, directory: str) -> None:
    for number, file in enumerate(FILES):
        uri = (folder / directory / file).as_uri()
        for function in (read_avro, scan_avro):
            df: Any = function(uri).lazy().collect()
            assert df["n"].to_list() == [number], uri
    uri = (folder / directory).as_uri()
    assert scan_avro(f"{uri}/*.avro").collect().height == len(FILES)
    assert scan_avro(f"{uri}/").collect().height == len(FILES)
    assert scan_avro(uri).collect().height == len(FILES)
    assert sorted(scan_avro(f"{uri}/a?b.avro").collect()["n"]) == [0, 1, 2]
    assert scan_avro(f"{uri}/a%3Fb.avro").collect()["n"].to_list() == [0]
    assert scan_avro(f"{uri}/%5b1%5D.avro").collect()["n"].to_list() == [3]
    got = scan_avro(f"{uri}/a[*x]b.avro", include_file_paths="path").collect()
    assert sorted(got["n"]) == [1, 2]
    assert all(directory in path for path in got["path"])
    with pytest.raises(FileNotFoundError):
        scan_avro(f"{uri}/none%2A.avro")


def test_escapes_inside_a_character_class_are_members(tmp_path: Path) -> None:
    names = "!-[]^*?abc"
    for number, name in enumerate(names):
        (tmp_path / f"{name}x.avro").write_bytes(encode(number))
    uri = tmp_path.as_uri()
    classes = [members for n in (1, 2, 3) for members in itertools.permutations("!-[]^*?a", n)]
    for negation, members in itertools.product(("", "!"), [*random.Random(5).sample(classes, 150), *classes[:64]]):
        escaped = "".join(member if member.isalnum() else f"%{ord(member):02X}" for member in members)
        wanted = {number for number, name in enumerate(names) if (name in members) != bool(negation)}
        got = scan_avro(f"{uri}/[{negation}{escaped}]x.avro").collect()["n"]
        assert set(got) == wanted, (negation, escaped)
    ranges = {"[a-b%2D]": "ab-", "[%21-^]": "!-[]^*?", "[%21-%2A]": "!*", "[c%21-%2A]": "!*c", "[!%21-%5E]": "abc"}
    for pattern, members in ranges.items():
        got = scan_avro(f"{uri}/{pattern}x.avro").collect()["n"]
        assert set(got) == {names.index(name) for name in members}, pattern


@pytest.mark.parametrize("base", ["s3://bucket//", "s3://bucket/d//", "s3://bucket//d", "s3://bucket/d//e/"])
def test_partitions_below_a_double_slash_are_refused(s3_server: tuple[S3Server, dict[str, Any]], base: str) -> None:
    server, options = s3_server
    frame = pl.DataFrame({"k": ["a"], "n": [1]})
    for write in (
        lambda: sink_avro(frame.lazy(), pl.PartitionBy(base, key="k"), storage_options=options),
        lambda: write_avro(frame, base, partition_by="k", storage_options=options),
    ):
        with pytest.raises(ValueError, match="not a key"):
            write()
    assert not server.objects
