"""Rows that commands print, their format, and values that cannot be printed."""

import json
import os
import sys

import polars as pl
import pytest
from command_line import process
from containers import container, text
from rows import make_rows, write

import polars_avro

needs_maps = pytest.mark.skipif(not hasattr(pl, "Map"), reason="maps came with Polars 2")
#: Postgres' infinity, as connectors write it.
INFINITY = 9223372036825200000


def ids(lines):
    return [json.loads(line)["id"] for line in lines]


def test_offset(cli, path):
    assert ids(cli.good("cat", "-c", "id", "--offset", 997, path)) == [997, 998, 999]
    assert ids(cli.good("cat", "-c", "id", "--offset", 5, "-n", 2, path)) == [5, 6]
    assert cli.good("cat", "--offset", 1000, path) == []
    assert cli.good("head", "--offset", 999, path)[-1] == "1 row, 4 columns"


@pytest.mark.parametrize("n", [0, 1, 3, 1000, 2000])
def test_tail(cli, path, directory, n):
    names = [row["name"] for row in make_rows(1000)]
    for source in (path, directory):
        lines = cli.good("tail", "-n", n, "-c", "name", source)
        assert [line.strip("│ ") for line in lines[5:-2]] == names[1000 - min(n, 1000) :]


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    """A file that is read in several frames."""
    path = tmp_path_factory.mktemp("long") / "long.avro"
    polars_avro.write_avro(pl.DataFrame({"id": range(400_000)}), path)
    with polars_avro.AvroReader(path) as reader:
        assert len(list(reader)) > 2
    return path


@pytest.mark.parametrize("offset", [0, 1, 1000, 150_000, 399_999, 400_000, 500_000])
def test_offsets_of_filtered_rows_count_over_all_frames(cli, long, offset):
    for n in (1, 100_000):
        found = ids(cli.good("cat", "--where", "id >= 0", "--offset", offset, "-n", n, long))
        assert found == list(range(offset, min(offset + n, 400_000)))


def test_where(cli, path):
    rows = make_rows(1000)
    for condition, holds in [
        ("id > 990", lambda row: row["id"] > 990),
        ("id in (1, 2) or name = 'name 7'", lambda row: row["id"] in (1, 2) or row["name"] == "name 7"),
        ("score is null", lambda row: row["score"] is None),
        ("name like '%99'", lambda row: row["name"].endswith("99")),
        ("id between 3 and 5 or id = 7", lambda row: row["id"] in (3, 4, 5, 7)),
        ("name <> '2024-06-01 = null' and id < 3", lambda row: row["id"] < 3),
        ("cast(id as double) < 2.5", lambda row: row["id"] < 2.5),
        ("false", lambda row: False),
        ("1 = 1", lambda row: True),
    ]:
        expected = [row["id"] for row in rows if holds(row)]
        assert ids(cli.good("cat", "-c", "id", "--where", condition, path)) == expected
        assert ids(cli.good("cat", "-c", "id", "--where", condition, "-n", 2, "--offset", 1, path)) == expected[1:3]
        last = cli.good("tail", "-n", 2, "-c", "id", "--where", condition, path)
        assert [int(line.strip("│ ")) for line in last[5:-2]] == expected[-2:]


@pytest.mark.parametrize(
    ("condition", "status", "said"),
    [
        ("id > avg(id)", 2, "not depend on other rows"),
        ("id = 1 and name = max(name)", 2, "not depend on other rows"),
        ("id > sum(id) over (partition by name)", 2, "not depend on other rows"),
        ("true) limit (3", 2, "--where"),
        ("id >", 2, "--where"),
        ("name", 2, "Boolean"),
        ("nam = 'x'", 2, "--where: no column 'nam'; did you mean 'name'? (see"),
        ('name = "nam"', 2, "did you mean 'name'?; text is written in single quotes: 'nam' (see"),
        ("name = RAIN", 2, "score, tags; text is written in single quotes: 'RAIN' (see"),
        ("id >", 2, "--where: expected an expression, found the end (see"),
        ("id between 1", 2, "--where: expected AND, found the end (see"),
        ("id > > 5", 2, "--where: expected an expression, found > at line 1, column 6 (see"),
        ("id\n > > 5", 2, "--where: expected an expression, found > at line 2, column 4 (see"),
        ("id > 5 6", 2, "--where: expected the end, found 6 at line 1, column 8 (see"),
        ("id > 5)", 2, "--where: a ) without a ( (see"),
        ("(id > 5", 2, "--where: expected ), found the end (see"),
        ("name = 'x", 2, "--where: unterminated string literal at line 1, column 8 (see"),
        ('name = "x', 2, "--where: Expected close delimiter '\"' before the end at line 1, column 8 (see"),
        (
            "id > 2024-06-01",
            2,
            "--where: 2024-06-01 is a subtraction: write the date in single quotes, '2024-06-01' (see",
        ),
        ("name = NULL", 2, "--where: nothing equals NULL: write IS NULL or IS NOT NULL (see"),
        ("id > 'a'", 2, "--where: cannot compare string with numeric type (i64) (see"),
        ("cast(name as int) > 1", 2, "--where: conversion from `str` to `i32` failed in column 'name'"),
    ],
)
def test_conditions_that_are_none(cli, path, condition, status, said):
    assert said in cli.refused("head", "--where", condition, path, status=status)


