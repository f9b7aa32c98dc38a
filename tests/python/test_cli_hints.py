"""Messages of the command line that say what to do, and protection against usual mistakes."""

import json
import os
import subprocess
import sys

import polars as pl
import pytest
from command_line import HOME
from rows import make_rows, write

import polars_avro
from polars_avro._cli import app as cli_app
from polars_avro._cli import dtypes, escapes


@pytest.fixture
def two(tmp_path):
    return [write(tmp_path / f"k{i}.avro", make_rows(3)) for i in (1, 2)]


def test_a_forgotten_target_does_not_replace_the_last_source(cli, two, tmp_path):
    before = two[1].read_bytes()
    for command in ("concat", "convert"):
        third = write(tmp_path / "k3.avro", make_rows(5))
        error = cli.refused(command, *two, third, status=3)
        assert (
            error
            == f"polars-avro: error: {third} exists: the last argument is TARGET; pass --overwrite to replace it\n"
        )
        cli.good(command, "--overwrite", *two, third)
        assert polars_avro.read_avro(third).height == 6
    assert "--overwrite" in cli.refused("concat", *two, status=3)
    assert two[1].read_bytes() == before


def test_one_source_replaces_the_target(cli, two):
    cli.good("convert", "-c", "id", *two)
    assert polars_avro.read_avro(two[1]).columns == ["id"]


def test_devices_are_no_existing_targets(two):
    from command_line import process

    for arguments in (["concat", *two, "/dev/stdout"], ["convert", *two, "/dev/stdout", "--to", "avro"]):
        done = process(*arguments)
        assert (done.returncode, done.stderr) == (0, b"")
        assert polars_avro.read_avro(done.stdout).height == 6


def test_columns_that_csv_does_not_have(cli, two, tmp_path):
    error = cli.refused("convert", two[0], tmp_path / "a.csv", status=3)
    assert "column 'tags' is List(String), and CSV does not support nested data: leave it out with --columns" in error
    assert "or convert to .ndjson" in error
    polars_avro.write_avro(pl.DataFrame({"b": [b"x"]}), tmp_path / "b.avro")
    assert "column 'b' is Binary" in cli.refused("convert", tmp_path / "b.avro", tmp_path / "b.csv", status=3)


@pytest.mark.parametrize("command", ["convert", "concat"])
def test_a_single_argument_is_a_source(cli, command):
    assert "Missing argument 'TARGET'" in cli.refused(command, "a.avro", status=2)
    assert "Missing argument 'SOURCE...'" in cli.refused(command, status=2)


def test_tables_escape_control_characters(cli, tmp_path):
    texts = ["a\x1b[31mred", "line\nnext\ttab", "\x7f\x9b", "back\\slash", None]
    dtype = pl.Struct({"x": pl.List(pl.String)})
    columns = {
        "t\n": texts,
        "e": pl.Series(["q\x1b", "r"] + [None] * 3, dtype=pl.Enum(["q\x1b", "r"])),
        "c": pl.Series(texts, dtype=pl.Categorical),
        "l": [[each] for each in texts],
        "s": pl.Series([{"x": [each]} for each in texts], dtype=dtype),
        "a": pl.Series([[each] for each in texts], dtype=pl.Array(pl.String, 1)),
        "n": [1] * 5,
    }
    df = pl.DataFrame(columns)
    shown = escapes.frame(df)
    assert shown["t\\n"].to_list() == ["a\\x1b[31mred", "line\\nnext\\ttab", "\\x7f\\x9b", "back\\slash", None]
    assert shown["s"].to_list()[1] == {"x": ["line\\nnext\\ttab"]}
    assert [str(dtype) for dtype in shown.dtypes if dtype != shown["e"].dtype] == [
        str(dtype) for dtype in df.dtypes if dtype != df["e"].dtype
    ]
    assert escapes.frame(pl.DataFrame({"a\n": [1], "a\\n": [2]})).columns == ["a\\n (0)", "a\\n"]
    polars_avro.write_avro(df.select("l", "s", pl.first().alias("t")), tmp_path / "a.avro", metadata={"k": b"x\x1b\ny"})
    for command in ("head", "tail", "sample"):
        outcome = cli(command, tmp_path / "a.avro")
        assert not {"\x1b", "\t", "\x7f", "\x9b"} & set(outcome.out)
        # A head of four lines, five rows, the bottom and the counts.
        assert len(outcome.lines) == 12
    assert "  k: x\\x1b\\ny" in cli.good("metadata", tmp_path / "a.avro")


