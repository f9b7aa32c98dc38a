"""Options that decide which dtypes Avro types become."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, get_args

import polars as pl

from polars_avro import _options

if TYPE_CHECKING:
    from polars._typing import PolarsDataType

Annotations: TypeAlias = "Mapping[tuple[str, str], PolarsDataType | str]"
"""Dtypes, or names of Avro's logical types, by an attribute of types in the schema: its name and its value."""
InvalidValues: TypeAlias = Literal["raise", "null", "text"]
"""Raise an error, read null, or read the column as text."""

#: The types that logical types annotate.
_BASES = {
    "uuid": "string",
    "date": "int",
    "time-millis": "int",
    "time-micros": "long",
    **{f"{local}timestamp-{unit}": "long" for local in ("", "local-") for unit in ("millis", "micros", "nanos")},
}

_Table: TypeAlias = "dict[str, PolarsDataType | str]"
_DEBEZIUM: _Table = {
    "time.Date": pl.Date(),
    "time.Time": "time-millis",
    "time.MicroTime": "time-micros",
    "time.NanoTime": pl.Time(),
    "time.Timestamp": pl.Datetime("ms"),
    "time.MicroTimestamp": pl.Datetime("us"),
    "time.NanoTimestamp": pl.Datetime("ns"),
    "time.ZonedTimestamp": pl.Datetime("us", "UTC"),
    "time.MicroDuration": pl.Duration("us"),
    "time.NanoDuration": pl.Duration("ns"),
    "data.Uuid": "uuid",
    "data.VariableScaleDecimal": pl.String(),
}
_CONNECT: _Table = {"Date": pl.Date(), "Time": "time-millis", "Timestamp": pl.Datetime("ms", "UTC")}

CDC_TYPES: dict[tuple[str, str], PolarsDataType | str] = {
    **{("connect.name", f"io.debezium.{name}"): dtype for name, dtype in _DEBEZIUM.items()},
    **{("connect.name", f"org.apache.kafka.connect.data.{name}"): dtype for name, dtype in _CONNECT.items()},
    ("sqlType", "DATETIME"): pl.Datetime("us"),
    ("logicalType", "datetime"): pl.Datetime("us"),
}
"""The annotations of Debezium, Kafka Connect and BigQuery, for the option `annotations`.

The guide's page on types lists them. To add others, pass ``CDC_TYPES | {("connect.name", "my.Type"): pl.Date}``."""


class Conversions(NamedTuple):
    """The options, as the core takes them. Hashable."""

    #: The name and the value of an attribute, and the JSON of the type that it stands for.
    annotations: tuple[tuple[str, str, str], ...] = ()
    recursion_depth: int | None = None
    invalid_values: InvalidValues = "raise"


NO_CONVERSIONS = Conversions()


def conversions(
    annotations: Annotations | None, recursion_depth: int | None = None, invalid_values: InvalidValues = "raise"
) -> Conversions:
    """Check the options."""
    if annotations is None and recursion_depth is None and invalid_values == "raise":
        return NO_CONVERSIONS
    _options.check(annotations=annotations)
    _options.one_of("invalid_values", invalid_values, get_args(InvalidValues))
    return Conversions(
        tuple((*key, _meaning(key, meant)) for key, meant in (annotations or {}).items()),
        _options.optional_integer("recursion_depth", recursion_depth),
        invalid_values,
    )


def _meaning(key: tuple[str, str], meant: PolarsDataType | str) -> str:
    """Return the JSON of the Avro type that an annotation stands for."""
    if isinstance(meant, str):
        _options.one_of(f"annotations[{key!r}]", meant, tuple(_BASES))
        return json.dumps({"type": _BASES[meant], "logicalType": meant})
    if meant.is_nested() or meant is pl.Enum:
        msg = f"`annotations[{key!r}]` cannot be {meant}: an annotation stands for a dtype without items or fields"
        raise ValueError(msg)
    dtype = meant if isinstance(meant, pl.DataType) else meant()
    return _type_of(dtype)


@lru_cache(maxsize=64)
def _type_of(dtype: pl.DataType) -> str:
    # Not imported for reads without annotations.
    from polars_avro._schema_dtypes import avro_types

    if dtype == pl.Time:
        # Polars' own unit. Avro's are named by the logical types.
        return json.dumps({"type": "long", "polars.dtype": "Time"})
    found: Any = avro_types({"annotated": dtype})["annotated"]
    branches = found if isinstance(found, list) else [found]
    (value,) = (branch for branch in branches if branch != "null")
    return json.dumps({"type": value} if isinstance(value, str) else value)
