"""Lookup of schemas in the schema registry of AWS Glue."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, ClassVar

from polars_avro import _options
from polars_avro._core import check_written_schema
from polars_avro._errors import AvroSchemaNotFoundError
from polars_avro._fetch_cache import FetchCache
from polars_avro._glue_client import GlueClient
from polars_avro._glue_versions import GlueSchemaVersion, GlueVersions
from polars_avro._registry_base import Registry
from polars_avro._schemas import schema_json

if TYPE_CHECKING:
    from polars_avro._schemas import AvroSchema


class GlueSchemaRegistry(GlueVersions, Registry):
    """
    The schema registry of AWS Glue.

    A schema is fetched once for all threads, and cached as long as this object lives. Pickling keeps the options of the
    client and drops the cached schemas.

    Parameters
    ----------
    client
        A client of boto3, ``boto3.client("glue")``, or any object with the same methods; or the arguments to make one
        with, such as ``{"region_name": "eu-west-1"}``. By default, boto3 finds region and credentials. A client of
        boto3 cannot be pickled, arguments can.
    schema_name
        Datums are read as the latest version of this schema if no `reader_schema` is passed, and written as a version
        of it.
    registry_name
        The registry that has the schema.
    compatibility
        The compatibility mode of a schema that :meth:`register` creates.
    timeout
        Seconds to wait until a new version is available.

    Raises
    ------
    ModuleNotFoundError
        When the registry is first used, if no client is passed and boto3 is not installed.

    Examples
    --------
    >>> import polars_avro
    >>> registry = polars_avro.GlueSchemaRegistry({"region_name": "eu-west-1"}, schema_name="orders")
    >>> registry
    GlueSchemaRegistry(registry_name='default-registry', schema_name='orders')
    """

    framings: ClassVar[tuple[str, ...]] = ("glue",)
    _name_hint = "`registry` must have a schema name to encode: GlueSchemaRegistry(client, schema_name=...)"

    def __init__(
        self,
        client: Any = None,
        *,
        schema_name: str | None = None,
        registry_name: str = "default-registry",
        compatibility: str = "BACKWARD",
        timeout: float = 30.0,
    ) -> None:
        _options.check(schema_name=schema_name)
        #: The schema whose latest version datums are read as.
        self.schema_name = schema_name
        #: The registry that has the schema.
        self.registry_name = registry_name
        self._compatibility = compatibility
        self._timeout = _options.seconds("timeout", timeout, zero=True)
        self._client = GlueClient(client, repr(self))
        self._cache = FetchCache()

    def __repr__(self) -> str:
        name = "" if self.schema_name is None else f", schema_name={self.schema_name!r}"
        return f"GlueSchemaRegistry(registry_name={self.registry_name!r}{name})"

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_cache"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._cache = FetchCache()

    @property
    def _name(self) -> str | None:
        return self.schema_name

    def schema(self, schema_id: uuid.UUID | str) -> str:
        """
        Return the schema with a schema version id.

        Parameters
        ----------
        schema_id
            The schema version id in the header of a datum.

        Returns
        -------
        str
            The schema as JSON text.

        Raises
        ------
        AvroSchemaNotFoundError
            If the registry has no such version.
        AvroError
            If the version is not available, or Glue reports another error.
        AvroUnsupportedError
            If the schema is not an Avro schema.
        PermissionError, ConnectionError
            If Glue refuses, or cannot be reached.
        """
        number = uuid.UUID(str(schema_id))
        return self._cache.get(
            number, lambda: self._fetch(f"schema version {number}", SchemaVersionId=str(number)).schema
        )

    def latest(self, name: str | None = None) -> GlueSchemaVersion:
        """
        Return the latest version of a schema, with a request each time.

        Parameters
        ----------
        name
            The name of the schema. The default is the schema name of this object.

        Returns
        -------
        GlueSchemaVersion

        Raises
        ------
        AvroSchemaNotFoundError
            If the registry has no such schema.
        ValueError
            If no name is passed and this object has none.
        PermissionError, ConnectionError
            If Glue refuses, or cannot be reached.
        """
        name = name or self.schema_name
        if name is None:
            msg = "`name` is missing"
            raise ValueError(msg)
        return self._fetch(f"schema {name!r}", SchemaId=self._id(name), SchemaVersionNumber={"LatestVersion": True})

    def register(self, name: str, schema: AvroSchema) -> uuid.UUID:
        """
        Register a schema as a version of a name, unless it is registered already. Creates the name if necessary.

        Parameters
        ----------
        name
            The name of the schema in the registry.
        schema
            JSON text, Python objects, or the path of an ``.avsc`` or Avro file.

        Returns
        -------
        uuid.UUID
            The schema version id.

        Raises
        ------
        AvroSchemaError
            If the schema violates the specification, or is incompatible with earlier versions.
        AvroError
            If the new version is not available in time, or Glue reports another error.
        PermissionError, ConnectionError
            If Glue refuses, or cannot be reached.
        """
        text = _checked(schema)

        def register() -> uuid.UUID:
            try:
                return self._find(name, text)
            except AvroSchemaNotFoundError:
                return self._available(self._add(name, text))

        return self._cache.get(("register", name, text), register)

    def lookup(self, name: str, schema: AvroSchema) -> GlueSchemaVersion:
        """
        Return the version of a name that has this schema, without registering it.

        Parameters
        ----------
        name
            The name of the schema in the registry.
        schema
            JSON text, Python objects, or the path of an ``.avsc`` or Avro file.

        Returns
        -------
        GlueSchemaVersion

        Raises
        ------
        AvroSchemaNotFoundError
            If the registry has no such schema, or no version of it is this one.
        AvroSchemaError
            If the schema violates the specification.
        PermissionError, ConnectionError
            If Glue refuses, or cannot be reached.
        """
        text = _checked(schema)

        def find() -> GlueSchemaVersion:
            number = self._find(name, text)
            return self._fetch(f"schema version {number}", SchemaVersionId=str(number))

        # A missing schema may be registered at any time, so only the versions found are cached.
        return self._cache.get(("lookup", name, text), find, remember_missing=False)


def _checked(schema: AvroSchema) -> str:
    """Return the JSON text of a schema that follows the specification."""
    text = schema_json(schema, "schema")
    check_written_schema(text)
    return text
