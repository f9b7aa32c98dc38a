"""Branches of unions that a reader's schema cannot read: values of them are errors that name the option."""

import polars as pl
import pytest
from rows import write

import polars_avro


def nullable(kind):
    return {"type": "record", "name": "Row", "fields": [{"name": "v", "type": ["null", kind]}]}


def long(logical):
    return {"type": "long", "logicalType": logical}


INNER = {"type": "record", "name": "Inner", "fields": [{"name": "x", "type": "long"}]}
WIDER = {**INNER, "fields": [*INNER["fields"], {"name": "y", "type": "long"}]}

REFUSED_BRANCHES = [
    (long("timestamp-millis"), long("timestamp-micros"), 5, {"datetime_cast": "millisecond-upcast"}),
    (long("timestamp-nanos"), long("timestamp-millis"), 5_000_000, {"datetime_cast": "nanosecond-downcast"}),
    (long("timestamp-micros"), long("timestamp-millis"), 5_000, {"datetime_cast": "microsecond-downcast"}),
    ("double", "float", 0.5, {"float_cast": "downcast"}),
    ({"type": "enum", "name": "E", "symbols": ["A"]}, "string", "A", {"categorical_to_string": "allow"}),
    ({"type": "array", "items": "double"}, {"type": "array", "items": "float"}, [0.5], {"float_cast": "downcast"}),
    (INNER, WIDER, {"x": 1}, {"missing_struct_fields": "insert"}),
]


@pytest.mark.parametrize(("writer", "reader", "value", "cast"), REFUSED_BRANCHES, ids=str)
def test_a_branch_that_needs_a_cast_names_the_option(writer, reader, value, cast, tmp_path):
    path = tmp_path / "a.avro"
    write(path, [{"v": None}, {"v": value}], nullable(writer))
    ((option, choice),) = cast.items()
    with pytest.raises(polars_avro.AvroDataError, match=rf"cast_options=pl.ScanCastOptions\({option}='{choice}'\)"):
        polars_avro.read_avro(path, reader_schema=nullable(reader))
    options = pl.ScanCastOptions(**cast)
    rows = polars_avro.read_avro(path, reader_schema=nullable(reader), cast_options=options)
    assert rows["v"].null_count() == 1
    assert rows["v"].drop_nulls().len() == 1
    # Without such a value nothing is refused.
    write(path, [{"v": None}], nullable(writer))
    assert polars_avro.read_avro(path, reader_schema=nullable(reader))["v"].to_list() == [None]
