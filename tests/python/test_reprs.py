"""Objects as people see them in a shell or a notebook."""

import io
import pydoc

import polars as pl
import pytest

import polars_avro
from polars_avro import AvroWriter, plan_splits, read_avro_metadata, write_avro

DF = pl.DataFrame({"a": [1, 2], "b": ["x", "<y>"]})


def test_metadata_are_short(tmp_path):
    write_avro(DF, tmp_path / "a.avro", "deflate", sync_marker=bytes(16), metadata={"owner": "<me>"})
    metadata = read_avro_metadata(tmp_path / "a.avro")
    assert repr(metadata) == (
        f"AvroMetadata(codec='deflate', n_blocks=1, n_rows=2, header_size={metadata.header_size}, metadata=['owner'], "
        'avro_schema=\'{"type":"record","name":"Row","fields":[{"name":"a","type":…\')'
    )


def test_many_keys_of_metadata_are_cut(tmp_path):
    write_avro(DF, tmp_path / "a.avro", metadata={f"key{i}": "x" for i in range(20)})
    assert "'key5', ...], avro_schema" in repr(read_avro_metadata(tmp_path / "a.avro"))


def test_metadata_are_a_table_in_notebooks(tmp_path):
    write_avro(DF, tmp_path / "a.avro", "deflate", sync_marker=bytes(16), metadata={"owner": "<me>"})
    html = read_avro_metadata(tmp_path / "a.avro")._repr_html_()
    assert html.startswith("<table><tr><th>rows</th><td>2</td></tr>")
    assert "<th>owner</th><td>&lt;me&gt;</td>" in html
    assert "&quot;name&quot;: &quot;Row&quot;" in html


def test_a_split_of_many_files_names_the_first(tmp_path):
    for i in range(3):
        write_avro(DF, tmp_path / f"{i}.avro")
    (split,) = plan_splits(tmp_path)
    n_bytes = split.estimated_bytes
    assert repr(split) == (
        f"Split({str(tmp_path / '0.avro')!r}, and 2 other parts, estimated_rows={split.estimated_rows}, "
        f"estimated_bytes={n_bytes})"
    )
    (single,) = plan_splits(tmp_path / "0.avro")
    assert f"byte_range=(0, None), estimated_rows={single.estimated_rows}" in repr(single)


def test_a_writer_says_how_far_it_is(tmp_path):
    with AvroWriter(tmp_path / "a.avro") as writer:
        assert repr(writer) == f"<AvroWriter to {str(tmp_path / 'a.avro')!r}, open, 0 rows written>"
        writer.write(DF)
        assert repr(writer).endswith(", open, 2 rows written>")
    assert repr(writer).endswith(", closed, 2 rows written>")
    failing = AvroWriter(io.BytesIO())
    failing.write(DF)
    with pytest.raises(polars_avro.AvroSchemaError):
        failing.write(pl.DataFrame({"c": [1]}))
    assert repr(failing) == "<AvroWriter to '<BytesIO>', failed, 2 rows written>"


def test_help_begins_with_the_public_names():
    text = pydoc.plain(pydoc.render_doc(polars_avro))
    first = text[: text.index("PACKAGE CONTENTS")]
    assert [name for name in polars_avro.__all__ if name not in first and not name.startswith("_")] == []
