"""Selection of struct fields."""

import polars as pl
import pytest
from containers import block, header, long, text
from polars.testing import assert_frame_equal
from rows import write

import polars_avro


def record(name, **fields):
    return {"type": "record", "name": name, "fields": [{"name": key, "type": value} for key, value in fields.items()]}


INNER = record("Inner", x="int", y=["null", "string"], z="double")
SCHEMA = record(
    "Row",
    id="long",
    one=record("One", deep=["null", INNER], n="int", last="string"),
    many={"type": "array", "items": "Inner"},
    named={"type": "map", "values": ["Inner", "null"]},
    either=["null", "int", "Inner"],
    plain={"type": "array", "items": "int"},
)


def inner(i):
    return {"x": i, "y": None if i % 3 == 0 else f"a longer text than a view holds, {i}", "z": i / 2}


ROWS = [
    {
        "id": i,
        "one": {"deep": None if i % 4 == 1 else inner(i), "n": i, "last": f"last {i}"},
        "many": [inner(j) for j in range(i % 4)],
        "named": {f"k{j}": None if j == 1 else inner(j) for j in range(i % 3)},
        "either": None if i % 2 else i,
        "plain": [i],
    }
    for i in range(200)
]


@pytest.fixture(scope="module")
def nested(tmp_path_factory):
    return write(tmp_path_factory.mktemp("nested") / "nested.avro", ROWS, SCHEMA)


def only(value, *names):
    return None if value is None else {name: value[name] for name in names}


CASES = {
    "a field": (["one.n"], {"one": [only(row["one"], "n") for row in ROWS]}),
    "two fields, in the order asked for": (
        ["one.last", "id", "one.n"],
        {"one": [only(row["one"], "last", "n") for row in ROWS], "id": [row["id"] for row in ROWS]},
    ),
    "a field of a nullable struct in a struct": (
        ["one.deep.y"],
        {"one": [{"deep": only(row["one"]["deep"], "y")} for row in ROWS]},
    ),
    "items of lists": (["many.z", "many.x"], {"many": [[only(i, "z", "x") for i in row["many"]] for row in ROWS]}),
    "values of maps": (
        ["named.y"],
        {"named": [[(key, only(value, "y")) for key, value in row["named"].items()] for row in ROWS]},
    ),
    "whole and in part": (["either", "one.n"], {"either": None, "one": [only(row["one"], "n") for row in ROWS]}),
}


@pytest.mark.parametrize("case", CASES)
def test_fields(nested, case):
    columns, expected = CASES[case]
    df = polars_avro.read_avro(nested, columns=columns)
    assert df.columns == list(expected)
    whole = polars_avro.read_avro(nested)
    for name, values in expected.items():
        if values is None:
            assert_frame_equal(df.select(name), whole.select(name))
        elif name == "named":
            pairs = [[(key, value) for key, value in row.items()] for row in df[name].to_list()]
            assert pairs == values
        else:
            assert df[name].to_list() == values
    with polars_avro.AvroReader(nested, columns=columns, n_rows=50, row_index_name="row") as reader:
        assert_frame_equal(pl.concat(reader), df.head(50).with_row_index("row"))
        assert reader.schema == df.head(0).with_row_index("row").schema


def test_dtypes(nested):
    columns = ["many.x", "named.z", "one.deep.x", "one.n"]
    assert polars_avro.read_avro(nested, columns=columns).schema == {
        "many": pl.List(pl.Struct({"x": pl.Int32})),
        "named": pl.Map(pl.String, pl.Struct({"z": pl.Float64})),
        "one": pl.Struct({"deep": pl.Struct({"x": pl.Int32}), "n": pl.Int32}),
    }


def test_what_is_not_read_is_not_looked_at():
    """An unselected field is not valid UTF-8."""
    schema = record("Row", s=record("S", n="int", t="string"))
    data = header(schema) + block(2, long(1) + text(b"\xff") + long(2) + text(b"\xfe"))
    assert polars_avro.read_avro(data, columns="s.n")["s"].to_list() == [{"n": 1}, {"n": 2}]
    with pytest.raises(polars_avro.AvroDataError):
        polars_avro.read_avro(data, columns="s.t")


def test_a_name_with_a_dot_comes_first():
    """Not a valid name, but other writers produce it."""
    schema = record("Row", a=record("A", b="int", c="int"), **{"a.b": "long"})
    data = header(schema) + block(1, long(1) + long(2) + long(3))
    assert polars_avro.read_avro(data, columns=["a.b"]).to_dict(as_series=False) == {"a.b": [3]}
    assert polars_avro.read_avro(data, columns=["a.c"])["a"].to_list() == [{"c": 2}]


@pytest.mark.parametrize(
    ("columns", "error"),
    [
        (["one.nope"], pl.exceptions.ColumnNotFoundError),
        (["one."], pl.exceptions.ColumnNotFoundError),
        (["id.x"], pl.exceptions.ColumnNotFoundError),
        (["plain.x"], pl.exceptions.ColumnNotFoundError),
        (["one.deep.x.x"], pl.exceptions.ColumnNotFoundError),
        (["either.nope"], pl.exceptions.ColumnNotFoundError),
        (["either.int.x"], pl.exceptions.ColumnNotFoundError),
        (["one.n", "one"], ValueError),
        (["one", "one.n"], ValueError),
        (["one.n", "one.n"], ValueError),
    ],
)
def test_fields_that_cannot_be_are_refused(nested, columns, error):
    for function in (polars_avro.read_avro, polars_avro.AvroReader):
        with pytest.raises(error):
            function(nested, columns=columns)


@pytest.mark.parametrize("columns", [["one.n"], ["many.x", "named.z", "one.deep.x"], ["one.deep", "one.n"]], ids=str)
@pytest.mark.parametrize("options", [{}, {"include_file_paths": "file"}, {"row_index_name": "row"}], ids=str)
def test_fields_are_read_alike_from_one_file_and_from_many(nested, columns, options):
    alone = polars_avro.read_avro(nested, columns=columns)
    beside = [name for name in (options.get("include_file_paths"),) if name]
    in_front = [name for name in (options.get("row_index_name"),) if name]
    for sources in (nested, [nested], [nested, nested]):
        read = polars_avro.read_avro(sources, columns=columns, **options)
        assert read.columns == in_front + alone.columns + beside
        copies = len(sources) if isinstance(sources, list) else 1
        assert_frame_equal(read.select(alone.columns), pl.concat([alone] * copies))
        lazy = polars_avro.scan_avro(sources, columns=columns, **options)
        assert lazy.collect_schema() == read.schema
        for engine in ("in-memory", "streaming"):
            assert_frame_equal(lazy.collect(engine=engine), read)


def test_a_filter_on_a_struct_that_is_read_in_part(nested):
    lazy = polars_avro.scan_avro([nested, nested], columns=["one.n", "id"])
    whole = polars_avro.scan_avro([nested, nested])
    n = pl.col("one").struct.field("n")
    some = whole.select(n).collect()["n"].drop_nulls()[0]
    expected = whole.filter(n == some).select("id").collect()
    assert expected.height > 0
    assert_frame_equal(lazy.filter(n == some).select("id").collect(), expected)
    value = lazy.select(pl.col("one").first()).collect().item()
    assert lazy.filter(pl.col("one") == pl.lit(value)).collect().height >= 1


def test_a_struct_and_a_field_of_it_are_refused(nested):
    for sources in (nested, [nested, nested]):
        with pytest.raises(ValueError, match=r"twice|and a field of it"):
            polars_avro.read_avro(sources, columns=["one", "one.n"])