def test_compressed_avro_is_a_source_of_convert(cli, two, tmp_path):
    import bz2
    import gzip

    (tmp_path / "a.avro.gz").write_bytes(gzip.compress(two[0].read_bytes()))
    (tmp_path / "B.AVRO.bz2").write_bytes(bz2.compress(two[1].read_bytes()))
    cli.good("convert", tmp_path / "a.avro.gz", tmp_path / "B.AVRO.bz2", tmp_path / "a.parquet")
    assert pl.read_parquet(tmp_path / "a.parquet").height == 6
    assert "endings" in cli.refused("convert", two[0], tmp_path / "b.avro.gz", status=2)


def test_json_is_lines_or_the_encoding_of_avro(cli, two, tmp_path):
    for arguments in ([two[0], tmp_path / "a.json"], [tmp_path / "a.json", tmp_path / "a.avro"]):
        error = cli.refused("convert", *arguments, status=2)
        assert "; JSON lines are .ndjson, and `tojson` and `fromjson` convert Avro's JSON encoding" in error


@pytest.mark.parametrize(("separator", "written"), [(";", ";"), ("\\t", "\t"), ("\t", "\t"), ("tab", "\t"), ("|", "|")])
def test_separators(cli, two, tmp_path, separator, written):
    cli.good("convert", "-c", "id,name", two[0], tmp_path / "a.csv", "--separator", separator)
    assert (tmp_path / "a.csv").read_text().splitlines()[1] == f"0{written}name 0"
    cli.good("convert", tmp_path / "a.csv", tmp_path / "a.parquet", "--separator", separator)
    assert pl.read_parquet(tmp_path / "a.parquet").columns == ["id", "name"]


def test_wrong_separators(cli, two, tmp_path):
    assert "one ASCII character" in cli.refused("convert", *two, "--separator", "::", status=2)
    assert "one ASCII character" in cli.refused("convert", *two, "--separator", "→", status=2)
    assert "for CSV" in cli.refused("convert", *two, "--separator", ";", status=2)


@pytest.mark.parametrize(
    ("text", "dtype"),
    [
        ("Int8", pl.Int8()),
        ('Datetime(time_unit="ms", time_zone="UTC")', pl.Datetime("ms", "UTC")),
        ("Datetime", pl.Datetime()),
        ("Decimal(10, 2)", pl.Decimal(10, 2)),
        ("List(Int32)", pl.List(pl.Int32)),
        ("List( Datetime('us') )", pl.List(pl.Datetime("us"))),
        ("Enum(['a', 'b,)'])", pl.Enum(["a", "b,)"])),
        ("Array(Int8, shape=(2,))", pl.Array(pl.Int8, 2)),
        ("Struct({'x': Int64, 'y': List(String)})", pl.Struct({"x": pl.Int64, "y": pl.List(pl.String)})),
    ],
)
def test_dtypes_with_parameters(text, dtype):
    assert dtypes.parse(f"first=Int64,name={text}, last = String") == {
        "first": pl.Int64(),
        "name": dtype,
        "last": pl.String(),
    }
    # They are printed by `polars-avro schema`.
    assert dtypes.parse(f"a={dtype}") == {"a": dtype}


@pytest.mark.parametrize(
    "text",
    [
        *(
            "Whole",
            "List",
            "Array(Int8)",
            "Int64(1)",
            "Struct(1)",
            "__import__('os')",
            "pl.Int64",
            "Int64 if 1 else Int8",
        ),
        *("Enum(['a', 'a'])", "List(open)", "List(**{})", "(" * 500, "Datetime('h')", "[Int8][0]", "1", "'Int8'", ""),
    ],
)
def test_texts_that_are_no_dtypes(cli, tmp_path, text):
    (tmp_path / "a.csv").write_text("a\n1\n")
    error = cli.refused("convert", tmp_path / "a.csv", tmp_path / "a.avro", "--schema", f"a={text}", status=2)
    assert "--schema: no dtype " in error
    assert "Int8, Int16," in error


