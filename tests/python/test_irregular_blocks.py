"""Blocks that have all of their rows and do not end with them: read, reported, and refused if `strict`."""

import bz2
import lzma
import pickle
import random
import warnings
import zlib
from functools import lru_cache

import polars as pl
import pytest
from containers import SYNC, block, container, header, long, text
from grids import grid
from polars.testing import assert_frame_equal

import polars_avro
from polars_avro import AvroDataError, AvroReader, AvroWarning, read_avro, scan_avro

SCHEMA = {"type": "record", "name": "R", "fields": [{"name": "a", "type": "int"}, {"name": "b", "type": "string"}]}
ROWS = 10


@lru_cache
def data(n: int, rows: int = ROWS) -> bytes:
    return b"".join(long(rows * n + i) + text(f"row {rows * n + i}") for i in range(rows))


@lru_cache
def frame(*blocks: int, rows: int = ROWS) -> pl.DataFrame:
    numbers = [rows * n + i for n in blocks for i in range(rows)]
    return pl.DataFrame({"a": pl.Series(numbers, dtype=pl.Int32), "b": [f"row {i}" for i in numbers]})


def deflate(plain: bytes, how: int = zlib.Z_FINISH) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(plain) + packer.flush(how)


READ = {
    "read_avro": read_avro,
    "one thread": lambda source, **options: read_avro(source, n_threads=1, **options),
    "several": lambda source, **options: read_avro([source], **options),
    "AvroReader": lambda source, **options: pl.concat(AvroReader(source, **options)),
    "streaming": lambda source, **options: scan_avro(source, **options).collect(engine="streaming"),
    "in-memory": lambda source, **options: scan_avro(source, **options).collect(engine="in-memory"),
    "filtered": lambda source, **options: scan_avro(source, **options).filter(pl.col("a") >= 0).collect(),
}


def irregular(codec: str) -> bytes:
    """Four blocks, of which numbers 1 and 3 are irregular."""
    plain = [data(n) for n in range(4)]
    if codec == "unfinished":
        flushes = [zlib.Z_FINISH, zlib.Z_SYNC_FLUSH, zlib.Z_FINISH, zlib.Z_FULL_FLUSH]
        return container(
            SCHEMA, *((ROWS, deflate(*pair)) for pair in zip(plain, flushes, strict=True)), codec="deflate"
        )
    if codec.startswith("inside and after "):
        pack = {"deflate": deflate, "bzip2": bz2.compress, "xz": lzma.compress}[codec.removeprefix("inside and after ")]
        extra = [(b"", b""), (b"\x00", b"\x01"), (b"", b""), (b"five\xff", b"xy")]
        blocks = [pack(block + inside) + after for block, (inside, after) in zip(plain, extra, strict=True)]
        return container(SCHEMA, *((ROWS, block) for block in blocks), codec=codec.removeprefix("inside and after "))
    if codec.startswith("bytes after "):
        codec = codec.removeprefix("bytes after ")
        pack = {"deflate": deflate, "bzip2": bz2.compress, "xz": lzma.compress}[codec]
        after = [b"", b"\x01", b"", b"five\xff"]
        blocks = [pack(block) + more for block, more in zip(plain, after, strict=True)]
        return container(SCHEMA, *((ROWS, block) for block in blocks), codec=codec)
    plain = [plain[0], plain[1] + b"\x00", plain[2], plain[3] + b"five\xff"]
    packed = {"null": bytes, "deflate": deflate, "bzip2": bz2.compress}[codec]
    return container(SCHEMA, *((ROWS, packed(block)) for block in plain), codec=codec)


KINDS = {
    "null": ["1 byte is left", "5 bytes are left"],
    "deflate": ["1 byte is left", "5 bytes are left"],
    "bzip2": ["1 byte is left", "5 bytes are left"],
    "unfinished": ["its deflate stream has no end"] * 2,
    "bytes after deflate": ["its deflate stream ends before the block"] * 2,
    "bytes after bzip2": ["its bzip2 stream ends before the block"] * 2,
    "bytes after xz": ["its xz stream ends before the block"] * 2,
    "inside and after deflate": ["1 byte is left", "5 bytes are left"],
    "inside and after bzip2": ["1 byte is left", "5 bytes are left"],
    "inside and after xz": ["1 byte is left", "5 bytes are left"],
}


