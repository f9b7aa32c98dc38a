"""Scans of files with different schemas."""

import io
from typing import Any

import fastavro
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import polars_avro

pytestmark = pytest.mark.filterwarnings("ignore:.*considered unstable")


def avro(fields: dict[str, Any], rows: list[Any], name: str = "R", **defaults: Any) -> bytes:
    """A file; `defaults` are the defaults of the schema."""
    listed = [
        {"name": field, "type": schema, **({"default": defaults[field]} if field in defaults else {})}
        for field, schema in fields.items()
    ]
    out = io.BytesIO()
    fastavro.writer(out, {"type": "record", "name": name, "fields": listed}, rows)
    return out.getvalue()


def nested(**fields: Any) -> Any:
    return {
        "type": "record",
        "name": "N",
        "fields": [{"name": name, "type": schema} for name, schema in fields.items()],
    }


AB = avro({"a": "long", "b": "string"}, [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}])
BA = avro({"b": "string", "a": "long"}, [{"a": 3, "b": "z"}])
A = avro({"a": "long"}, [{"a": 4}])
ABC = avro({"a": "long", "b": "string", "c": "double"}, [{"a": 5, "b": "w", "c": 0.5}])
INT = avro({"a": "int", "b": "string"}, [{"a": 6, "b": "v"}])
NULLABLE = avro({"a": ["null", "long"], "b": ["string", "null"]}, [{"a": None, "b": None}, {"a": 7, "b": "u"}])
NAMED = avro({"a": "long", "b": "string"}, [{"a": 8, "b": "t"}], name="Other")
TEXT = avro({"a": "string", "b": "string"}, [{"a": "8", "b": "t"}])


@pytest.mark.parametrize(
    ("sources", "rows"),
    [
        ([AB, BA], [(1, "x"), (2, "y"), (3, "z")]),
        ([AB, INT], [(1, "x"), (2, "y"), (6, "v")]),
        ([NULLABLE, AB], [(None, None), (7, "u"), (1, "x"), (2, "y")]),
        ([AB, NAMED, AB], [(1, "x"), (2, "y"), (8, "t"), (1, "x"), (2, "y")]),
    ],
)
def test_columns_in_another_order_and_narrower_types_are_read(engine, sources, rows):
    df = polars_avro.scan_avro(sources).collect(engine=engine)
    assert_frame_equal(df, pl.DataFrame(rows, schema={"a": pl.Int64, "b": pl.String}, orient="row"))
    assert polars_avro.read_avro(sources).equals(df)


def test_nulls_of_later_files_are_null(engine):
    """Every column of Polars is nullable. In Avro `avro_schema` decides."""
    df = polars_avro.scan_avro([AB, NULLABLE]).collect(engine=engine)
    assert df.rows() == [(1, "x"), (2, "y"), (None, None), (7, "u")]
    schema = polars_avro.read_avro_metadata(AB).avro_schema
    with pytest.raises(polars_avro.AvroDataError, match="the writer's null cannot be read as the reader's long"):
        polars_avro.read_avro([AB, NULLABLE], reader_schema=schema)
    df = polars_avro.scan_avro([AB, avro({"a": "null", "b": "string"}, [{"a": None, "b": "s"}])]).collect(engine=engine)
    assert df.rows() == [(1, "x"), (2, "y"), (None, "s")]
    fields = {
        "u": ["int", "string"],
        "l": {"type": "array", "items": "int"},
        "r": nested(next=["long", "R"]),
    }
    nullable = {
        "u": ["string", "null", "int"],
        "l": ["null", {"type": "array", "items": ["int", "null"]}],
        "r": nested(next=["null", "long", "R"]),
    }
    one = avro(fields, [{"u": 1, "l": [1], "r": {"next": 1}}])
    other = avro(nullable, [{"u": None, "l": [None, 2], "r": {"next": None}}, {"u": "x", "l": None, "r": {"next": 2}}])
    df = polars_avro.scan_avro([one, other]).collect(engine=engine)
    assert df["u"].to_list() == [{"int": 1, "string": None}, None, {"int": None, "string": "x"}]
    assert df["l"].to_list() == [[1], [None, 2], None]
    assert [row["next"] for row in df["r"]] == [
        {"long": 1, "R": None},
        None,
        {"long": 2, "R": None},
    ]


def test_what_does_not_resolve_names_the_file(tmp_path, engine):
    paths = [tmp_path / "one.avro", tmp_path / "text.avro"]
    for path, data in zip(paths, (AB, TEXT), strict=True):
        path.write_bytes(data)
    with pytest.raises(polars_avro.AvroSchemaError, match=r"text\.avro: .*string.*long") as caught:
        polars_avro.scan_avro(paths).collect(engine=engine)
    assert (caught.value.file, caught.value.field) == (str(paths[1]), "a")


