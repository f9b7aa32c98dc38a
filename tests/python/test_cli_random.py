"""``polars-avro random``: rows of a schema."""

import io
import json

import fastavro
import polars as pl
import pytest
import strategies
from containers import raw_rows
from expected import parse
from hypothesis import Phase, assume, given
from random_cases import cases
from test_cli_json import EVERY_TYPE, is_recursive

import polars_avro
from polars_avro._cli.app import run

LOGICAL = {
    "date": {"type": "int", "logicalType": "date"},
    "millis": {"type": "int", "logicalType": "time-millis"},
    "micros": {"type": "long", "logicalType": "time-micros"},
    "utc": {"type": "long", "logicalType": "timestamp-nanos"},
    "local": {"type": "long", "logicalType": "local-timestamp-millis"},
    "uuid": {"type": "string", "logicalType": "uuid"},
    "fixed_uuid": {"type": "fixed", "name": "U", "size": 16, "logicalType": "uuid"},
    "money": {"type": "bytes", "logicalType": "decimal", "precision": 5, "scale": 2},
    "fixed_money": {"type": "fixed", "name": "M", "size": 2, "logicalType": "decimal", "precision": 4, "scale": 1},
    "duration": {"type": "fixed", "name": "D", "size": 12, "logicalType": "duration"},
    "big": {"type": "bytes", "logicalType": "big-decimal"},
}


@pytest.fixture
def schema(tmp_path):
    fields = [{"name": name, "type": ["null", kind]} for name, kind in LOGICAL.items()]
    path = tmp_path / "schema.json"
    path.write_text(json.dumps({"type": "record", "name": "R", "fields": fields}))
    return path


def test_equal_seeds_give_equal_files(cli, schema, tmp_path):
    files = [tmp_path / f"{i}.avro" for i in range(3)]
    for seed, file in zip((1, 1, 2), files, strict=True):
        assert cli.good("random", "--schema-file", schema, "--count", 5000, "--seed", seed, file) == []
    one, same, other = (file.read_bytes() for file in files)
    assert one == same
    assert one != other
    assert polars_avro.read_avro_metadata(one).n_rows == 5000


def test_values_are_valid_for_their_logical_types(cli, schema, tmp_path):
    cli.good("random", "--schema", schema, "--count", 500, "--seed", 3, "-C", "null", tmp_path / "a.avro")
    df = polars_avro.read_avro(tmp_path / "a.avro")
    assert df.schema["money"] == pl.Decimal(5, 2)
    assert all(0 < df[name].null_count() < 500 for name in LOGICAL)
    assert df["utc"].dt.year().min() >= 1900
    assert df["local"].dt.year().max() < 2100
    with open(tmp_path / "a.avro", "rb") as file:
        next(fields := fastavro.reader(file))
    assert fields.codec == "null"


def test_every_type(cli, tmp_path):
    cli.good("random", "--schema", json.dumps(EVERY_TYPE), "--count", 300, "--seed", 0, tmp_path / "a.avro")
    _, rows = raw_rows((tmp_path / "a.avro").read_bytes())
    assert len(rows) == 300
    tags = [row[12] for row in rows]
    assert {index for entries in tags for index, _ in entries.values()} == set(range(5))
    assert json.loads(polars_avro.read_avro_metadata(tmp_path / "a.avro").avro_schema) == EVERY_TYPE


@given(strategies.schemas())
@cases(0.2, phases=[Phase.generate])
def test_random_schemas(tmp_path_factory, schema):
    assume(not is_recursive(parse(schema)))
    path = tmp_path_factory.mktemp("random") / "a.avro"
    assert run(["random", "--schema", json.dumps(schema), "--count", "30", "--seed", "1", str(path)]) == 0
    assert len(raw_rows(path.read_bytes())[1]) == 30
    assert polars_avro.read_avro(path).height == 30


def test_no_rows_and_standard_output():
    from command_line import process

    done = process("random", "--schema", '"int"', "--count", 0, "-")
    assert (done.returncode, done.stderr) == (0, b"")
    assert list(fastavro.reader(io.BytesIO(done.stdout))) == []


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ([], "the union has no values"),
        ({"type": "record", "name": "T", "fields": [{"name": "next", "type": ["null", "T"]}]}, "field `next`"),
        ("no type", "No such file"),
    ],
)
def test_schemas_that_are_refused(cli, tmp_path, schema, said):
    text = schema if isinstance(schema, str) else json.dumps(schema)
    assert said in cli.refused("random", "--schema", text, "--count", 1, tmp_path / "a.avro", status=3)
    assert not (tmp_path / "a.avro").exists()


def test_count_is_needed(cli, tmp_path):
    assert "--count" in cli.refused("random", "--schema", '"int"', tmp_path / "a.avro", status=2)
