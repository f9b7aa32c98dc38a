"""`schema`: missing columns, columns of nulls, and casts. The result does not depend on the order of files."""

import io
import itertools
import math
import time

import polars as pl
import pytest
from containers import container, long, text
from containers import written as fastavro_written
from polars.testing import assert_frame_equal

import polars_avro
from polars_avro import AvroSchemaError, read_avro, scan_avro


def written(**columns):
    out = io.BytesIO()
    polars_avro.write_avro(pl.DataFrame(columns), out)
    return out.getvalue()


def plain(**columns):
    """A file by another writer, whose fields have no defaults."""

    def kind(value, name):
        if isinstance(value, dict):
            fields = [{"name": key, "type": kind(inner, f"{name}_{key}")} for key, inner in value.items()]
            return {"type": "record", "name": name, "fields": fields}
        return "double" if isinstance(value, float) else "long"

    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return fastavro_written(kind(rows[0], "Row"), rows)


def outcome(files, **options):
    """The rows, or the class of the error."""
    try:
        return read_avro(files, **options)
    except AvroSchemaError as error:
        return type(error)


OLD = {"k": [1], "st": [{"a": 1}]}
TABLE = {
    "a nested field more": (
        {"st": pl.Struct({"a": pl.Int64})},
        {"c": [5], "st": [{"a": 2, "b": 3}]},
        pl.ScanCastOptions(extra_struct_fields="ignore"),
    ),
    "a nested field less": (
        {"st": pl.Struct({"a": pl.Int64, "b": pl.Int64})},
        {"c": [5], "st": [{"a": 2, "b": 3}]},
        pl.ScanCastOptions(missing_struct_fields="insert"),
    ),
    "whole numbers and floats": (
        {"k": pl.Float64},
        {"c": [5], "k": [2.5]},
        pl.ScanCastOptions(integer_cast="allow-float"),
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_missing_columns_that_are_inserted_allow_no_other_difference(name):
    dtypes, new, options = TABLE[name]
    old = {column: values for column, values in OLD.items() if column in new or column == "k"}
    files = [plain(**old), plain(**{"k": [2], **new})]
    schema = {"k": pl.Int64, "c": pl.Int64, **dtypes}
    for order in itertools.permutations(files):
        assert outcome(list(order), schema=schema, missing_columns="insert") is AvroSchemaError
    found = {}
    for order in itertools.permutations(files):
        df = read_avro(list(order), schema=schema, missing_columns="insert", cast_options=options)
        assert dict(df.schema) == schema
        found[order] = df.sort("c", nulls_last=False).rows()
    one, other = found.values()
    assert one == other


def test_long_numbers_do_not_become_floats():
    exact = 2**53 + 1
    files = [written(k=[exact]), written(k=[1.5], c=[1])]
    schema = {"k": pl.Int64, "c": pl.Int64}
    for order in itertools.permutations(files):
        assert outcome(list(order), schema=schema, missing_columns="insert") is AvroSchemaError
    df = scan_avro(files, schema=schema, missing_columns="insert").select("c").collect()
    assert df["c"].to_list() == [None, 1]
    micros = pl.Datetime("us")
    files = [written(t=pl.Series([1], dtype=pl.Datetime("ms"))), written(t=pl.Series([1], dtype=micros), c=[1])]
    for order in itertools.permutations(files):
        for dtype in (pl.Datetime("ms"), micros):
            schema = {"t": dtype, "c": pl.Int64}
            assert outcome(list(order), schema=schema, missing_columns="insert") is AvroSchemaError


def test_a_column_that_the_first_files_lack_is_read_from_the_others():
    files = [written(a=[1]), written(a=[2], b=["x"]), written(a=[3], b=["y"], c=[{"d": [1]}])]
    schema = {"a": pl.Int64, "b": pl.String, "c": pl.Struct({"d": pl.List(pl.Int64)}), "e": pl.Boolean}
    rows = [(1, None, None, None), (2, "x", None, None), (3, "y", {"d": [1]}, None)]
    for order in itertools.permutations(range(3)):
        df = read_avro([files[at] for at in order], schema=schema, missing_columns="insert")
        assert df.rows() == [rows[at] for at in order]
        assert dict(df.schema) == schema
    with pytest.raises(AvroSchemaError):
        read_avro(files, schema={**schema, "b": pl.Int64}, missing_columns="insert")
    del schema["c"]
    with pytest.raises(AvroSchemaError, match="field `c`: the writer wrote this field"):
        read_avro(files, schema=schema, missing_columns="insert")
    df = read_avro(files, schema=schema, missing_columns="insert", extra_columns="ignore")
    assert df.columns == ["a", "b", "e"]


def test_a_missing_column_is_null_in_every_order_although_a_file_has_a_default():
    field = {"name": "c", "type": "string", "default": "EUR"}
    old = container({"type": "record", "name": "R", "fields": [{"name": "a", "type": "long"}]}, (1, long(1)))
    fields = [{"name": "a", "type": "long"}, field]
    new = container({"type": "record", "name": "R", "fields": fields}, (1, long(2) + text("USD")))
    schema = {"a": pl.Int64, "c": pl.String}
    for order in ([old, new], [new, old]):
        df = read_avro(order, schema=schema, missing_columns="insert").sort("a")
        assert df.rows() == [(1, None), (2, "USD")]
    assert read_avro(old, schema=schema, missing_columns="insert").rows() == [(1, None)]


def test_files_without_rows_lack_no_column(tmp_path):
    for at in range(2):
        polars_avro.write_avro(pl.DataFrame(schema={"a": pl.Int64}), tmp_path / f"{at}.avro")
    schema = {"a": pl.Int64, "z": pl.Boolean}
    for source in (tmp_path, tmp_path / "0.avro"):
        assert_frame_equal(read_avro(source, schema=schema), pl.DataFrame(schema=schema))
        assert_frame_equal(scan_avro(source, schema=schema).select("z").collect(), pl.DataFrame(schema=schema)[["z"]])
    polars_avro.write_avro(pl.DataFrame({"a": [1]}), tmp_path / "2.avro")
    with pytest.raises(polars_avro.AvroColumnNotFoundError, match="no column 'z'"):
        read_avro(tmp_path, schema=schema)


def test_only_files_that_are_read_may_not_have_more_columns(tmp_path):
    wide = pl.DataFrame({"a": [1], "d": ["x"]})
    names = {"rowless": wide[:0], "a": wide.select("a"), "wide": wide}
    paths = {name: tmp_path / f"{name}.avro" for name in names}
    for name, df in names.items():
        polars_avro.write_avro(df, paths[name])
    schema = {"a": pl.Int64}
    longer = {**schema, "z": pl.Int64}
    for order in itertools.permutations(["rowless", "rowless", "a"]):
        files = [paths[name] for name in order]
        assert scan_avro(files, schema=schema).collect().rows() == [(1,)]
        assert read_avro(files, schema=longer, missing_columns="insert").rows() == [(1, None)]
        splits = polars_avro.plan_splits(files, schema=schema)
        assert polars_avro.scan_splits(splits).collect().rows() == [(1,)]
    for order in itertools.permutations(["rowless", "a", "wide"]):
        with pytest.raises(AvroSchemaError, match=r"field `d`|lacks the column 'd'"):
            read_avro([paths[name] for name in order], schema=schema)
    files = [paths["a"], paths["wide"]]
    for given in (schema, longer):
        assert scan_avro(files, schema=given, missing_columns="insert").head(1).collect()["a"].to_list() == [1]
        with pytest.raises(AvroSchemaError):
            read_avro(files, schema=given, missing_columns="insert")
        assert read_avro(files, schema=given, missing_columns="insert", extra_columns="ignore").height == 2


def test_many_columns_are_compared_once():
    df = pl.DataFrame({f"c{i}": [i] for i in range(3000)})
    start = time.monotonic()
    assert read_avro(written(**df.to_dict()), schema=dict(df.schema)).height == 1
    assert read_avro(written(**df.to_dict()), columns=df.columns[::-1]).width == 3000
    assert time.monotonic() - start < 10


QUERIES = {
    "select": lambda lf: lf.select("a"),
    "len": lambda lf: lf.select(pl.len()),
    "drop": lambda lf: lf.drop("b"),
    "filter": lambda lf: lf.filter(pl.col("a") > 1).select("a"),
    "group": lambda lf: lf.group_by("a").len().sort("a"),
    "slice": lambda lf: lf.slice(1, 2).select("a"),
}


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_columns_of_the_schema_that_no_query_reads_may_be_missing(query, tmp_path):
    frames = [pl.DataFrame({"a": [1]}), pl.DataFrame({"a": [2, 3], "b": ["x", "y"]}), pl.DataFrame({"a": [4]})]
    for at, df in enumerate(frames):
        polars_avro.write_avro(df, tmp_path / f"{at}.avro")
        df.write_parquet(tmp_path / f"{at}.parquet")
    schema = {"a": pl.Int64, "b": pl.String}
    for order in itertools.permutations(range(3)):
        files = [tmp_path / f"{at}.avro" for at in order]
        parquet = [tmp_path / f"{at}.parquet" for at in order]
        expected = query(pl.scan_parquet(parquet, schema=schema)).collect()
        splits = polars_avro.scan_splits(polars_avro.plan_splits(files, schema=schema))
        for lf in (polars_avro.scan_avro(files, schema=schema), splits):
            for engine in ("in-memory", "streaming"):
                assert_frame_equal(query(lf).collect(engine=engine), expected)
        assert_frame_equal(read_avro(files, schema=schema, columns=["a"]), pl.concat(frames[at][["a"]] for at in order))
        lacking = next(at for at in order if at != 1)
        with pytest.raises(polars_avro.AvroColumnNotFoundError, match=rf"{lacking}\.avro: field `b`.*'insert'"):
            read_avro(files, schema=schema)


def test_types_of_one_name_in_two_files():
    def file(a, *rest):
        inner = {"type": "record", "name": "N", "fields": [{"name": "x", "type": a}]}
        fields = [{"name": "n", "type": inner}, *rest]
        return {"type": "record", "name": "R", "fields": fields}

    old = container(file("long"), (1, long(1)))
    other = {"type": "array", "items": "N"}
    new = container(file("long", {"name": "m", "type": other}), (1, long(2) + long(1) + long(3) + long(0)))
    inner = pl.Struct({"x": pl.Int64})
    df = read_avro([old, new], schema={"n": inner, "m": pl.List(inner)}, missing_columns="insert")
    assert df.rows() == [({"x": 1}, None), ({"x": 2}, [{"x": 3}])]


NULLS = [
    (pl.Null, pl.Int64),
    (pl.Null, pl.String),
    (pl.Null, pl.List(pl.String)),
    (pl.Null, pl.Struct({"a": pl.Int8})),
    (pl.Null, pl.Enum(["a"])),
    (pl.Null, pl.Categorical),
    (pl.Null, pl.UInt128),
    (pl.Null, pl.Datetime("us", "Europe/Paris")),
    (pl.List(pl.Null), pl.List(pl.Int64)),
    (pl.Array(pl.Null, 2), pl.Array(pl.Int64, 2)),
    (pl.Struct({"a": pl.Null, "b": pl.Int64}), pl.Struct({"a": pl.String, "b": pl.Int64})),
    (pl.List(pl.Struct({"a": pl.List(pl.Null)})), pl.List(pl.Struct({"a": pl.List(pl.Date)}))),
]


def nulls(dtype):
    if isinstance(dtype, pl.List):
        inner = nulls(dtype.inner)
        return [[], None, inner]
    if isinstance(dtype, pl.Array):
        return [None, [None] * dtype.size]
    if isinstance(dtype, pl.Struct):
        return [None, {field.name: 7 if field.dtype == pl.Int64 else None for field in dtype.fields}]
    return [None, None]


@pytest.mark.parametrize(("own", "wanted"), NULLS, ids=str)
def test_a_column_of_nulls_is_read_as_any_dtype(own, wanted):
    values = nulls(own)
    file = written(c=pl.Series(values, dtype=own))
    expected = pl.DataFrame({"c": pl.Series(values, dtype=wanted)})
    assert_frame_equal(read_avro(file, schema={"c": wanted}), expected)
    assert_frame_equal(scan_avro([file, file], schema={"c": wanted}).collect(), pl.concat([expected, expected]))
    assert_frame_equal(read_avro(file, schema={"c": wanted}, cast_options=pl.ScanCastOptions()), expected)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_parts_that_are_all_null_are_read_beside_others(order):
    union = [{"type": "record", "name": "U", "fields": [{"name": "x", "type": "long"}]}, "string"]
    fields = [("n", "long"), ("u", union), ("t", {"type": "string", "logicalType": "uuid"}), ("l", "double")]
    schema = {"type": "record", "name": "R", "fields": [{"name": name, "type": kind} for name, kind in fields]}
    uuid = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"
    row = long(5) + long(0) + long(6) + text(uuid) + b"\0" * 8
    full = container(schema, (1, row))
    empty = written(**{name: pl.Series([None], dtype=pl.Null) for name, _ in fields})
    dtypes = dict(read_avro(full).schema)
    files = [full, empty]
    df = read_avro([files[at] for at in order], schema=dtypes)
    assert dict(df.schema) == dtypes
    assert df[order.index(0)].rows() == [(5, {"U": {"x": 6}, "string": None}, uuid, 0.0)]
    assert df[order.index(1)].rows() == [(None,) * 4]


def test_another_column_that_differs_is_named():
    file = written(n=pl.Series([None], dtype=pl.Null), m=[1])
    with pytest.raises(AvroSchemaError, match="field `m`: the writer's long cannot be read"):
        read_avro(file, schema={"n": pl.String, "m": pl.String})


def test_columns_that_are_not_read_may_differ():
    old = written(st=[{"a": 1}])
    new = written(st=[{"a": 2, "b": 3}], c=[4])
    schema = {"st": pl.Struct({"a": pl.Int64}), "c": pl.Int64}
    for files, rows in (([old, new], [None, 4]), ([new, old], [4, None])):
        lf = scan_avro(files, schema=schema, missing_columns="insert")
        assert lf.select("c").collect()["c"].to_list() == rows
        with pytest.raises(AvroSchemaError, match="`st"):
            lf.collect()
    assert scan_avro(new, schema=schema).select("c").collect()["c"].to_list() == [4]


INTEGERS = [pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.Int128, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64, pl.UInt128]


def as_parquet(own, wanted, options, tmp_path):
    path = tmp_path / "x.parquet"
    df = pl.DataFrame({"c": pl.Series([1, None, 100], dtype=own)})
    df.write_parquet(path)
    try:
        return pl.scan_parquet(path, schema={"c": wanted}, cast_options=options).collect()
    except pl.exceptions.PolarsError:
        return None


@pytest.mark.parametrize("wanted", [pl.UInt64, pl.Int128, pl.UInt128, pl.Float16, pl.Float32, pl.Int64], ids=str)
def test_casts_are_those_of_polars(wanted, tmp_path):
    table = [
        pl.ScanCastOptions(),
        pl.ScanCastOptions(integer_cast="upcast"),
        pl.ScanCastOptions(integer_cast="allow-float"),
        pl.ScanCastOptions(float_cast="upcast"),
        pl.ScanCastOptions(float_cast="downcast"),
    ]
    for own, options in itertools.product([*INTEGERS, pl.Float16, pl.Float32, pl.Float64], table):
        expected = as_parquet(own, wanted, options, tmp_path)
        file = written(c=pl.Series([1, None, 100], dtype=own))
        found = outcome(file, schema={"c": wanted}, cast_options=options)
        if expected is None:
            assert found is AvroSchemaError, (own, options)
        else:
            assert_frame_equal(found, expected)


def test_casts_of_plain_avro_types_and_of_nested_ones():
    fields = [("i", "int"), ("l", "long"), ("f", "float"), ("d", "double")]
    schema = {"type": "record", "name": "R", "fields": [{"name": name, "type": kind} for name, kind in fields]}
    file = container(schema, (1, long(-5) + long(-(2**40)) + b"\0\0\xc0\x3f" + b"\0\0\0\0\0\0\xf8\x3f"))
    options = pl.ScanCastOptions(integer_cast=["upcast", "allow-float"], float_cast=["upcast", "downcast"])
    dtypes = {"i": pl.Int128, "l": pl.Int128, "f": pl.Float16, "d": pl.Float16}
    assert read_avro(file, schema=dtypes, cast_options=options).rows() == [(-5, -(2**40), 1.5, 1.5)]
    df = read_avro(file, schema={**dtypes, "l": pl.Float16}, cast_options=options)
    assert math.isinf(df["l"][0])
    nested = written(c=[[{"a": 1, "b": 2.5}], None])
    wanted = {"c": pl.List(pl.Struct({"a": pl.Int128, "b": pl.Float16}))}
    df = read_avro([nested, nested], schema=wanted, cast_options=options)
    assert df.schema == wanted
    assert df["c"].to_list() == [[{"a": 1, "b": 2.5}], None] * 2


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_files_of_several_widths_are_cast(order):
    files = [written(c=pl.Series([1], dtype=pl.UInt8)), written(c=pl.Series([2], dtype=pl.UInt32))]
    options = pl.ScanCastOptions(integer_cast="upcast")
    df = read_avro([files[at] for at in order], schema={"c": pl.UInt64}, cast_options=options)
    assert_frame_equal(df, pl.DataFrame({"c": pl.Series([at + 1 for at in order], dtype=pl.UInt64)}))


NAMED = [
    pl.UInt64,
    pl.Int128,
    pl.UInt128,
    pl.Float16,
    pl.Enum(["x"]),
    pl.Struct({"p": pl.Int8, "q": pl.Int128}),
    pl.List(pl.Int128),
    pl.Array(pl.Struct({"p": pl.UInt64}), 2),
]


@pytest.mark.parametrize("second", NAMED, ids=str)
@pytest.mark.parametrize("first", NAMED, ids=str)
def test_several_columns_are_read_as_dtypes_whose_avro_types_have_names(first, second, tmp_path):
    frame = pl.DataFrame({"column": [None, None], "b": [None, None], "Row_column": [{"x": 1}, {"x": 2}]})
    polars_avro.write_avro(frame, tmp_path / "a.avro")
    frame.write_parquet(tmp_path / "a.parquet")
    schema = {"column": first, "b": second, "Row_column": pl.Struct({"x": pl.Int64})}
    expected = pl.scan_parquet(tmp_path / "a.parquet", schema=schema).collect()
    assert_frame_equal(scan_avro(tmp_path / "a.avro", schema=schema).collect(), expected)
    assert_frame_equal(read_avro([tmp_path / "a.avro"] * 2, schema=schema), pl.concat([expected, expected]))


def test_several_columns_are_cast_to_dtypes_whose_avro_types_have_names():
    wide = {"id": pl.UInt64, "v": pl.Int128, "column": pl.Struct({"x": pl.Int64})}
    narrow = pl.DataFrame({"id": [1], "v": [2], "column": [{"x": 3}]}).cast({"id": pl.UInt32, "v": pl.Int64})
    casts = pl.ScanCastOptions(integer_cast="upcast")
    file = written(**narrow.to_dict())
    assert_frame_equal(read_avro(file, schema=wide, cast_options=casts), narrow.cast(wide))
