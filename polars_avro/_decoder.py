"""Decoding of series of datums."""

from __future__ import annotations

import threading
import warnings
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import polars as pl
from polars.exceptions import SchemaError

from polars_avro import _options, _selection
from polars_avro._bad_blocks import AvroWarning
from polars_avro._conversions import Annotations, conversions
from polars_avro._core import DatumDecoder
from polars_avro._errors import AvroLimitError
from polars_avro._lookup import CoreId, Lookup, Schemas
from polars_avro._schemas import AvroSchema, schema_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from polars_avro._limits import Limits

Framing: TypeAlias = Literal["datum", "single_object", "confluent", "apicurio", "glue", "auto"]
"""The header before each datum; ``"auto"`` detects it for each row."""

#: Decoding stops after this many unknown ids.
_MAX_UNKNOWN = 1000

_NO_DTYPE = (
    "the dtype of the column must be known before it is decoded: pass `reader_schema` (or `schema`), the schema that "
    "all rows are read as, or `schemas`, a registry with a subject or a schema name, which reads as its latest"
)


class Decoder:
    """Decodes series. It can be pickled, so a query with it can be serialised."""

    def __init__(self, framing: Framing, lookup: Lookup, has_ids: bool, options: dict[str, Any]) -> None:
        self._framing = framing
        self._lookup = lookup
        #: True if the schema ids are another column.
        self._has_ids = has_ids
        self._options = options
        self._prepare()

    @classmethod
    def of(
        cls,
        schema: AvroSchema | None,
        *,
        framing: Framing,
        schemas: Schemas | None,
        schema_id: pl.Expr | pl.Series | str | None,
        reader_schema: AvroSchema | None,
        fields: Sequence[str] | None,
        ignore_errors: bool,
        annotations: Annotations | None = None,
        limits: Limits | None,
    ) -> Decoder:
        """Check the arguments of :func:`decode`."""
        _options.check(ignore_errors=ignore_errors, limits=limits)
        if framing not in get_args(Framing):
            msg = f"`framing` must be one of {get_args(Framing)}, got {framing!r}"
            raise ValueError(msg)
        has_ids = schema_id is not None
        if has_ids:
            _check_ids(schema_id, schemas)
        elif schemas is not None and framing == "datum":
            msg = (
                "`schemas` needs ids: `schema_id`, or a framing with ids. In `framing='datum'` no row names its schema"
            )
            raise ValueError(msg)
        writer = None if schema is None else schema_json(schema, "schema")
        reader = None if reader_schema is None else schema_json(reader_schema)
        lookup = None if schemas is None else Lookup(schemas)
        if lookup is not None:
            lookup.check(framing)
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
            "looked_up": None if lookup is None else lookup.framings(),
            "ignore_errors": bool(ignore_errors),
            "limits": limits,
            "annotations": conversions(annotations).annotations,
        }
        lookup = lookup or Lookup({})
        whole = cls(framing, lookup, has_ids, options)
        return whole if fields is None else cls(framing, lookup, has_ids, options | {"fields": whole._select(fields)})

    def _select(self, fields: Sequence[str]) -> list[str]:
        """Check names and paths of fields."""
        if not isinstance(self.dtype, pl.Struct):
            msg = f"`fields` needs a schema of a record: this one becomes {self.dtype}"
            raise ValueError(msg)
        schema = pl.Schema({field.name: field.dtype for field in self.dtype.fields})
        return _selection.selection(fields, schema, option="fields", owner="record")

    def _prepare(self) -> None:
        """Make the attributes that cannot be pickled."""
        self._core = DatumDecoder(self._framing, **self._options)
        self._lock = threading.Lock()
        self._added: set[CoreId] = set()
        self.dtype = pl.Schema(self._core)["value"]

    def __getstate__(self) -> tuple[Any, ...]:
        return self._framing, self._lookup, self._has_ids, self._options

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._framing, self._lookup, self._has_ids, self._options = state
        self._prepare()

    def __call__(self, inputs: Sequence[pl.Series]) -> pl.Series:
        """Decode one series, as Polars passes it."""
        series = inputs[0]
        if self._has_ids and len(inputs) == 1:
            msg = "`schema_id` must be a Series to decode a Series"
            raise TypeError(msg)
        ids = _ids_of(inputs[1], series.len()) if self._has_ids else None
        if series.dtype == pl.Null:
            return pl.Series(series.name, [], dtype=self.dtype).extend_constant(None, series.len())
        if series.dtype != pl.Binary:
            msg = f"Avro datums are in a Binary column, got {series.dtype} for {series.name!r}"
            raise SchemaError(msg)
        unknown: set[CoreId] = set()
        while (datums := self._core.decode(series, unknown, ids)).missing:
            self._look_up(datums.missing, unknown)
        bad, first = datums.bad
        if bad:
            rows = "1 bad datum is" if bad == 1 else f"{bad} bad datums are"
            warnings.warn(f"{rows} null; the first: {first}", AvroWarning, stacklevel=2)
        return pl.Series(datums).alias(series.name)

    def _look_up(self, ids: list[CoreId], unknown: set[CoreId]) -> None:
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


def _check_ids(schema_id: object, schemas: Schemas | None) -> None:
    """Check that ids in another column can be looked up."""
    if not isinstance(schema_id, (str, pl.Expr, pl.Series)):
        msg = f"`schema_id` must be an expression, the name of a column, or a Series, got {type(schema_id).__name__!r}"
        raise TypeError(msg)
    if schemas is None:
        msg = "`schema_id` needs `schemas`, which the ids are looked up in"
        raise ValueError(msg)


def _ids_of(series: pl.Series, n: int) -> pl.Series:
    """Return the schema ids of `n` rows in a dtype that the core takes."""
    dtype = series.dtype
    if dtype == pl.Null:
        series = series.cast(pl.Binary)
    elif dtype.is_signed_integer() and dtype != pl.Int128:
        series = series.cast(pl.Int64)
    elif dtype.is_unsigned_integer() and dtype != pl.UInt128:
        series = series.cast(pl.UInt64)
    elif dtype != pl.Binary:
        msg = f"`schema_id` must be a column of integers or Binary, got {dtype} for {series.name!r}"
        raise SchemaError(msg)
    # A literal has one row.
    return series.new_from_index(0, n) if series.len() == 1 and n != 1 else series
