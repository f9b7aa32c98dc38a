"""Annotations of other tools, recursive types as structs, and values that their logical types do not allow."""

import datetime as dt
import io
import json
import re
import warnings
from decimal import Decimal
from pathlib import Path

import fastavro
import polars as pl
import pytest
from containers import container, long, text, written
from grids import ENGINES
from polars.testing import assert_frame_equal, assert_series_equal

import polars_avro
from polars_avro import CDC_TYPES, AvroDataError, AvroReader, AvroSchemaError, AvroWarning, read_avro, scan_avro

NODE = {
    "type": "record",
    "name": "Node",
    "fields": [
        {"name": "value", "type": "long"},
        {"name": "next", "type": ["null", "Node"]},
        {"name": "children", "type": {"type": "array", "items": "Node"}},
        {"name": "named", "type": {"type": "map", "values": "Node"}},
    ],
}


def node(value, following=None, children=(), named=None):
    return {"value": value, "next": following, "children": list(children), "named": named or {}}


NODES = [
    node(1),
    node(2, node(3, node(4, node(5)))),
    node(6, None, [node(7, node(8)), node(9, None, [node(10)])], {"k": node(11, None, [node(12), node(13)])}),
]


def unrolled(record, depth, cut):
    """Return a record with the structs that `depth` allows inside it."""
    if depth < 0:
        cut.append(record)
        return None
    inside = [None if record["next"] is None else unrolled(record["next"], depth - 1, cut)]
    return {
        "value": record["value"],
        "next": inside[0],
        "children": [unrolled(child, depth - 1, cut) for child in record["children"]],
        "named": {key: unrolled(child, depth - 1, cut) for key, child in record["named"].items()},
    }