@pytest.mark.parametrize("codec", KINDS)
@pytest.mark.parametrize("ignore_errors", [False, True])
@pytest.mark.parametrize("read", READ.values(), ids=READ)
def test_all_rows_are_read_and_each_irregular_block_is_reported(read, ignore_errors, codec):
    found = []
    with pytest.warns(AvroWarning, match="all rows of 2 irregular blocks were read") as caught:
        df = read(irregular(codec), ignore_errors=ignore_errors, on_bad_block=found.append)
    assert_frame_equal(df, frame(0, 1, 2, 3))
    assert len(caught) == 1
    assert [(bad.block_index, bad.rows_lost, bad.kind) for bad in found] == [(1, 0, "framing"), (3, 0, "framing")]
    assert all(words in bad.message for words, bad in zip(KINDS[codec], found, strict=True))


@pytest.mark.parametrize("codec", KINDS)
@pytest.mark.parametrize("read", READ.values(), ids=READ)
def test_strict_reads_refuse_or_drop_them(read, codec):
    with pytest.raises(
        AvroDataError, match=r"block 1 at byte \d+: .*(1 byte is left|has no end|ends before the block)"
    ):
        read(irregular(codec), strict=True)
    found = []
    with pytest.warns(AvroWarning, match="2 damaged blocks were dropped, with 20 rows") as caught:
        df = read(irregular(codec), strict=True, ignore_errors=True, on_bad_block=found.append)
    assert_frame_equal(df, frame(0, 2))
    assert len(caught) == 1
    assert [(bad.block_index, bad.rows_lost, bad.kind) for bad in found] == [(1, 10, "data"), (3, 10, "data")]


def test_regular_files_give_no_warning():
    for codec, packed in [("null", bytes), ("deflate", deflate), ("bzip2", bz2.compress)]:
        file = container(SCHEMA, (ROWS, packed(data(0))), codec=codec)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for strict in (False, True):
                assert_frame_equal(read_avro(file, strict=strict), frame(0))


@pytest.mark.parametrize("codec", ["bzip2", "xz"])
def test_several_streams_and_padding_are_regular(codec):
    pack = {"deflate": deflate, "bzip2": bz2.compress, "xz": lzma.compress}[codec]
    plain = data(0)
    block = pack(plain[:7]) + pack(plain[7:]) + (b"\x00" * 4 if codec == "xz" else b"")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_frame_equal(read_avro(container(SCHEMA, (ROWS, block), codec=codec), strict=True), frame(0))


@pytest.mark.parametrize("zeros", range(1, 9))
def test_zeros_after_an_xz_stream_are_padding_in_groups_of_four(zeros):
    for behind in (b"", lzma.compress(b"")):
        file = container(SCHEMA, (ROWS, lzma.compress(data(0)) + bytes(zeros) + behind), codec="xz")
        if zeros % 4 == 0:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                assert_frame_equal(read_avro(file, strict=True), frame(0))
            continue
        with pytest.warns(AvroWarning, match="1 irregular block"):
            assert_frame_equal(read_avro(file), frame(0))
        with pytest.raises(AvroDataError, match="its xz stream ends before the block"):
            read_avro(file, strict=True)


@pytest.mark.parametrize("codec", ["bzip2", "xz"])
def test_a_second_stream_that_is_cut_short_is_damage(codec):
    pack = {"deflate": deflate, "bzip2": bz2.compress, "xz": lzma.compress}[codec]
    plain = data(0)
    block = pack(plain) + pack(plain)[:-5]
    with pytest.raises(AvroDataError, match="cut short"):
        read_avro(container(SCHEMA, (ROWS, block), codec=codec))


def test_a_callback_that_is_never_called_is_refused():
    for read in (scan_avro, read_avro, AvroReader):
        with pytest.raises(ValueError, match=r"strict=True.*ignore_errors"):
            read(irregular("null"), strict=True, on_bad_block=print)


@pytest.mark.filterwarnings("ignore::polars_avro.AvroWarning")
def test_the_reader_lists_them():
    with AvroReader(irregular("null")) as reader:
        df = pl.concat(reader)
        assert [bad.block_index for bad in reader.bad_blocks] == [1, 3]
    assert_frame_equal(df, frame(0, 1, 2, 3))


