"""The methods of a schema registry that `decode` and `encode` use."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from polars_avro._schemas import AvroSchema


class Registry(ABC):
    """A schema registry."""

    #: The framings whose ids the registry has.
    framings: ClassVar[tuple[str, ...]]
    #: How to pass the name of a schema.
    _name_hint: ClassVar[str]

    @property
    @abstractmethod
    def _name(self) -> str | None:
        """The name of the schema that datums are read as and written with."""

    @abstractmethod
    def schema(self, schema_id: Any) -> str:
        """Return the schema with an id as JSON text."""

    @abstractmethod
    def latest(self, name: str | None = None) -> Any:
        """Return the latest version of a name: an object with `id` and `schema`."""

    @abstractmethod
    def register(self, name: str, schema: AvroSchema) -> Any:
        """Register a schema under a name, and return its id."""

    @abstractmethod
    def lookup(self, name: str, schema: AvroSchema) -> Any:
        """Return the version of a name that has this schema."""

    def _written(self, schema: str | None, *, auto_register: bool) -> tuple[str, Any]:
        """Return the schema to write with, and its id."""
        name = self._name
        assert name is not None
        if schema is None:
            latest = self.latest(name)
            return latest.schema, latest.id
        return schema, self.register(name, schema) if auto_register else self.lookup(name, schema).id
