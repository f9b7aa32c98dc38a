"""Random datums, compared with fastavro and the type table."""

from __future__ import annotations

import io
import random
from dataclasses import dataclass
from typing import Any

import containers
import expected
import fastavro
import polars as pl
import strategies
from framed import FRAMINGS, header
from hypothesis import given
from hypothesis import strategies as st
from random_cases import cases
from test_differential import ENGINES

import polars_avro


@dataclass
class Datums:
    """A schema, encoded values, and the expected result."""

    schema: Any
    rows: list[bytes | None]
    dtype: pl.DataType
    values: list[Any]


@st.composite
def datums(draw: Any, *, record_root: bool = False) -> Datums:
    """A schema and values of it that fastavro encoded; some rows are null."""
    schema = draw(strategies.schemas(record_root=record_root))
    node = expected.parse(schema)
    source = random.Random(draw(st.integers(0, 2**32)))
    parsed, plain = fastavro.parse_schema(schema), containers.plain(node, {})
    dtype, convert = expected.mapped(node)
    rows: list[bytes | None] = []
    values: list[Any] = []
    for _ in range(draw(st.sampled_from((0, 1, 2, 7, 40, 200)))):
        if source.random() < 0.1:
            rows.append(None)
            values.append(None)
            continue
        out = io.BytesIO()
        fastavro.schemaless_writer(out, parsed, strategies.Values(source).of(node))
        raw = fastavro.schemaless_reader(io.BytesIO(out.getvalue()), plain, return_record_name=True)
        rows.append(out.getvalue())
        values.append(convert(containers.raw_value(node, raw)))
    return Datums(schema, rows, dtype, values)


def assert_column(series: pl.Series, dtype: pl.DataType, values: list[Any]) -> None:
    """Compare dtype, length and every value."""
    frame = series.alias("v").to_frame()
    expected.assert_frame(frame, pl.Schema({"v": dtype}), {"v": values}, len(values))


def is_bytes(schema: Any) -> bool:
    """Return whether Confluent's serializer omits the length of such values."""
    return schema == "bytes" or (isinstance(schema, dict) and schema["type"] == "bytes")


@cases(1)
@given(datums(), st.sampled_from(FRAMINGS), st.integers(0, 300))
def test_every_framing_gives_every_value(case: Datums, framing: str, cut: int) -> None:
    if framing == "confluent" and is_bytes(case.schema):
        framing = "apicurio"
    front = header(framing, case.schema)
    rows = [None if row is None else front + row for row in case.rows]
    # Two chunks, of which the second does not start at the beginning of its buffer.
    series = pl.concat([pl.Series(rows[:cut], dtype=pl.Binary), pl.Series(rows, dtype=pl.Binary)[cut:]], rechunk=False)
    assert_column(series.avro.decode(case.schema, framing=framing), case.dtype, case.values)


def any_node(node: expected.Node, test: Any, above: tuple[expected.Node, ...] = ()) -> bool:
    """Return whether a type contains this kind."""
    inner = [*node.inner, *(field for _, field in node.fields)]
    return test(node, above) or (node not in above and any(any_node(n, test, (*above, node)) for n in inner))


def is_text(node: expected.Node, above: tuple[expected.Node, ...]) -> bool:
    """Return whether values become text that cannot be encoded again."""
    return node in above or node.logical == "big-decimal" or (node.logical == "decimal" and node.precision > 38)


def has_spellings(node: expected.Node, _: tuple[expected.Node, ...]) -> bool:
    """Return whether values have several valid encodings."""
    return node.logical in ("decimal", "uuid")


@cases(1)
@given(datums())
def test_what_is_encoded_again_has_the_bytes_of_fastavro(case: Datums) -> None:
    node = expected.parse(case.schema)
    series = pl.Series(case.rows, dtype=pl.Binary)
    decoded = series.avro.decode(case.schema)
    if any_node(node, is_text):
        return
    encoded = decoded.avro.encode(case.schema)
    if node.kind in ("null", "union"):
        # A null inside the union has become a null row.
        encoded = pl.select(pl.when(decoded.is_null()).then(series).otherwise(encoded)).to_series()
    if any_node(node, has_spellings):
        assert_column(encoded.avro.decode(case.schema), case.dtype, case.values)
        plain = containers.plain(node, {})
        for row in encoded.drop_nulls():
            fastavro.schemaless_reader(io.BytesIO(row), plain)
    else:
        assert encoded.to_list() == case.rows


@cases(0.3)
@given(datums(), ENGINES)
def test_a_query_gives_every_value(case: Datums, engine: Any) -> None:
    lf = pl.LazyFrame({"v": pl.Series(case.rows, dtype=pl.Binary)}).select(polars_avro.decode("v", case.schema))
    assert lf.collect_schema() == {"v": case.dtype}
    assert_column(lf.collect(engine=engine)["v"], case.dtype, case.values)


@cases(0.3)
@given(datums(), st.integers(0, 2**32))
def test_a_damaged_row_is_an_error_or_a_value_of_its_own(case: Datums, seed: int) -> None:
    source = random.Random(seed)
    rows, values, touched = list(case.rows), list(case.values), set()
    for i, row in enumerate(case.rows):
        if row and source.random() < 0.2:
            at = source.randrange(len(row))
            rows[i] = source.choice((row[:at], row + b"\0", row[:at] + source.randbytes(1) + row[at + 1 :]))
            touched.add(i)
    series = pl.Series(rows, dtype=pl.Binary)
    decoder = polars_avro._decoder.Decoder.of(
        case.schema,
        framing="datum",
        schemas=None,
        schema_id=None,
        reader_schema=None,
        fields=None,
        ignore_errors=True,
        limits=polars_avro.Limits(zero_byte_items=1000),
    )
    got, warned = _quiet(decoder, series)
    kept = [i for i in range(len(rows)) if i not in touched]
    assert_column(got.gather(kept), case.dtype, [values[i] for i in kept])
    # Decoding rows one by one gives the same result.
    for i in sorted(touched):
        alone, _ = _quiet(decoder, series[i : i + 1])
        assert expected.difference(got[i : i + 1].to_physical().to_list(), alone.to_physical().to_list()) is None
    assert warned <= len(touched)


def _quiet(decoder: Any, series: pl.Series) -> tuple[pl.Series, int]:
    """Decode, and return the number of bad rows in the warning."""
    import warnings

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        got = decoder([series])
    return got, int(str(caught[0].message).split()[0]) if caught else 0


@cases(0.3)
@given(datums(record_root=True), st.data())
def test_fields_are_those_of_the_whole(case: Datums, data: st.DataObject) -> None:
    names = [field["name"] for field in case.schema["fields"]]
    wanted = data.draw(st.lists(st.sampled_from(names), unique=True, min_size=1)) if names else []
    if not wanted:
        return
    dtypes = {field.name: field.dtype for field in case.dtype.fields}  # type: ignore[attr-defined]
    values = [None if value is None else {name: value[name] for name in wanted} for value in case.values]
    got = pl.Series(case.rows, dtype=pl.Binary).avro.decode(case.schema, fields=wanted)
    assert_column(got, pl.Struct({name: dtypes[name] for name in wanted}), values)
