"""Comparison of a writer's and a reader's schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from polars_avro._core import ContainerFile, FileOpener
from polars_avro._errors import AvroError
from polars_avro._schemas import schema_json

_NAMED = ("record", "error", "enum", "fixed")
_COMPLEX = (*_NAMED, "array", "map")
_SYNC = bytes(16)


@dataclass(frozen=True)
class Problem:
    """A field at which a reader fails, for every file or only for some values."""

    path: str
    message: str
    #: The values for which it fails; None means all.
    values: str | None = None

    def __str__(self) -> str:
        place = f"field `{self.path}`: " if self.path else ""
        return f"{place}{self.message}" + (f", where the value is {self.values}" if self.values else "")


def problems(writer: str, reader: str) -> list[Problem]:
    """List the problems of a reader with one schema, as JSON text, in reading files of another."""
    walked = list(_Pairs(_Names(writer), _Names(reader)).compare())
    refusal = _refusal(writer, reader)
    if refusal is not None and all(problem.values for problem in walked):
        # The core refuses the pair, although the walk found no problem for all values.
        return [Problem("", refusal), *walked]
    return list(dict.fromkeys(walked))


def _refusal(writer: str, reader: str) -> str | None:
    """Return the error of reading a file without rows, or None."""
    try:
        ContainerFile(empty_file(writer), FileOpener(reader))
    except AvroError as error:
        return str(error).removeprefix("<bytes>: ")
    return None


def parse(source: str) -> str:
    """Return the JSON text of an .avsc file or of a JSON argument, after checking that it is a schema."""
    try:
        text = schema_json(source, "schema")
        FileOpener(text)
    except AvroError as error:
        if source.endswith(".avsc"):
            error.args = (f"{source}: {error}",)
        raise
    return text


def empty_file(schema: str) -> bytes:
    """Return the bytes of a file with this schema and without rows."""
    key, value = b"avro.schema", schema.encode()
    return b"Obj\x01" + _long(1) + _long(len(key)) + key + _long(len(value)) + value + _long(0) + _SYNC


def _long(value: int) -> bytes:
    """Encode a non-negative long."""
    value <<= 1
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    return bytes([*encoded, value])


class _Names:
    """A schema with full names, and its named types."""

    def __init__(self, schema: str) -> None:
        self.types: dict[str, dict[str, Any]] = {}
        self.root = self._full(json.loads(schema), "")

    def follow(self, schema: Any) -> Any:
        """Resolve names, and unwrap ``{"type": ...}``."""
        while True:
            if isinstance(schema, str) and schema in self.types:
                schema = self.types[schema]
            elif isinstance(schema, dict) and (not isinstance(schema["type"], str) or schema["type"] in self.types):
                schema = schema["type"]
            else:
                return schema

    def text(self, schema: Any) -> str:
        """Return a part of the schema as self-contained JSON text, with types defined at their first use."""
        defined: set[str] = set()

        def write(node: Any) -> Any:
            if isinstance(node, str):
                return write(self.types[node]) if node in self.types and node not in defined else node
            if isinstance(node, list):
                return [write(branch) for branch in node]
            name = node.get("name") if node["type"] in _NAMED else None
            if name is not None:
                if name in defined:
                    return name
                defined.add(name)
            written = {key: write(node[key]) if key in ("items", "values") else node[key] for key in node}
            if "fields" in node and name is not None:
                written["fields"] = [{**field, "type": write(field["type"])} for field in node["fields"]]
            elif node["type"] not in _COMPLEX:
                written["type"] = write(node["type"])
            return written

        return json.dumps(write(schema))

    def _full(self, node: Any, namespace: str) -> Any:
        if isinstance(node, str):
            return name if (name := _fullname(node, namespace)) in self.types else node
        if isinstance(node, list):
            return [self._full(branch, namespace) for branch in node]
        full = dict(node)
        if node["type"] in _NAMED:
            full["name"] = _fullname(node["name"], node.get("namespace", namespace))
            inner = full.pop("name").rpartition(".")[0]
            # Without the namespace, a simple name would be resolved in the enclosing namespace.
            full = {"name": _fullname(node["name"], node.get("namespace", namespace)), **full, "namespace": inner}
            self.types[full["name"]] = full
            if "fields" in node:
                full["fields"] = [{**field, "type": self._full(field["type"], inner)} for field in node["fields"]]
        elif node["type"] in ("array", "map"):
            key = "items" if node["type"] == "array" else "values"
            full[key] = self._full(node[key], namespace)
        else:
            full["type"] = self._full(node["type"], namespace)
        return full


class _Pairs:
    """A simultaneous walk over the types of two schemas."""

    def __init__(self, writer: _Names, reader: _Names) -> None:
        self.writer = writer
        self.reader = reader
        self._met: set[tuple[str, str]] = set()

    def compare(self) -> Iterator[Problem]:
        """Yield the problems of the whole schemas."""
        return self._types(self.writer.root, self.reader.root, "", None)

    def _types(self, writer: Any, reader: Any, path: str, values: str | None) -> Iterator[Problem]:
        writer, reader = self.writer.follow(writer), self.reader.follow(reader)
        if isinstance(writer, list):
            for branch in writer:
                yield from self._types(branch, reader, path, _word(self.writer.follow(branch)))
        elif isinstance(reader, list):
            readable = (branch for branch in reader if self._refusal(writer, branch) is None)
            branch = next(readable, None)
            if branch is None:
                branches = ", ".join(_word(self.reader.follow(branch)) for branch in reader)
                yield Problem(path, f"{_word(writer)} is none of the reader's {branches}", values)
            else:
                yield from self._types(writer, branch, path, values)
        elif _kind(writer) != _kind(reader) or _kind(writer) not in ("record", "enum", "array", "map"):
            refusal = self._refusal(writer, reader)
            if refusal is not None:
                yield Problem(path, refusal, values)
        else:
            yield from getattr(self, f"_{_kind(writer)}s")(writer, reader, path, values)

    def _refusal(self, writer: Any, reader: Any) -> str | None:
        return _refusal(self.writer.text(writer), self.reader.text(reader))

    def _arrays(self, writer: Any, reader: Any, path: str, values: str | None) -> Iterator[Problem]:
        return self._types(writer["items"], reader["items"], f"{path}[]", values)

    def _maps(self, writer: Any, reader: Any, path: str, values: str | None) -> Iterator[Problem]:
        return self._types(writer["values"], reader["values"], f"{path}{{}}", values)

    def _enums(self, writer: Any, reader: Any, path: str, values: str | None) -> Iterator[Problem]:
        refusal = self._refusal(writer, reader)
        if refusal is not None:
            yield Problem(path, refusal, values)
        elif "default" not in reader:
            for symbol in writer["symbols"]:
                if symbol not in reader["symbols"]:
                    yield Problem(path, "the reader's enum lacks the symbol, and has no default for it", repr(symbol))

    def _records(self, writer: Any, reader: Any, path: str, values: str | None) -> Iterator[Problem]:
        pair = (writer["name"], reader["name"])
        if pair in self._met:
            return
        self._met.add(pair)
        refusal = _refusal(json.dumps({**writer, "fields": []}), json.dumps({**reader, "fields": []}))
        if refusal is not None:
            yield Problem(path, refusal, values)
            return
        written = {field["name"]: field for field in writer["fields"]}
        for field in reader["fields"]:
            inner = f"{path}.{field['name']}" if path else field["name"]
            names = [field["name"], *field.get("aliases", ())]
            source = next((written[name] for name in names if name in written), None)
            if source is not None:
                yield from self._types(source["type"], field["type"], inner, values)
            elif "default" not in field:
                yield Problem(inner, "the writer lacks it, and the reader has no default for it", values)


def _fullname(name: str, namespace: str) -> str:
    return name if "." in name or not namespace else f"{namespace}.{name}"


def _kind(schema: Any) -> str:
    kind = schema if isinstance(schema, str) else schema["type"]
    return "record" if kind == "error" else str(kind)


def _word(schema: Any) -> str:
    """Return the name of a type for messages."""
    if isinstance(schema, list):
        return "union"
    return f"{_kind(schema)} {schema['name']}" if isinstance(schema, dict) and "name" in schema else _kind(schema)