def test_missing_columns(engine):
    for sources in ([AB, A], [AB, BA, A, AB]):
        with pytest.raises(polars_avro.AvroSchemaError, match=r"`b`.*the writer did not write this field"):
            polars_avro.scan_avro(sources).collect(engine=engine)
        # No query reads the column.
        df = polars_avro.scan_avro(sources, missing_columns="insert").collect(engine=engine)
        frames = [polars_avro.read_avro(source) for source in sources]
        assert_frame_equal(df, pl.concat(frames, how="diagonal"))
        selected = polars_avro.scan_avro(sources, missing_columns="insert").select("b").collect(engine=engine)
        assert_frame_equal(selected, df.select("b"))


def test_every_type_may_be_missing(engine):
    fields = {
        "a": "long",
        "r": nested(x="int", y={"type": "array", "items": "string"}),
        "m": {"type": "map", "values": "double"},
        "e": {"type": "enum", "name": "E", "symbols": ["A"]},
        "u": ["int", "string"],
        "n": "null",
        "d": {"type": "bytes", "logicalType": "decimal", "precision": 5, "scale": 2},
        "t": {"type": "long", "logicalType": "timestamp-micros"},
        "f": {"type": "fixed", "name": "F", "size": 2},
        "l": {"type": "array", "items": nested(x="int") | {"name": "M"}},
        "z": {"type": "record", "name": "Z", "fields": []},
    }
    full = avro(fields, [])
    df = polars_avro.scan_avro([full, A, full], missing_columns="insert").collect(engine=engine)
    assert df.schema == pl.Schema(polars_avro.read_avro_schema(full))
    assert df.rows() == [(4, *[None] * (len(fields) - 1))]


def test_a_default_is_taken_for_a_missing_column(engine):
    with_default = avro({"a": "long", "b": "string"}, [], b="none")
    for missing in ("raise", "insert"):
        df = polars_avro.scan_avro([with_default, A, AB], missing_columns=missing).collect(engine=engine)
        assert df.rows() == [(4, "none"), (1, "x"), (2, "y")]


def test_extra_columns(engine):
    with pytest.raises(polars_avro.AvroSchemaError, match=r"`c`.*the writer wrote this field"):
        polars_avro.scan_avro([AB, ABC]).collect(engine=engine)
    df = polars_avro.scan_avro([AB, ABC, BA], extra_columns="ignore").collect(engine=engine)
    assert df.rows() == [(1, "x"), (2, "y"), (5, "w"), (3, "z")]


def test_a_reader_schema_passes_over_extra_columns(engine):
    reader = {"type": "record", "name": "R", "fields": [{"name": "b", "type": ["null", "string"], "default": None}]}
    df = polars_avro.scan_avro([AB, A, ABC], reader_schema=reader).collect(engine=engine)
    assert df["b"].to_list() == ["x", "y", None, "w"]
    reader["fields"].append({"name": "q", "type": "int"})
    with pytest.raises(polars_avro.AvroSchemaError, match="`q`"):
        polars_avro.scan_avro(AB, reader_schema=reader)
    df = polars_avro.scan_avro([AB, A], reader_schema=reader, missing_columns="insert").collect(engine=engine)
    assert df.rows() == [("x", None), ("y", None), (None, None)]


def test_fields_of_nested_records(engine):
    one = avro({"r": nested(x="int")}, [{"r": {"x": 1}}])
    two = avro({"r": nested(x="int", y="int")}, [{"r": {"x": 2, "y": 3}}])
    options = {"extra_struct_fields": "ignore", "missing_struct_fields": "insert"}
    for sources, rows, option in (
        ([one, two], [{"x": 1}, {"x": 2}], "extra_struct_fields"),
        ([two, one], [{"x": 2, "y": 3}, {"x": 1, "y": None}], "missing_struct_fields"),
    ):
        with pytest.raises(polars_avro.AvroSchemaError, match=r"`r\.y`"):
            polars_avro.scan_avro(sources).collect(engine=engine)
        casts = pl.ScanCastOptions(**{option: options[option]})
        df = polars_avro.scan_avro(sources, cast_options=casts).collect(engine=engine)
        assert df["r"].to_list() == rows


@pytest.mark.parametrize("name", ["missing_columns", "extra_columns", "schema_mode"])
def test_words_that_mean_nothing_are_refused(name):
    for function in (polars_avro.scan_avro, polars_avro.read_avro):
        with pytest.raises(ValueError, match=f"`{name}` must be one of"):
            function(AB, **{name: "nothing"})


