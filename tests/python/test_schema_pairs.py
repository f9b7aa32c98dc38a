"""Reading with a reader schema returns the rows of fastavro, for random pairs of schemas."""

import io

import fastavro
import polars as pl
import pytest
from schema_pairs import Maker, as_polars

import polars_avro

#: Parts of the pairs. Each pair has its own seed, so they are the same ones each time.
PARTS = [0, 1, 2, 3, *(pytest.param(part, marks=pytest.mark.slow) for part in range(4, 40))]
#: The pairs of each part.
PAIRS = 15


def by_fastavro(data, pair):
    """The rows, or None if they cannot be read."""
    try:
        return list(fastavro.reader(io.BytesIO(data), pair.reader))
    except (fastavro.read.SchemaResolutionError, UnicodeDecodeError, ValueError):
        return None


def schema_of(reader):
    """The columns of files with the schema."""
    out = io.BytesIO()
    fastavro.writer(out, reader, [])
    return polars_avro.read_avro_schema(out.getvalue())


def by_us(data, pair):
    """The frame, or the error."""
    try:
        return polars_avro.read_avro(data, reader_schema=pair.reader)
    except polars_avro.AvroError as error:
        return error


@pytest.mark.parametrize("part", PARTS)
def test_schema_pairs(part):
    read = refused = 0
    for seed in range(PAIRS * part, PAIRS * (part + 1)):
        pair = Maker(seed).pair()
        out = io.BytesIO()
        fastavro.writer(out, pair.writer, pair.rows, sync_interval=20)
        data = out.getvalue()
        expected = by_fastavro(data, pair)
        df = by_us(data, pair)
        if isinstance(df, polars_avro.AvroError):
            # Schemas are also refused for branches that no value uses.
            assert expected is None or isinstance(df, polars_avro.AvroSchemaError), (seed, df)
            refused += 1
            continue
        assert expected is not None, (seed, pair)
        expected = [as_polars(pair.reader, row) for row in expected]
        assert df.height == len(expected)
        assert df.schema == schema_of(pair.reader), (seed, pair)
        assert df.to_dicts() == expected, (seed, pair)
        two = polars_avro.scan_avro([data, data], reader_schema=pair.reader).collect()
        assert two.equals(pl.concat([df, df])), (seed, pair)
        read += 1
    assert read > 2 * refused
