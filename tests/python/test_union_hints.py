"""The union of files as a hint: where it reads them, and nowhere else."""

import io
from typing import Any

import polars as pl
import pytest

import polars_avro
from polars_avro import read_avro, write_avro


def avro(df):
    file = io.BytesIO()
    write_avro(df, file)
    return file.getvalue()


WIDER: list[tuple[Any, Any, bool]] = [
    (pl.Int32, pl.Int64, False),
    (pl.Int32, pl.Float64, False),
    (pl.Int64, pl.Float64, False),
    (pl.Null, pl.Int64, False),
    (pl.Enum(["a"]), pl.String, False),
    (pl.String, pl.Binary, False),
    (pl.Struct({"x": pl.Int8}), pl.Struct({"x": pl.Float64}), False),
    (pl.Float32, pl.Float64, True),
    (pl.Datetime("ms"), pl.Datetime("us"), True),
    (pl.Datetime("us"), pl.Datetime("ns"), True),
    (pl.Duration("ms"), pl.Duration("us"), True),
    (pl.Enum(["a"]), pl.Enum(["b", "a"]), False),
]


@pytest.mark.parametrize(("first", "second", "lossy_cast"), WIDER, ids=str)
def test_the_union_is_suggested_before_options_that_lose_values(first, second, lossy_cast, cli, tmp_path):
    texts, structs = (pl.Enum(["a"]), pl.String), isinstance(first, pl.Struct)
    value: Any = {"x": 1} if structs else "a" if first in texts else None if first == pl.Null else 1
    files = []
    for name, dtype in (("1", first), ("2", second)):
        files.append(avro(pl.Series([value]).cast(dtype).to_frame("a")))
        (tmp_path / f"{name}.avro").write_bytes(files[-1])
    union = "schema_mode='union' reads all files in the widest type"
    with pytest.raises(polars_avro.AvroSchemaError) as caught:
        read_avro(files)
    message = str(caught.value)
    assert 0 < message.index(union) < (message.index("cast_options") if lossy_cast else len(message))
    assert read_avro(files, schema_mode="union").height == 2
    refused = cli.refused("cat", tmp_path, status=3)
    assert refused.endswith("; --schema-mode union reads all files in the widest type\n")
    assert len(cli.good("cat", "--schema-mode", "union", tmp_path)) == 2


def test_the_union_is_not_suggested_for_types_without_a_common_one():
    one, two = avro(pl.DataFrame({"a": [1]})), avro(pl.DataFrame({"a": ["x"]}))
    record = {"type": "record", "name": "Row", "fields": [{"name": "a", "type": "int"}]}
    wide, narrow = avro(pl.DataFrame({"a": [1.5], "b": 1})), {"a": pl.Float32, "b": pl.Int64}
    for read in (
        lambda: read_avro([one, two]),
        lambda: read_avro(one, reader_schema=record).height,
        lambda: read_avro(wide, schema=narrow),
        lambda: read_avro([one, wide], field_matching="case_insensitive"),
        lambda: read_avro([wide, one], schema={"a": pl.Int64}, missing_columns="insert"),
        # Without an option, local times are no instants.
        lambda: read_avro([avro(pl.DataFrame({"t": pl.Series([0]).cast(dtype)})) for dtype in KINDS_OF_TIME]),
    ):
        with pytest.raises(polars_avro.AvroSchemaError) as caught:
            read()
        assert "union'" not in str(caught.value)


KINDS_OF_TIME = [pl.Datetime("ms"), pl.Datetime("us", "UTC")]


def test_a_type_without_a_union_names_the_file(tmp_path):
    for at, values in enumerate([[1], [2.5], [None], ["x"], [3]]):
        polars_avro.write_avro(pl.DataFrame({"a": values}), tmp_path / f"{at}.avro")
    with pytest.raises(polars_avro.AvroSchemaError, match=r"3\.avro: field `a`.*no type holds both") as caught:
        read_avro(tmp_path, schema_mode="union")
    assert caught.value.file == str(tmp_path / "3.avro")


@pytest.mark.parametrize("wrap", [pl.struct, lambda field: pl.struct(l=pl.concat_list(pl.struct(field)))])
def test_a_new_field_of_a_struct_suggests_the_union_first(wrap, cli, tmp_path):
    old, new = pl.DataFrame({"x": [1]}), pl.DataFrame({"x": [2], "y": [3]})
    inner = [frame.select(s=wrap(pl.struct(pl.all()).alias("f"))) for frame in (old, new)]
    for name, frame in zip("12", inner, strict=True):
        write_avro(frame, tmp_path / f"{name}.avro")
    with pytest.raises(polars_avro.AvroSchemaError) as caught:
        read_avro(sorted(tmp_path.iterdir()))
    message = str(caught.value)
    assert (
        0 < message.index("; schema_mode='union' reads the fields of all files") < message.index("; pass cast_options")
    )
    assert read_avro(sorted(tmp_path.iterdir()), schema_mode="union")["s"].dtype == inner[1]["s"].dtype
    refused = cli.refused("cat", tmp_path, status=3)
    assert refused.endswith("; --schema-mode union reads the fields of all files\n")
    assert len(cli.good("cat", "--schema-mode", "union", tmp_path)) == 2
