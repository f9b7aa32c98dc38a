"""Errors say what to use instead."""

import io
import os

import polars as pl
import pytest

import polars_avro
from polars_avro import AvroUnsupportedError, AvroWriter, read_avro, scan_avro, sink_avro, write_avro

DF = pl.DataFrame({"station": ["Bergen"], "celsius": [21.9], "place": [{"latitude": 60.4, "longitude": 5.3}]})


def avro(df):
    file = io.BytesIO()
    write_avro(df, file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("column", "hint"),
    [
        ("celsus", "; did you mean 'celsius'?"),
        ("Celsius", "; did you mean 'celsius'?"),
        ("place.latitud", "; did you mean 'place.latitude' or 'place.longitude'?"),
        ("place.height", "; the columns are place.latitude, place.longitude"),
        ("plase.latitude", "; the columns are station, celsius, place"),
        ("wind", "; the columns are station, celsius, place"),
    ],
)
def test_a_misspelt_column_has_the_nearest_names(column, hint):
    with pytest.raises(pl.exceptions.ColumnNotFoundError) as caught:
        read_avro(avro(DF), columns=[column])
    assert str(caught.value) == f"`columns`: {column!r} is none of the file's columns, nor a field of one{hint}"


def test_a_message_lists_few_of_many_columns():
    data = avro(pl.DataFrame({f"column_{i}": [i] for i in range(2000)}))
    with pytest.raises(pl.exceptions.ColumnNotFoundError) as caught:
        read_avro(data, columns=["colum_7"])
    assert str(caught.value).endswith("did you mean 'column_7' or 'column_97' or 'column_87'?")
    with pytest.raises(pl.exceptions.ColumnNotFoundError) as caught:
        read_avro(data, columns=["wind"])
    assert str(caught.value).endswith("column_18, column_19, and 1,980 more")


@pytest.mark.parametrize(
    ("codec", "hint"),
    [
        ("gzip", ": use 'deflate'"),
        ("ZLIB", ": use 'deflate'"),
        ("bz2", ": use 'bzip2'"),
        ("zstandart", "; did you mean 'zstandard'?"),
        ("brotli", ""),
    ],
)
def test_codecs_of_other_names_have_a_hint(codec, hint):
    with pytest.raises(ValueError, match="`compression` must be None or one of") as caught:
        write_avro(DF, io.BytesIO(), compression=codec)
    assert str(caught.value).endswith(f"got {codec!r}{hint}")


def test_the_command_line_has_a_hint_for_gzip(cli, tmp_path):
    (tmp_path / "a.avro").write_bytes(avro(DF))
    ended = cli("convert", tmp_path / "a.avro", tmp_path / "b.avro", "--compression", "gzip")
    assert ended.status == 2
    assert "use deflate" in ended.err


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("hf://datasets/a/b.avro", "; open the file with fsspec and pass the file object"),
        ("hdfs://name/b.avro", "; open the file with fsspec and pass the file object"),
        ("s3n://bucket/b.avro", "; use s3:// for this store"),
        ("htps://example.org/b.avro", "; did you mean https://?"),
        ("dbfs:/mnt/b.avro", "use the path below /dbfs/ on a Databricks cluster, or open the file with fsspec and"),
    ],
)
@pytest.mark.parametrize("function", [scan_avro, read_avro, polars_avro.AvroReader, polars_avro.read_avro_schema])
def test_an_unknown_scheme_says_how_to_open_the_file(url, hint, function):
    with pytest.raises(AvroUnsupportedError, match="is unknown") as caught:
        function(url)
    assert hint in str(caught.value)


def test_targets_have_the_same_hint():
    with pytest.raises(AvroUnsupportedError, match="open the file with fsspec"):
        write_avro(DF, "hf://datasets/a/b.avro")