def test_dtypes_with_parameters_are_read(cli, tmp_path):
    (tmp_path / "a.csv").write_text("t,d\n2026-01-01 00:00:00,1.5\n")
    schema = 't=Datetime(time_unit="ms"),d=Decimal(10, 2)'
    cli.good("convert", tmp_path / "a.csv", tmp_path / "a.avro", "--schema", schema)
    assert polars_avro.read_avro(tmp_path / "a.avro").schema == {"t": pl.Datetime("ms"), "d": pl.Decimal(10, 2)}


@pytest.mark.parametrize("ending", ["avro", "parquet", "arrow", "csv", "ndjson"])
def test_the_avro_schema_to_write_with(cli, tmp_path, ending):
    polars_avro.write_avro(pl.DataFrame({"a": [1, 2], "s": ["x", "y"]}), tmp_path / "in.avro", metadata={"by": "me"})
    cli.good("convert", tmp_path / "in.avro", tmp_path / f"in.{ending}")
    fields = [{"name": "s", "type": "string", "doc": "the s"}, {"name": "a", "type": "int"}]
    schema = {"type": "record", "name": "Other", "fields": fields}
    (tmp_path / "o.avsc").write_text(json.dumps(schema))
    for given in (tmp_path / "o.avsc", json.dumps(schema)):
        cli.good("convert", tmp_path / f"in.{ending}", tmp_path / "out.avro", "--schema", given)
        metadata = polars_avro.read_avro_metadata(tmp_path / "out.avro")
        assert json.loads(metadata.avro_schema) == schema
        assert metadata.metadata.get("by") == (b"me" if ending == "avro" else None)
    if ending not in ("csv", "ndjson"):
        error = cli.refused("convert", tmp_path / f"in.{ending}", tmp_path / "o.parquet", "--schema", given, status=2)
        assert "Avro targets" in error
        error = cli.refused("convert", tmp_path / f"in.{ending}", tmp_path / "o.avro", "--schema", "a=Int8", status=2)
        assert "CSV and NDJSON" in error


def test_names_that_other_commands_have(cli, two, tmp_path):
    cli.good("convert", "--codec", "zstd", "--level", 9, two[0], tmp_path / "a.avro")
    assert polars_avro.read_avro_metadata(tmp_path / "a.avro").codec == "zstandard"
    cli.good("convert", "-c", "id", "--level", 3, two[0], tmp_path / "a.csv.gz")
    cli.good("convert", "--compression", "gzip", "--level", 3, two[0], tmp_path / "a.parquet")
    assert pl.read_parquet(tmp_path / "a.parquet").height == 3
    assert "no levels" in cli.refused("convert", "--level", 3, two[0], tmp_path / "a.arrow", status=2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a.avro"], "no command 'a.avro'; `polars-avro head a.avro` shows its rows (see 'polars-avro --help')"),
        (["data/a"], "; `polars-avro head data/a` shows its rows"),
        (["canonical", "a.avsc"], "no command 'canonical'; did you mean `schema --format canonical`?"),
        (["rowcount", "a"], "no command 'rowcount'; did you mean `count`?"),
        (["hed"], "no command 'hed'; did you mean 'head'? (see 'polars-avro --help')"),
        (["help", "hed"], "no command 'hed'; did you mean 'head'? (see 'polars-avro --help')"),
        (["head", "a.avro", "--columns"], "requires an argument. (see 'polars-avro head --help')"),
        (["head", "-15", "a.avro"], "no option -15; did you mean -n 15? (see 'polars-avro head --help')"),
        (["head", "--limit", "3"], "no option --limit; did you mean --rows?"),
        (["random", "--limit", "3"], "no option --limit; did you mean --count?"),
        (["cat", "--filter", "a > 1"], "no option --filter; did you mean --where?"),
        (["check", "--where", "a > 1"], "no option --where; head, tail, sample, cat, "),
        (["convert", "a", "--output", "b"], "no option --output; the last argument is TARGET"),
        (["cat", "--colums", "a"], "no option --colums; did you mean --columns?"),
        (["diff", "--limit", "3"], "no option --limit (see 'polars-avro diff --help')"),
    ],
)
def test_usual_mistakes(cli, arguments, said):
    assert said in cli.refused(*arguments, status=2)


