"""Commands that inspect files."""

import json
import os
import re

import fastavro
import polars as pl
import pytest
from containers import block, header, long, text
from rows import SCHEMA, make_rows, write

import polars_avro

INTS = {"type": "record", "name": "R", "fields": [{"name": "a", "type": "int"}, {"name": "b", "type": "string"}]}


GOOD = block(10, b"".join(long(i) + text(f"row {i}") for i in range(10)))
NO_TEXT = block(1, long(7) + long(1) + b"\xff")
NO_SIZE = GOOD.replace(long(10), long(10) + long(-7), 1)


@pytest.fixture
def damaged(tmp_path):
    """Four sound blocks, and between them a block of invalid text and one of an impossible size."""
    path = tmp_path / "damaged.avro"
    path.write_bytes(header(INTS) + GOOD + NO_TEXT + GOOD + NO_SIZE + GOOD + GOOD)
    return path


def test_head_prints_ten_rows_by_default(cli, path):
    lines = cli.good("head", path)
    assert sum(re.search(r"name \d", line) is not None for line in lines) == 10
    assert lines[-1] == "10 rows, 4 columns"


@pytest.mark.parametrize("n", [0, 3])
def test_head_prints_as_many_rows_as_asked(cli, path, n):
    lines = cli.good("head", "-n", n, path)
    assert sum(re.search(r"name \d", line) is not None for line in lines) == n


def test_head_reads_columns_in_the_order_given(cli, path):
    names = cli.good("head", "--columns", "score, id", path)[1]
    assert names.index("score") < names.index("id")


@pytest.mark.parametrize("width", [20, 40, 80, 133])
def test_tables_fit_the_terminal(cli, tmp_path, monkeypatch, width):
    fields = [{"name": f"a_column_with_a_long_name_{i}", "type": "string"} for i in range(30)]
    row = {field["name"]: "words " * 20 for field in fields}
    wide = write(tmp_path / "wide.avro", [row] * 3, {"type": "record", "name": "R", "fields": fields})
    monkeypatch.setenv("COLUMNS", str(width))
    assert max(map(len, cli.good("head", wide))) <= width


def test_cat_prints_every_row_as_json(cli, path):
    assert [json.loads(line) for line in cli.good("cat", path)] == make_rows(1000)


def test_cat_stops_after_rows(cli, path):
    assert [json.loads(line)["id"] for line in cli.good("cat", "-n", 3, "-c", "id", path)] == [0, 1, 2]


def test_cat_of_several_files_and_of_a_pattern(cli, directory):
    files = [directory / f"{name}.avro" for name in "ade"]
    expected = [json.dumps(row, separators=(",", ":")) for row in make_rows(1000)]
    assert cli.good("cat", *files) == expected
    assert cli.good("cat", directory / "*.avro") == expected
    assert cli.good("cat", directory) == expected


def test_cat_reads_standard_input(cli, path):
    assert len(cli.good("cat", "-", stdin=path.read_bytes())) == 1000
    assert "other sources" in cli.refused("cat", "-", path, status=2)


def test_cat_prints_bytes_as_base64_wherever_they_are(cli, tmp_path):
    inner = {"type": "record", "name": "I", "fields": [{"name": "b", "type": ["null", "bytes"]}]}
    fields = {
        "plain": "bytes",
        "fixed": {"type": "fixed", "name": "F", "size": 2},
        "list": {"type": "array", "items": "bytes"},
        "map": {"type": "map", "values": "bytes"},
        "record": inner,
        "records": {"type": "array", "items": "I"},
        "other": "int",
    }
    schema = {"type": "record", "name": "R", "fields": [{"name": n, "type": t} for n, t in fields.items()]}
    row = {
        "plain": b"\x00\xff",
        "fixed": b"ab",
        "list": [b"a", b""],
        "map": {"k": b"v"},
        "record": {"b": None},
        "records": [{"b": b"xyz"}],
        "other": 7,
    }
    (line,) = cli.good("cat", write(tmp_path / "bytes.avro", [row], schema))
    found = json.loads(line)
    # Before Polars 2 a map is a list of entries.
    found["map"] = found["map"] if isinstance(found["map"], dict) else {e["key"]: e["value"] for e in found["map"]}
    assert found == {
        "plain": "AP8=",
        "fixed": "YWI=",
        "list": ["YQ==", ""],
        "map": {"k": "dg=="},
        "record": {"b": None},
        "records": [{"b": "eHl6"}],
        "other": 7,
    }


