"""Uses of commands that scripts meet: repeated options, huge numbers, empty files, targets that exist, signals."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from decimal import Decimal

import fastavro
import polars as pl
import pytest
from command_line import HOME
from containers import container, text
from places import KEYS, alone  # noqa: F401 (a fixture)
from s3_server import S3Server
from servers import serving

import polars_avro

KINDS = {
    "type": "record",
    "name": "R",
    "namespace": "x.y",
    "fields": [
        {"name": "i", "type": "long"},
        {"name": "f", "type": {"type": "fixed", "name": "F", "size": 2}},
        {"name": "e", "type": {"type": "enum", "name": "E", "symbols": ["A", "B"]}},
        {"name": "u", "type": ["null", "int", "string"]},
        {"name": "g", "type": "F"},
    ],
}


@pytest.fixture
def kinds(tmp_path):
    path = tmp_path / "kinds.avro"
    rows = [{"i": i, "f": b"ab", "e": "AB"[i % 2], "u": "s" if i % 2 else i, "g": b"cd"} for i in range(20)]
    with path.open("wb") as file:
        fastavro.writer(file, KINDS, rows, metadata={"user.k": "v"})
    return path


def test_selected_columns_keep_their_types_and_the_metadata(cli, kinds, tmp_path):
    target = tmp_path / "some.avro"
    cli.good("convert", kinds, target, "-c", "g,u", "-c", "e")
    metadata = polars_avro.read_avro_metadata(target)
    fields = {field["name"]: field["type"] for field in json.loads(metadata.avro_schema)["fields"]}
    assert list(fields) == ["g", "u", "e"]
    assert fields["g"] == {"type": "fixed", "name": "F", "size": 2}
    assert fields["u"] == ["null", "int", "string"]
    assert metadata.metadata == {"user.k": b"v"}
    with target.open("rb") as file:
        assert [row["u"] for row in fastavro.reader(file)] == ["s" if i % 2 else i for i in range(20)]


def test_selected_columns_without_their_types_get_those_of_their_dtypes(cli, tmp_path):
    def selected(schema, row, column, *options):
        with (tmp_path / "in.avro").open("wb") as file:
            fastavro.writer(file, {"type": "record", "name": "R", "fields": schema}, [row])
        cli.good("convert", tmp_path / "in.avro", tmp_path / "out.avro", "-c", column, *options)
        return polars_avro.read_avro(tmp_path / "out.avro")

    recursive = [{"name": "value", "type": "int"}, {"name": "next", "type": ["null", "R"]}]
    row = {"value": 1, "next": {"value": 2, "next": None}}
    assert selected(recursive, row, "value").rows() == [(1,)]
    assert selected(recursive, row, "next").rows() == [('{"value":2,"next":null}',)]
    decimal = {"type": "bytes", "logicalType": "decimal", "precision": 50, "scale": 3}
    assert selected([{"name": "d", "type": decimal}], {"d": Decimal("1.5")}, "d").rows() == [("1.500",)]
    uuid = [{"name": "u", "type": {"type": "string", "logicalType": "uuid"}}]
    schema = {"type": "record", "name": "R", "fields": uuid}
    (tmp_path / "invalid.avro").write_bytes(container(schema, (1, text("none"))))
    for invalid, expected in (("text", "none"), ("null", None)):
        cli("convert", tmp_path / "invalid.avro", tmp_path / "out.avro", "-c", "u", "--invalid-values", invalid)
        assert polars_avro.read_avro(tmp_path / "out.avro").rows() == [(expected,)]
    inner = {"type": "record", "name": "I", "fields": [{"name": "x", "type": "int"}]}
    assert selected([{"name": "s", "type": inner}], {"s": {"x": 1}}, "s.x").rows() == [({"x": 1},)]


def test_columns_without_a_name_are_quoted(cli, tmp_path):
    pl.DataFrame({"": [1], "b": [2]}).write_csv(tmp_path / "a.csv")
    cli.good("convert", tmp_path / "a.csv", tmp_path / "b.csv", "--columns", '"",b')
    assert (tmp_path / "b.csv").read_text() == '"",b\n1,2\n'


def test_repeated_keys_and_empty_prefixes_are_refused(cli, tmp_path):
    schema = '{"type":"record","name":"R","fields":[{"name":"a","type":["null","int"]}]}'
    for row in ('{"a":null,"a":null}', '{"a":{"int":1,"int":2}}', '{\n"a":null,\n"a":null}'):
        arguments = ("fromjson", "--schema", schema, "-", tmp_path / "a.avro")
        error = cli.refused(*arguments, stdin=f'{{"a":null}}\n{row}\n'.encode(), status=3)
        assert "<stdin>, line 2: an object has the key" in error
    assert "every name begins with it" in cli.refused("count", "--hidden-file-prefix", "", tmp_path, status=3)


def test_names_of_other_formats_may_have_any_character(cli, tmp_path):
    pl.DataFrame({"x\ufffd": [1]}).write_parquet(tmp_path / "a.parquet")
    cli.good("convert", tmp_path / "a.parquet", tmp_path / "a.avro")
    assert polars_avro.read_avro(tmp_path / "a.avro").columns == ["x\ufffd"]


def test_repeated_options_are_all_used(cli, kinds):
    assert cli.good("cat", "-c", "i", "-c", "e", "-n", 1, kinds) == ['{"i":0,"e":"A"}']
    assert cli.good("count", "--where", "i > 2 -- a comment", "--where", "i < 5 or i > 100", kinds) == ["2"]
    assert "names 'i' twice" in cli.refused("cat", "-c", "i", "-c", "i", kinds, status=2)
    for names in ("", "i,,e"):
        assert "--columns needs names" in cli.refused("cat", "-c", names, kinds, status=2)


@pytest.mark.parametrize("command", ["cat", "head", "tail", "sample", "tojson"])
def test_numbers_beyond_64_bits_are_refused(cli, kinds, command):
    assert "is not in the range" in cli.refused(command, "-n", 2**64, kinds, status=2)
    assert cli.good(command, "-n", 2**63 - 1, kinds)


def test_a_file_without_rows_returns_from_ndjson(cli, tmp_path):
    polars_avro.write_avro(pl.DataFrame(schema={"a": pl.Int64, "b": pl.List(pl.Date)}), tmp_path / "a.avro")
    cli.good("convert", tmp_path / "a.avro", tmp_path / "a.ndjson")
    for schema in ("a=Int64, b=List(Date)", polars_avro.read_avro_metadata(tmp_path / "a.avro").avro_schema):
        cli.good("convert", "--schema", schema, tmp_path / "a.ndjson", tmp_path / "b.avro")
        assert polars_avro.read_avro(tmp_path / "b.avro").equals(polars_avro.read_avro(tmp_path / "a.avro"))
    cli.good("convert", "--schema", "a=Int64, b=List(Date)", "-c", "b", tmp_path / "a.ndjson", tmp_path / "c.avro")
    assert polars_avro.read_avro(tmp_path / "c.avro").columns == ["b"]
    error = cli.refused("convert", tmp_path / "a.ndjson", tmp_path / "b.avro", status=3)
    assert "the file is empty: pass --schema" in error


def test_texts_in_other_encodings_are_named(cli, tmp_path):
    for name, data, message in (
        ("header.csv", b"\xff\xfe,b\n1,2\n", "its name is not UTF-8"),
        ("row.csv", b"a\ncaf\xe9\n", "the file must be in UTF-8"),
    ):
        (tmp_path / name).write_bytes(data)
        assert message in cli.refused("convert", tmp_path / name, tmp_path / "a.avro", status=3)


def test_recursive_types_name_the_command_that_copies_them(cli, tmp_path):
    schema = {"type": "record", "name": "R", "fields": [{"name": "next", "type": ["null", "R"]}]}
    with (tmp_path / "a.avro").open("wb") as file:
        fastavro.writer(file, schema, [{"next": {"next": None}}])
    assert "`concat` copies them" in cli.refused("convert", tmp_path / "a.avro", tmp_path / "b.avro", status=3)
    cli.good("concat", tmp_path / "a.avro", tmp_path / "b.avro")


def test_a_compressed_pipe_is_counted(cli, kinds):
    assert cli.good("count", "-", stdin=gzip.compress(kinds.read_bytes())) == ["20"]


def test_schemas_of_patterns_and_urls(cli, tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.avsc").write_text('{"type": "int"}')
    lines = cli.good("schema", tmp_path / "*.avsc")
    assert sum(line.startswith("==>") for line in lines) == 2
    assert "No such file" in cli.refused("schema", tmp_path / "no*.avsc", status=3)
    for command in (["schema"], ["diff", tmp_path / "a.avsc"]):
        assert "s3://b/a.avsc: schemas are read from local files" in cli.refused(*command, "s3://b/a.avsc", status=2)
    assert "cannot be both" in cli.refused("diff", "-", "-", status=2)


@pytest.mark.parametrize("command", [["recodec", "-C", "null"], ["repair", "-q"], ["convert"]])
def test_a_directory_is_no_target(cli, kinds, tmp_path, command):
    target = tmp_path / "kept.avro"
    target.write_bytes(b"kept")
    # The name of a directory has no format.
    status, message = (2, "--to") if command == ["convert"] else (3, "Not a directory")
    assert message in cli.refused(*command, kinds, f"{target}/", status=status)
    assert target.read_bytes() == b"kept"


def test_an_object_that_exists_is_not_replaced_by_several_sources(cli, kinds, tmp_path):
    with serving(S3Server) as server:
        options = {**KEYS, "endpoint_url": server.url, "max_retries": "0"}
        arguments = [part for key, value in options.items() for part in ("--storage-option", f"{key}={value}")]
        server.put("/bucket/kept.avro", b"kept")
        error = cli.refused("convert", *arguments, kinds, kinds, "s3://bucket/kept.avro", status=3)
        assert "s3://bucket/kept.avro exists: the last argument is TARGET" in error
        for target, more in (("kept", ["--overwrite"]), ("new", [])):
            cli.good("convert", *arguments, *more, kinds, kinds, f"s3://bucket/{target}.avro")
            assert cli.good("count", *arguments, f"s3://bucket/{target}.avro") == ["40"]


@pytest.mark.skipif(os.name == "nt", reason="signals of Unix")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("target", ["a.avro", "a.parquet"])
def test_signals_remove_temporary_files(tmp_path, number, target):
    if target == "a.avro":
        command = ["random", "--schema", "long", "-n", "1000000000", str(tmp_path / target)]
    else:
        source = tmp_path / "source.avro"
        rows = pl.select(a=pl.int_range(3_000_000)).with_columns(s=pl.format("text {}", "a"))
        polars_avro.write_avro(rows, source, "deflate")
        command = ["convert", str(source), str(tmp_path / target)]
    before = set(os.listdir(tmp_path))
    # The tests may run where a signal is ignored.
    process = subprocess.Popen(
        [sys.executable, "-m", "polars_avro", *command],
        cwd=HOME,
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
    )
    end = time.monotonic() + 60
    while set(os.listdir(tmp_path)) == before and time.monotonic() < end:
        time.sleep(0.01)
    process.send_signal(number)
    assert process.wait(60) == 128 + number
    assert set(os.listdir(tmp_path)) == before
