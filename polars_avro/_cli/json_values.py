"""JSON values one after the other in a stream: one a line, or on several lines each."""

from __future__ import annotations

import json
import re
from typing import IO, TYPE_CHECKING, Any

from polars_avro._errors import AvroDataError

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Strings, which may hold brackets, and brackets outside of them.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]')
#: Most characters of one value on several lines.
_MAX_VALUE = 64 << 20


def values(stream: IO[bytes], name: str) -> Iterator[tuple[int, Any]]:
    """Yield each value with the number of the line that it begins in."""
    lines: list[str] = []
    depth = size = 0
    first = 1
    for number, data in enumerate(stream, 1):
        try:
            line = data.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            msg = f"{name}, line {number}: not UTF-8: {error.reason} at byte {error.start}"
            raise AvroDataError(msg) from None
        if not lines:
            first = number
            try:
                # One value on one line, as `tojson` writes it.
                yield number, _decoder.decode(line)
                continue
            except _RepeatedKeyError as error:
                msg = f"{name}, line {number}: {error}"
                raise AvroDataError(msg) from None
            except (json.JSONDecodeError, RecursionError):
                if not line.strip():
                    continue
        depth += sum(_nesting(token) for token in _TOKEN.findall(line))
        size += len(line)
        lines.append(line)
        if depth <= 0:
            yield from _decode("".join(lines), name, first)
            lines, depth, size = [], 0, 0
        elif size > _MAX_VALUE:
            msg = f"{name}, line {first}: a value of more than {_MAX_VALUE >> 20} MiB that does not end"
            raise AvroDataError(msg)
    if lines:
        yield from _decode("".join(lines), name, first)


def _nesting(token: str) -> int:
    return 0 if token[0] == '"' else 1 if token in "[{" else -1


class _RepeatedKeyError(Exception):
    """An object has two values of one key."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        msg = f"an object has the key {next(key for key in keys if keys.count(key) > 1)!r} twice"
        raise _RepeatedKeyError(msg)
    return found


_decoder = json.JSONDecoder(object_pairs_hook=_object)
_SPACES = re.compile(r"\s*")


def _decode(text: str, name: str, first: int) -> Iterator[tuple[int, Any]]:
    end = len(text.rstrip())
    position = _after_spaces(text, 0)
    while position < end:
        line = first + text.count("\n", 0, position) if position else first
        try:
            value, position = _decoder.raw_decode(text, position)
        except json.JSONDecodeError as error:
            msg = f"{name}, line {first + error.lineno - 1}, column {error.colno}: {error.msg}"
            raise AvroDataError(msg) from None
        except _RepeatedKeyError as error:
            msg = f"{name}, line {line}: {error}"
            raise AvroDataError(msg) from None
        except RecursionError:
            msg = f"{name}, line {line}: the value is nested too deeply"
            raise AvroDataError(msg) from None
        yield line, value
        position = _after_spaces(text, position)


def _after_spaces(text: str, position: int) -> int:
    found = _SPACES.match(text, position)
    return position if found is None else found.end()