@pytest.mark.parametrize("dtype", [pl.Enum(["CLEAR", "RAIN"]), pl.Categorical], ids=str)
@pytest.mark.parametrize("condition", ["{} like 'R%'", "starts_with({}, 'R')", "lower({}) = 'rain'"])
def test_a_condition_on_text_names_the_cast_of_an_enum(cli, tmp_path, dtype, condition):
    frame = pl.DataFrame({"sky": pl.Series(["RAIN", "CLEAR", None], dtype=dtype)})
    polars_avro.write_avro(frame, tmp_path / "a.avro")
    said = "; CAST(column AS TEXT) is its text (see"
    assert said in cli.refused("cat", "--where", condition.format("sky"), tmp_path / "a.avro", status=2)
    found = cli.good("cat", "--where", condition.format("CAST(sky AS TEXT)"), tmp_path / "a.avro")
    assert found == ['{"sky":"RAIN"}']


def test_where_in_other_commands(cli, path, tmp_path):
    target = tmp_path / "a.avro"
    cli.good("convert", "--where", "id < 3", path, target)
    assert polars_avro.read_avro(target)["id"].to_list() == [0, 1, 2]
    # The schema stays that of the file.
    assert polars_avro.read_avro_metadata(target).canonical_form == polars_avro.read_avro_metadata(path).canonical_form
    cli.good("convert", path, tmp_path / "a.parquet")
    cli.good("convert", "--where", "id < 3", "-c", "id,name", tmp_path / "a.parquet", tmp_path / "a.csv")
    assert pl.read_csv(tmp_path / "a.csv").height == 3


def test_sample(cli, path):
    lines = cli.good("sample", "-n", 5, "--seed", 1, "-c", "id", path)
    chosen = [int(line.strip("│ ")) for line in lines[5:-2]]
    assert chosen == sorted(set(chosen))
    assert len(chosen) == 5
    assert lines == cli.good("sample", "-n", 5, "--seed", 1, "-c", "id", path)
    assert lines != cli.good("sample", "-n", 5, "--seed", 2, "-c", "id", path)
    assert cli.good("sample", "-n", 0, path)[-1] == "0 rows, 4 columns"
    assert cli.good("sample", "-n", 2000, path)[-1] == "1,000 rows, 4 columns"
    assert cli.good("sample", "-n", 5, "--where", "id < 3", path)[-1] == "3 rows, 4 columns"


def test_a_sample_takes_each_row_as_often():
    from random import Random

    from polars_avro._cli.sampling import chosen

    frames = pl.DataFrame({"a": range(40)}).iter_slices(7)
    frames = list(frames)
    random = Random(3)
    taken = [0] * 40
    for _ in range(1000):
        for row in chosen(frames, 10, random):
            taken[row.item()] += 1
    # 250 each, with a deviation of 14.
    assert sum(taken) == 10_000
    assert 180 < min(taken) <= max(taken) < 320


def test_pretty(cli, path):
    lines = cli.good("cat", "--pretty", "-n", 2, path)
    assert lines[0] == "{"
    assert lines[1] == '  "id": 0,'
    assert json.loads("[" + "\n".join(lines).replace("\n}\n{", "\n},\n{") + "]") == make_rows(2)


def test_columns_of_paths(cli, tmp_path):
    for day in (1, 2):
        (tmp_path / f"day={day}").mkdir()
        write(tmp_path / f"day={day}" / "a.avro", make_rows(2))
    pattern = tmp_path / "day=*" / "*.avro"
    assert "day" in json.loads(cli.good("cat", tmp_path)[0])
    assert "day" not in json.loads(cli.good("cat", "--no-hive", tmp_path)[0])
    assert "day" not in json.loads(cli.good("cat", pattern)[0])
    assert [json.loads(line)["day"] for line in cli.good("cat", "--hive", pattern)] == [1, 1, 2, 2]
    assert len(cli.good("cat", "--hive", "--where", "day = 2 and id = 0", pattern)) == 1


