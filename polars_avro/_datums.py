"""Decoding of Avro datums in a Binary column: one value per row, bare or after a header that identifies its schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from polars_avro._decoder import Decoder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from polars_avro._conversions import Annotations
    from polars_avro._decoder import Framing
    from polars_avro._limits import Limits
    from polars_avro._lookup import Schemas
    from polars_avro._schemas import AvroSchema


def decode(
    expr: pl.Expr | str,
    schema: AvroSchema | None = None,
    *,
    framing: Framing = "datum",
    schemas: Schemas | None = None,
    schema_id: pl.Expr | pl.Series | str | None = None,
    reader_schema: AvroSchema | None = None,
    fields: Sequence[str] | None = None,
    ignore_errors: bool = False,
    annotations: Annotations | None = None,
    limits: Limits | None = None,
) -> pl.Expr:
    """
    Decode a Binary column that holds one Avro datum per row.

    A record becomes a Struct, and any other type gets the same dtype as in a file. The dtype is known before the query
    runs. Nulls stay null.

    Parameters
    ----------
    expr
        The column: an expression or a name.
    schema
        The writer schema of the rows: JSON text, Python objects, or the path of an ``.avsc`` or Avro file. With
        `schemas`, it is the schema that all rows are read as, and the writer schema of bare datums in
        ``framing="auto"``.
    framing : {"datum", "single_object", "confluent", "apicurio", "glue", "auto"}
        The header of each datum. ``"datum"``: none. ``"single_object"``: Avro's own, ``C3 01`` and the fingerprint of
        the schema. ``"confluent"``: ``00`` and an id of four bytes. ``"apicurio"``: ``00`` and an id of eight bytes.
        ``"glue"``: that of AWS Glue, ``03``, a byte for the compression (``00`` for none, ``05`` for zlib) and a schema
        version id of 16 bytes. ``"auto"``: any of these, detected for each row.
    schemas
        The writer schemas of the rows: a mapping from id to schema, a callable that takes an id and returns a schema
        (or None), a :class:`SchemaRegistry`, or a :class:`GlueSchemaRegistry`. A fingerprint is 8 bytes or 16
        hexadecimal digits as in the header, or these bytes as a little-endian number. A GUID or a schema version id is
        a :class:`uuid.UUID` or its text. A callable gets a number or a :class:`uuid.UUID`. Without `schemas`, ids of
        registries are ignored, and `schema` is the writer schema of every row.
    schema_id
        A column with the schema ids of the rows: an expression, a name, or a Series. It has integers, or the bytes of a
        message header: Confluent's ``__value_schema_id`` (``00`` and an id of four bytes, or ``01`` and a GUID), or
        Apicurio's ``apicurio.value.contentId`` and ``apicurio.value.globalId`` (an id of eight bytes). Ids of four
        bytes and UUIDs of sixteen are accepted too. These rows are bare datums. Rows whose id is null have the framing
        `framing`.
    reader_schema
        The schema that all rows are read as, by Avro's rules of schema resolution; `schema` by default. Required with
        `schemas`, unless these determine a single schema.
    fields
        Decode only these fields of the root record, in this order: names, or paths such as ``"order.price"``. Other
        fields are skipped, and their values are not checked.
    ignore_errors
        Make bad rows null instead of raising. An :class:`AvroWarning` counts them.
    annotations
        Dtypes by attributes that other tools annotate types with, as in :func:`scan_avro`: :data:`CDC_TYPES` for
        topics of Debezium and Kafka Connect.
    limits
        Bounds on what schemas and datums may cost.

    Returns
    -------
    Expr

    Raises
    ------
    AvroDataError
        When the query runs, if a row is bad: it is truncated, has trailing bytes, lacks the header, or has an unknown
        id. The message names the row and the field. Row numbers count in the series that Polars passes, which is a part
        of the column in the streaming engine.
    AvroLimitError
        When the query runs, if a callable or a registry lacks more than 1,000 of the ids, or a compressed datum exceeds
        `limits`.
    AvroSchemaError
        If a schema is invalid, or cannot be read as `reader_schema`.
    ValueError
        If the arguments contradict each other, or do not determine the dtype.

    See Also
    --------
    SchemaRegistry : Finds schemas by the ids of Confluent's registry.
    GlueSchemaRegistry : Finds schemas by the schema version ids of AWS Glue.

    Examples
    --------
    >>> import polars as pl
    >>> import polars_avro
    >>> df = pl.DataFrame({"value": [bytes([2, 6, 97, 98, 99]), None]})
    >>> schema = {
    ...     "type": "record",
    ...     "name": "Event",
    ...     "fields": [{"name": "id", "type": "long"}, {"name": "name", "type": "string"}],
    ... }
    >>> df.select(polars_avro.decode("value", schema).struct.unnest())
    shape: (2, 2)
    ┌──────┬──────┐
    │ id   ┆ name │
    │ ---  ┆ ---  │
    │ i64  ┆ str  │
    ╞══════╪══════╡
    │ 1    ┆ abc  │
    │ null ┆ null │
    └──────┴──────┘
    """
    if isinstance(expr, str):
        expr = pl.col(expr)
    if not isinstance(expr, pl.Expr):
        msg = f"`expr` must be an expression or the name of a column, got {type(expr).__name__!r}"
        if isinstance(expr, pl.Series):
            msg += "; use `series.avro.decode(...)`"
        raise TypeError(msg)
    decoder = Decoder.of(
        schema,
        framing=framing,
        schemas=schemas,
        schema_id=schema_id,
        reader_schema=reader_schema,
        fields=fields,
        ignore_errors=ignore_errors,
        annotations=annotations,
        limits=limits,
    )
    inputs: list[pl.Expr | str] = [expr]
    if schema_id is not None:
        inputs.append(pl.lit(schema_id) if isinstance(schema_id, pl.Series) else schema_id)
    return pl.map_batches(inputs, decoder, return_dtype=decoder.dtype, is_elementwise=True)
