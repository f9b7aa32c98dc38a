"""Lookup of the schema of an id: in a mapping, by a callable, or in a registry."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from polars_avro._errors import AvroSchemaError, AvroSchemaNotFoundError
from polars_avro._registry_base import Registry
from polars_avro._schemas import AvroSchema, schema_json

if TYPE_CHECKING:
    from polars_avro._glue import GlueSchemaRegistry
    from polars_avro._registry import SchemaRegistry

Schemas: TypeAlias = (
    "Mapping[Any, AvroSchema] | Callable[[Any], AvroSchema | None] | SchemaRegistry | GlueSchemaRegistry"
)
"""Finds the schema of an id or a fingerprint."""

#: The framings with ids of registries.
_OF_REGISTRIES = ("confluent", "apicurio", "glue")
#: An id as the core has it: a number, or the 16 bytes of a UUID.
CoreId: TypeAlias = "int | bytes"


class Lookup:
    """Finds the JSON text of a schema by its id."""

    def __init__(self, schemas: Schemas) -> None:
        if isinstance(schemas, Mapping):
            if "type" in schemas:
                msg = "`schemas` maps ids to schemas, got a schema: pass it as `schema`"
                raise TypeError(msg)
            texts = {core_id(key): schema_json(schema, f"schemas[{key!r}]") for key, schema in schemas.items()}
            self.source: dict[CoreId, str] | Callable[[Any], AvroSchema | None] | Registry = texts
        elif isinstance(schemas, Registry) or callable(schemas):
            self.source = schemas
        else:
            msg = f"`schemas` must be a mapping, a callable or a registry, got {type(schemas).__name__!r}"
            raise TypeError(msg)

    def find(self, schema_id: CoreId) -> str | None:
        """Return the schema of an id, or None if the id is unknown."""
        if isinstance(self.source, dict):
            return self.source.get(schema_id)
        key = uuid.UUID(bytes=schema_id) if isinstance(schema_id, bytes) else schema_id
        try:
            if isinstance(self.source, Registry):
                # A registry answers with JSON, never with the name of a local file.
                text: str = self.source.schema(key)
                return text
            schema = self.source(key)
        except AvroSchemaNotFoundError as error:
            if error._is_referenced:
                # The id itself is known, so its rows are not bad.
                raise AvroSchemaError(*error.args) from error
            return None
        except KeyError as error:
            # `mapping.__getitem__` is a callable. Any other missing key is a fault of the callable.
            if error.args != (key,):
                raise
            return None
        return None if schema is None else schema_json(schema, f"schemas({schema_id!r})")

    def ids(self) -> set[CoreId] | None:
        """Return all ids of a mapping; None if ids have to be looked up one by one."""
        return set(self.source) if isinstance(self.source, dict) else None

    def framings(self) -> list[str] | None:
        """Return the framings whose ids the source may have; None if any. Ids in another column belong to "datum"."""
        return [*self.source.framings, "datum"] if isinstance(self.source, Registry) else None

    def check(self, framing: str) -> None:
        """Check that a registry has the ids of a framing."""
        if not isinstance(self.source, Registry) or framing not in _OF_REGISTRIES:
            return
        if framing not in self.source.framings:
            names = " and ".join(map(repr, self.source.framings))
            msg = f"`schemas` has ids of {names}, and none of `framing={framing!r}`: pass another registry"
            raise ValueError(msg)

    def only_schema(self) -> str | None:
        """Return the schema to read as if the source determines one."""
        if isinstance(self.source, Registry):
            if self.source._name is None:
                return None
            latest: str = self.source.latest().schema
            return latest
        if isinstance(self.source, dict) and len(set(self.source.values())) == 1:
            return next(iter(self.source.values()))
        return None


def core_id(key: object) -> CoreId:
    """Return an id as the core has it; the bytes of a fingerprint are a little-endian number."""
    if isinstance(key, int) and -(2**63) <= key < 2**64:
        return key % 2**64
    if isinstance(key, uuid.UUID):
        return key.bytes
    if isinstance(key, bytes) and len(key) in (8, 16):
        return key if len(key) == 16 else int.from_bytes(key, "little")
    if isinstance(key, str):
        try:
            return int.from_bytes(bytes.fromhex(key), "little") if len(key) == 16 else uuid.UUID(key).bytes
        except ValueError:
            pass
    msg = f"keys of `schemas` must be ids, UUIDs, or fingerprints of 8 bytes or 16 hexadecimal digits, got {key!r}"
    if isinstance(key, str) and key.isdecimal():
        msg += f": pass the number {int(key)}"
    raise ValueError(msg)
