"""``polars-avro convert`` from other formats: all pairs, inferred dtypes, error messages."""

import json

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from rows import make_rows, write

import polars_avro

FRAME = pl.DataFrame({"a": range(300), "s": [f"text {i}" for i in range(300)]})
READ = {
    "avro": polars_avro.read_avro,
    "parquet": pl.read_parquet,
    "arrow": pl.read_ipc,
    "csv": pl.read_csv,
    "ndjson": pl.read_ndjson,
}
SCHEMA = {
    "type": "record",
    "name": "G",
    "namespace": "n",
    "fields": [
        {"name": "a", "type": "double", "doc": "the a"},
        {"name": "b", "type": "string"},
        {"name": "c", "type": ["null", "int"], "default": None},
    ],
}


@pytest.fixture
def sources(cli, tmp_path):
    """The same rows in each format."""
    polars_avro.write_avro(FRAME, tmp_path / "in.avro")
    for ending in ("parquet", "arrow", "csv", "ndjson"):
        cli.good("convert", tmp_path / "in.avro", tmp_path / f"in.{ending}")
    return tmp_path


@pytest.mark.parametrize("target", READ)
@pytest.mark.parametrize("source", READ)
def test_every_pair_of_formats(cli, sources, source, target):
    for columns in ([], ["-c", "s,a"]):
        cli.good("convert", *columns, sources / f"in.{source}", sources / f"out.{target}")
        expected = FRAME.select("s", "a") if columns else FRAME
        assert_frame_equal(READ[target](sources / f"out.{target}"), expected)


@pytest.mark.parametrize(
    ("ending", "compression"), [("parquet", "zstd"), ("arrow", "lz4"), ("avro", "xz"), ("csv", "gzip")]
)
def test_one_format_with_another_compression(cli, sources, ending, compression):
    cli.good("convert", sources / f"in.{ending}", sources / f"out.{ending}", "-C", compression)
    assert_frame_equal(READ[ending](sources / f"out.{ending}"), FRAME)
    cli.good("convert", sources / f"in.{ending}", sources / f"in.{ending}")


@pytest.fixture
def late(tmp_path):
    """Rows whose dtypes become clear only after the rows that Polars infers from."""
    (tmp_path / "g.csv").write_text("a,b\n" + "".join(f"{i},x\n" for i in range(200)) + "1.5,y\n")
    lines = [{"a": i, "b": "x"} for i in range(200)] + [{"a": 1.5, "b": "y"}]
    (tmp_path / "g.ndjson").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "g.avsc").write_text(json.dumps(SCHEMA))
    return tmp_path


@pytest.mark.parametrize("ending", ["csv", "ndjson"])
def test_dtypes_that_are_guessed(cli, late, ending):
    source, target = late / f"g.{ending}", late / "out.avro"
    if ending == "csv":
        error = cli.refused("convert", source, target, status=3)
        assert f"{source}: " in error
        assert "--infer-rows" in error
        assert not target.exists()
    for rows in ("all", 1000):
        cli.good("convert", source, target, "--infer-rows", rows)
        assert polars_avro.read_avro(target)["a"].dtype == pl.Float64
    for rows in ("0", "-1", "many"):
        assert "--infer-rows" in cli.refused("convert", source, target, "--infer-rows", rows, status=2)


@pytest.mark.parametrize("ending", ["csv", "ndjson"])
def test_dtypes_that_are_given(cli, late, ending):
    source, target = late / f"g.{ending}", late / "out.avro"
    for schema in (late / "g.avsc", json.dumps(SCHEMA)):
        cli.good("convert", source, target, "--schema", schema)
        assert polars_avro.read_avro(target).schema == {"a": pl.Float64, "b": pl.String, "c": pl.Int32}
        assert json.loads(polars_avro.read_avro_metadata(target).avro_schema)["fields"][0]["doc"] == "the a"
    cli.good("convert", source, late / "out.parquet", "--schema", "a=String")
    assert pl.read_parquet(late / "out.parquet")["a"].to_list()[-2:] == ["199", "1.5"]
    assert "'z'" in cli.refused("convert", source, target, "--schema", "z=Int64", status=3)
    for schema in ("a=Whole", "a", "a=List"):
        assert "--schema" in cli.refused("convert", source, target, "--schema", schema, status=2)


def test_dtypes_of_formats_that_know_theirs(cli, sources):
    for ending in ("avro", "parquet"):
        for option in (["--infer-rows", "all"], ["--schema", "a=Int64"]):
            error = cli.refused("convert", sources / f"in.{ending}", sources / "out.csv", *option, status=2)
            assert "CSV and NDJSON" in error


