"""Batch by batch, and what a file says about itself."""

import dataclasses
import json
import subprocess
import sys

import fastavro
import polars as pl
import pytest
from conftest import COLUMNS, SCHEMA, make_rows, write
from polars.testing import assert_frame_equal

import polars_avro


@pytest.mark.parametrize("source", ["path", "bytes"])
def test_a_reader_gives_batches_of_about_the_size_asked_for(path, frame, source):
    reader = polars_avro.AvroReader(path if source == "path" else path.read_bytes(), batch_size=300)
    batches = list(reader)
    assert len(batches) == 4
    assert all(250 < batch.height < 350 for batch in batches[:-1])
    assert_frame_equal(pl.concat(batches), frame)


def test_a_reader_counts(path, frame):
    reader = polars_avro.AvroReader(path, batch_size=300)
    assert reader.rows_read == 0
    first = next(reader)
    assert reader.rows_read == first.height
    assert_frame_equal(pl.concat([first, *reader]), frame)
    assert reader.rows_read == reader.stats["rows_decoded"] == 1000
    assert reader.total_bytes == path.stat().st_size
    header = polars_avro.read_avro_metadata(path).header_size
    assert reader.total_bytes - header <= reader.bytes_read <= reader.total_bytes
    assert next(reader, None) is None


def test_a_reader_knows_its_schemas(path):
    reader = polars_avro.AvroReader(path, columns=["tags", "id"], row_index_name="row")
    assert reader.schema == pl.Schema({"row": pl.get_index_type(), "tags": COLUMNS["tags"], "id": pl.Int64})
    assert next(reader).schema == reader.schema
    assert fastavro.parse_schema(json.loads(reader.avro_schema)) == fastavro.parse_schema(SCHEMA)


def test_a_reader_takes_the_options_of_a_read(path, frame):
    options = {"columns": ["tags", 0], "n_rows": 555, "row_index_name": "row", "row_index_offset": 4}
    df = pl.concat(polars_avro.AvroReader(path, **options, batch_size=100))
    assert_frame_equal(df, frame[:555].select("tags", "id").with_row_index("row", 4))


def test_a_closed_reader_ends(path):
    with polars_avro.AvroReader(path, batch_size=100) as reader:
        first = next(reader)
    assert next(reader, None) is None
    assert reader.rows_read == first.height
    assert reader.stats["bytes_read"] > 0
    reader.close()


def test_a_reader_of_no_columns_keeps_heights(path):
    assert sum(batch.height for batch in polars_avro.AvroReader(path, columns=[], batch_size=300)) == 1000


def test_a_reader_takes_one_source(path):
    with pytest.raises(TypeError, match="cannot read Avro from 'list'"):
        polars_avro.AvroReader([path])


def test_a_process_ends_while_a_reader_is_under_way(path):
    """A reader that is never closed must not keep a process from ending."""
    program = "import polars_avro, sys; reader = polars_avro.AvroReader(sys.argv[1], batch_size=10); next(reader)"
    subprocess.run([sys.executable, "-c", program, path], check=True, timeout=60, cwd=path.parent)


def test_schema(path):
    assert polars_avro.read_avro_schema(path) == pl.Schema(COLUMNS)
    assert polars_avro.read_avro_schema(path.read_bytes()) == pl.Schema(COLUMNS)


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy", "zstandard", "bzip2", "xz"])
def test_metadata(tmp_path, codec):
    path = write(
        tmp_path / "x.avro", make_rows(100), codec=codec, metadata={"who": "me"}, sync_marker=b"0123456789abcdef"
    )
    with path.open("rb") as file:
        blocks = list(fastavro.block_reader(file))
    metadata = polars_avro.read_avro_metadata(path)
    assert fastavro.parse_schema(json.loads(metadata.avro_schema)) == fastavro.parse_schema(SCHEMA)
    assert metadata.canonical_form == fastavro.schema.to_parsing_canonical_form(SCHEMA)
    assert metadata.codec == codec
    assert metadata.sync_marker == b"0123456789abcdef"
    assert metadata.metadata == {"who": b"me"}
    assert metadata.header_size == blocks[0].offset
    assert (metadata.n_blocks, metadata.n_rows) == (len(blocks), 100)
    assert polars_avro.read_avro(path).height == 100


def test_fingerprints(path):
    fingerprints = polars_avro.read_avro_metadata(path).fingerprints
    canonical = fastavro.schema.to_parsing_canonical_form(SCHEMA)
    assert {name: value.hex() for name, value in fingerprints.items()} == {
        "CRC-64-AVRO": fastavro.schema.fingerprint(canonical, "CRC-64-AVRO"),
        "MD5": fastavro.schema.fingerprint(canonical, "MD5"),
        "SHA-256": fastavro.schema.fingerprint(canonical, "SHA-256"),
    }


def test_metadata_is_frozen(path):
    with pytest.raises(dataclasses.FrozenInstanceError):
        polars_avro.read_avro_metadata(path).codec = "null"
