"""Casts to the dtypes of the first file, of `schema` or of `reader_schema`, compared with `scan_parquet`."""

import datetime as dt
import itertools
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from written import avro, enum, logical, record

import polars_avro

pytestmark = pytest.mark.filterwarnings("ignore:.*considered unstable")


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
#: Casts without an option, because they are lossless.
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
    # The file needs rows, because a file without rows never differs.
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
    # A value that does not fit is an error, but not damage.
    nanos = logical("long", "timestamp-nanos")
    files = [avro([], v=nanos), avro([{"v": 1 << 60}], v=["null", utc])]
    casts = pl.ScanCastOptions(datetime_cast="upcast")
    for ignore_errors in (False, True):
        with pytest.raises(polars_avro.AvroError, match="does not fit"):
            polars_avro.read_avro(files, cast_options=casts, ignore_errors=ignore_errors)
    # Time is in nanoseconds for every unit in the file.
    times = [logical("int", "time-millis"), logical("long", "time-micros")]
    for one, other in (times, times[::-1]):
        assert read({}, one, other, 1000).dtype == pl.Time
    assert read({}, times[0], times[1], 1).to_physical().to_list() == [1000]
    assert read({}, times[1], times[0], 1).to_physical().to_list() == [1_000_000]
    # Other Avro types with a common dtype.
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


ZONES = [None, "UTC", "Europe/Berlin", "America/New_York"]


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("of", ZONES)
def test_time_zones_are_converted_as_in_polars(of: str | None, nested: bool, tmp_path: Path) -> None:
    casts = [None, "convert-timezone", ["convert-timezone", "microsecond-downcast"]]
    frame = pl.DataFrame({"t": [NOON, None]}).select(pl.col("t").dt.replace_time_zone(of))
    frame = frame.select(pl.struct(l=pl.concat_list("t"))) if nested else frame
    avro_file, parquet = tmp_path / "a.avro", tmp_path / "a.parquet"
    polars_avro.write_avro(frame, avro_file)
    frame.write_parquet(parquet)
    for cast, zone, unit in itertools.product(casts, ZONES, ["us", "ms"]):
        dtype = pl.Datetime(unit, zone)  # type: ignore[arg-type]
        options: dict[str, Any] = {
            "schema": {frame.columns[0]: pl.Struct({"l": pl.List(dtype)}) if nested else dtype},
            "cast_options": cast and pl.ScanCastOptions(datetime_cast=cast),  # type: ignore[arg-type]
        }
        try:
            expected = pl.scan_parquet(parquet, **options).collect()
        except pl.exceptions.SchemaError:
            expected = None
        # Polars drops the zone UTC without an option.
        if expected is None or (cast is None and of == "UTC" and zone is None):
            with pytest.raises(polars_avro.AvroSchemaError, match="cast_options"):
                polars_avro.read_avro(avro_file, **options)
        else:
            assert_frame_equal(polars_avro.read_avro(avro_file, **options), expected)
