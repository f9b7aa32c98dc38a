"""Encoding of columns into Avro datums, with or without a header that identifies their schema."""

from __future__ import annotations

import threading
import uuid
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import polars as pl

from polars_avro import _options
from polars_avro._core import DatumEncoder, check_written_schema, datum_schema
from polars_avro._registry_base import Registry
from polars_avro._schemas import AvroSchema, schema_json
from polars_avro._writing.frames import core_frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    from polars_avro._core import Frame
    from polars_avro._glue import GlueSchemaRegistry
    from polars_avro._lookup import CoreId
    from polars_avro._registry import SchemaRegistry

WrittenFraming: TypeAlias = Literal["datum", "single_object", "confluent", "apicurio", "glue"]
"""The header to write before each datum."""


def encode(
    expr: pl.Expr | str,
    schema: AvroSchema | None = None,
    *,
    framing: WrittenFraming = "datum",
    schema_id: int | uuid.UUID | str | None = None,
    registry: SchemaRegistry | GlueSchemaRegistry | None = None,
    auto_register: bool = True,
    compression: Literal["zlib"] | None = None,
    name: str = "",
    namespace: str | None = None,
) -> pl.Expr:
    """
    Encode a column into a Binary column that holds one Avro datum per row.

    A Struct becomes a record, and any other dtype a bare value. Nulls stay null.

    Parameters
    ----------
    expr
        The column: an expression or a name.
    schema
        The schema to write with: JSON text, Python objects, or the path of an ``.avsc`` or Avro file. Fields of a
        record are found by their names. The default follows from the dtype, as for files. With `registry` the default
        is the latest version of its subject.
    framing : {"datum", "single_object", "confluent", "apicurio", "glue"}
        The header to write before each datum, as in :func:`decode`.
    schema_id
        The id of the schema in its registry: a number for the framings ``"confluent"`` and ``"apicurio"``, and a
        :class:`uuid.UUID` or its text for ``"glue"``.
    registry
        A :class:`SchemaRegistry` with a subject, or a :class:`GlueSchemaRegistry` with a schema name. The query
        registers `schema` there if necessary, and uses the id that the registry returns.
    auto_register
        Register `schema` if necessary. With False, the query only looks up the id of `schema` under the subject, as
        with ``auto.register.schemas=false`` of Confluent's serializers.
    compression : {"zlib", None}
        The compression of each datum in the framing ``"glue"``. Other framings have none.
    name
        The name of the record if the schema follows from the dtype.
    namespace
        The namespace of the record if the schema follows from the dtype.

    Returns
    -------
    Expr

    Raises
    ------
    AvroDataError
        When the query runs, if a value does not fit its type. The message has row and field.
    AvroSchemaError
        If the schema is invalid, does not fit the dtype, or is refused by the registry.
    AvroSchemaNotFoundError
        When the query runs, if `auto_register` is False and the subject has no such schema.
    AvroUnsupportedError
        If a dtype has no equivalent Avro type.
    ValueError
        If the arguments contradict each other.

    See Also
    --------
    decode : Decode such a column.

    Examples
    --------
    >>> import polars as pl
    >>> import polars_avro
    >>> df = pl.DataFrame({"id": [1, 2], "name": ["abc", "d"]})
    >>> schema = {
    ...     "type": "record",
    ...     "name": "Event",
    ...     "fields": [{"name": "id", "type": "long"}, {"name": "name", "type": "string"}],
    ... }
    >>> df.select(value=polars_avro.encode(pl.struct("id", "name"), schema))["value"].bin.encode("hex").to_list()
    ['0206616263', '040264']
    """
    if isinstance(expr, str):
        expr = pl.col(expr)
    if not isinstance(expr, pl.Expr):
        msg = f"`expr` must be an expression or the name of a column, got {type(expr).__name__!r}"
        if isinstance(expr, pl.Series):
            msg += "; use `series.avro.encode(...)`"
        raise TypeError(msg)
    encoder = Encoder.of(
        schema,
        framing=framing,
        schema_id=schema_id,
        registry=registry,
        auto_register=auto_register,
        compression=compression,
        name=name,
        namespace=namespace,
    )
    return pl.map_batches([expr], encoder, return_dtype=pl.Binary(), is_elementwise=True)


