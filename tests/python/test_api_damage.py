"""Damaged files: the blocks that `ignore_errors` keeps, its reports, and limits."""

import dataclasses
import pickle
import warnings
import zlib

import polars as pl
import pytest
from containers import SYNC, block, container, header, long, text
from polars.testing import assert_frame_equal

import polars_avro

SCHEMA = {"type": "record", "name": "R", "fields": [{"name": "a", "type": "int"}, {"name": "b", "type": "string"}]}


def rows(*blocks: int) -> list[tuple[int, str]]:
    """The rows of these blocks, ten in each."""
    return [(10 * n + i, f"row {10 * n + i}") for n in blocks for i in range(10)]


def data(*blocks: int) -> bytes:
    return b"".join(long(a) + text(b) for a, b in rows(*blocks))


def deflate(plain: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(plain) + packer.flush()


def frame(*blocks: int) -> pl.DataFrame:
    return pl.DataFrame(rows(*blocks), schema={"a": pl.Int32, "b": pl.String}, orient="row")


@pytest.fixture
def damaged(tmp_path):
    """Six blocks. Block 1 is not valid text, and block 3 has an impossible size."""
    path = tmp_path / "damaged.avro"
    blocks = [block(10, data(n)) for n in range(6)]
    blocks[1] = block(10, data(1)[:-1] + b"\xff")
    blocks[3] = long(10) + long(-7) + data(3) + SYNC
    path.write_bytes(header(SCHEMA) + b"".join(blocks))
    return path


@pytest.fixture
def places(damaged):
    """File, block, offset and lost rows of the damaged blocks."""
    start = len(header(SCHEMA))
    sizes = [len(block(10, data(n))) for n in range(6)]
    return [(str(damaged), 1, start + sizes[0], 10), (str(damaged), 3, start + sum(sizes[:3]), None)]


def place(bad):
    return (bad.file, bad.block_index, bad.offset, bad.rows_lost)


READ = {
    "read_avro": lambda source, **options: polars_avro.read_avro(source, **options),
    "several": lambda source, **options: polars_avro.read_avro([source], **options),
    "AvroReader": lambda source, **options: pl.concat(polars_avro.AvroReader(source, **options)),
    "streaming": lambda source, **options: polars_avro.scan_avro(source, **options).collect(engine="streaming"),
    "in-memory": lambda source, **options: polars_avro.scan_avro(source, **options).collect(engine="in-memory"),
}


@pytest.mark.parametrize("read", READ.values(), ids=READ)
def test_damage_is_an_error_unless_it_is_ignored(read, damaged, places):
    with pytest.raises(polars_avro.AvroDataError):
        read(damaged)
    found = []
    with pytest.warns(polars_avro.AvroWarning, match="2 damaged blocks were dropped, with 10 rows or more") as caught:
        df = read(damaged, ignore_errors=True, on_bad_block=found.append)
    assert_frame_equal(df, frame(0, 2, 4, 5))
    assert [place(bad) for bad in found] == places
    assert [bad.kind for bad in found] == ["data", "data"]
    assert "field `b`" in found[0].message
    assert "size of -7" in found[1].message
    assert len(caught) == 1


@pytest.mark.parametrize("read", READ.values(), ids=READ)
def test_a_sound_file_gives_no_warning(read):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_frame_equal(read(container(SCHEMA, (10, data(0))), ignore_errors=True), frame(0))


@pytest.mark.filterwarnings("ignore::polars_avro.AvroWarning")
@pytest.mark.parametrize("read", READ.values(), ids=READ)
def test_what_the_callback_raises_ends_the_read(read, damaged):
    class OwnError(Exception):
        pass

    def refuse(bad):
        raise OwnError(bad.block_index)

    with pytest.raises(OwnError):
        read(damaged, ignore_errors=True, on_bad_block=refuse)


@pytest.mark.parametrize("read", READ.values(), ids=READ)
def test_rows_are_counted_as_they_come_out(read, damaged):
    options = {"n_rows": 25, "row_index_name": "n", "row_index_offset": 7}
    with pytest.warns(polars_avro.AvroWarning):
        df = read(damaged, ignore_errors=True, **options)
    assert_frame_equal(df, frame(0, 2, 4, 5)[:25].with_row_index("n", 7))


QUERIES = {
    "len": lambda lf: lf.select(pl.len()),
    "a": lambda lf: lf.select("a"),
    "no columns": lambda lf: lf.select("a").filter(pl.col("a") > 25).select(pl.len()),
    "slice": lambda lf: lf.slice(15, 10),
    "tail": lambda lf: lf.tail(13).select("a"),
    "index": lambda lf: lf.with_row_index("n").filter(pl.col("n") > 12),
    "index of a slice": lambda lf: lf.slice(-12, 5).with_row_index("n"),
    "filter": lambda lf: lf.filter(pl.col("b").str.ends_with("5")),
    "head": lambda lf: lf.head(21).filter(pl.col("a") > 19),
}


@pytest.mark.parametrize("engine", ["streaming", "in-memory"])
@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_every_query_sees_the_same_rows(query, engine, damaged):
    with pytest.warns(polars_avro.AvroWarning):
        found = query(polars_avro.scan_avro(damaged, ignore_errors=True)).collect(engine=engine)
    assert_frame_equal(found, query(frame(0, 2, 4, 5).lazy()).collect())


def test_a_reader_keeps_what_it_left_out(damaged, places):
    reader = polars_avro.AvroReader(damaged, ignore_errors=True, batch_size=1)
    assert reader.bad_blocks == []
    next(reader)
    next(reader)
    assert [place(bad) for bad in reader.bad_blocks] == places[:1]
    with pytest.warns(polars_avro.AvroWarning) as caught:
        list(reader)
    assert [place(bad) for bad in reader.bad_blocks] == places
    reader.close()
    assert len(caught) == 1
    assert polars_avro.AvroReader(container(SCHEMA, (10, data(0)))).bad_blocks == []


def test_a_reader_that_is_closed_early_warns(damaged):
    reader = polars_avro.AvroReader(damaged, ignore_errors=True, batch_size=1)
    next(reader)
    next(reader)
    with pytest.warns(polars_avro.AvroWarning, match="1 damaged block was dropped"):
        reader.close()


def test_a_damaged_header_is_an_error_all_the_same(damaged):
    for cut in (3, 50):
        with pytest.raises(polars_avro.AvroDataError):
            polars_avro.read_avro(damaged.read_bytes()[:cut], ignore_errors=True)


def test_a_scan_that_ignores_errors_pickles(damaged):
    lf = pickle.loads(pickle.dumps(polars_avro.scan_avro(damaged, ignore_errors=True, on_bad_block=print)))
    with pytest.warns(polars_avro.AvroWarning):
        assert_frame_equal(lf.collect(), frame(0, 2, 4, 5))
    assert "ignore_errors" in lf.explain()


@pytest.fixture
def several(damaged):
    """The damaged file, a sound one, and the damaged one again, in partition directories."""
    paths = [damaged.parent / "files" / f"k={k}" / "part.avro" for k in range(3)]
    for path in paths:
        path.parent.mkdir(parents=True)
        path.write_bytes(damaged.read_bytes())
    paths[1].write_bytes(container(SCHEMA, *((10, data(n)) for n in (6, 7))))
    return paths


SEVERAL = (0, 2, 4, 5, 6, 7, 0, 2, 4, 5)


@pytest.mark.parametrize("read", [READ["read_avro"], READ["streaming"], READ["in-memory"]])
def test_reports_of_several_files_name_them_and_one_warning_sums_up(read, several, places):
    found = []
    with pytest.warns(polars_avro.AvroWarning, match="4 damaged blocks were dropped, with 20 rows or more") as caught:
        df = read(several, ignore_errors=True, on_bad_block=found.append)
    assert_frame_equal(df, frame(*SEVERAL))
    assert [place(bad) for bad in found] == [
        (str(path), *rest) for path in (several[0], several[2]) for _, *rest in places
    ]
    assert len(caught) == 1
    with pytest.raises(polars_avro.AvroDataError):
        read(several)


@pytest.mark.parametrize("engine", ["streaming", "in-memory"])
@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_every_query_over_several_files_sees_the_same_rows(query, engine, several):
    with pytest.warns(polars_avro.AvroWarning):
        found = query(polars_avro.scan_avro(several, ignore_errors=True)).collect(engine=engine)
    assert_frame_equal(found, query(frame(*SEVERAL).lazy()).collect())


@pytest.mark.parametrize("engine", ["streaming", "in-memory"])
@pytest.mark.parametrize(
    "query",
    [
        *QUERIES.values(),
        lambda lf: lf.select("k"),
        lambda lf: lf.select("k", "path").slice(35, 30),
        lambda lf: lf.filter(pl.col("k") == 1),
        lambda lf: lf.select("path").tail(50).unique(maintain_order=True),
    ],
)
@pytest.mark.filterwarnings("ignore::polars_avro.AvroWarning")
def test_what_paths_say_is_of_the_rows_that_come_out(query, engine, several):
    options = {"hive_partitioning": True, "include_file_paths": "path"}
    scan = polars_avro.scan_avro(several, ignore_errors=True, **options)
    whole = [frame(*SEVERAL[start:stop]) for start, stop in ((0, 4), (4, 6), (6, 10))]
    whole = [df.with_columns(k=pl.lit(k, dtype=pl.Int64), path=pl.lit(str(several[k]))) for k, df in enumerate(whole)]
    assert_frame_equal(query(scan).collect(engine=engine), query(pl.concat(whole).lazy()).collect())


@pytest.mark.filterwarnings("ignore::polars_avro.AvroWarning")
def test_a_damaged_header_among_several_files_is_an_error_all_the_same(several):
    several[1].write_bytes(several[1].read_bytes()[:50])
    with pytest.raises(polars_avro.AvroDataError, match="k=1"):
        polars_avro.read_avro(several, ignore_errors=True)


@pytest.mark.filterwarnings("ignore::polars_avro.AvroWarning")
def test_bad_blocks_of_several_files_are_limited_together(several):
    for most, enough in ((3, False), (4, True)):
        lf = polars_avro.scan_avro(several, ignore_errors=True, limits=polars_avro.Limits(bad_blocks=most))
        if enough:
            assert lf.collect().height == 100
        else:
            with pytest.raises(polars_avro.AvroLimitError, match="`bad_blocks`"):
                lf.collect()


def test_scans_that_differ_in_limits_are_not_taken_for_one_another(several):
    small = polars_avro.Limits(zero_byte_items=1, header_bytes=100)
    path = str(several[1])
    header_bytes = len(header(SCHEMA))
    limits = polars_avro.Limits(header_bytes=header_bytes - 1)
    good = polars_avro.scan_avro([path, path])
    for bad in (limits, small):
        with pytest.raises(polars_avro.AvroLimitError, match="`header_bytes`"):
            polars_avro.scan_avro([path, path], limits=bad)
    union = polars_avro.scan_avro(
        [path, path], limits=polars_avro.Limits(header_bytes=header_bytes), schema_mode="union"
    )
    assert_frame_equal(pl.concat([good, union]).collect(), frame(*(6, 7) * 4))


def test_reports_are_frozen():
    bad = polars_avro.BadBlock("f", 1, 2, None, "data", "m")
    with pytest.raises(dataclasses.FrozenInstanceError):
        bad.file = "g"


def test_ranges_of_bytes_tile_a_file(path, frame):
    size = path.stat().st_size
    for step in (100, 5_000, size):
        parts = [
            polars_avro.read_avro(path, byte_range=(start, min(start + step, size))) for start in range(0, size, step)
        ]
        assert_frame_equal(pl.concat(parts), frame, check_dtypes=True)
    readers = [polars_avro.AvroReader(path, byte_range=part) for part in ((0, 7_000), (7_000, None))]
    assert_frame_equal(pl.concat([df for reader in readers for df in reader]), frame)


@pytest.mark.parametrize(
    ("byte_range", "error"),
    [((-1, 5), ValueError), ((5, 4), ValueError), ((1.5, 4), TypeError), ([1, 2], TypeError), (("1", None), TypeError)],
)
def test_what_is_no_range_of_bytes_is_refused(path, byte_range, error):
    for read in (polars_avro.read_avro, polars_avro.AvroReader):
        with pytest.raises(error, match="byte_range"):
            read(path, byte_range=byte_range)


def test_a_range_of_bytes_needs_one_file(directory, path):
    for source in (directory, [path]):
        with pytest.raises(ValueError, match="byte_range"):
            polars_avro.read_avro(source, byte_range=(0, 10))


def test_seek(path, frame):
    size = path.stat().st_size
    for offset in (0, 1_000, size // 2, size - 1, size + 100):
        expected = polars_avro.read_avro(path, byte_range=(offset, None))
        with polars_avro.AvroReader(path, batch_size=50) as reader:
            next(reader)
            reader.seek(offset)
            rest = list(reader)
            assert_frame_equal(pl.concat(rest) if rest else frame[:0], expected)
            reader.seek(0)
            assert_frame_equal(pl.concat(reader), frame)


def test_a_reader_that_seeks_counts_on(path, frame):
    with polars_avro.AvroReader(path, n_rows=300, row_index_name="n", batch_size=50, columns=["id"]) as reader:
        first = next(reader)
        reader.seek(path.stat().st_size // 2)
        rest = pl.concat(reader)
        assert first.height + rest.height == 300 == reader.rows_read
        assert rest["n"].to_list() == list(range(first.height, 300))
        assert rest["id"][0] > 400
        assert reader.stats["rows_decoded"] >= 300
    with pytest.raises(ValueError, match="closed"):
        reader.seek(0)
    with pytest.raises(ValueError, match="negative"):
        polars_avro.AvroReader(path).seek(-1)


NESTED = {"type": "record", "name": "N", "fields": [{"name": "a", "type": {"type": "array", "items": "N"}}]}
NULLS = {"type": "record", "name": "Z", "fields": [{"name": "a", "type": "null"}]}
FILES = {
    "header_bytes": (container(SCHEMA), 100),
    "block_bytes": (container(SCHEMA, (1, deflate(data(0))), codec="deflate"), 1),
    "schema_depth": (container(SCHEMA), 1),
    "schema_nodes": (container(SCHEMA), 2),
    "columns": (container(SCHEMA), 1),
    "data_depth": (container(NESTED, (1, long(1) * 5 + long(0) * 6)), 3),
    "zero_byte_items": (container(NULLS, (11, b"")), 10),
}


@pytest.mark.parametrize("name", FILES)
def test_every_limit_is_refused_by_its_name(name):
    file, limit = FILES[name]
    limits = polars_avro.Limits(**{name: limit})
    reads = [polars_avro.read_avro, polars_avro.scan_avro, polars_avro.read_avro_schema, polars_avro.read_avro_metadata]
    reads.append(lambda file, limits: list(polars_avro.AvroReader(file, limits=limits)))
    reads.append(lambda file, limits: polars_avro.scan_avro(file, limits=limits).collect())
    # Only reads that decode a block detect the damage in it.
    if name in ("block_bytes", "data_depth", "zero_byte_items"):
        reads = [reads[0], *reads[4:]]
    for read in reads:
        with pytest.raises(polars_avro.AvroLimitError, match=f"`{name}`"):
            read(file, limits=limits)


@pytest.mark.filterwarnings("ignore::polars_avro.AvroWarning")
def test_the_number_of_bad_blocks_is_limited(damaged):
    reads = [polars_avro.read_avro, lambda file, **options: polars_avro.scan_avro(file, **options).collect()]
    for read in reads:
        with pytest.raises(polars_avro.AvroLimitError, match="`bad_blocks`"):
            read(damaged, ignore_errors=True, limits=polars_avro.Limits(bad_blocks=1))


def test_a_block_over_a_limit_is_left_out():
    blocks = [(10, deflate(rows)) for rows in (data(0), data(1) + bytes(1 << 16), data(2))]
    found = []
    with pytest.warns(polars_avro.AvroWarning):
        df = polars_avro.read_avro(
            container(SCHEMA, *blocks, codec="deflate"),
            ignore_errors=True,
            on_bad_block=found.append,
            limits=polars_avro.Limits(block_bytes=1000),
        )
    assert_frame_equal(df, frame(0, 2))
    assert [bad.kind for bad in found] == ["limit"]


def test_limits_have_the_defaults_of_the_core():
    assert dataclasses.asdict(polars_avro.Limits()) == polars_avro._core.default_limits()


@pytest.mark.parametrize(("value", "error"), [(-1, ValueError), (1.5, TypeError), ("1", TypeError)])
def test_a_limit_that_means_nothing_is_refused(value, error):
    with pytest.raises(error, match="block_bytes"):
        polars_avro.Limits(block_bytes=value)
