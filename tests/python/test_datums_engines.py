"""Datums in queries: engines, plans, namespaces."""

import gc
import subprocess
import sys
import threading
import weakref

import fastavro
import polars as pl
import pytest
from framed import DTYPE, SCHEMA, column, events, expected, header
from polars.testing import assert_frame_equal, assert_series_equal

import polars_avro

ENGINES = pytest.mark.parametrize("engine", ["in-memory", "streaming"])
VALUES = [*events(500), None, *events(99)]


@pytest.fixture(scope="module")
def frame():
    return pl.DataFrame({"k": [i % 3 for i in range(600)], "v": column(VALUES, "confluent")})


@pytest.fixture(scope="module")
def expr():
    return polars_avro.decode("v", SCHEMA, framing="confluent")


@pytest.fixture(scope="module")
def decoded(frame):
    return frame.with_columns(expected(VALUES))


@ENGINES
def test_engines_give_the_same(frame, expr, decoded, engine):
    lf = frame.lazy().with_columns(expr)
    assert lf.collect_schema() == {"k": pl.Int64, "v": DTYPE}
    assert_frame_equal(lf.collect(engine=engine), decoded)
    assert_frame_equal(frame.lazy().select(expr).slice(490, 30).collect(engine=engine), decoded.select("v")[490:520])
    assert_frame_equal(lf.filter(pl.lit(value=False)).collect(engine=engine), decoded.clear())


def test_the_namespace_and_the_function_are_the_same(frame, expr):
    named = pl.col("v").avro.decode(SCHEMA, framing="confluent")
    assert_frame_equal(frame.select(named), frame.select(expr))
    assert_frame_equal(frame.select(named), frame.select(polars_avro.decode(pl.col("v"), SCHEMA, framing="confluent")))
    assert frame.select(named.alias("x"), named.name.suffix("_y")).columns == ["x", "v_y"]
    assert_series_equal(frame["v"].avro.decode(SCHEMA, framing="confluent"), frame.select(named)["v"])


@ENGINES
def test_group_by_over_and_filters(frame, expr, decoded, engine):
    grouped = frame.lazy().group_by("k", maintain_order=True).agg(expr)
    assert_frame_equal(grouped.collect(engine=engine), decoded.group_by("k", maintain_order=True).agg("v"))
    total = frame.lazy().group_by("k").agg(expr.struct.field("id").sum()).sort("k")
    assert_frame_equal(
        total.collect(engine=engine), decoded.group_by("k").agg(pl.col("v").struct.field("id").sum()).sort("k")
    )
    over = frame.lazy().select(expr.over("k"))
    assert_frame_equal(over.collect(engine=engine), decoded.select("v"))
    wanted = pl.col("v").struct.field("id") > 300
    assert_frame_equal(
        frame.lazy().filter(expr.struct.field("id") > 300).collect(engine=engine).select(expr),
        decoded.filter(wanted).select("v"),
    )


def test_filters_go_past_it(frame, expr, decoded):
    lf = frame.lazy().with_columns(d=expr).filter(pl.col("k") == 1)
    plan = lf.explain()
    assert plan.index("WITH_COLUMNS") < plan.index("FILTER")
    assert_frame_equal(lf.select("d").collect(), decoded.filter(pl.col("k") == 1).select(d="v"))
    # A filter that is pushed below the expression saves decoding the rows that it drops.
    bad = frame.with_columns(pl.when(pl.col("k") == 0).then(pl.lit(b"\xff")).otherwise("v").alias("v"))
    assert_frame_equal(
        bad.lazy().with_columns(d=expr).filter(pl.col("k") == 1).select("d").collect(), lf.select("d").collect()
    )
    assert "python_udf" not in frame.lazy().with_columns(d=expr).select("k").explain()


@ENGINES
def test_errors_reach_the_caller(frame, expr, engine):
    bad = pl.concat([frame, pl.DataFrame({"k": [1], "v": [header("confluent") + b"\x02"]})])
    # The row number counts in the part that the engine passes.
    with pytest.raises(polars_avro.AvroDataError, match=r"row \d+, field `name`: the datum ends"):
        bad.lazy().select(expr).collect(engine=engine)
    tolerant = pl.col("v").avro.decode(SCHEMA, framing="confluent", ignore_errors=True)
    with pytest.warns(polars_avro.AvroWarning, match=r"1 bad datum is null; the first: row \d+, field `name`"):
        got = bad.lazy().select(tolerant).collect(engine=engine)
    assert got["v"].null_count() == 2