@pytest.mark.filterwarnings("ignore::polars_avro.AvroWarning")
def test_queries_see_the_same_rows():
    lf = scan_avro(irregular("null"))
    whole = frame(0, 1, 2, 3)
    for query in [
        lambda lf: lf.select("b"),
        lambda lf: lf.select(pl.len()),
        lambda lf: lf.filter(pl.col("a") % 7 == 3),
        lambda lf: lf.slice(15, 12),
        lambda lf: lf.tail(11),
        lambda lf: lf.with_row_index().filter(pl.col("index") > 12),
        lambda lf: lf.sort("a", descending=True).head(3),
    ]:
        assert_frame_equal(query(lf).collect(), query(whole.lazy()).collect())
    assert_frame_equal(pickle.loads(pickle.dumps(lf)).collect(), whole)
    assert "strict" in scan_avro(irregular("null"), strict=True).explain()


@pytest.mark.filterwarnings("ignore::polars_avro.AvroWarning")
def test_rows_before_a_limit_are_read_whatever_follows_them():
    for rows in (1, 10, 11, 20, 39, 40):
        assert_frame_equal(read_avro(irregular("null"), n_rows=rows), frame(0, 1, 2, 3)[:rows])


def test_a_block_of_bytes_and_no_rows_is_irregular():
    file = container(SCHEMA, (ROWS, data(0)), (0, b"xyz"), (ROWS, data(1)))
    with pytest.warns(AvroWarning, match="3 bytes are left after the block's 0 rows"):
        assert_frame_equal(read_avro(file), frame(0, 1))


@pytest.mark.parametrize("ignore_errors", [False, True])
def test_a_size_that_swallows_the_next_block_is_damage(ignore_errors):
    first, second = data(0), block(ROWS, data(1))
    file = header(SCHEMA) + long(ROWS) + long(len(first) + len(SYNC) + len(second) - len(SYNC)) + first + SYNC + second
    file += block(ROWS, data(2))
    if ignore_errors:
        with pytest.warns(AvroWarning, match="1 damaged block was dropped"):
            assert_frame_equal(read_avro(file, ignore_errors=True), frame(1, 2))
    else:
        with pytest.raises(AvroDataError, match="a block ends inside the block: its size is wrong"):
            read_avro(file)


def test_a_stream_that_is_cut_short_is_damage():
    chosen = random.Random(1)
    plain = b"".join(long(i) + text(chosen.randbytes(9).hex()) for i in range(200))
    for packed in (deflate(plain), deflate(plain, zlib.Z_SYNC_FLUSH)):
        whole = read_avro(container(SCHEMA, (200, deflate(plain)), codec="deflate"))
        for cut in range(1, len(packed)):
            file = container(SCHEMA, (200, packed[:-cut]), codec="deflate")
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    df = read_avro(file)
            except AvroDataError as error:
                assert "deflate: the block is damaged or cut short" in str(error)  # noqa: PT017
            else:
                # Only the end of the stream was cut off.
                assert cut < 8
                assert_frame_equal(df, whole)


