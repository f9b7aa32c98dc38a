"""Avro's JSON encoding: JSON as values for Polars, by their schema."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, NoReturn

from polars_avro._cli.json_encoding import MAX_FLOAT, Convert, field_dtype, has_entries, value_dtype

if TYPE_CHECKING:
    from polars_avro._cli.avro_types import AvroType

_INTEGERS = {"int": 31, "long": 63}
_FLOATS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf, "INF": math.inf, "-INF": -math.inf}
#: Characters of a value, and symbols of an enum, in an error.
_SHOWN = 60
_SYMBOLS = 8


class MismatchError(ValueError):
    """A value that is not of its type. The message names the field."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.fields: list[str] = []

    def __str__(self) -> str:
        place = "".join(reversed(self.fields)).removeprefix(".")
        return f"field `{place}`: {self.args[0]}" if place else str(self.args[0])


def from_json(node: AvroType, dtype: Any) -> Convert:  # noqa: PLR0911  (one return a kind)
    """Return the conversion of JSON to Polars' values, which raises `MismatchError`."""
    if node.kind == "null":
        return _null
    if node.kind == "boolean":
        return lambda value: value if isinstance(value, bool) else _mismatch("true or false", value)
    if node.kind in _INTEGERS:
        return _integer(node.kind, 1 << _INTEGERS[node.kind])
    if node.kind in ("float", "double"):
        return _number(node.kind)
    if node.kind == "string":
        return _string
    if node.kind in ("bytes", "fixed"):
        return _bytes(node.size if node.kind == "fixed" else None)
    if node.kind == "enum":
        return _enum(node)
    if node.kind == "array":
        return _array(from_json(node.inner[0], dtype.inner))
    if node.kind == "map":
        return _map(from_json(node.inner[0], value_dtype(dtype)), is_list=has_entries(dtype))
    if node.kind == "record":
        return _record([(name, from_json(inner, field_dtype(dtype, name))) for name, inner in node.fields])
    return _union(node, dtype)


def _mismatch(expected: str, value: Any) -> NoReturn:
    shown = json.dumps(value, ensure_ascii=False)
    shown = shown if shown.isprintable() else json.dumps(value)
    msg = f"expected {expected}, got {shown if len(shown) <= _SHOWN else shown[: _SHOWN - 1] + '…'}"
    raise MismatchError(msg)


def _null(value: Any) -> None:
    if value is not None:
        _mismatch("null", value)


def _integer(kind: str, bound: int) -> Convert:
    def convert_integer(value: Any) -> int:
        if type(value) is int and -bound <= value < bound:
            return value
        of_range = f" from {-bound} to {bound - 1}" if type(value) is int else ""
        return _mismatch(f"{'an' if kind == 'int' else 'a'} {kind}{of_range}", value)

    return convert_integer


def _number(kind: str) -> Convert:
    def convert_number(value: Any) -> float:
        if isinstance(value, str) and value in _FLOATS:
            return _FLOATS[value]
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return _mismatch(f"a {kind}", value)
        try:
            number = float(value)
        except OverflowError:
            return _mismatch(f"a {kind}", value)
        if kind == "float" and math.isfinite(number) and abs(number) >= MAX_FLOAT:
            return _mismatch("a float", value)
        return number

    return convert_number


def _string(value: Any) -> str:
    if not isinstance(value, str):
        return _mismatch("a string", value)
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            return _mismatch("text without unpaired surrogates", value)
    return value


def _bytes(size: int | None) -> Convert:
    expected = "text of code points up to 255" if size is None else f"text of {size} code points up to 255"

    def convert_bytes(value: Any) -> bytes:
        if not isinstance(value, str) or (size is not None and len(value) != size):
            return _mismatch(expected, value)
        try:
            return value.encode("latin-1")
        except UnicodeEncodeError:
            return _mismatch(expected, value)

    return convert_bytes


def _enum(node: AvroType) -> Convert:
    symbols = frozenset(node.symbols)
    some = ", ".join(node.symbols[:_SYMBOLS]) + (", ..." if len(node.symbols) > _SYMBOLS else "")
    expected = f"a symbol of `{node.name}` ({some})"
    return lambda value: value if isinstance(value, str) and value in symbols else _mismatch(expected, value)


def _array(convert: Convert) -> Convert:
    def convert_array(value: Any) -> list[Any]:
        if not isinstance(value, list):
            return _mismatch("an array", value)
        index = 0
        items = []
        try:
            for index, each in enumerate(value):  # noqa: B007  (the error names it)
                items.append(convert(each))
        except MismatchError as error:
            error.fields.append(f"[{index}]")
            raise
        return items

    return convert_array


def _map(convert: Convert, *, is_list: bool) -> Convert:
    def convert_map(value: Any) -> Any:
        if not isinstance(value, dict):
            return _mismatch("an object", value)
        key = ""
        entries = {}
        try:
            for key, each in value.items():
                entries[_string(key)] = convert(each)
        except MismatchError as error:
            error.fields.append(f"[{key!r}]")
            raise
        return [{"key": key, "value": each} for key, each in entries.items()] if is_list else entries

    return convert_map


def _record(fields: list[tuple[str, Convert]]) -> Convert:
    names = {name for name, _ in fields}

    def convert_record(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            return _mismatch("an object", value)
        converted = {}
        name = ""
        try:
            for name, convert in fields:
                if name not in value:
                    msg = "missing"
                    raise MismatchError(msg)
                converted[name] = convert(value[name])
            if len(value) > len(fields):
                name = next(each for each in value if each not in names)
                msg = "not in the schema"
                raise MismatchError(msg)
        except MismatchError as error:
            error.fields.append(f".{name}")
            raise
        return converted

    return convert_record


def _union(node: AvroType, dtype: Any) -> Convert:
    branches = node.branches
    shorts = [branch.name.rpartition(".")[2] for branch in branches]
    is_nullable = len(branches) < len(node.inner)
    expected = " or ".join([*(["null"] if is_nullable else []), *(f'{{"{branch.name}": ...}}' for branch in branches)])
    conversions: dict[str, tuple[str | None, Convert]] = {}
    for position, branch in enumerate(branches):
        # A struct has a field for each branch; a single branch is no struct.
        field = dtype.fields[position] if len(branches) > 1 else None
        found = (None if field is None else field.name, from_json(branch, dtype if field is None else field.dtype))
        conversions[branch.name] = found
        if shorts.count(shorts[position]) == 1:
            conversions.setdefault(shorts[position], found)

    def convert_union(value: Any) -> Any:
        if value is None and is_nullable:
            return None
        if not isinstance(value, dict) or len(value) != 1:
            return _mismatch(expected, value)
        ((tag, inner),) = value.items()
        if tag not in conversions:
            return _mismatch(expected, value)
        name, convert = conversions[tag]
        converted = convert(inner)
        return converted if name is None else {name: converted}

    return convert_union