TYPES = [
    ("long", "int"),
    ("double", "float"),
    ("double", "int"),
    ("float", "long"),
    ("string", ["null", "string"]),
    ("null", "long"),
    ("null", {"type": "array", "items": "int"}),
    (["null", "int"], ["long", "null"]),
    ({"type": "array", "items": "int"}, {"type": "array", "items": ["null", "long"]}),
    (nested(x="int"), nested(y="string")),
    (nested(x="int"), ["null", nested(x="double", y=nested(z="int") | {"name": "M"})]),
    (
        {"type": "long", "logicalType": "timestamp-micros"},
        ["null", {"type": "long", "logicalType": "timestamp-micros"}],
    ),
]
VALUES = {"long": 1 << 40, "int": 7, "double": 0.1, "float": 0.5, "string": "x", "null": None, "array": [1]}


def example(schema: Any) -> Any:
    if isinstance(schema, list):
        return example(schema[-1])
    if isinstance(schema, dict) and schema["type"] == "record":
        return {field["name"]: example(field["type"]) for field in schema["fields"]}
    return VALUES[schema["type"] if isinstance(schema, dict) else schema]


@pytest.mark.parametrize("types", TYPES)
@pytest.mark.parametrize("order", [1, -1])
def test_the_union_of_schemas_is_the_diagonal_concatenation(engine, types, order):
    one, other = types[::order]
    sources = [
        avro({"a": "int", "v": one}, [{"a": 1, "v": example(one)}]),
        avro({"v": other, "b": "string"}, [{"v": example(other), "b": "x"}]),
        A,
    ]
    df = polars_avro.scan_avro(sources, schema_mode="union").collect(engine=engine)
    frames = [polars_avro.read_avro(source) for source in sources]
    expected = pl.concat(frames, how="diagonal_relaxed")
    assert df.schema == expected.schema
    assert_frame_equal(df, expected)
    assert_frame_equal(polars_avro.read_avro(sources, schema_mode="union", columns=["b"]), expected.select("b"))


def test_the_union_has_the_symbols_of_all_enums(engine):
    enums = [{"type": "enum", "name": "E", "symbols": symbols} for symbols in (["A", "B"], ["C", "B"])]
    sources = [avro({"e": enum}, [{"e": symbol} for symbol in enum["symbols"]]) for enum in enums]
    df = polars_avro.scan_avro(sources, schema_mode="union").collect(engine=engine)
    assert df.schema == {"e": pl.Enum(["A", "B", "C"])}
    assert df["e"].to_list() == ["A", "B", "C", "B"]


def test_the_union_of_recursive_schemas(engine):
    def tree(item):
        fields = [{"name": "v", "type": item}, {"name": "next", "type": ["null", "T"]}]
        return {"type": "record", "name": "T", "fields": fields}

    row = {"t": {"v": 1, "next": {"v": 2, "next": None}}}
    sources = [avro({"t": tree(item)}, [row]) for item in ("int", "long")]
    df = polars_avro.scan_avro(sources, schema_mode="union").collect(engine=engine)
    assert df["t"].struct["v"].dtype == pl.Int64
    assert df["t"].struct["next"].to_list() == ['{"v":2,"next":null}'] * 2


def test_types_without_a_union_are_refused(tmp_path):
    with pytest.raises(polars_avro.AvroSchemaError, match="`a` is long in one file and string in another"):
        polars_avro.scan_avro([AB, TEXT], schema_mode="union")
    utc, local = ({"type": "long", "logicalType": f"{word}timestamp-millis"} for word in ("", "local-"))
    with pytest.raises(
        polars_avro.AvroSchemaError, match=r"`a` is long \(timestamp-millis\) .*\(local-timestamp-millis"
    ):
        polars_avro.scan_avro([avro({"a": utc}, []), avro({"a": local}, [])], schema_mode="union")


OPTIONS = [
    {},
    {"missing_columns": "insert"},
    {"extra_columns": "ignore"},
    {"missing_columns": "insert", "extra_columns": "ignore"},
]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize(
    "columns", [["ab", "ab"], ["ab", "ba"], ["ab", "a"], ["ab", "abc"], ["ab", "bc"], ["a", "ab", "b"], ["ab", "c"]]
)
def test_files_are_accepted_and_refused_as_by_scan_parquet(tmp_path, engine, options, columns):
    for number, names in enumerate(columns):
        row = dict.fromkeys(names, number)
        (tmp_path / "avro").mkdir(exist_ok=True)
        (tmp_path / "avro" / str(number)).write_bytes(avro(dict.fromkeys(names, "long"), [row]))
        (tmp_path / "parquet").mkdir(exist_ok=True)
        pl.DataFrame([row]).write_parquet(tmp_path / "parquet" / str(number))
    try:
        expected = pl.scan_parquet(tmp_path / "parquet", **options).collect(engine=engine)
    except pl.exceptions.PolarsError:
        with pytest.raises(polars_avro.AvroSchemaError):
            polars_avro.scan_avro(tmp_path / "avro", **options).collect(engine=engine)
    else:
        assert_frame_equal(polars_avro.scan_avro(tmp_path / "avro", **options).collect(engine=engine), expected)