@ENGINES
@pytest.mark.parametrize("schemas", ["mapping", "one"])
def test_serialised_plans_run_in_another_process(frame, decoded, engine, schemas, tmp_path):
    options = {"schema": SCHEMA} if schemas == "one" else {"schemas": {258: SCHEMA}}
    lf = frame.lazy().select(polars_avro.decode("v", framing="confluent", **options))
    (tmp_path / "plan").write_bytes(lf.serialize())
    program = f"""
import polars as pl
frame = pl.LazyFrame.deserialize({str(tmp_path / "plan")!r}).collect(engine={engine!r})
frame.write_ipc({str(tmp_path / "out")!r}, compat_level=pl.CompatLevel.newest())
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
    assert_frame_equal(pl.read_ipc(tmp_path / "out"), decoded.select("v"))


def test_expressions_serialise(frame, expr, decoded):
    copy = pl.Expr.deserialize(expr.meta.serialize())
    assert_frame_equal(frame.select(copy), decoded.select("v"))


def test_a_scan_and_a_sink(tmp_path, frame, expr, decoded):
    frame.write_parquet(tmp_path / "in.parquet", row_group_size=50)
    pl.scan_parquet(tmp_path / "in.parquet").with_columns(expr).sink_parquet(tmp_path / "out.parquet")
    assert_frame_equal(pl.read_parquet(tmp_path / "out.parquet"), decoded)


def test_a_capture_is_decoded_from_the_file_it_is_in(tmp_path, frame, decoded):
    capture = {"type": "record", "name": "EventData", "fields": [{"name": "Body", "type": ["null", "bytes"]}]}
    path = tmp_path / "capture.avro"
    with path.open("wb") as file:
        fastavro.writer(file, capture, [{"Body": row} for row in frame["v"].to_list()])
    lf = polars_avro.scan_avro(path).select(pl.col("Body").avro.decode(SCHEMA, framing="confluent").alias("v"))
    assert_frame_equal(lf.collect(engine="streaming"), decoded.select("v"))


def test_a_large_series_is_decoded_in_parts():
    values = events(300)
    rows = column(values, "confluent")
    n = 1000
    large = pl.concat([rows] * n)
    got = large.avro.decode(SCHEMA, framing="confluent")
    assert got.len() == 300 * n
    assert_series_equal(got, pl.concat([expected(values)] * n))
    bad = pl.concat([large, pl.Series("v", [b"\x00"]), large, pl.Series("v", [b"\x01"])], rechunk=True)
    with pytest.raises(polars_avro.AvroDataError, match=f"row {300 * n}: ") as caught:
        bad.avro.decode(SCHEMA, framing="confluent")
    assert caught.value.row == 300 * n
    with pytest.warns(polars_avro.AvroWarning, match=f"2 bad datums are null; the first: row {300 * n}: "):
        got = bad.avro.decode(SCHEMA, framing="confluent", ignore_errors=True)
    assert got.is_null().arg_true().to_list() == [300 * n, 600 * n + 1]


def test_threads_share_an_expression(frame, decoded):
    asked = []

    def find(number):
        asked.append(number)
        return SCHEMA

    expr = polars_avro.decode("v", SCHEMA, framing="confluent", schemas=find)
    results = []
    run = lambda: results.append(frame.lazy().select(expr).collect(engine="streaming"))  # noqa: E731
    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8
    for result in results:
        assert_frame_equal(result, decoded.select("v"))
    assert asked == [258]


def test_other_threads_run_while_a_series_is_decoded():
    rows = pl.concat([column(events(300))] * 3000)
    done = threading.Event()
    ticks = []

    def tick():
        while not done.is_set():
            ticks.append(1)
            done.wait(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    before = len(ticks)
    rows.avro.decode(SCHEMA)
    during = len(ticks) - before
    done.set()
    thread.join()
    assert during > 3


def test_the_namespace_keeps_no_series_alive():
    gc.disable()
    try:
        series = column(VALUES)
        series.avro.decode(SCHEMA)
        gone = weakref.ref(series)
        del series
        assert gone() is None
    finally:
        gc.enable()


def test_namespaces_of_a_later_polars_are_left_alone():
    program = """
import polars as pl
pl.Expr.avro = pl.Series.avro = "its own"
import warnings
warnings.simplefilter("error")
import polars_avro
assert pl.Expr.avro == pl.Series.avro == "its own"
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


def test_schemas_that_fastavro_has_parsed(frame, decoded):
    parsed = fastavro.parse_schema(SCHEMA)
    assert_frame_equal(frame.select(pl.col("v").avro.decode(parsed, framing="confluent")), decoded.select("v"))