def plain(value):
    """Return a value of Polars with maps as dicts."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        if value and all(isinstance(item, dict) and set(item) == {"key", "value"} for item in value):
            return {item["key"]: plain(item["value"]) for item in value}
        return [plain(item) for item in value]
    return value


@pytest.mark.parametrize("depth", [0, 1, 2, 5])
def test_recursive_types_are_structs_to_a_depth(depth):
    file = written(NODE, NODES)
    cut = []
    expected = [unrolled(record, depth, cut) for record in fastavro.reader(io.BytesIO(file))]
    found = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        df = read_avro(file, recursion_depth=depth, on_bad_block=found.append)
    got = [plain(row) for row in df.to_dicts()]
    for row in got:
        fix_maps(row)
    assert got == expected
    assert sum(bad.values_replaced for bad in found) == len(cut)
    shown = [str(warning.message) for warning in caught if warning.category is AvroWarning]
    assert [message.split()[0] for message in shown] == ([str(len(cut))] if cut else [])
    assert {bad.kind for bad in found} <= {"value"}


def fix_maps(row):
    """Polars shows an empty map as an empty list."""
    if isinstance(row, dict):
        if row.get("named") == []:
            row["named"] = {}
        for inner in row.values():
            fix_maps(inner)
    elif isinstance(row, list):
        for inner in row:
            fix_maps(inner)


def test_the_deepest_level_has_the_dtype_null():
    file = written(NODE, NODES)
    schema = scan_avro(file, recursion_depth=0).collect_schema()
    assert schema["next"] == pl.Null
    assert schema["children"] == pl.List(pl.Null)
    assert scan_avro(file).collect_schema()["next"] == pl.String
    inner = scan_avro(file, recursion_depth=1).collect_schema()["next"]
    assert [field.name for field in inner.fields] == ["value", "next", "children", "named"]
    assert inner.fields[1].dtype == pl.Null


@pytest.mark.filterwarnings("ignore::polars_avro.AvroWarning")
@pytest.mark.parametrize("engine", ENGINES)
def test_queries_over_recursive_structs(engine):
    file = written(NODE, NODES * 100)
    lf = scan_avro(file, recursion_depth=2)
    assert lf.select(pl.len()).collect(engine=engine).item() == 300
    df = lf.filter(pl.col("next").struct.field("value") == 3).select("value").collect(engine=engine)
    assert df["value"].to_list() == [2] * 100
    assert_frame_equal(pl.concat(AvroReader(file, recursion_depth=2)), lf.collect(engine=engine))


@pytest.mark.parametrize("wrong", [-1, "2", 1.5, True])
def test_the_depth_is_a_whole_number(wrong):
    with pytest.raises((TypeError, ValueError), match="recursion_depth"):
        scan_avro(written(NODE, NODES), recursion_depth=wrong)


def test_a_depth_that_makes_too_many_columns_is_a_limit():
    with pytest.raises(polars_avro.AvroLimitError, match="columns"):
        scan_avro(written(NODE, NODES), recursion_depth=30)


LYING = {
    "type": "record",
    "name": "R",
    "fields": [
        {"name": "u", "type": {"type": "string", "logicalType": "uuid"}},
        {"name": "m", "type": {"type": "int", "logicalType": "time-millis"}},
        {"name": "t", "type": ["null", {"type": "long", "logicalType": "time-micros"}]},
        {"name": "d", "type": {"type": "bytes", "logicalType": "decimal", "precision": 3, "scale": 1}},
        {"name": "l", "type": {"type": "array", "items": {"type": "string", "logicalType": "uuid"}}},
        {"name": "n", "type": "long"},
    ],
}
UUID = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"


def record(u, m, t, d, texts, n):
    items = (long(len(texts)) + b"".join(map(text, texts)) if texts else b"") + b"\0"
    return text(u) + long(m) + (b"\0" if t is None else b"\2" + long(t)) + text(d) + items + long(n)


SOUND = record(UUID, 1500, 1, "\x01", [UUID], 1)
FILE = container(
    LYING,
    (2, SOUND + record("none", 86_400_000, -1, "\x7f\x7f", [UUID, "x"], 2)),
    (1, record(UUID.upper(), 0, None, "\x7f", [], 3)),
    (1, record("", -5, 86_400_000_000, "\x01", ["y"], 4)),
)


def test_by_default_they_are_errors():
    with pytest.raises(AvroDataError, match="is not a UUID"):
        read_avro(FILE)
    with pytest.raises(ValueError, match="invalid_values"):
        read_avro(FILE, invalid_values="nothing")


def test_invalid_values_are_null():
    found = []
    with pytest.warns(AvroWarning, match="^9 values became null or text") as caught:
        df = read_avro(FILE, invalid_values="null", on_bad_block=found.append)
    assert len(caught) == 1
    assert [(bad.block_index, bad.values_replaced, bad.rows_lost, bad.kind) for bad in found] == [
        (0, 5, 0, "value"),
        (2, 4, 0, "value"),
    ]
    assert df.rows() == [
        (UUID, dt.time(0, 0, 1, 500_000), dt.time(0, 0, 0, 1), Decimal("0.1"), [UUID], 1),
        (None, None, None, None, [UUID, None], 2),
        (UUID, dt.time(0), None, Decimal("12.7"), [], 3),
        (None, None, None, Decimal("0.1"), [None], 4),
    ]
    assert df.schema == scan_avro(FILE).collect_schema()


def test_invalid_values_are_text():
    with pytest.warns(AvroWarning, match="^9 values"):
        df = read_avro(FILE, invalid_values="text")
    assert df.rows() == [
        (UUID, "00:00:01.500", "00:00:00.000001", "0.1", [UUID], 1),
        ("none", "86400000", "-1", "3263.9", [UUID, "x"], 2),
        (UUID, "00:00:00", None, "12.7", [], 3),
        ("", "-5", "86400000000", "0.1", ["y"], 4),
    ]
    assert df["m"].dtype == pl.String


@pytest.mark.filterwarnings("ignore::polars_avro.AvroWarning")
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("mode", ["null", "text"])
def test_queries_over_invalid_values(mode, engine):
    whole = read_avro(FILE, invalid_values=mode)
    lf = scan_avro([FILE, FILE], invalid_values=mode)
    assert_frame_equal(lf.collect(engine=engine), pl.concat([whole, whole]))
    for query in (
        lambda lf: lf.filter(pl.col("u") == UUID).select("n", "m"),
        lambda lf: lf.filter(pl.col("n") > 1).select("d"),
        lambda lf: lf.slice(1, 2).select("t", "u"),
        lambda lf: lf.select(pl.len()),
    ):
        assert_frame_equal(query(lf).collect(engine=engine), query(pl.concat([whole, whole]).lazy()).collect())
    with AvroReader(FILE, invalid_values=mode) as reader:
        assert_frame_equal(pl.concat(reader), whole)
        assert sum(bad.values_replaced for bad in reader.bad_blocks) == 9


def test_each_value_is_counted_once_with_a_filter():
    for query in (lambda lf: lf, lambda lf: lf.filter(pl.col("u").is_null()), lambda lf: lf.filter(pl.col("n") > 0)):
        with pytest.warns(AvroWarning, match="^9 values"):
            query(scan_avro(FILE, invalid_values="null")).collect()


def test_damage_is_no_invalid_value():
    damaged = container(LYING, (1, record("none", 0, None, "\x01", [], 3)[:-9]))
    for mode in ("null", "text"):
        with pytest.raises(AvroDataError):
            read_avro(damaged, invalid_values=mode)


def test_sound_files_give_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        df = read_avro(container(LYING, (1, SOUND)), invalid_values="null")
        assert_frame_equal(df, read_avro(container(LYING, (1, SOUND))))


def connect(kind, name):
    return {"type": kind, "connect.version": 1, "connect.name": name}


VARIABLE = {
    "type": "record",
    "name": "VariableScaleDecimal",
    "namespace": "io.debezium.data",
    "connect.name": "io.debezium.data.VariableScaleDecimal",
    "fields": [{"name": "scale", "type": "int"}, {"name": "value", "type": "bytes"}],
}
NOON = 1_714_564_800  # 2024-05-01 12:00 in UTC
CDC = [
    (connect("int", "io.debezium.time.Date"), 19844, dt.date(2024, 5, 1)),
    (connect("int", "io.debezium.time.Time"), 1500, dt.time(0, 0, 1, 500_000)),
    (connect("long", "io.debezium.time.MicroTime"), 1, dt.time(0, 0, 0, 1)),
    (connect("long", "io.debezium.time.NanoTime"), 1000, dt.time(0, 0, 0, 1)),
    (connect("long", "io.debezium.time.Timestamp"), NOON * 1000, dt.datetime(2024, 5, 1, 12)),
    (connect("long", "io.debezium.time.MicroTimestamp"), NOON * 10**6 + 7, dt.datetime(2024, 5, 1, 12, 0, 0, 7)),
    (connect("long", "io.debezium.time.NanoTimestamp"), NOON * 10**9, dt.datetime(2024, 5, 1, 12)),
    (
        connect("string", "io.debezium.time.ZonedTimestamp"),
        "2024-05-01T14:00:00.5+02:00",
        dt.datetime(2024, 5, 1, 12, 0, 0, 500_000, tzinfo=dt.timezone.utc),
    ),
    (connect("long", "io.debezium.time.MicroDuration"), 5, dt.timedelta(microseconds=5)),
    (connect("string", "io.debezium.data.Uuid"), UUID.upper(), UUID),
    (VARIABLE, {"scale": 3, "value": b"\xfb"}, "-0.005"),
    (connect("int", "org.apache.kafka.connect.data.Date"), -1, dt.date(1969, 12, 31)),
    (connect("int", "org.apache.kafka.connect.data.Time"), 0, dt.time(0)),
    (
        connect("long", "org.apache.kafka.connect.data.Timestamp"),
        NOON * 1000,
        dt.datetime(2024, 5, 1, 12, tzinfo=dt.timezone.utc),
    ),
    ({"type": "string", "sqlType": "DATETIME"}, "2024-05-01T12:00:00.25", dt.datetime(2024, 5, 1, 12, 0, 0, 250_000)),
    ({"type": "string", "logicalType": "datetime"}, "2024-05-01T12:00:00", dt.datetime(2024, 5, 1, 12)),
]


def cdc_record(kind, *, nullable):
    schema = ["null", kind] if nullable else kind
    return {"type": "record", "name": "Row", "fields": [{"name": "x", "type": schema}]}


@pytest.mark.parametrize("nullable", [False, True])
@pytest.mark.parametrize(("kind", "value", "expected"), CDC, ids=[json.dumps(kind)[-40:] for kind, *_ in CDC])
def test_annotated_types_have_their_dtypes(kind, value, expected, nullable):
    schema = cdc_record(kind, nullable=nullable)
    rows = [{"x": value}, *([{"x": None}] if nullable else [])]
    file = written(schema, rows, codec="deflate")
    wanted = [expected, *([None] if nullable else [])]
    for df in (
        read_avro(file, annotations=CDC_TYPES),
        scan_avro([file, file], annotations=CDC_TYPES).head(len(wanted)).collect(),
        scan_avro([file, file], annotations=CDC_TYPES, schema_mode="union").head(len(wanted)).collect(),
        pl.concat(AvroReader(file, annotations=CDC_TYPES)),
    ):
        assert df["x"].to_list() == wanted
    # Without the option the plain types stay.
    assert read_avro(file)["x"][0] == value
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), rows[0])
    datum = pl.DataFrame({"d": [out.getvalue()]})
    got = datum.select(polars_avro.decode("d", schema, annotations=CDC_TYPES)).to_series()
    assert got.struct.field("x").to_list() == [expected]


def test_the_page_on_types_lists_the_table():
    page = (Path(__file__).parents[2] / "docs" / "types.md").read_text(encoding="utf-8")
    listed = page[page.index("## Annotations of other tools") :]
    for name, value in CDC_TYPES:
        assert f"`{name}`" in listed
        assert re.search(rf"`([\w.]+\.)?{value.rpartition('.')[2]}`", listed), value


def test_the_table_is_extended():
    kind = {"type": "long", "unit": "micros"}
    file = written(cdc_record(kind, nullable=False), [{"x": NOON * 10**6}])
    for meant in (pl.Datetime("us", "UTC"), "timestamp-micros"):
        df = read_avro(file, annotations=CDC_TYPES | {("unit", "micros"): meant})
        assert df.schema == {"x": pl.Datetime("us", "UTC")}
    df = read_avro(file, annotations={("unit", "micros"): pl.Duration("us")})
    assert df["x"].dtype == pl.Duration("us")


def test_annotations_that_do_not_fit_are_errors():
    file = written(cdc_record(connect("string", "my.Number"), nullable=False), [{"x": "5"}])
    with pytest.raises(AvroSchemaError, match=r"my\.Number.*cannot be read as"):
        read_avro(file, annotations={("connect.name", "my.Number"): pl.Int64})
    for wrong in ({"connect.name": pl.Date}, {("a", 1): pl.Date}, {("a", "b"): 5}, [("a", "b")], "x"):
        with pytest.raises(TypeError, match="annotations"):
            read_avro(file, annotations=wrong)
    with pytest.raises(ValueError, match="annotations"):
        read_avro(file, annotations={("a", "b"): "timestamp"})
    with pytest.raises(ValueError, match="without items or fields"):
        read_avro(file, annotations={("a", "b"): pl.List(pl.Int64)})


def test_text_that_is_no_timestamp_is_an_error_or_null():
    kind = connect("string", "io.debezium.time.ZonedTimestamp")
    file = written(cdc_record(kind, nullable=False), [{"x": "2024-05-01T14:00:00Z"}, {"x": "tomorrow"}])
    with pytest.raises(AvroDataError, match=r"tomorrow.*ISO 8601"):
        read_avro(file, annotations=CDC_TYPES)
    with pytest.warns(AvroWarning, match="^1 value became"):
        df = read_avro(file, annotations=CDC_TYPES, invalid_values="null")
    assert df["x"].to_list() == [dt.datetime(2024, 5, 1, 14, tzinfo=dt.timezone.utc), None]


@pytest.mark.parametrize("engine", ENGINES)
def test_filters_on_annotated_columns(engine):
    kind = connect("long", "io.debezium.time.MicroTimestamp")
    file = written(cdc_record(kind, nullable=True), [{"x": NOON * 10**6 + i} for i in range(1000)])
    start = dt.datetime(2024, 5, 1, 12)
    df = scan_avro(file, annotations=CDC_TYPES).filter(pl.col("x") < start + dt.timedelta(microseconds=3))
    assert df.collect(engine=engine)["x"].to_list() == [start + dt.timedelta(microseconds=i) for i in range(3)]


DEBEZIUM: list[tuple[list[tuple[str, str, int]], pl.DataType]] = [
    ([("Timestamp", "long", 5), ("MicroTimestamp", "long", 7000)], pl.Datetime("us")),
    ([("MicroTimestamp", "long", 7000), ("Timestamp", "long", 5)], pl.Datetime("us")),
    ([("Time", "int", 5), ("MicroTime", "long", 7000), ("NanoTime", "long", 9_000_000)], pl.Time()),
    ([("Date", "int", 5), ("Date", "int", 7)], pl.Date()),
]


@pytest.mark.parametrize(("files", "dtype"), DEBEZIUM, ids=str)
def test_annotated_types_unite_as_what_they_stand_for(files: list[tuple[str, str, int]], dtype: pl.DataType) -> None:
    def file(name: str, kind: str, value: int) -> bytes:
        annotated = {"type": kind, "connect.name": f"io.debezium.time.{name}"}
        return container(cdc_record(annotated, nullable=False), (1, long(value)))

    contents = [file(*each) for each in files]
    alone = [read_avro(content, annotations=CDC_TYPES)["x"] for content in contents]
    expected = pl.concat(series.cast(dtype) for series in alone)
    for read in (read_avro, lambda sources, **options: scan_avro(sources, **options).collect()):
        df = read(contents, annotations=CDC_TYPES, schema_mode="union")
        assert_series_equal(df["x"], expected)


def test_a_logical_type_and_an_annotation_of_one_dtype_unite() -> None:
    kinds = [{"type": "int", "connect.name": "io.debezium.time.Date"}, {"type": "int", "logicalType": "date"}]
    contents = [container(cdc_record(kind, nullable=False), (1, long(5))) for kind in kinds]
    df = read_avro(contents, annotations=CDC_TYPES, schema_mode="union")
    assert df["x"].dtype == pl.Date
    assert df.height == 2