def test_help_as_a_command(cli):
    assert cli.good("help", "head") == cli.good("head", "--help")
    assert cli.good("help") == cli.good("--help")
    assert cli.good("help", "getmeta")[0] == "Usage: polars-avro getmeta [OPTIONS] SOURCE..."


@pytest.mark.parametrize("command", ["", *cli_app.cli.commands])
def test_help_fits_80_columns(cli, command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = cli.good(*([command] if command else []), "--help")
    assert max(map(len, lines)) <= 80
    if not command:
        assert not any(line.endswith("...") for line in lines[1:])
        assert any(line.split()[:1] == ["70"] for line in lines)
    options = [line.split()[0].rstrip(",") for line in lines if line.startswith("  -")]
    for first, last in (("-n", "--hidden-file-prefix"), ("--where", "--storage-option"), ("-C", "--storage-option")):
        if {first, last} <= set(options):
            assert options.index(first) < options.index(last)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no such device")
@pytest.mark.parametrize("command", ["count", "schema", "help"])
def test_standard_output_is_named(command, two):
    with open("/dev/full", "wb") as full:
        arguments = [command] if command == "help" else [command, str(two[0])]
        done = subprocess.run(
            [sys.executable, "-m", "polars_avro", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=HOME,
            check=False,
        )
    assert done.stderr == b"polars-avro: error: standard output: No space left on device\n"
    assert done.returncode == 3


def test_fields_are_matched_by_other_rules(cli, tmp_path):
    for name, column in (("a", "id"), ("b", "ID"), ("c", "other")):
        polars_avro.write_avro(pl.DataFrame({column: [1]}), tmp_path / f"{name}.avro")
    a, b, c = (tmp_path / f"{name}.avro" for name in "abc")
    assert cli("cat", a, b).status == 3
    assert cli.good("cat", "--field-matching", "case_insensitive", a, b) == ['{"id":1}'] * 2
    assert cli.good("cat", "--field-matching", "position", a, c) == ['{"id":1}'] * 2
    arguments = ["--field-matching", "position", "--schema-mode", "union", a, c]
    assert "--schema-mode first" in cli.refused("cat", *arguments, status=2)


def test_columns_may_be_fields_of_structs(cli, tmp_path):
    df = pl.DataFrame({"x": [1, 2], "p": [{"a": 1, "b": [{"c": 1, "d": 2}]}, None]})
    polars_avro.write_avro(df, tmp_path / "a.avro")
    assert cli.good("cat", "-c", "p.b.c", tmp_path / "a.avro") == ['{"p":{"b":[{"c":1}]}}', '{"p":null}']
    assert cli.good("cat", "-c", "p.a,p.b.d,x", "--where", "x = 1", tmp_path / "a.avro") == [
        '{"p":{"a":1,"b":[{"d":2}]},"x":1}'
    ]
    assert cli.good("cat", "-c", "p.a", "--where", "x = 1", tmp_path / "a.avro") == ['{"p":{"a":1}}']
    assert "which --where needs whole" in cli.refused(
        "cat", "-c", "p.a", "--where", "p.a = 1", tmp_path / "a.avro", status=2
    )
    error = cli.refused("cat", "--where", "p.z = 1", tmp_path / "a.avro", status=2)
    assert "--where: no struct has the field 'z' (see" in error
    assert "did you mean 'p.a'" in cli.refused("cat", "-c", "p.A", tmp_path / "a.avro", status=3)


def test_count_where(cli, directory, tmp_path):
    assert cli.good("count", "--where", "id < 350", directory) == ["350"]
    assert cli.good("count", "--where", "1 = 1", directory) == ["1000"]
    assert cli.good("count", "--where", "id between 10 and 20 or id = 5", directory) == ["12"]
    assert "--by-file" in cli.refused("count", "--by-file", "--where", "id < 3", directory, status=2)
    assert "--where: no column" in cli.refused("count", "--where", "z < 3", directory, status=2)
    for name, column in (("x", "p"), ("y", "q")):
        polars_avro.write_avro(pl.DataFrame({"a": [1, 2], column: [1, 2]}), tmp_path / f"{name}.avro")
    assert cli.good("count", "--where", "a = 1", tmp_path / "x.avro", tmp_path / "y.avro") == ["2"]


def test_random_takes_n(cli, tmp_path):
    cli.good("random", "--schema", '"int"', "-n", 7, tmp_path / "r.avro")
    assert cli.good("count", tmp_path / "r.avro") == ["7"]


def test_rows_and_columns_of_the_encoding_of_avro(cli, directory):
    lines = [json.loads(line) for line in cli.good("tojson", directory)]
    assert len(lines) == 1000
    for offset, n in ((0, 3), (299, 3), (300, 700), (700, 1000), (1000, 1), (5, 0)):
        found = cli.good("tojson", "-c", "score,id", "--offset", offset, "-n", n, directory)
        expected = [{"score": row["score"], "id": row["id"]} for row in lines[offset : offset + n]]
        assert [json.loads(line) for line in found] == expected
    assert json.loads(cli.good("tojson", "-c", "score,id", "-n", 1, directory)[0]) == {
        "score": lines[0]["score"],
        "id": 0,
    }
    assert [json.loads(line)["id"] for line in cli.good("tojson", "--offset", 998, directory)] == [998, 999]
    assert "did you mean 'score'" in cli.refused("tojson", "-c", "scor", directory, status=3)


def test_types_are_defined_where_they_are_first_selected(cli, tmp_path):
    inner = {"type": "record", "name": "I", "fields": [{"name": "x", "type": "int"}]}
    fields = [{"name": "a", "type": inner}, {"name": "b", "type": ["null", "I"]}]
    schema = {"type": "record", "name": "R", "fields": fields}
    write(tmp_path / "a.avro", [{"a": {"x": 1}, "b": {"x": 2}}], schema)
    assert cli.good("tojson", "-c", "b", tmp_path / "a.avro") == ['{"b":{"I":{"x":2}}}']


@pytest.mark.skipif(sys.platform == "win32", reason="names cannot have control characters")
def test_names_of_files_are_escaped(cli, tmp_path):
    path = write(tmp_path / "a\x1b[31m.avro", make_rows(1))
    (tmp_path / "b\x1b[31m.avro").write_bytes(path.read_bytes()[:-1])
    for command in ("check", "count --by-file", "schema", "metadata", "repair"):
        target = [tmp_path / "c\x1b[31m.avro"] if command == "repair" else [path]
        printed = cli(*command.split(), path, *target)
        assert "\x1b" not in printed.out + printed.err
        assert "a\\x1b[31m.avro" in printed.out.replace("\\u001b", "\\x1b") or command == "count --by-file"


@pytest.mark.parametrize("command", ["head", "cat", "tail", "sample"])
def test_sources_that_do_not_exist_are_noticed_before_the_first_row(cli, two, tmp_path, command):
    error = cli.refused(command, "-n", 1, two[0], tmp_path / "no.avro", status=3)
    assert error.endswith("no.avro: No such file or directory\n")
    error = cli.refused(command, two[0], "5", status=3)
    assert error.endswith("5: No such file or directory; did you mean -n 5?\n")


def test_names_with_commas_are_quoted(cli, tmp_path):
    path = tmp_path / "a.avro"
    polars_avro.write_avro(pl.DataFrame({"c,d": [1], "e": [2], 'f"g': [3]}), path)
    assert cli.good("cat", "-c", '"c,d", e', path) == ['{"c,d":1,"e":2}']
    assert cli.good("cat", "-c", '"f""g"', path) == ['{"f\\"g":3}']
    assert cli.good("cat", "-c", 'f"g', path) == ['{"f\\"g":3}']


def test_schemas_on_standard_input(cli, two, tmp_path):
    text = cli("schema", "-f", "avro", two[0]).out
    expected = cli.good("schema", two[0])
    assert cli.good("schema", "-", stdin=b"\n " + text.encode()) == expected
    assert cli.good("schema", "-", stdin=two[0].read_bytes()) == expected
    fingerprint = cli.good("schema", "-f", "fingerprint", two[0])
    assert cli.good("schema", "-f", "fingerprint", "-", stdin=text.encode()) == fingerprint
    for data in (text.encode(), two[0].read_bytes()):
        assert cli("diff", "-", two[1], stdin=data).status == 0
    assert "no type is named `nothing`" in cli.refused("schema", "-", stdin=b'"nothing"', status=3)