def test_messages_name_files(cli, sources):
    absent = sources / "absent" / "out.avro"
    for ending in ("avro", "parquet"):
        error = cli.refused("convert", sources / "in.avro", absent.with_suffix(f".{ending}"), status=3)
        assert error == f"polars-avro: error: {absent.parent}: the directory of the target does not exist\n"
    assert "absent.csv" in cli.refused("convert", sources / "absent.csv", sources / "out.avro", status=3)
    (sources / "no.parquet").write_text("nothing of the kind")
    assert "no.parquet: " in cli.refused("convert", sources / "no.parquet", sources / "out.avro", status=3)
    assert ".part" not in cli.refused("convert", sources / "in.avro", sources, "--to", "csv", status=3)


@pytest.mark.parametrize("scheme", ["http", "https", "s3"])
def test_no_message_shows_the_query_of_a_url(cli, sources, scheme):
    secret = "X-Amz-Signature=0123456789abcdef"
    url = f"{scheme}://localhost:1/in.txt?{secret}"
    others = [url.replace(".txt", ending) for ending in (".csv", ".ndjson", ".parquet", ".arrow")]
    quick = ("--storage-option", "max_retries=0", "--storage-option", "retry_timeout_ms=10")
    commands = [
        ["convert", url, sources / "out.csv"],
        ["convert", sources / "in.avro", url],
        ["convert", url, url],
        ["head", "--where", url, sources / "in.avro"],
        ["schema", url, "--format", url],
        ["head", "-n", url, url],
        ["diff", url, url, url],
        # Polars reads and writes other formats than Avro.
        *(["convert", sources / "in.avro", other, *quick] for other in others),
        *(["convert", other, sources / "out.avro", *quick] for other in others),
        *([command, url, *(quick if scheme == "http" else ())] for command in ("head", "check") if scheme == "http"),
    ]
    for command in commands:
        outcome = cli(*command)
        assert outcome.status in (1, 2, 3)
        assert "0123456789abcdef" not in outcome.out + outcome.err


def test_the_path_of_a_url_tells_its_format(cli, path, tmp_path, moto):
    from places import s3_place

    place = s3_place(moto)
    url = place.fill("rows.avro", path.read_bytes())
    store = [part for name, value in place.options.items() for part in ("--storage-option", f"{name}={value}")]
    cli.good("convert", url, tmp_path / "a.parquet", *store)
    assert pl.read_parquet(tmp_path / "a.parquet").height == 1000


def test_schemas_of_avsc_files(cli, tmp_path):
    path = tmp_path / "g.avsc"
    path.write_text(json.dumps(SCHEMA))
    assert [line.split() for line in cli.good("schema", path)] == [["a", "Float64"], ["b", "String"], ["c", "Int32"]]
    assert json.loads("\n".join(cli.good("schema", "-f", "avro", path))) == SCHEMA
    data = write(tmp_path / "g.avro", [{"a": 1.0, "b": "x", "c": 1}], SCHEMA)
    for form in ("canonical", "fingerprint"):
        assert cli.good("schema", "-f", form, path) == cli.good("schema", "-f", form, data)
    assert [line for line in cli.good("schema", data, path) if "==>" in line] == [f"==> {data} <==", f"==> {path} <=="]
    path.write_text('{"type": "wrong"}')
    assert str(path) in cli.refused("schema", path, status=3)
    assert "absent.avsc" in cli.refused("schema", tmp_path / "absent.avsc", status=3)


def test_the_command_alone_lists_its_commands(cli):
    lines = cli.good()
    assert any(line.split()[:1] == ["convert"] for line in lines)


def test_tables_count_in_words(cli, tmp_path):
    path = write(tmp_path / "a.avro", make_rows(1))
    assert cli.good("head", path)[-1] == "1 row, 4 columns"
    assert cli.good("head", "-c", "id", path)[-1] == "1 row, 1 column"


@pytest.mark.parametrize(
    ("words", "kind"),
    [("head ", "file"), ("convert a.avro ", "file"), ("diff ", "file"), ("he", "plain"), ("cat --wh", "plain")],
)
def test_completion_of_files_and_words(cli, monkeypatch, words, kind):
    monkeypatch.setenv("_POLARS_AVRO_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", f"polars-avro {words}")
    monkeypatch.setenv("COMP_CWORD", str(len(words.split(" "))))
    lines = cli.good()
    assert lines[0].startswith(f"{kind},")


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("recodec --codec z", ["plain,zstandard"]),
        ("fromjson --codec s", ["plain,snappy"]),
        ("random -C b", ["plain,bzip2"]),
        ("convert --compression l", ["plain,lz4"]),
        ("convert --schema ", ["file,"]),
        ("fromjson --schema-file x", ["file,x"]),
        ("cat --field-matching p", ["plain,position"]),
    ],
)
def test_completion_of_values(cli, monkeypatch, words, completed):
    monkeypatch.setenv("_POLARS_AVRO_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", f"polars-avro {words}")
    monkeypatch.setenv("COMP_CWORD", str(len(words.split(" "))))
    assert cli.good() == completed
