"""Random values of a schema, in Avro's JSON encoding."""

from __future__ import annotations

import string
import uuid
from typing import TYPE_CHECKING, Any, TypeVar

from polars_avro._errors import AvroSchemaError

if TYPE_CHECKING:
    from random import Random

    from polars_avro._cli.avro_types import AvroType

_Option = TypeVar("_Option")

#: Most items of arrays and maps, and most characters and bytes.
_ITEMS = 4
_LENGTH = 16
#: Seconds from 1970 of the first and the last time.
_FIRST, _LAST = -2_208_988_800, 4_102_444_799
_PER_SECOND = {"millis": 10**3, "micros": 10**6, "nanos": 10**9}
_DAY = 86_400


def random_value(node: AvroType, source: Random) -> Any:  # noqa: PLR0911  (one return a kind)
    """Return a value that is valid for the type and for its logical type."""
    if node.kind == "record":
        return {name: random_value(inner, source) for name, inner in node.fields}
    if node.kind == "union":
        branch = _choice(node.inner, node, source)
        return None if branch.kind == "null" else {branch.name: random_value(branch, source)}
    if node.kind == "array":
        return [random_value(node.inner[0], source) for _ in range(source.randint(0, _ITEMS))]
    if node.kind == "map":
        return {_text(source): random_value(node.inner[0], source) for _ in range(source.randint(0, _ITEMS))}
    if node.kind == "enum":
        return _choice(node.symbols, node, source)
    if node.kind in ("int", "long"):
        return _integer(node, source)
    if node.kind in ("bytes", "fixed"):
        return _binary(node, source).decode("latin-1")
    if node.kind == "string":
        is_uuid = node.attributes.get("logicalType") == "uuid"
        return str(uuid.UUID(int=source.getrandbits(128), version=4)) if is_uuid else _text(source)
    if node.kind == "boolean":
        return source.random() < 0.5
    return None if node.kind == "null" else source.uniform(-1000, 1000)


def _choice(options: list[_Option], node: AvroType, source: Random) -> _Option:
    if not options:
        msg = f"the {node.kind} {'' if node.kind == 'union' else f'`{node.name}` '}has no values"
        raise AvroSchemaError(msg)
    return source.choice(options)


def _text(source: Random) -> str:
    return "".join(source.choices(string.ascii_letters, k=source.randint(1, _LENGTH)))


def _integer(node: AvroType, source: Random) -> int:
    logical = str(node.attributes.get("logicalType", ""))
    kind, _, unit = logical.rpartition("-")
    if (node.kind, logical) == ("int", "date"):
        return source.randint(_FIRST // _DAY, _LAST // _DAY)
    if (node.kind, logical) in (("int", "time-millis"), ("long", "time-micros")):
        return source.randrange(_DAY * _PER_SECOND[unit])
    if node.kind == "long" and kind in ("timestamp", "local-timestamp") and unit in _PER_SECOND:
        return source.randint(_FIRST * _PER_SECOND[unit], _LAST * _PER_SECOND[unit])
    bits = 31 if node.kind == "int" else 63
    return source.randrange(-(1 << bits), 1 << bits)


def _binary(node: AvroType, source: Random) -> bytes:
    logical = node.attributes.get("logicalType")
    if logical == "big-decimal" and node.kind == "bytes":
        digits = _signed(source.randint(-(10**18), 10**18))
        # The digits as bytes, and the scale.
        return bytes([2 * len(digits)]) + digits + bytes([2 * source.randint(0, 9)])
    precision = node.attributes.get("precision")
    if logical == "decimal" and isinstance(precision, int) and precision > 0:
        most = 10**precision - 1
        if node.kind == "bytes":
            return _signed(source.randint(-most, most))
        most = min(most, (1 << (8 * node.size - 1)) - 1) if node.size else 0
        return source.randint(-most, most).to_bytes(node.size, "big", signed=True)
    return source.randbytes(node.size if node.kind == "fixed" else source.randint(0, _LENGTH))


def _signed(value: int) -> bytes:
    return value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)
