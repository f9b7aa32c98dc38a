"""Requests for versions of schemas in AWS Glue, and their responses."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from polars_avro._errors import AvroError, AvroSchemaError, AvroSchemaNotFoundError, AvroUnsupportedError
from polars_avro._glue_client import GlueClient, is_code, version_id

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Seconds between two requests for the status of a new version.
_POLL = 0.5


@dataclass(frozen=True)
class GlueSchemaVersion:
    """
    A version of a schema in the registry of AWS Glue.

    Attributes
    ----------
    id : uuid.UUID
        The schema version id in the header of a datum.
    schema : str
        The schema as JSON text.
    schema_name : str
        The name of the schema in the registry.
    version : int
        The number of the version.
    """

    id: uuid.UUID
    schema: str
    schema_name: str
    version: int


class GlueVersions:
    """Finds and adds versions. The `repr` of the subclass names the registry in messages."""

    registry_name: str
    _client: GlueClient
    _compatibility: str
    _timeout: float

    def _id(self, name: str) -> Mapping[str, str]:
        return {"RegistryName": self.registry_name, "SchemaName": name}

    def _fetch(self, what: str, **arguments: Any) -> GlueSchemaVersion:
        """Fetch a version, which must be available."""
        body = self._client.call("get_schema_version", what, **arguments)
        if body.get("DataFormat", "AVRO") != "AVRO":
            msg = f"{self!r}: {what} is of the format {body['DataFormat']}, not of Avro"
            raise AvroUnsupportedError(msg)
        if body.get("Status", "AVAILABLE") != "AVAILABLE":
            msg = f"{self!r}: {what} is not available: its status is {body['Status']}"
            raise AvroError(msg)
        definition = body.get("SchemaDefinition")
        if not isinstance(definition, str):
            msg = f"the response of {self!r} has no 'SchemaDefinition'"
            raise AvroError(msg)
        name = str(body.get("SchemaArn", "")).rpartition("/")[2]
        return GlueSchemaVersion(version_id(body), definition, name, int(body.get("VersionNumber", 0)))

    def _find(self, name: str, text: str) -> uuid.UUID:
        """Return the id of the version with this definition."""
        what = f"version of schema {name!r} with this definition"
        body = self._client.call("get_schema_by_definition", what, SchemaId=self._id(name), SchemaDefinition=text)
        return self._available(body)

    def _add(self, name: str, text: str) -> Mapping[str, Any]:
        """Add a version, and the schema if it is missing."""
        what = f"schema {name!r}"
        add = {"SchemaId": self._id(name), "SchemaDefinition": text}
        try:
            return self._client.call("register_schema_version", what, **add)
        except AvroSchemaNotFoundError:
            pass
        create = {
            "RegistryId": {"RegistryName": self.registry_name},
            "SchemaName": name,
            "DataFormat": "AVRO",
            "Compatibility": self._compatibility,
            "SchemaDefinition": text,
        }
        try:
            return self._client.call("create_schema", what, **create)
        except AvroError as error:
            # Another producer created the schema in the meantime.
            if is_code(error, "AlreadyExistsException"):
                return self._client.call("register_schema_version", what, **add)
            raise

    def _available(self, body: Mapping[str, Any]) -> uuid.UUID:
        """Wait until a version has passed the check of compatibility, and return its id."""
        number, until = version_id(body), time.monotonic() + self._timeout
        status = body.get("SchemaVersionStatus", body.get("Status"))
        while status == "PENDING":
            if time.monotonic() > until:
                msg = f"{self!r}: schema version {number} is not available after {self._timeout} seconds"
                raise AvroError(msg)
            time.sleep(_POLL)
            what = f"schema version {number}"
            status = self._client.call("get_schema_version", what, SchemaVersionId=str(number)).get("Status")
        if status == "FAILURE":
            msg = f"{self!r} does not accept the schema: it is incompatible with earlier versions"
            raise AvroSchemaError(msg)
        return number