def test_count(cli, path, directory):
    assert cli.good("count", path) == ["1000"]
    assert cli.good("count", directory / "*.avro", path) == ["2000"]
    assert cli.good("count", "-", stdin=path.read_bytes()) == ["1000"]


def test_count_by_file(cli, directory):
    a, b = directory / "a.avro", directory / "b.avro"
    assert cli.good("count", "--by-file", a, b) == [f"300\t{a}", f"0\t{b}", "300\ttotal"]


def test_count_of_files_that_differ(cli, path, tmp_path):
    other = write(tmp_path / "other.avro", [{"a": 1, "b": "x"}], INTS)
    assert cli.good("count", path, other) == ["1001"]


def test_brackets_in_the_names_of_listed_files_are_no_patterns(cli, tmp_path):
    write(tmp_path / "x[1].avro", make_rows(5))
    assert cli.good("count", tmp_path) == ["5"]
    assert cli.good("check", tmp_path) == [f"{tmp_path}/x[1].avro: ok, 5 rows".replace("/", os.sep)]


def test_count_of_sound_blocks(cli, damaged):
    outcome = cli("count", "--ignore-errors", damaged)
    assert (outcome.status, outcome.out) == (0, "40\n")
    assert outcome.err.startswith("polars-avro: warning: 2 damaged blocks were")
    assert outcome.err.count("\n") == 1


def test_schema_of_polars(cli, path):
    assert [line.split(maxsplit=1) for line in cli.good("schema", path)] == [
        ["id", "Int64"],
        ["name", "String"],
        ["score", "Float64"],
        ["tags", "List(String)"],
    ]


def test_schema_of_avro(cli, path):
    found = json.loads("\n".join(cli.good("schema", "--format", "avro", path)))
    assert found["fields"] == json.loads(polars_avro.read_avro_metadata(path).avro_schema)["fields"]


def test_schema_in_canonical_form_and_its_fingerprints(cli, path):
    (canonical,) = cli.good("schema", "-f", "canonical", path)
    assert canonical == fastavro.schema.to_parsing_canonical_form(SCHEMA)
    lines = [line.split() for line in cli.good("schema", "-f", "fingerprint", path)]
    found = dict(lines)
    assert found["SHA-256"] == fastavro.schema.fingerprint(canonical, "SHA-256")
    assert found["MD5"] == fastavro.schema.fingerprint(canonical, "MD5")
    assert found["CRC-64-AVRO"] == fastavro.schema.fingerprint(canonical, "CRC-64-AVRO")


def test_schemas_of_several_files(cli, directory):
    lines = cli.good("schema", directory / "a.avro", directory / "b.avro")
    assert [line for line in lines if line.startswith("==>")] == [
        f"==> {directory / name} <==" for name in ("a.avro", "b.avro")
    ]


def test_metadata(cli, tmp_path):
    path = write(tmp_path / "a.avro", make_rows(10), metadata={"by": "me"}, codec="deflate", sync_interval=10**6)
    lines = cli.good("metadata", path)
    for line in ("codec: deflate", "rows: 10", "blocks: 1", "schema: Row", "  by: me"):
        assert line in lines
    (line,) = cli.good("metadata", "--json", path)
    found = json.loads(line)
    assert (found["rows"], found["metadata"], found["file"]) == (10, {"by": "me"}, str(path))


def test_check_of_sound_files(cli, path, directory):
    assert cli.good("check", path) == [f"{path}: ok, 1,000 rows"]
    assert cli.good("check", "--quiet", path) == []
    assert len(cli.good("check", directory)) == 4


def test_check_lists_damaged_blocks(cli, damaged, path):
    outcome = cli("check", damaged, path)
    start = len(header(INTS)) + len(GOOD)
    assert (outcome.status, outcome.err) == (1, "")
    assert outcome.lines[0].startswith(f"{damaged}: block 1 at byte {start}")
    assert outcome.lines[0].endswith("(1 row)")
    assert outcome.lines[1].startswith(f"{damaged}: block 3 at byte ")
    assert outcome.lines[2] == f"{damaged}: 2 damaged blocks, 1 row or more lost, 40 rows can be read"
    assert outcome.lines[3:] == [f"{path}: ok, 1,000 rows"]


def test_check_of_files_that_are_no_avro_or_not_there(cli, tmp_path, path):
    (tmp_path / "no.avro").write_bytes(b"nothing of the kind")
    (tmp_path / "cut.avro").write_bytes(path.read_bytes()[:20])
    (tmp_path / "empty.avro").write_bytes(b"")
    for name in ("no", "cut", "empty", "absent"):
        outcome = cli("check", tmp_path / f"{name}.avro", path)
        assert outcome.status == 3
        assert outcome.lines == [f"{path}: ok, 1,000 rows"]
        assert outcome.err.startswith(f"polars-avro: error: {tmp_path / name}.avro: ")
        assert outcome.err.count("\n") == 1


