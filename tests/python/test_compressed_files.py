"""Files that are compressed as a whole, such as ``rows.avro.gz``."""

import bz2
import gzip
import io

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import polars_avro
from polars_avro import read_avro, scan_avro

try:
    from compression import zstd
except ImportError:
    from backports import zstd

DF = pl.DataFrame({"id": range(20_000), "text": [f"a text of row {i}" for i in range(20_000)]})
FORMATS = {".gz": gzip.compress, ".zst": zstd.compress, ".bz2": bz2.compress}


def avro(df=DF, **options):
    target = io.BytesIO()
    polars_avro.write_avro(df, target, **options)
    return target.getvalue()


@pytest.fixture(params=FORMATS)
def file(request, tmp_path):
    path = tmp_path / f"rows.avro{request.param}"
    path.write_bytes(FORMATS[request.param](avro()))
    return path


def test_every_function_reads_it(file):
    assert_frame_equal(read_avro(file), DF)
    assert_frame_equal(read_avro(file.read_bytes()), DF)
    assert_frame_equal(read_avro(io.BytesIO(file.read_bytes())), DF)
    with open(file, "rb") as opened:
        assert_frame_equal(read_avro(opened), DF)
    assert_frame_equal(scan_avro(file).collect(), DF)
    assert_frame_equal(scan_avro(file).collect(engine="streaming"), DF)
    assert scan_avro(file).select(pl.len()).collect().item() == DF.height
    assert_frame_equal(scan_avro(file).filter(pl.col("id") > 19_990).collect(), DF.filter(pl.col("id") > 19_990))
    assert_frame_equal(scan_avro(file).slice(15_000, 7).collect(), DF.slice(15_000, 7))
    with polars_avro.AvroReader(file) as reader:
        assert_frame_equal(pl.concat(reader), DF)
    assert polars_avro.read_avro_schema(file) == DF.schema
    assert polars_avro.read_avro_metadata(file).n_rows == DF.height


def test_the_extension_does_not_matter_for_one_file(file, tmp_path):
    plain = tmp_path / "rows.avro"
    plain.write_bytes(file.read_bytes())
    assert_frame_equal(read_avro(plain), DF)
    assert_frame_equal(scan_avro(plain).collect(), DF)


def test_several_files_and_their_neighbours(file, tmp_path):
    (tmp_path / "plain.avro").write_bytes(avro(DF.head(10)))
    sources = [tmp_path / "plain.avro", file, tmp_path / "plain.avro", file]
    expected = pl.concat([DF.head(10), DF] * 2)
    assert_frame_equal(read_avro(sources), expected)
    lazy = scan_avro(sources, include_file_paths="path", row_index_name="row")
    rows = lazy.collect()
    assert_frame_equal(rows.select(DF.columns), expected)
    assert rows["row"].to_list() == list(range(expected.height))
    assert set(rows["path"]) == {str(source) for source in sources}
    assert scan_avro(sources).select(pl.len()).collect().item() == expected.height
    assert_frame_equal(scan_avro(sources).slice(20_005, 20).collect(), expected.slice(20_005, 20))
    assert_frame_equal(read_avro(f"{tmp_path}/rows*"), DF)


def test_content_that_does_not_fit_in_memory_goes_to_the_disk(tmp_path):
    big = pl.DataFrame({"text": ["x" * 1000] * 40_000})
    path = tmp_path / "big.avro.gz"
    path.write_bytes(gzip.compress(avro(big, compression="uncompressed"), 1))
    assert_frame_equal(read_avro(path), big)


def test_members_of_gzip_follow_one_another(tmp_path):
    data = avro()
    path = tmp_path / "rows.avro.gz"
    path.write_bytes(gzip.compress(data[:5000]) + gzip.compress(data[5000:]))
    assert_frame_equal(read_avro(path), DF)


def test_ranges_and_splits(file):
    with pytest.raises(ValueError, match="compressed as a whole"):
        read_avro(file, byte_range=(0, 100))
    splits = polars_avro.plan_splits(file, target_bytes=100)
    assert len(splits) == 1
    assert_frame_equal(splits[0].read(), DF)


def test_damage_names_the_compression(file):
    file.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(polars_avro.AvroError, match=r"rows\.avro\.\w+: (gzip|zstd|bzip2): "):
        read_avro(file)


def test_appending_is_refused(file):
    before = file.read_bytes()
    with pytest.raises(polars_avro.AvroError, match="not an Avro object container file"):
        polars_avro.write_avro(DF, file, append=True)
    assert file.read_bytes() == before


def test_the_command_line(cli, file):
    assert cli.good("count", file) == [str(DF.height)]
    assert cli.good("head", "-n", "1", file)