def test_a_stream_without_an_end_that_has_bytes_too_many_is_damage():
    file = container(SCHEMA, (ROWS, deflate(data(0) + b"x", zlib.Z_SYNC_FLUSH)), codec="deflate")
    with pytest.raises(AvroDataError, match="deflate: the block is damaged or cut short"):
        read_avro(file)
    with pytest.raises(AvroDataError, match="deflate: the block is damaged or cut short"):
        read_avro(file, n_rows=1)


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A file of several megabytes, every block of which has a byte more than its rows."""
    path = tmp_path_factory.mktemp("many") / "rows.avro"
    path.write_bytes(container(SCHEMA, *((1000, data(n, 1000) + b"\x00") for n in range(500))))
    return path


@pytest.mark.parametrize(
    ("read", "ignore_errors", "n_threads"),
    grid(["read_avro", "AvroReader", "streaming", "filtered"], [False, True], [None, 1, 2]),
)
def test_many_irregular_blocks_are_reported_once_each_in_order(many, read, ignore_errors, n_threads):
    found = []
    with pytest.warns(AvroWarning, match="all rows of 500 irregular blocks were read") as caught:
        df = READ[read](many, on_bad_block=found.append, n_threads=n_threads, ignore_errors=ignore_errors)
    assert_frame_equal(df, frame(*range(500), rows=1000))
    assert [bad.block_index for bad in found] == list(range(500))
    assert len({bad.offset for bad in found}) == 500
    assert len(caught) == 1


def test_splits_and_ranges_report_each_block_once(many):
    size = many.stat().st_size
    found = []
    for part in range(7):
        with pytest.warns(AvroWarning, match="irregular blocks were read"):
            read_avro(many, byte_range=(size * part // 7, size * (part + 1) // 7), on_bad_block=found.append)
    assert [bad.block_index for bad in found] == list(range(500))
    splits = polars_avro.plan_splits(many, target_bytes=size // 5)
    assert len(splits) > 3
    found = []
    with pytest.warns(AvroWarning, match="500 irregular blocks") as caught:
        df = polars_avro.scan_splits(splits, on_bad_block=found.append).collect()
    assert df.height == 500_000
    assert len(caught) == 1
    assert [bad.block_index for bad in found] == list(range(500))
    with pytest.raises(AvroDataError, match="1 byte is left"):
        polars_avro.scan_splits(polars_avro.plan_splits(many, strict=True)).collect()


@pytest.mark.filterwarnings("ignore::polars_avro.AvroWarning")
def test_more_of_them_than_the_limit_are_read():
    file = container(SCHEMA, *((ROWS, data(n) + b"x") for n in range(20)))
    found = []
    df = read_avro(file, limits=polars_avro.Limits(bad_blocks=5), on_bad_block=found.append)
    assert_frame_equal(df, frame(*range(20)))
    assert len(found) == 5


@pytest.mark.parametrize(
    ("codec", "n_threads", "ignore_errors"), grid(["null", "deflate", "unfinished"], [None, 1], [False, True])
)
def test_large_blocks_are_cut_and_reported_all_the_same(codec, n_threads, ignore_errors):
    rows = 250_000
    plain = data(0, rows)
    packed = {
        "null": plain + b"x",
        "deflate": deflate(plain + b"x"),
        "unfinished": deflate(plain, zlib.Z_SYNC_FLUSH),
    }[codec]
    file = container(
        SCHEMA,
        (rows, packed),
        (ROWS, (bytes if codec == "null" else deflate)(data(0))),
        codec="null" if codec == "null" else "deflate",
    )
    whole = pl.concat([frame(0, rows=rows), frame(0)])
    options = {"n_threads": n_threads, "ignore_errors": ignore_errors}
    for read in (read_avro, READ["streaming"], READ["filtered"]):
        found = []
        with pytest.warns(AvroWarning, match="all rows of 1 irregular block were read") as caught:
            assert_frame_equal(read(file, on_bad_block=found.append, **options), whole)
        assert len(caught) == 1
        assert [(bad.block_index, bad.kind) for bad in found] == [(0, "framing")]
    if not ignore_errors:
        with pytest.raises(AvroDataError, match="block 0"):
            read_avro(file, strict=True, **options)


@pytest.mark.parametrize("claimed", [0, 1, 150_000])
def test_a_large_block_of_few_rows_is_irregular(claimed):
    file = container(SCHEMA, (claimed, data(0, 200_000)), (ROWS, data(0)))
    for n_threads in (None, 1):
        with pytest.warns(AvroWarning, match=f"bytes are left after the block's {claimed} row"):
            df = read_avro(file, n_threads=n_threads)
        assert_frame_equal(df, pl.concat([frame(0, rows=200_000)[:claimed], frame(0)]))


def test_what_python_leaves_of_the_zlib_format_is_not_irregular() -> None:
    packed = [zlib.compress(data(n)) for n in range(4)]
    for end in (-1, None):
        source = container(SCHEMA, *((ROWS, block[2:end]) for block in packed), codec="deflate")
        assert_frame_equal(read_avro(source, strict=True), frame(*range(4)))


@pytest.mark.parametrize("codec", KINDS)
@pytest.mark.parametrize("read", READ.values(), ids=READ)
def test_a_block_that_is_read_in_part_is_not_reported(read, codec):
    found = []
    rows = 4 * ROWS - 1
    with pytest.warns(AvroWarning, match="all rows of 1 irregular block were read"):
        df = read(irregular(codec), n_rows=rows, on_bad_block=found.append)
    assert_frame_equal(df, frame(0, 1, 2, 3)[:rows])
    assert [bad.block_index for bad in found] == [1]


def test_bytes_after_the_deflate_stream_of_a_large_block_are_reported() -> None:
    rows = 200_000
    source = container(SCHEMA, (rows, deflate(data(0, rows)) + b"!"), codec="deflate")
    with pytest.warns(AvroWarning, match="its deflate stream ends before the block"):
        assert read_avro(source).height == rows
    with pytest.raises(polars_avro.AvroError, match="its deflate stream ends before the block"):
        read_avro(source, strict=True)