@pytest.mark.skipif(os.name == "nt", reason="names have no colons there")
def test_a_directory_may_be_called_like_a_scheme(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dbfs:").mkdir()
    (tmp_path / "dbfs:" / "a.avro").write_bytes(avro(DF))
    assert read_avro("dbfs:/a.avro").equals(DF)


def test_the_other_kind_of_frame_names_the_other_function():
    with pytest.raises(TypeError, match="got 'LazyFrame': use `sink_avro`"):
        write_avro(DF.lazy(), io.BytesIO())
    with pytest.raises(TypeError, match="got 'DataFrame': use `write_avro`"):
        sink_avro(DF, io.BytesIO())
    with pytest.raises(TypeError, match=r"got 'Series': make a frame with `to_frame\(\)`, and pass it"):
        write_avro(DF["place"], io.BytesIO())


@pytest.mark.parametrize("ending", ["", "/"])
@pytest.mark.parametrize("append", [False, True])
def test_a_directory_as_target_says_what_to_pass(tmp_path, ending, append):
    target = f"{tmp_path}{ending}"
    for write in (
        lambda: write_avro(DF, target, append=append),
        lambda: sink_avro(DF.lazy(), target, append=append),
        lambda: AvroWriter(target, append=append),
    ):
        with pytest.raises(IsADirectoryError, match=r"name a file in it, or pass a `pl.PartitionBy`"):
            write()
    with pytest.raises(IsADirectoryError, match="name a file in it"):
        write_avro(DF, f"{tmp_path}/new/", mkdir=True)


@pytest.fixture
def spark(tmp_path):
    """What Spark writes: a part with its checksum in a partition, and a marker."""
    part = tmp_path / "spark" / "day=1" / "part-0.avro"
    part.parent.mkdir(parents=True)
    part.write_bytes(avro(DF))
    (part.parent / ".part-0.avro.crc").write_bytes(b"crc\x00" + bytes(8))
    (tmp_path / "spark" / "_SUCCESS").touch()
    return tmp_path / "spark"


@pytest.mark.parametrize("read", [read_avro, scan_avro, polars_avro.plan_splits])
def test_a_directory_with_checksums_names_the_option_that_skips_them(spark, read):
    with pytest.raises(pl.exceptions.InvalidOperationError) as caught:
        read(spark)
    assert str(caught.value).endswith("; hidden_file_prefix=['_', '.'] skips '.part-0.avro.crc' and the like")
    assert read(spark, hidden_file_prefix=["_", "."]) is not None


@pytest.mark.parametrize("read", [read_avro, scan_avro, polars_avro.plan_splits])
def test_a_hidden_file_that_fails_to_open_names_the_option_that_skips_it(spark, read):
    with pytest.raises(polars_avro.AvroDataError) as caught:
        read(spark / "*" / "*")
    assert str(caught.value).endswith("; hidden_file_prefix=['_', '.'] skips such files of directories and patterns")
    assert caught.value.file == str(spark / "day=1" / ".part-0.avro.crc")
    assert read(spark / "*" / "*", hidden_file_prefix=["_", "."]) is not None


def test_other_files_and_other_damage_have_no_such_hint(tmp_path):
    (tmp_path / "_rows.avro").write_bytes(avro(DF)[:-1])
    (tmp_path / "a.avro").write_bytes(b"text")
    for name in ("_rows.avro", "a.avro"):
        with pytest.raises(polars_avro.AvroDataError) as caught:
            read_avro(tmp_path / name)
        assert "hidden_file_prefix" not in str(caught.value)
    (tmp_path / "a.csv").write_bytes(b"text")
    with pytest.raises(pl.exceptions.InvalidOperationError) as refused:
        read_avro(tmp_path, hidden_file_prefix="_")
    assert "hidden_file_prefix" not in str(refused.value)


@pytest.mark.parametrize("command", ["head", "count", "metadata"])
@pytest.mark.parametrize("source", ["", "*/*"])
def test_the_command_line_names_its_own_option(cli, spark, command, source):
    error = cli.refused(command, spark / source, status=3)
    assert "; --hidden-file-prefix _ --hidden-file-prefix . skips " in error
    cli.good(command, spark / source, "--hidden-file-prefix", "_", "--hidden-file-prefix", ".")


def test_a_schema_that_lacks_a_column_says_to_add_it_first():
    with pytest.raises(polars_avro.AvroSchemaError, match=r"add it to `schema`, or pass extra_columns='ignore'"):
        read_avro(avro(DF), schema={"station": pl.String})


def test_a_hidden_file_after_the_first_names_the_option_too(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "part.avro").write_bytes(avro(DF))
    (tmp_path / "b" / "_part.avro").write_bytes(b"crc")
    with pytest.raises(polars_avro.AvroDataError, match=r"hidden_file_prefix=\['_', '\.'\] skips such files"):
        scan_avro(tmp_path).collect()


def test_a_file_with_a_new_column_names_the_union_first(tmp_path):
    (tmp_path / "a.avro").write_bytes(avro(DF))
    (tmp_path / "b.avro").write_bytes(avro(DF.with_columns(wind=1)))
    with pytest.raises(polars_avro.AvroSchemaError) as caught:
        scan_avro(tmp_path).collect()
    message = str(caught.value)
    assert 0 < message.index("schema_mode='union' reads") < message.index("extra_columns='ignore'")


@pytest.mark.parametrize("page", [b"<!DOCTYPE html><html>", b"\n<html lang='en'>"])
def test_an_html_page_is_named(page):
    with pytest.raises(polars_avro.AvroDataError, match="not an Avro object container file: it is an HTML page"):
        read_avro(page)
