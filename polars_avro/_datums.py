"""Decoding of Avro datums in a Binary column: one value per row, bare or after a header that identifies its schema."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import polars as pl
from polars.exceptions import SchemaError

from polars_avro import _options
from polars_avro._bad_blocks import AvroWarning
from polars_avro._core import DatumDecoder
from polars_avro._errors import AvroLimitError
from polars_avro._registry import SchemaRegistry
from polars_avro._schemas import AvroSchema, schema_json

if TYPE_CHECKING:
    from polars_avro._limits import Limits

Framing: TypeAlias = Literal["datum", "single_object", "confluent", "apicurio", "auto"]
"""The header before each datum; ``"auto"`` detects it for each row."""
Schemas: TypeAlias = "Mapping[Any, AvroSchema] | Callable[[int], AvroSchema | None] | SchemaRegistry"
"""Finds the schema of an id or a fingerprint."""

#: Decoding stops after this many unknown ids.
_MAX_UNKNOWN = 1000

_NO_DTYPE = (
    "the dtype of the column must be known before it is decoded: pass `reader_schema` (or `schema`), the schema that "
    "all rows are read as, or `schemas=SchemaRegistry(url, subject=...)`, which reads as the subject's latest"
)


def decode(
    expr: pl.Expr | str,
    schema: AvroSchema | None = None,
    *,
    framing: Framing = "datum",
    schemas: Schemas | None = None,
    reader_schema: AvroSchema | None = None,
    fields: Sequence[str] | None = None,
    ignore_errors: bool = False,
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
        The writer schema of the rows: JSON text, Python objects, or the path of an ``.avsc`` file. With `schemas`, it
        is the schema that all rows are read as, and the writer schema of bare datums in ``framing="auto"``.
    framing : {"datum", "single_object", "confluent", "apicurio", "auto"}
        The header of each datum. ``"datum"``: none. ``"single_object"``: Avro's own, ``C3 01`` and the fingerprint of
        the schema. ``"confluent"``: ``00`` and an id of four bytes. ``"apicurio"``: ``00`` and an id of eight bytes.
        ``"auto"``: any of these, detected for each row.
    schemas
        The writer schemas of the rows: a mapping from id to schema, a callable that takes an id and returns a schema
        (or None), or a :class:`SchemaRegistry`. A fingerprint is 8 bytes or 16 hexadecimal digits as in the header, or
        these bytes as a little-endian number. A callable gets the number. Without `schemas`, ids of registries are
        ignored, and `schema` is the writer schema of every row.
    reader_schema
        The schema that all rows are read as, by Avro's rules of schema resolution; `schema` by default. Required with
        `schemas`, unless these determine a single schema.
    fields
        Decode only these fields of the root record, in this order: names, or paths such as ``"order.price"``. Other
        fields are skipped, and their values are not checked.
    ignore_errors
        Make bad rows null instead of raising. An :class:`AvroWarning` counts them.
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
        When the query runs, if a callable or a registry lacks more than 1,000 of the ids.
    AvroSchemaError
        If a schema is invalid, or cannot be read as `reader_schema`.
    ValueError
        If the arguments contradict each other, or do not determine the dtype.

    See Also
    --------
    SchemaRegistry : Finds schemas by the ids of Confluent's registry.

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
        raise TypeError(msg)
    decoder = Decoder.of(
        schema,
        framing=framing,
        schemas=schemas,
        reader_schema=reader_schema,
        fields=fields,
        ignore_errors=ignore_errors,
        limits=limits,
    )
    return pl.map_batches([expr], decoder, return_dtype=decoder.dtype, is_elementwise=True)


class Decoder:
    """Decodes series. It can be pickled, so a query with it can be serialised."""

    def __init__(self, framing: Framing, lookup: Lookup, options: dict[str, Any]) -> None:
        self._framing = framing
        self._lookup = lookup
        self._options = options
        self._prepare()

    @classmethod
    def of(
        cls,
        schema: AvroSchema | None,
        *,
        framing: Framing,
        schemas: Schemas | None,
        reader_schema: AvroSchema | None,
        fields: Sequence[str] | None,
        ignore_errors: bool,
        limits: Limits | None,
    ) -> Decoder:
        """Check the arguments of :func:`decode`."""
        _options.check(ignore_errors=ignore_errors, limits=limits)
        if framing not in get_args(Framing):
            msg = f"`framing` must be one of {get_args(Framing)}, got {framing!r}"
            raise ValueError(msg)
        if schemas is not None and framing == "datum":
            msg = "`schemas` needs a framing with ids: in `framing='datum'` no row names its schema"
            raise ValueError(msg)
        writer = None if schema is None else schema_json(schema, "schema")
        reader = None if reader_schema is None else schema_json(reader_schema)
        lookup = None if schemas is None else Lookup(schemas)
        if lookup is not None and framing != "auto":
            if writer is not None and reader is not None:
                msg = "`schema` and `reader_schema` are the same with `schemas`: pass one of them"
                raise ValueError(msg)
            writer, reader = None, reader or writer
        if lookup is None and writer is None and framing not in {"single_object", "auto"}:
            msg = "`schema`, the writer schema of the rows, is missing"
            raise ValueError(msg if framing == "datum" else f"{msg}; or pass `schemas`, which ids are looked up in")
        if (writer or reader) is None:
            reader = None if lookup is None else lookup.only_schema()
            if reader is None:
                raise ValueError(_NO_DTYPE)
        options = {
            "schema": writer,
            "reader_schema": reader,
            "ignore_ids": lookup is None,
            "ids": set() if lookup is None else lookup.ids(),
            "ignore_errors": bool(ignore_errors),
            "limits": limits,
        }
        lookup = lookup or Lookup({})
        whole = cls(framing, lookup, options)
        return whole if fields is None else cls(framing, lookup, options | {"fields": whole._select(fields)})

    def _select(self, fields: Sequence[str]) -> list[str]:
        """Check names and paths of fields."""
        if not isinstance(self.dtype, pl.Struct):
            msg = f"`fields` needs a schema of a record: this one becomes {self.dtype}"
            raise ValueError(msg)
        schema = pl.Schema({field.name: field.dtype for field in self.dtype.fields})
        return _options.selection(fields, schema, option="fields", owner="record")

    def _prepare(self) -> None:
        """Make the attributes that cannot be pickled."""
        self._core = DatumDecoder(self._framing, **self._options)
        self._lock = threading.Lock()
        self._added: set[int] = set()
        self.dtype = pl.Schema(self._core)["value"]

    def __getstate__(self) -> tuple[Any, ...]:
        return self._framing, self._lookup, self._options

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._framing, self._lookup, self._options = state
        self._prepare()

    def __call__(self, inputs: Sequence[pl.Series]) -> pl.Series:
        """Decode one series, as Polars passes it."""
        series = inputs[0]
        if series.dtype == pl.Null:
            return pl.Series(series.name, [], dtype=self.dtype).extend_constant(None, series.len())
        if series.dtype != pl.Binary:
            msg = f"Avro datums are in a Binary column, got {series.dtype} for {series.name!r}"
            raise SchemaError(msg)
        unknown: set[int] = set()
        while (datums := self._core.decode(series, unknown)).missing:
            self._look_up(datums.missing, unknown)
        bad, first = datums.bad
        if bad:
            rows = "1 bad datum is" if bad == 1 else f"{bad} bad datums are"
            warnings.warn(f"{rows} null; the first: {first}", AvroWarning, stacklevel=2)
        return pl.Series(datums).alias(series.name)

    def _look_up(self, ids: list[int], unknown: set[int]) -> None:
        """Look up these ids, one thread at a time, and pass their schemas to the core."""
        with self._lock:
            for schema_id in ids:
                if schema_id in self._added:
                    continue
                schema = self._lookup.find(schema_id)
                if schema is None:
                    unknown.add(schema_id)
                else:
                    self._core.add_schema(schema_id, schema)
                    self._added.add(schema_id)
                if not self._options["ignore_errors"] and unknown and self._framing != "auto":
                    # Decoding raises at the row with this id.
                    return
        if len(unknown) > _MAX_UNKNOWN:
            msg = f"more than {_MAX_UNKNOWN} schema ids are unknown: is `framing={self._framing!r}` correct?"
            raise AvroLimitError(msg)


class Lookup:
    """Finds the JSON text of a schema by its id."""

    def __init__(self, schemas: Schemas) -> None:
        if isinstance(schemas, Mapping):
            texts = {_number(key): schema_json(schema, f"schemas[{key!r}]") for key, schema in schemas.items()}
            self.source: dict[int, str] | Callable[[int], AvroSchema | None] | SchemaRegistry = texts
        elif isinstance(schemas, SchemaRegistry) or callable(schemas):
            self.source = schemas
        else:
            msg = f"`schemas` must be a mapping, a callable or a SchemaRegistry, got {type(schemas).__name__!r}"
            raise TypeError(msg)

    def find(self, schema_id: int) -> str | None:
        """Return the schema of an id, or None if the id is unknown."""
        if isinstance(self.source, dict):
            return self.source.get(schema_id)
        try:
            schema = (
                self.source.schema(schema_id) if isinstance(self.source, SchemaRegistry) else self.source(schema_id)
            )
        except LookupError:
            return None
        return None if schema is None else schema_json(schema, f"schemas({schema_id})")

    def ids(self) -> set[int] | None:
        """Return all ids of a mapping; None if ids have to be looked up one by one."""
        return set(self.source) if isinstance(self.source, dict) else None

    def only_schema(self) -> str | None:
        """Return the schema to read as if the source determines one."""
        if isinstance(self.source, SchemaRegistry):
            return None if self.source.subject is None else self.source.latest().schema
        if isinstance(self.source, dict) and len(set(self.source.values())) == 1:
            return next(iter(self.source.values()))
        return None


def _number(key: object) -> int:
    """Return an id, or the bytes of a fingerprint as a little-endian number."""
    if isinstance(key, int) and -(2**63) <= key < 2**64:
        return key % 2**64
    if isinstance(key, bytes) and len(key) == 8:
        return int.from_bytes(key, "little")
    if isinstance(key, str) and len(key) == 16:
        try:
            return int.from_bytes(bytes.fromhex(key), "little")
        except ValueError:
            pass
    msg = f"keys of `schemas` must be ids, or fingerprints of 8 bytes or 16 hexadecimal digits, got {key!r}"
    raise ValueError(msg)
