"""``polars-avro recodec``: the same rows in another codec."""

import io
import json
import os

import fastavro
import pytest
import strategies
from avro.datafile import DataFileReader
from avro.io import DatumReader
from containers import block, header, raw_rows
from hypothesis import Phase, assume, given
from random_cases import cases
from rows import make_rows, write
from test_cli_json import is_recursive, is_same

import polars_avro
from polars_avro._cli import plain_rows


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("null", "null"),
        ("deflate", "deflate"),
        ("snappy", "snappy"),
        ("zstd", "zstandard"),
        ("zstandard", "zstandard"),
        ("bzip2", "bzip2"),
        ("xz", "xz"),
    ],
)
def test_other_readers_read_the_same_rows(cli, tmp_path, name, codec):
    path = write(tmp_path / "a.avro", make_rows(1000), metadata={"by": "me"})
    assert cli.good("recodec", "-C", name, path, tmp_path / "b.avro") == []
    before, after = (polars_avro.read_avro_metadata(tmp_path / file) for file in ("a.avro", "b.avro"))
    assert after.codec == codec
    assert (after.avro_schema, after.metadata) == (before.avro_schema, before.metadata)
    with open(tmp_path / "b.avro", "rb") as file:
        assert list(fastavro.reader(file)) == make_rows(1000)
    if codec in ("null", "deflate", "bzip2"):
        with open(tmp_path / "b.avro", "rb") as file:
            assert list(DataFileReader(file, DatumReader())) == make_rows(1000)


@given(strategies.files())
@cases(0.2, phases=[Phase.generate])
def test_random_schemas_keep_their_bytes(file):
    node, rows = raw_rows(file.data)
    assume(not is_recursive(node))
    out = io.BytesIO()
    opened = plain_rows.PlainFile.open(file.data, None)
    with plain_rows.writer(out, opened.schema, metadata=opened.metadata, compression="deflate") as writer:
        for df in opened.frames():
            writer.write(df)
    assert json.loads(polars_avro.read_avro_metadata(out.getvalue()).avro_schema) == polars_schema(file.data)
    assert is_same(raw_rows(out.getvalue())[1], rows)


def polars_schema(data):
    return json.loads(polars_avro.read_avro_metadata(data).avro_schema)


def test_names_that_are_not_valid(cli, tmp_path):
    """Java writes names of inner classes, which the specification does not allow."""
    inner = {"type": "record", "name": "Outer$Inner", "fields": [{"name": "a", "type": "int"}]}
    color = {"type": "enum", "name": "Outer$Color", "symbols": ["RED"]}
    fields = [{"name": "one", "type": inner}, {"name": "two", "type": ["null", "Outer$Inner", color]}]
    schema = {"type": "record", "name": "n.Outer$Row", "fields": fields}
    path = tmp_path / "a.avro"
    rows = [b"\x02\x02\x04", b"\x02\x04\x00", b"\x02\x00"]
    path.write_bytes(header(schema) + block(3, b"".join(rows)))
    cli.good("recodec", "-C", "deflate", path, tmp_path / "b.avro")
    assert polars_schema(tmp_path / "b.avro") == schema
    assert cli.good("tojson", tmp_path / "b.avro") == [
        '{"one":{"a":1},"two":{"n.Outer$Inner":{"a":2}}}',
        '{"one":{"a":1},"two":{"n.Outer$Color":"RED"}}',
        '{"one":{"a":1},"two":null}',
    ]
    assert raw_rows((tmp_path / "b.avro").read_bytes())[1] == raw_rows(path.read_bytes())[1]


def test_levels(cli, path, tmp_path):
    sizes = []
    for level in (1, 9):
        cli.good("recodec", "-C", "deflate", "--level", level, path, tmp_path / "a.avro")
        sizes.append((tmp_path / "a.avro").stat().st_size)
    assert sizes[1] < sizes[0]
    assert "10" in cli.refused("recodec", "-C", "xz", "--level", 10, path, tmp_path / "b.avro", status=2)
    assert os.listdir(tmp_path) == ["a.avro"]


def test_a_file_may_be_its_own_target(cli, tmp_path):
    path = write(tmp_path / "a.avro", make_rows(1000))
    cli.good("recodec", "--codec", "xz", path, path)
    assert polars_avro.read_avro(path).to_dicts() == make_rows(1000)


def test_standard_input_and_output(path):
    from command_line import process

    done = process("recodec", "-C", "null", "-", "-", stdin=path.read_bytes())
    assert (done.returncode, done.stderr) == (0, b"")
    assert list(fastavro.reader(io.BytesIO(done.stdout))) == make_rows(1000)


def test_failures_keep_the_target(cli, path, tmp_path):
    (tmp_path / "cut.avro").write_bytes(path.read_bytes()[:-20])
    target = tmp_path / "target.avro"
    target.write_text("old")
    assert "block" in cli.refused("recodec", "-C", "null", tmp_path / "cut.avro", target, status=3)
    assert target.read_text() == "old"
    assert "--codec" in cli.refused("recodec", path, target, status=2)
    assert "`convert`" in cli.refused("recodec", "-C", "null", path, "s3://bucket/a.avro", status=2)
    schema = {"type": "record", "name": "T", "fields": [{"name": "next", "type": ["null", "T"]}]}
    recursive = write(tmp_path / "t.avro", [{"next": None}], schema)
    assert "field `next`" in cli.refused("recodec", "-C", "null", recursive, target, status=3)
