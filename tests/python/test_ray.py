"""Datasets of Ray Data have the rows of a single read, also if workers die."""

import os
import signal
import sys
from pathlib import Path

import fastavro
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from rows import make_rows, write

import polars_avro
import polars_avro.ray

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
# With zero processors Ray changes environment variables of accelerators, and warns.
os.environ["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"
pytest.importorskip("ray")

import pyarrow as pa
import pyarrow.compute as pc
import ray
import ray.data
from ray.data.expressions import col, lit

from polars_avro.ray._blocks import block
from polars_avro.ray._datasource import AvroDatasource

pytestmark = pytest.mark.filterwarnings("ignore")

SCHEMA = {
    "type": "record",
    "name": "Row",
    "fields": [
        {"name": "i", "type": ["null", "int"]},
        {"name": "f", "type": ["null", "double"]},
        {"name": "s", "type": ["null", "string"]},
        {"name": "b", "type": ["null", "boolean"]},
        {"name": "e", "type": {"type": "enum", "name": "E", "symbols": ["x", "y"]}},
        {"name": "n", "type": {"type": "array", "items": "E"}},
    ],
}
FLOATS = (None, 0.0, -1.5, 3.0, float("nan"), float("inf"))
ROWS = [
    {
        "i": None if i % 5 == 0 else i % 4,
        "f": FLOATS[i % 6],
        "s": None if i % 7 == 0 else "abc"[i % 3],
        "b": (None, True, False)[i % 3],
        "e": "xy"[i % 2],
        "n": ["x", "y"][: i % 3],
    }
    for i in range(420)
]


@pytest.fixture(scope="module")
def cluster():
    """Four worker processes on this machine."""
    # Workers cannot import this module.
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    ray.init(num_cpus=4, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.execution_options.preserve_order = True
    yield
    ray.shutdown()


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    """All types that filters support, with nulls and NaN, in small blocks."""
    return write(tmp_path_factory.mktemp("kinds") / "kinds.avro", ROWS, SCHEMA, codec="null")


#: Tables without columns have a hidden one in Ray.
PROMOTE = {"promote_options": "default"}


def frame_of(dataset):
    tables = ray.get(dataset.to_arrow_refs())
    return pl.concat([pl.from_arrow(table) for table in tables if table.num_rows])


def datasource(path, target_bytes=2000):
    splits = polars_avro.plan_splits(path, target_bytes=target_bytes)
    return AvroDatasource(splits, polars_avro.scan_splits(splits).collect_schema(), 1)


def run(source):
    tasks = source.get_read_tasks(1)
    return pa.concat_tables([tasks[0].schema.empty_table(), *(table for task in tasks for table in task())], **PROMOTE)


LITERALS = {
    "i": [0, 2, -1, 2**40],
    "f": [0.0, -1.5, float("nan")],
    "s": ["a", "bb"],
    "b": [True, False],
    "e": ["x", "q"],
}


@st.composite
def predicates(draw, depth=3):
    kind = draw(st.sampled_from(["compare", "null", "in"] + (["and", "or", "not"] * 2 if depth else [])))
    if kind in ("and", "or"):
        left, right = draw(predicates(depth - 1)), draw(predicates(depth - 1))
        return left & right if kind == "and" else left | right
    if kind == "not":
        return ~draw(predicates(depth - 1))
    name = draw(st.sampled_from(sorted(LITERALS)))
    value = draw(st.sampled_from(LITERALS[name]))
    column = col(name)
    if kind == "null":
        return draw(st.sampled_from([column.is_null(), column.is_not_null()]))
    if kind == "in":
        return draw(st.sampled_from([column.is_in([value]), column.not_in([value])]))
    flipped = draw(st.booleans())
    left, right = (lit(value), column) if flipped else (column, lit(value))
    compared = {"lt": left < right, "le": left <= right, "gt": left > right, "ge": left >= right}
    return draw(st.sampled_from([left == right, left != right, *compared.values()] if name != "b" else [left == right]))


@settings(deadline=None, max_examples=200)
@given(predicate=predicates(), columns=st.lists(st.sampled_from(sorted(LITERALS)), unique=True))
def test_filters_keep_what_arrow_keeps(kinds, predicate, columns):
    whole = block(polars_avro.read_avro(kinds))
    source = datasource(kinds).apply_predicate(predicate).apply_projection(dict.fromkeys(columns))
    expected = whole.filter(predicate.to_pyarrow())
    found = run(source)
    assert found.num_rows == expected.num_rows
    if columns:
        assert_frame_equal(pl.from_arrow(found), pl.from_arrow(expected.select(columns)))


def test_hints_leave_rows_out():
    from polars_avro.ray._predicate import hint

    schema = pl.Schema({"i": pl.Int32(), "f": pl.Float64(), "s": pl.String()})
    assert str(hint((col("i") > 1) & (col("f") > 1), schema)) == str(pl.col("i") > 1)
    assert str(hint(lit(3) < col("i"), schema)) == str(pl.col("i") > 3)
    assert hint((col("i") > 1) | (col("f") > 1), schema) is None
    assert hint(~(col("i") > 1), schema) is None
    assert hint(col("i") + 1 > 1, schema) is None


def test_filters_that_arrow_cannot_evaluate_are_left_to_ray(kinds):
    source = datasource(kinds)

    @ray.data.expressions.udf(return_dtype=ray.data.datatype.DataType.bool())
    def odd(values):
        return pc.equal(pc.bit_wise_and(values, 1), 1)

    assert source.apply_predicate(odd(col("i"))) is source
    assert source.apply_predicate(col("unknown") > 1) is source
    assert source.apply_predicate(col("i") > 1) is not source


def test_tasks_have_only_the_columns_that_are_used(kinds):
    source = datasource(kinds).apply_projection({"s": "s", "i": "i"})
    assert run(source).column_names == ["s", "i"]
    assert source.get_read_tasks(1)[0].schema.names == ["s", "i"]
    assert run(datasource(kinds).apply_projection({})).num_rows == len(ROWS)
    assert source.estimate_inmemory_data_size() < datasource(kinds).estimate_inmemory_data_size()


def test_a_task_is_small_and_gives_the_same_blocks_again(kinds):
    tasks = datasource(kinds).get_read_tasks(1)
    assert len(tasks) > 3
    for task in tasks:
        assert len(ray.cloudpickle.dumps(task)) < 8000
        once, again = list(task()), list(task())
        assert [table.num_rows for table in once] == [table.num_rows for table in again]
        assert all(pl.from_arrow(one).equals(pl.from_arrow(other)) for one, other in zip(once, again, strict=True))


def test_unknown_columns_are_refused_at_once(kinds):
    with pytest.raises(pl.exceptions.ColumnNotFoundError):
        polars_avro.ray.read_avro(kinds, columns=["other"])
    with pytest.raises(FileNotFoundError):
        polars_avro.ray.read_avro(Path(kinds).with_name("none.avro"))


def test_rows_order_and_types(cluster, kinds):
    dataset = polars_avro.ray.read_avro(kinds, target_bytes=3000)
    whole = pl.from_arrow(block(polars_avro.read_avro(kinds)))
    assert dataset.schema().names == whole.columns
    assert_frame_equal(frame_of(dataset), whole)
    assert dataset.count() == len(ROWS)
    assert_frame_equal(frame_of(dataset.select_columns(["s", "i"])), whole.select("s", "i"))
    kept = dataset.filter(expr=(col("i") > 1) & (col("s") == "a"))
    assert_frame_equal(frame_of(kept), whole.filter(pl.col("i") > 1, pl.col("s") == "a"))
    assert kept.count() == whole.filter(pl.col("i") > 1, pl.col("s") == "a").height
    assert dataset.limit(7).count() == 7
    only = polars_avro.ray.read_avro(kinds, columns="i")
    assert only.schema().names == ["i"]


def kill_once(marker, group, batch):
    """Kill the process that reads the `group`-th batch, once."""
    if group in batch["id"].to_pylist():
        try:
            os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            pass
        else:
            os.kill(os.getpid(), signal.SIGKILL)
    return batch


@pytest.fixture(scope="module")
def sixty_four(tmp_path_factory):
    """A file for 64 splits, and their size."""
    path = write(tmp_path_factory.mktemp("large") / "rows.avro", make_rows(20_000), sync_interval=2000)
    return path, -(-path.stat().st_size // 64)


@pytest.mark.slow
def test_fields_of_structs_are_columns(cluster, tmp_path):
    df = pl.DataFrame({"s": [{"a": i, "b": -i} for i in range(500)], "x": range(500)})
    polars_avro.write_avro(df, tmp_path / "a.avro")
    dataset = polars_avro.ray.read_avro(tmp_path / "a.avro", columns=["x", "s.b"], target_bytes=1000)
    frame = frame_of(dataset).sort("x")
    assert frame["s"].to_list() == [{"b": -i} for i in range(500)]


def test_sixty_four_splits_have_the_rows_of_one_read_if_a_worker_dies(cluster, sixty_four, tmp_path):
    path, target = sixty_four
    whole = pl.from_arrow(block(polars_avro.read_avro(path)))
    dataset = polars_avro.ray.read_avro(path, target_bytes=target)
    assert len(polars_avro.plan_splits(path, target_bytes=target)) == 64
    assert_frame_equal(frame_of(dataset), whole)
    assert dataset.sum("id") == whole["id"].sum()
    marker = tmp_path / "killed"
    dying = dataset.map_batches(
        lambda batch: kill_once(str(marker), 9_999, batch), batch_format="pyarrow", batch_size=None
    )
    found = frame_of(dying)
    assert marker.exists()
    assert_frame_equal(found, whole)


@pytest.mark.slow
def test_the_rows_of_rays_own_reader(cluster, sixty_four):
    path, target = sixty_four
    own = frame_of(ray.data.read_avro(str(path)))
    ours = frame_of(polars_avro.ray.read_avro(path, target_bytes=target))
    assert own.columns == ours.columns
    assert_frame_equal(own.sort("id").cast(dict(ours.schema)), ours)


@pytest.mark.slow
def test_a_written_dataset_is_read_again(cluster, sixty_four, tmp_path):
    path, target = sixty_four
    dataset = polars_avro.ray.read_avro(path, target_bytes=target * 16)
    polars_avro.ray.write_avro(dataset, tmp_path / "out", compression="deflate")
    files = sorted((tmp_path / "out").iterdir())
    # Ray decides on the number of writing tasks.
    assert len({polars_avro.read_avro_metadata(file).n_rows > 0 for file in files}) == 1
    whole = polars_avro.read_avro(path)
    assert_frame_equal(polars_avro.read_avro(tmp_path / "out").sort("id"), whole)
    with files[0].open("rb") as file:
        assert fastavro.reader(file).codec == "deflate"


@pytest.mark.slow
def test_a_failed_job_leaves_nothing_behind(cluster, sixty_four, tmp_path):
    path, target = sixty_four
    (tmp_path / "other.avro").write_bytes(b"kept")

    def fail(batch):
        if 19_999 in batch["id"].to_pylist():
            raise ValueError("on purpose")
        return batch

    dataset = polars_avro.ray.read_avro(path, target_bytes=target * 16)
    with pytest.raises(Exception, match="on purpose"):
        polars_avro.ray.write_avro(dataset.map_batches(fail, batch_format="pyarrow", batch_size=None), tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["other.avro"]


@pytest.mark.slow
def test_a_worker_that_dies_while_writing_leaves_whole_files(cluster, sixty_four, tmp_path):
    path, target = sixty_four
    marker = tmp_path / "killed"
    dataset = polars_avro.ray.read_avro(path, target_bytes=target * 16)
    dying = dataset.map_batches(
        lambda batch: kill_once(str(marker), 9_999, batch), batch_format="pyarrow", batch_size=None
    )
    polars_avro.ray.write_avro(dying, tmp_path / "out")
    assert marker.exists()
    assert {file.suffix for file in (tmp_path / "out").iterdir()} == {".avro"}
    assert_frame_equal(polars_avro.read_avro(tmp_path / "out").sort("id"), polars_avro.read_avro(path))


def test_what_a_killed_writer_has_begun_is_removed(tmp_path):
    from polars_avro.ray._datasink import AvroDatasink

    sink = AvroDatasink(tmp_path, {})
    sink.on_write_start()
    # A killed worker removes nothing.
    writer = polars_avro.AvroWriter(tmp_path / f"{sink._job}-000000.avro")
    writer.write(pl.DataFrame({"a": [1]}))
    (begun,) = tmp_path.iterdir()
    (tmp_path / "other.avro").write_bytes(b"kept")
    left = begun.with_name(begun.name + "2")
    left.write_bytes(begun.read_bytes())
    writer.close()
    sink.on_write_complete(None)
    assert sorted(file.name for file in tmp_path.iterdir()) == [f"{sink._job}-000000.avro", "other.avro"]


@pytest.mark.slow
def test_a_store_is_read_and_written(cluster, sixty_four, moto):
    from places import s3_place

    path, target = sixty_four
    whole = polars_avro.read_avro(path)
    place = s3_place(moto)
    place.put("rows.avro", path.read_bytes())
    store = {"storage_options": place.options}
    dataset = polars_avro.ray.read_avro(f"{place.prefix}*.avro", target_bytes=target * 16, **store)
    assert_frame_equal(frame_of(dataset).sort("id").select(whole.columns), frame_of(polars_avro.ray.read_avro(path)))
    polars_avro.ray.write_avro(dataset, f"{place.prefix}out", compression="deflate", **store)
    assert_frame_equal(polars_avro.read_avro(f"{place.prefix}out/", **store).sort("id"), whole)

    def fail(batch):
        if pc.max(batch["id"]).as_py() == whole["id"].max():
            raise ValueError("on purpose")
        return batch

    failing = dataset.map_batches(fail, batch_format="pyarrow", batch_size=None)
    with pytest.raises(Exception, match="on purpose"):
        polars_avro.ray.write_avro(failing, f"{place.prefix}failed", **store)
    with pytest.raises(FileNotFoundError):
        polars_avro.read_avro(f"{place.prefix}failed/", **store)
    assert place.uploads() == []


def test_options_that_a_task_has_not(cluster, sixty_four, tmp_path):
    dataset = polars_avro.ray.read_avro(sixty_four[0])
    for name, value in (("append", True), ("partition_by", "id"), ("compresion", "null")):
        with pytest.raises(TypeError, match=f"`{name}`.*compression"):
            polars_avro.ray.write_avro(dataset, tmp_path, **{name: value})
