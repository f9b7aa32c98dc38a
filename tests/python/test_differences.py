"""Files whose schemas differ: what is read, what is refused, and when, beside what `scan_parquet` does."""

import datetime as dt
import io
import itertools
from typing import Any

import fastavro
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import polars_avro

pytestmark = pytest.mark.filterwarnings("ignore:.*considered unstable")


def avro(rows: list[Any], **fields: Any) -> bytes:
    out = io.BytesIO()
    listed = [{"name": name, "type": schema} for name, schema in fields.items()]
    fastavro.writer(out, {"type": "record", "name": "Row", "fields": listed}, rows)
    return out.getvalue()


def record(name: str, **fields: Any) -> dict[str, Any]:
    return {
        "type": "record",
        "name": name,
        "fields": [{"name": field, "type": schema} for field, schema in fields.items()],
    }


def enum(name: str, *symbols: str) -> dict[str, Any]:
    return {"type": "enum", "name": name, "symbols": list(symbols)}


def logical(base: str, name: str, **attributes: Any) -> dict[str, Any]:
    return {"type": base, "logicalType": name, **attributes}


def polars_written(frame: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.write_avro(out)
    return out.getvalue()


AROUND = {
    "plain": (lambda schema: schema, lambda value: value),
    "nullable": (lambda schema: ["null", schema], lambda value: value),
    "array": (lambda schema: {"type": "array", "items": ["null", schema]}, lambda value: [value, None]),
    "map": (lambda schema: {"type": "map", "values": [schema, "null"]}, lambda value: {"k": value}),
    "nested": (lambda schema: record("Out", i=["null", schema]), lambda value: {"i": value}),
}


def test_structs_that_polars_wrote_in_another_order_are_scanned_together():
    """Polars names records by their positions."""
    one = pl.DataFrame({"s": [{"x": 1}, None], "t": [{"y": "a"}, {"y": None}], "l": [[{"z": 1.5}], None]})
    other = one.select("l", "t", "s")
    wider = one.select(pl.struct(q=1).alias("r"), "s", "t", "l")
    files = [polars_written(frame) for frame in (one, other)]
    assert_frame_equal(polars_avro.read_avro(files), pl.concat([one, one]))
    files = [polars_written(frame) for frame in (one, wider)]
    df = polars_avro.read_avro(files, extra_columns="ignore")
    assert_frame_equal(df, pl.concat([one, one]))
    df = polars_avro.read_avro(files, schema_mode="union")
    assert_frame_equal(df, pl.concat([one, wider], how="diagonal_relaxed"))


@pytest.mark.parametrize("mode", ["first", "union"])
@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("kind", ["record", "enum", "fixed"])
def test_names_do_not_matter(around, kind, mode):
    schemas = {
        "record": lambda name: record(name, x="long"),
        "enum": lambda name: enum(name, "A", "B"),
        "fixed": lambda name: {"type": "fixed", "name": name, "size": 2},
    }
    value = {"record": {"x": 1}, "enum": "B", "fixed": b"ab"}[kind]
    schema, make = AROUND[around]
    files = [avro([{"v": make(value)}], v=schema(schemas[kind](name))) for name in ("One", "Two")]
    df = polars_avro.scan_avro(files, schema_mode=mode).collect()
    assert_frame_equal(df, pl.concat([polars_avro.read_avro(file) for file in files]))
    metadata = polars_avro.read_avro_metadata(files[0])
    with pytest.raises(polars_avro.AvroError):
        polars_avro.read_avro([files[1]], reader_schema=metadata.avro_schema)


MISMATCHES = {
    "missing field": (record("S", x="int", y="int"), record("S", x="int"), {"x": 1, "y": 2}, {"x": 3}),
    "extra field": (record("S", x="int"), record("S", x="int", y="int"), {"x": 1}, {"x": 1, "y": 2}),
    "unit": (logical("long", "timestamp-micros"), logical("long", "timestamp-millis"), 1, 1),
    "narrower": ("int", "long", 1, 1 << 40),
    "digits": ("double", "long", 1.5, (1 << 60) + 1),
    "float": ("float", "double", 1.5, 0.1),
    "symbol": (enum("E", "A"), enum("E", "A", "B"), "A", "B"),
    "type": ("long", "string", 1, "x"),
    "text": ("string", "bytes", "x", b"\xff"),
    "logical": ("long", logical("long", "timestamp-millis"), 1, 1),
}


@pytest.mark.parametrize("ignore_errors", [False, True])
@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("difference", MISMATCHES)
def test_differences_of_schemas_are_errors_of_schemas(difference, around, ignore_errors):
    """Also where every value of the second file is null: the schemas alone show them."""
    one, other, value, another = MISMATCHES[difference]
    schema, make = AROUND[around]
    first = avro([{"a": 1, "v": make(value)}], a="int", v=schema(one))
    rows = [{"a": 2, "v": make(another)}]
    if around != "plain":
        rows.append({"a": 3, "v": {"array": [], "map": {}, "nested": {"i": None}, "nullable": None}[around]})
    for sound in (rows, rows[1:]):
        if not sound:
            continue
        files = [first, avro(sound, a="int", v=schema(other)), first]
        lf = polars_avro.scan_avro(files, ignore_errors=ignore_errors)
        with pytest.raises(polars_avro.AvroSchemaError, match="field `v"):
            lf.collect()
        with pytest.raises(polars_avro.AvroSchemaError, match="field `v"):
            lf.filter(pl.col("v").is_null()).select("a").collect()
        # Nobody reads the column.
        assert lf.select("a").collect()["a"].to_list() == [1, *[row["a"] for row in sound], 1]
        assert lf.select(pl.len()).collect().item() == 2 + len(sound)
        assert lf.with_row_index().select("index").collect().height == 2 + len(sound)
    # Nor are there rows that could differ.
    empty = avro([], a="int", v=schema(other))
    df = polars_avro.scan_avro([first, empty, first], ignore_errors=ignore_errors).collect()
    assert df["a"].to_list() == [1, 1]


def test_a_branch_that_only_a_later_file_has():
    one = avro([{"u": 1}], u=["int", "string"])
    other = avro([{"u": True}, {"u": "x"}], u=["int", "string", "boolean"])
    for ignore_errors in (False, True):
        with pytest.raises(polars_avro.AvroSchemaError, match="`u`"):
            polars_avro.read_avro([one, other], ignore_errors=ignore_errors)
    df = polars_avro.read_avro([one, other], cast_options=pl.ScanCastOptions(extra_struct_fields="ignore"))
    assert df["u"].to_list() == [
        {"int": 1, "string": None},
        {"int": None, "string": None},
        {"int": None, "string": "x"},
    ]


def test_a_symbol_that_only_a_later_file_has_is_the_default_if_there_is_one():
    schema = {**enum("E", "A", "B"), "default": "B"}
    files = [avro([{"e": "A"}], e=schema), avro([{"e": "C"}], e=enum("E", "C"))]
    assert polars_avro.read_avro(files)["e"].to_list() == ["A", "B"]


@pytest.mark.parametrize("ignore_errors", [False, True])
def test_values_that_a_reader_schema_has_no_place_for_are_not_left_out(ignore_errors):
    file = avro([{"v": 1}, {"v": None}], v=["null", "long"])
    reader = record("Row", v="long")
    with pytest.raises(polars_avro.AvroDataError, match="null cannot be read as the reader's long"):
        polars_avro.read_avro(file, reader_schema=reader, ignore_errors=ignore_errors)


TABLES = {
    "ab": pl.DataFrame({"a": [1, 2], "b": ["x", "y"]}),
    "a": pl.DataFrame({"a": [3]}),
    "ba": pl.DataFrame({"b": ["z"], "a": [4]}),
    "abc": pl.DataFrame({"a": [5], "b": ["w"], "c": [0.5]}),
    "ab0": pl.DataFrame(schema={"a": pl.Int64, "b": pl.String}),
    "a0": pl.DataFrame(schema={"a": pl.Int64}),
    "abc0": pl.DataFrame(schema={"a": pl.Int64, "b": pl.String, "c": pl.Float64}),
    "atext": pl.DataFrame({"a": [6], "b": [0.5]}),
    "atext0": pl.DataFrame(schema={"a": pl.Int64, "b": pl.Float64}),
}
QUERIES = {
    "all": lambda lf: lf,
    "a": lambda lf: lf.select("a"),
    "b": lambda lf: lf.select("b"),
    "ba": lambda lf: lf.select("b", "a"),
    "len": lambda lf: lf.select(pl.len()),
    "filter a": lambda lf: lf.filter(pl.col("a") > 1).select("a"),
    "filter b": lambda lf: lf.filter(pl.col("b") == "x").select("a"),
    "head 1": lambda lf: lf.head(1),
    "head 2": lambda lf: lf.head(2),
    "head 3": lambda lf: lf.head(3),
    "slice": lambda lf: lf.slice(2, 1),
    "slice behind": lambda lf: lf.slice(100, 1),
    "tail": lambda lf: lf.tail(1),
    "index": lambda lf: lf.with_row_index().select("index"),
    "index a": lambda lf: lf.with_row_index().select("index", "a"),
    "head len": lambda lf: lf.head(1).select(pl.len()),
    "literal": lambda lf: lf.select(pl.lit(1)),
}
OPTIONS: list[dict[str, Any]] = [
    {},
    {"missing_columns": "insert"},
    {"extra_columns": "ignore"},
    {"missing_columns": "insert", "extra_columns": "ignore"},
]
SETS = [
    *itertools.permutations(["ab", "a", "abc"], 2),
    *[("ab", other) for other in ("ab", "ba", "a0", "abc0", "atext", "atext0")],
    *[("ab0", other) for other in ("a", "abc", "atext")],
    ("ab", "abc0", "ba"),
    ("ab", "ab0", "a"),
    ("ab", "a0", "atext0", "ba"),
    ("ba", "ab", "atext"),
]


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Every table in both formats."""
    folder = tmp_path_factory.mktemp("tables")
    for name, df in TABLES.items():
        df.write_avro(folder / f"{name}.avro")
        df.write_parquet(folder / f"{name}.parquet")
    return folder


@pytest.mark.parametrize("ignore_errors", [False, True])
@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("names", SETS, ids="-".join)
def test_files_that_differ_are_read_and_refused_as_by_scan_parquet(tables, names, query, ignore_errors):
    for options in OPTIONS:
        made = QUERIES[query](pl.scan_parquet([tables / f"{name}.parquet" for name in names], **options))
        paths = [tables / f"{name}.avro" for name in names]
        ours = QUERIES[query](polars_avro.scan_avro(paths, ignore_errors=ignore_errors, **options))
        try:
            expected = made.collect()
        except pl.exceptions.PolarsError:
            with pytest.raises((polars_avro.AvroSchemaError, pl.exceptions.ColumnNotFoundError)):
                ours.collect()
        else:
            try:
                found = ours.collect()
            except polars_avro.AvroSchemaError:
                # Which rows a slice has shows when every file before its end is decoded.
                assert ignore_errors
                assert query.startswith(("head", "slice"))
                continue
            assert_frame_equal(found, expected)


NOON = dt.datetime(2020, 1, 1, 12, 0, 0, 123456)
CASTS = {
    "long<-int": (pl.Int64, pl.Int32, 7),
    "double<-long": (pl.Float64, pl.Int64, (1 << 60) + 1),
    "double<-int": (pl.Float64, pl.Int32, 7),
    "float<-int": (pl.Float32, pl.Int32, (1 << 24) + 1),
    "float<-long": (pl.Float32, pl.Int64, (1 << 60) + 1),
    "double<-float": (pl.Float64, pl.Float32, 0.5),
    "float<-double": (pl.Float32, pl.Float64, 0.1),
    "int<-long": (pl.Int32, pl.Int64, 7),
    **{
        f"{to}<-{of}": (pl.Datetime(to, zone), pl.Datetime(of, zone_of), NOON)
        for to, of in itertools.product(["ms", "us", "ns"], repeat=2)
        for zone, zone_of in [(None, None)]
    },
}
CAST_OPTIONS: list[dict[str, Any]] = [
    {"integer_cast": "upcast"},
    {"integer_cast": ["upcast", "allow-float"]},
    {"float_cast": "upcast"},
    {"float_cast": ("upcast", "downcast")},
    {"datetime_cast": "nanosecond-downcast"},
    {"datetime_cast": "microsecond-downcast"},
    {"datetime_cast": "downcast"},
    {"datetime_cast": "millisecond-upcast"},
    {"datetime_cast": ["microsecond-upcast", "forbid"]},
    {"datetime_cast": "upcast"},
]
AVRO = {
    pl.Int32: "int",
    pl.Int64: "long",
    pl.Float32: "float",
    pl.Float64: "double",
    pl.Datetime("ms"): logical("long", "local-timestamp-millis"),
    pl.Datetime("us"): logical("long", "local-timestamp-micros"),
    pl.Datetime("ns"): logical("long", "local-timestamp-nanos"),
}
#: Read without being asked, because nothing is lost.
LOSSLESS = {"long<-int", "double<-int", "double<-float"}


def of_dtype(dtype: Any, value: Any, *, nullable: bool) -> bytes:
    series = pl.Series([value], dtype=dtype)
    stored = series.to_physical().to_list() if dtype.is_temporal() else series.to_list()
    schema = AVRO[dtype]
    return avro([{"v": each} for each in stored], v=["null", schema] if nullable else schema)


@pytest.mark.parametrize("nullable", [False, True])
@pytest.mark.parametrize("options", [{}, *CAST_OPTIONS], ids=str)
@pytest.mark.parametrize("cast", CASTS)
def test_casts_are_those_of_scan_parquet(tmp_path, cast, options, nullable):
    to, of, value = CASTS[cast]
    first = pl.DataFrame({"v": pl.Series([None], dtype=to)})
    second = pl.DataFrame({"v": pl.Series([value], dtype=of)})
    for number, df in enumerate((first, second)):
        df.write_parquet(tmp_path / f"{number}.parquet")
    # A file without rows would not have to be read.
    empty = avro([], v=["null", AVRO[to]])
    files = [empty, of_dtype(of, value, nullable=nullable)]
    casts = pl.ScanCastOptions(**options)
    try:
        expected = pl.scan_parquet(tmp_path, cast_options=casts).collect()[1:]
    except pl.exceptions.SchemaError:
        if cast not in LOSSLESS:
            for ignore_errors in (False, True):
                with pytest.raises(polars_avro.AvroSchemaError):
                    polars_avro.read_avro(files, cast_options=casts, ignore_errors=ignore_errors)
            return
        expected = second.cast(to)
    assert_frame_equal(polars_avro.read_avro(files, cast_options=casts), expected)


def test_more_casts():
    def read(options: dict[str, Any], *schemas: Any) -> pl.Series:
        files = [avro([], v=schemas[0]), avro([{"v": schemas[2]}], v=["null", schemas[1]])]
        return polars_avro.read_avro(files, cast_options=pl.ScanCastOptions(**options))["v"]

    utc, local = logical("long", "timestamp-millis"), logical("long", "local-timestamp-millis")
    assert read({}, utc, local, 1).dtype == pl.Datetime("ms", "UTC")
    with pytest.raises(polars_avro.AvroSchemaError, match="convert-timezone"):
        read({}, local, utc, 1)
    assert read({"datetime_cast": "convert-timezone"}, local, utc, 1).dtype == pl.Datetime("ms")
    with pytest.raises(polars_avro.AvroSchemaError, match="categorical_to_string"):
        read({}, "string", enum("E", "A"), "A")
    assert read({"categorical_to_string": "allow"}, "string", enum("E", "A"), "A").to_list() == ["A"]
    # Rounded down, as Polars does.
    micros = logical("long", "timestamp-micros")
    assert read({"datetime_cast": "downcast"}, utc, micros, -1).to_physical().to_list() == [-1]
    # What does not fit is an error and no damage.
    nanos = logical("long", "timestamp-nanos")
    files = [avro([], v=nanos), avro([{"v": 1 << 60}], v=["null", utc])]
    casts = pl.ScanCastOptions(datetime_cast="upcast")
    for ignore_errors in (False, True):
        with pytest.raises(polars_avro.AvroError, match="does not fit"):
            polars_avro.read_avro(files, cast_options=casts, ignore_errors=ignore_errors)
    # The time of day is in nanoseconds whatever the file has.
    times = [logical("int", "time-millis"), logical("long", "time-micros")]
    for one, other in (times, times[::-1]):
        assert read({}, one, other, 1000).dtype == pl.Time
    assert read({}, times[0], times[1], 1).to_physical().to_list() == [1000]
    assert read({}, times[1], times[0], 1).to_physical().to_list() == [1_000_000]
    # Other types that are one dtype.
    assert read({}, "bytes", {"type": "fixed", "name": "F", "size": 2}, b"ab").to_list() == [b"ab"]
    assert read({}, {"type": "fixed", "name": "F", "size": 2}, "bytes", b"abc").to_list() == [b"abc"]
    uuid = logical("string", "uuid")
    assert read({}, uuid, "string", "no uuid").to_list() == ["no uuid"]
    decimals = [logical("bytes", "decimal", precision=precision, scale=2) for precision in (7, 5)]
    assert read({}, *decimals, b"\x01").dtype == pl.Decimal(7, 2)
    with pytest.raises(polars_avro.AvroSchemaError):
        read({}, *decimals[::-1], b"\x01")


def test_a_reader_schema_promotes_as_avro_does():
    file = avro([{"v": (1 << 60) + 1}], v="long")
    reader = record("Row", v="double")
    assert polars_avro.read_avro(file, reader_schema=reader)["v"].to_list() == [float(1 << 60)]
    millis, micros = (logical("long", f"timestamp-{unit}") for unit in ("millis", "micros"))
    file, reader = avro([{"v": 5}], v=millis), record("Row", v=micros)
    with pytest.raises(polars_avro.AvroSchemaError):
        polars_avro.read_avro(file, reader_schema=reader)
    casts = pl.ScanCastOptions(datetime_cast="upcast")
    df = polars_avro.read_avro(file, reader_schema=reader, cast_options=casts)
    assert df["v"].to_physical().to_list() == [5000]


@pytest.mark.parametrize(
    "options",
    [
        {"integer_cast": "x"},
        {"integer_cast": 5},
        {"integer_cast": "downcast"},
        {"float_cast": None},
        {"float_cast": ["upcast", 5]},
        {"datetime_cast": ["upcast", "y"]},
        {"missing_struct_fields": "x"},
        {"missing_struct_fields": 1},
        {"extra_struct_fields": None},
        {"categorical_to_string": True},
    ],
    ids=str,
)
def test_cast_options_that_mean_nothing_are_type_errors(options):
    file = avro([], v="int")
    for function in (polars_avro.scan_avro, polars_avro.read_avro):
        with pytest.raises(TypeError, match=f"`cast_options`.*`{next(iter(options))}`"):
            function(file, cast_options=pl.ScanCastOptions(**options))
        with pytest.raises(TypeError, match="`cast_options`"):
            function(file, cast_options=5)


UNITED = [
    (logical("long", "timestamp-millis"), logical("long", "timestamp-nanos"), pl.Datetime("ns", "UTC")),
    (logical("long", "local-timestamp-micros"), logical("long", "local-timestamp-millis"), pl.Datetime("us")),
    (logical("int", "time-millis"), logical("long", "time-micros"), pl.Time),
    (enum("E", "A"), "string", pl.String),
    (
        logical("bytes", "decimal", precision=5, scale=2),
        logical("bytes", "decimal", precision=7, scale=2),
        pl.Decimal(7, 2),
    ),
    ({"type": "fixed", "name": "F", "size": 2}, {"type": "fixed", "name": "F", "size": 3}, pl.Binary),
]


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("types", UNITED, ids=str)
def test_the_union_takes_the_finer_and_the_wider_type(types, order, around):
    values = {"timestamp": 1_500, "time": 1_500, "decimal": b"\x01", "fixed": b"abc", "enum": "A", "string": "text"}
    schema, make = AROUND[around]

    def value(of: Any) -> Any:
        word = of if isinstance(of, str) else of.get("logicalType", of["type"]).removeprefix("local-").partition("-")[0]
        return values[word][: of["size"]] if word == "fixed" else values[word]

    one, other = types[:2][::order]
    files = [avro([{"v": make(value(each))}], v=schema(each)) for each in (one, other)]
    df = polars_avro.scan_avro(files, schema_mode="union").collect()
    alone = [polars_avro.read_avro(file) for file in files]
    if around in ("plain", "nullable"):
        assert df["v"].dtype == types[2]
        expected = pl.concat([frame.cast({"v": types[2]}) for frame in alone])
        assert_frame_equal(df, expected)
    assert df["v"].to_list() == [row for frame in alone for row in frame["v"].to_list()]


ORDERS = ["xy-yx", "x-yx", "yx-x", "xy-z", "x-zy", "ab-ba-c", "a-bc-dabc", "ab-cd", "ab-cda", "b-a-c"]


# Polars has no supertype of two maps.
@pytest.mark.parametrize("around", [around for around in AROUND if around != "map"])
@pytest.mark.parametrize("order", ORDERS)
def test_the_union_orders_nested_fields_as_polars_does(order, around):
    schema, make = AROUND[around]
    files = [
        avro([{"v": make(dict.fromkeys(names, 1))}], v=schema(record("S", **dict.fromkeys(names, "long"))))
        for names in order.split("-")
    ]
    expected = pl.concat([polars_avro.read_avro(file) for file in files], how="diagonal_relaxed")
    assert_frame_equal(polars_avro.scan_avro(files, schema_mode="union").collect(), expected)


def test_parts_of_durations_and_branches_of_unions_are_read():
    duration = {"type": "fixed", "name": "D", "size": 12, "logicalType": "duration"}
    inner = record("N", x="int", y="string")
    rows = [
        {"d": bytes([1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0]), "u": "text", "l": [None], "k": 1},
        {"d": None, "u": {"x": 5, "y": "z"}, "l": [], "k": 2},
        {"d": bytes(12), "u": None, "l": [bytes([4, *bytes(11)])], "k": 3},
    ]
    file = avro(
        rows, d=["null", duration], u=["null", "string", inner], l={"type": "array", "items": ["null", "D"]}, k="int"
    )

    def read_batches(source: bytes, columns: list[str]) -> pl.DataFrame:
        return pl.concat(polars_avro.AvroReader(source, columns=columns))

    for function in (polars_avro.read_avro, read_batches):
        df = function(file, columns=["d.months"])
        assert df["d"].to_list() == [{"months": 1}, None, {"months": 0}]
        df = function(file, columns=["d.milliseconds", "k", "d.days"])
        assert df["d"].to_list() == [{"milliseconds": 3, "days": 2}, None, {"milliseconds": 0, "days": 0}]
        assert df["k"].to_list() == [1, 2, 3]
        assert function(file, columns=["u.string"])["u"].to_list() == [{"string": "text"}, {"string": None}, None]
        df = function(file, columns=["u.N.x", "u.string"])
        assert df["u"].to_list() == [{"N": None, "string": "text"}, {"N": {"x": 5}, "string": None}, None]
        assert function(file, columns=["l.months"])["l"].to_list() == [[None], [], [{"months": 4}]]
    reader = record("Row", u=["null", "string", inner, "int"], w=["int", "string"])
    reader["fields"][1]["default"] = 7
    df = polars_avro.read_avro(file, reader_schema=reader, columns=["u.int", "w.string"])
    assert df.rows() == [({"int": None}, {"string": None}), ({"int": None}, {"string": None}), (None, {"string": None})]
    only = avro([{"u": "a"}, {"u": "b"}], u="string")
    for columns, value in ((["u.int"], {"int": None}), (["u.string"], None)):
        df = polars_avro.read_avro(only, reader_schema=record("Row", u=["null", "string", "int"]), columns=columns)
        assert df["u"].to_list() == ([value] * 2 if value else [{"string": "a"}, {"string": "b"}])


def test_fields_of_a_default_are_read():
    """The writer's schema is another one: what passes over its fields does not pass over those of a default."""
    inner = record("N", s="string", x="int", y="int")
    reader = record("Row", a="int", n=inner)
    reader["fields"][1]["default"] = {"s": "some text", "x": 5, "y": 6}
    file = avro([{"a": 1}], a="int")
    df = polars_avro.read_avro(file, reader_schema=reader, columns=["n.y"])
    assert df["n"].to_list() == [{"y": 6}]