def test_hidden_files(cli, tmp_path):
    write(tmp_path / "a.avro", make_rows(2))
    (tmp_path / "_SUCCESS.avro").write_text("done")
    (tmp_path / ".a.avro").write_text("check sum")
    hidden = ["--hidden-file-prefix", "_", "--hidden-file-prefix", "."]
    for command in ("head", "tail", "cat", "schema", "metadata", "count", "check"):
        assert cli(command, tmp_path).status in (1, 3)
        cli.good(command, *hidden, tmp_path)
    cli.good("convert", *hidden, tmp_path / "*.avro", tmp_path / "b.parquet")


@pytest.mark.parametrize(
    "command", ["head", "tail", "sample", "cat", "schema", "metadata", "count", "check", "convert"]
)
def test_directories_without_files(cli, tmp_path, command):
    (tmp_path / "empty").mkdir()
    target = [tmp_path / "a.parquet"] if command == "convert" else []
    assert "no file found" in cli.refused(command, tmp_path / "empty", *target, status=3)
    assert "no file found" in cli.refused(command, tmp_path / "*.avro", *target, status=3)


def test_columns_like_one_that_is_not_there(cli, path):
    assert "did you mean 'score'" in cli.refused("head", "-c", "scores", path, status=3)
    assert "the columns are id, name" in cli.refused("head", "-c", "x", path, status=3)


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes there")
def test_pipes_as_sources(cli, path, tmp_path, monkeypatch):
    import threading

    from polars_avro._cli import sources

    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for limit in (sources._IN_MEMORY, 1000):
        monkeypatch.setattr(sources, "_IN_MEMORY", limit)
        for command in ("cat", "count", "schema", "metadata", "check"):
            writer = threading.Thread(target=fifo.write_bytes, args=[path.read_bytes()])
            writer.start()
            lines = cli.good(command, fifo)
            writer.join()
            if command == "cat":
                assert lines == cli.good("cat", path)
    writer = threading.Thread(target=fifo.write_bytes, args=[path.read_bytes()[:-100]])
    writer.start()
    assert f"{fifo}: block" in cli.refused("cat", fifo, status=3)
    writer.join()


@needs_maps
def test_maps_with_keys_that_are_no_text(cli, tmp_path):
    df = pl.DataFrame(
        {
            "i": pl.Series([{1: "a"}, {2: "b", 3: None}, None], dtype=pl.Map(pl.Int64, pl.String)),
            "b": pl.Series([{b"x": b"y"}, {}, None], dtype=pl.Map(pl.Binary, pl.Binary)),
            "f": pl.Series([{1.5: [1]}, {}, None], dtype=pl.Map(pl.Float64, pl.List(pl.Int32))),
            "n": pl.Series([{1: {2: b"z"}}, None, None], dtype=pl.Map(pl.Int8, pl.Map(pl.Int16, pl.Binary))),
            "l": pl.Series([[{True: 1}], None, None], dtype=pl.List(pl.Map(pl.Boolean, pl.Int64))),
        }
    )
    polars_avro.write_avro(df, tmp_path / "a.avro")
    lines = [json.loads(line) for line in cli.good("cat", tmp_path / "a.avro")]
    assert lines[0] == {
        "i": {"1": "a"},
        "b": {"eA==": "eQ=="},
        "f": {"1.5": [1]},
        "n": {"1": {"2": "eg=="}},
        "l": [{"true": 1}],
    }
    assert lines[1] == {"i": {"2": "b", "3": None}, "b": {}, "f": {}, "n": None, "l": None}
    assert lines[2] == dict.fromkeys(df.columns)
    cli.good("convert", tmp_path / "a.avro", tmp_path / "a.ndjson")
    assert [json.loads(line) for line in (tmp_path / "a.ndjson").read_text().splitlines()] == lines


TIMES = {
    "us": pl.Series([0, INFINITY], dtype=pl.Int64).cast(pl.Datetime("us")),
    "utc": pl.Series([0, INFINITY], dtype=pl.Int64).cast(pl.Datetime("us", "UTC")),
    "negative": pl.Series([0, -(2**63)], dtype=pl.Int64).cast(pl.Datetime("ms")),
    "zone": pl.Series([0, 8210266876799999999], dtype=pl.Int64).cast(pl.Datetime("us", "Pacific/Kiritimati")),
    "date": pl.Series([0, 2**31 - 1], dtype=pl.Int32).cast(pl.Date),
    "duration": pl.Series([0, -(2**63)], dtype=pl.Int64).cast(pl.Duration("ms")),
    "list": pl.Series([[0], [1, INFINITY]], dtype=pl.List(pl.Int64)).cast(pl.List(pl.Datetime("us"))),
    "struct": pl.Series([{"x": 0}, {"x": INFINITY}]).cast(pl.Struct({"x": pl.Datetime("us")})),
}