@pytest.mark.parametrize("command", ["schema", "metadata"])
def test_files_after_one_that_cannot_be_read(cli, command, tmp_path, path):
    (tmp_path / "no.avro").write_bytes(b"nothing of the kind")
    outcome = cli(command, tmp_path / "no.avro", path, tmp_path / "absent.avro")
    assert outcome.status == 3
    assert outcome.lines[0] in (f"==> {path} <==", f"file: {path}")
    assert outcome.lines[1:] == cli.good(command, path)[-len(outcome.lines) + 1 :]
    assert ["no.avro" in line for line in outcome.err.splitlines()] == [True, False]


@pytest.mark.parametrize("command", ["head", "cat", "schema", "metadata", "count"])
def test_files_that_cannot_be_read_are_one_line(cli, command, tmp_path):
    absent = tmp_path / "absent.avro"
    assert str(absent) in cli.refused(command, absent, status=3)
    broken = tmp_path / "broken.avro"
    broken.write_bytes(b"Obj\x01 and no more")
    assert str(broken) in cli.refused(command, broken, status=3)
    assert "<stdin>" in cli.refused(command, "-", stdin=b"nothing", status=3)


def test_columns_that_are_not_there(cli, path):
    assert "missing" in cli.refused("head", "-c", "missing", path, status=3)
    assert "'id' twice" in cli.refused("head", "-c", "id, id", path, status=2)


@pytest.mark.parametrize(
    "arguments", [["head"], ["head", "-n", "-1", "x.avro"], ["unknown"], ["schema", "-f", "json", "x.avro"]]
)
def test_wrong_command_lines_are_one_line_that_names_the_help(cli, arguments):
    assert "--help" in cli.refused(*arguments, status=2)


def test_files_of_several_schemas(cli, path, tmp_path):
    other = write(tmp_path / "other.avro", [{"a": 1, "b": "x"}], INTS)
    for arguments in (["cat", path, other], ["head", "-n", 2000, other, path]):
        assert cli.refused(*arguments, status=3).endswith("; --schema-mode union reads the columns of all files\n")
    lines = cli.good("cat", "--schema-mode", "union", path, other)
    assert json.loads(lines[-1]) == {"id": None, "name": None, "score": None, "tags": None, "a": 1, "b": "x"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(cli, shell):
    script = "\n".join(cli.good("completion", shell))
    assert "_POLARS_AVRO_COMPLETE" in script


def test_every_command_has_help(cli):
    lines = cli.good("--help")
    commands = ["head", "cat", "schema", "metadata", "count", "check", "convert", "diff", "completion"]
    for command in commands:
        assert any(line.split()[:1] == [command] for line in lines)
        assert cli.good(command, "--help")[0].startswith(f"Usage: polars-avro {command}")


def test_what_is_printed_is_what_is_read(cli, path):
    """The table has the values of the frame."""
    df = polars_avro.read_avro(path, n_rows=5)
    with pl.Config(tbl_formatting="UTF8_FULL_CONDENSED", tbl_hide_dataframe_shape=True, tbl_width_chars=120):
        assert cli.good("head", "-n", 5, path)[:-1] == str(df).splitlines()


def test_options_of_stores(cli, path, moto):
    from places import s3_place

    place = s3_place(moto)
    url = place.fill("rows.avro", path.read_bytes())
    store = [part for name, value in place.options.items() for part in ("--storage-option", f"{name}={value}")]
    assert cli.good("count", url, "--storage-option", "max_retries=2", *store) == ["1000"]
    assert cli.good("count", f"{place.prefix}*.avro", *store) == ["1000"]
    assert cli.good("check", url, *store) == [f"{url}: ok, 1,000 rows"]
    for command in ("head", "cat", "schema", "metadata"):
        assert cli.good(command, url, *store)[1:] == cli.good(command, path)[1:]
    assert cli.good("diff", url, str(path), *store)[-1].endswith("yes")
    cli.good("convert", url, f"{place.prefix}copy.avro", *store)
    assert cli.good("count", f"{place.prefix}copy.avro", *store) == ["1000"]
    error = cli.refused("count", url, "--storage-option", "endpont_url=topsecret", status=3)
    assert "endpoint_url" in error
    assert "topsecret" not in error
    error = cli.refused("count", url, "--storage-option", "topsecret", status=2)
    assert "KEY=VALUE" in error