class Encoder:
    """Encodes series. It can be pickled, so a query with it can be serialised."""

    def __init__(self, schema: str | None, options: dict[str, Any]) -> None:
        self._schema = schema
        self._options = options
        self._prepare()

    @classmethod
    def of(
        cls,
        schema: AvroSchema | None,
        *,
        framing: WrittenFraming,
        schema_id: int | uuid.UUID | str | None,
        registry: SchemaRegistry | GlueSchemaRegistry | None,
        auto_register: bool,
        compression: Literal["zlib"] | None,
        name: str,
        namespace: str | None,
    ) -> Encoder:
        """Check the arguments of :func:`encode`."""
        if framing not in get_args(WrittenFraming):
            msg = f"`framing` must be one of {get_args(WrittenFraming)}, got {framing!r}"
            raise ValueError(msg)
        _options.check(auto_register=auto_register, name=name, namespace=namespace)
        if (name or namespace) and (schema is not None or registry is not None):
            msg = "`name` and `namespace` are part of the schema if `schema` or `registry` gives one"
            raise ValueError(msg)
        if registry is not None:
            _check_registry(registry, framing, schema_id)
        elif not auto_register:
            msg = "`auto_register=False` needs `registry`, which the schema is looked up in"
            raise ValueError(msg)
        elif schema_id is None and framing in ("confluent", "apicurio", "glue"):
            msg = f"`schema_id` is needed for framing {framing!r}, or a `registry` that gives it"
            raise ValueError(msg)
        if compression not in (None, "zlib"):
            msg = f"`compression` must be 'zlib' or None, got {compression!r}"
            raise ValueError(msg)
        number = _core_id(schema_id)
        text = None if schema is None else schema_json(schema, "schema")
        if text is not None:
            check_written_schema(text)
        # Checks the framing before the schema and its id are known.
        checked = uuid.UUID(int=0).bytes if framing == "glue" else 0
        DatumEncoder(framing, text or '"null"', number if registry is None else checked, compression is not None)
        options = {
            "framing": framing,
            "schema_id": number,
            "registry": registry,
            "compression": compression,
            "auto_register": bool(auto_register),
            "name": name or None,
            "namespace": namespace,
        }
        return cls(text, options)

    def _prepare(self) -> None:
        """Make the attributes that cannot be pickled."""
        self._lock = threading.Lock()
        #: Keyed by the dtype if the schema follows from it, otherwise by None.
        self._cores: dict[pl.DataType | None, DatumEncoder] = {}

    def __getstate__(self) -> tuple[Any, ...]:
        return self._schema, self._options

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._schema, self._options = state
        self._prepare()

    def __call__(self, inputs: Sequence[pl.Series]) -> pl.Series:
        """Encode one series, as Polars passes it."""
        series = inputs[0]
        frame = core_frame(series.to_frame())
        return pl.Series(self._core(series.dtype, frame).encode(frame)).alias(series.name)

    def _core(self, dtype: pl.DataType, frame: Frame) -> DatumEncoder:
        """Return the encoder of a column. The lock makes one thread at a time query the registry."""
        depends_on_dtype = self._schema is None and self._options["registry"] is None
        key = dtype if depends_on_dtype else None
        with self._lock:
            core = self._cores.get(key)
            if core is None:
                core = self._cores[key] = self._make(frame)
            return core

    def _make(self, frame: Frame) -> DatumEncoder:
        options = self._options
        schema, schema_id = self._schema, options["schema_id"]
        registry: Registry | None = options["registry"]
        if registry is not None:
            schema, registered = registry._written(schema, auto_register=options["auto_register"])
            schema_id = _core_id(registered)
        elif schema is None:
            schema = datum_schema(frame, options["name"], options["namespace"])
        return DatumEncoder(options["framing"], schema, schema_id, options["compression"] is not None)


def _check_registry(registry: object, framing: str, schema_id: object) -> None:
    """Check that a registry can give the id of a schema."""
    if not isinstance(registry, Registry):
        kind = type(registry).__name__
        msg = f"`registry` must be a SchemaRegistry, a GlueSchemaRegistry or None, got {kind!r}"
        raise TypeError(msg)
    if framing not in registry.framings or schema_id is not None:
        names = " and ".join(map(repr, registry.framings))
        msg = f"`registry` gives the ids of `framing` {names}, in place of `schema_id`"
        raise ValueError(msg)
    if registry._name is None:
        raise ValueError(registry._name_hint)


def _core_id(schema_id: object) -> CoreId | None:
    """Return an id to write as the core takes it."""
    if schema_id is None:
        return None
    if isinstance(schema_id, uuid.UUID):
        return schema_id.bytes
    if isinstance(schema_id, str):
        try:
            return uuid.UUID(schema_id).bytes
        except ValueError:
            msg = f"`schema_id` must be a number or a UUID, got {schema_id!r}"
            raise ValueError(msg) from None
    return _options.integer("schema_id", schema_id, most=2**63 - 1)