@pytest.mark.parametrize("kind", TIMES)
def test_times_that_have_no_text(cli, tmp_path, kind):
    """Polars panics at such values on its threads, so they must not reach it."""
    path = tmp_path / "a.avro"
    column = pl.concat([TIMES[kind].head(1)] * 20_000 + [TIMES[kind]])
    df = pl.DataFrame({"other": range(20_002), "t": column})
    polars_avro.write_avro(df, path)
    for arguments in (["cat", path], ["convert", path, tmp_path / "a.ndjson"]):
        error = cli.refused(*arguments, status=3)
        assert "column 't', row 20001 (counted from 0)" in error
    if not df.schema["t"].is_nested() and kind != "duration":
        assert "column 't', row 20001" in cli.refused("convert", path, tmp_path / "a.csv", status=3)
        cli.good("convert", path, tmp_path / "a.parquet")
        assert "column 't', row 20001" in cli.refused("convert", tmp_path / "a.parquet", tmp_path / "b.csv", status=3)
    assert len(cli.good("cat", "-c", "other", path)) == 20_002
    lines = cli.good("tail", "-n", 1, path)
    number = {"date": 2**31 - 1, "negative": -(2**63), "duration": -(2**63), "zone": 8210266876799999999}
    assert str(number.get(kind, INFINITY)) in lines[5]


def test_the_last_times_that_have_a_text(cli, tmp_path):
    least, most = -96_465_292, 95_026_236
    days = pl.Series([least, most], dtype=pl.Int32).cast(pl.Date)
    seconds = pl.Series([least * 86_400_000_000, (most + 1) * 86_400_000_000 - 1], dtype=pl.Int64)
    df = pl.DataFrame({"d": days, "us": seconds.cast(pl.Datetime("us")), "utc": seconds.cast(pl.Datetime("us", "UTC"))})
    polars_avro.write_avro(df, tmp_path / "a.avro")
    (first, last) = cli.good("cat", tmp_path / "a.avro")
    assert '"us":"-262143-01-01 00:00:00' in first
    assert '"us":"+262142-12-31 23:59:59.999999' in last
    cli.good("convert", tmp_path / "a.avro", tmp_path / "a.csv")
    for day in (least - 1, most + 1):
        past = pl.DataFrame({"d": pl.Series([day], dtype=pl.Int32).cast(pl.Date)})
        polars_avro.write_avro(past, tmp_path / "b.avro")
        assert str(day) in cli.refused("cat", tmp_path / "b.avro", status=3)


def test_no_panic_reaches_a_terminal(tmp_path):
    path = tmp_path / "a.avro"
    polars_avro.write_avro(pl.DataFrame({"t": TIMES["us"]}), path)
    for arguments in (["head", path], ["cat", path], ["convert", path, "-", "--to", "csv"]):
        done = process(*arguments)
        assert done.returncode == (0 if arguments[0] == "head" else 3)
        assert done.stderr.count(b"\n") == (0 if arguments[0] == "head" else 1)
        assert b"panicked" not in done.stderr


def test_invalid_values_are_null_or_text(cli, tmp_path):
    schema = {
        "type": "record",
        "name": "R",
        "fields": [{"name": "u", "type": {"type": "string", "logicalType": "uuid"}}],
    }
    path = tmp_path / "a.avro"
    path.write_bytes(container(schema, (1, text("none"))))
    assert cli("cat", path).status == 3
    for how, value in (("null", "null"), ("text", '"none"')):
        outcome = cli("cat", "--invalid-values", how, path)
        assert (outcome.status, outcome.out) == (0, f'{{"u":{value}}}\n')
        assert "1 value became null or text" in outcome.err
    assert cli("convert", "--invalid-values", "null", path, tmp_path / "a.parquet").status == 0
    assert pl.read_parquet(tmp_path / "a.parquet")["u"].to_list() == [None]


def test_records_without_fields_are_rows(cli, tmp_path):
    source, target = tmp_path / "a.avro", tmp_path / "b.avro"
    polars_avro.write_avro(pl.DataFrame(height=3), source)
    assert cli.good("cat", source) == ["{}"] * 3
    assert cli.good("cat", "-n", 2, source) == ["{}"] * 2
    for command in ("head", "tail", "sample"):
        assert cli.good(command, "-n", 2, source)[-1] == "2 rows, 0 columns"
    cli.good("convert", source, tmp_path / "a.ndjson")
    assert (tmp_path / "a.ndjson").read_text() == "{}\n" * 3
    for command in ("convert", "recodec -C zstd", "concat", "repair"):
        cli.good(*command.split(), source, target)
        assert cli.good("count", target) == ["3"]
        target.unlink()
