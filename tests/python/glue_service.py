"""A client of AWS Glue for tests: the methods of boto3's client that schema registries use."""

from __future__ import annotations

import uuid
from typing import Any


class ClientError(Exception):
    """As botocore's: the response has the code of the error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"An error occurred ({code}): {message}")
        self.response = {"Error": {"Code": code, "Message": message}}


class GlueService:
    """Schemas and their versions by definition, and a log of calls."""

    def __init__(self) -> None:
        self.versions: dict[str, dict[str, Any]] = {}
        self.names: dict[tuple[str, str], list[str]] = {}
        self.calls: list[str] = []
        #: Errors to raise instead of the next responses.
        self.errors: list[Exception] = []
        #: The statuses that a new version has in this order.
        self.statuses = ["AVAILABLE"]
        self.data_format = "AVRO"

    def _called(self, method: str) -> None:
        self.calls.append(method)
        if self.errors:
            raise self.errors.pop(0)

    def _missing(self, message: str) -> ClientError:
        return ClientError("EntityNotFoundException", message)

    def _add(self, key: tuple[str, str], definition: str) -> dict[str, Any]:
        number = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{key}{definition}"))
        numbers = self.names[key]
        if number not in numbers:
            numbers.append(number)
        self.versions[number] = {
            "SchemaVersionId": number,
            "SchemaDefinition": definition,
            "DataFormat": self.data_format,
            "SchemaArn": f"arn:aws:glue:eu-west-1:123456789012:schema/{'/'.join(key)}",
            "VersionNumber": numbers.index(number) + 1,
            "statuses": list(self.statuses),
        }
        return self._shown(number)

    def _shown(self, number: str) -> dict[str, Any]:
        version = dict(self.versions[number])
        statuses = self.versions[number]["statuses"]
        version["Status"] = statuses.pop(0) if len(statuses) > 1 else statuses[0]
        return version

    def get_schema_version(self, **arguments: Any) -> dict[str, Any]:
        self._called("get_schema_version")
        if "SchemaVersionId" in arguments:
            number = arguments["SchemaVersionId"]
            if number not in self.versions:
                raise self._missing("Schema version is not found.")
            return self._shown(number)
        assert arguments["SchemaVersionNumber"] == {"LatestVersion": True}
        numbers = self.names.get(self._key(arguments["SchemaId"]))
        if not numbers:
            raise self._missing("Schema is not found.")
        return self._shown(numbers[-1])

    def get_schema_by_definition(self, *, SchemaId: Any, SchemaDefinition: str) -> dict[str, Any]:  # noqa: N803
        self._called("get_schema_by_definition")
        if self._key(SchemaId) not in self.names:
            raise self._missing("Schema is not found.")
        for number in self.names[self._key(SchemaId)]:
            if self.versions[number]["SchemaDefinition"] == SchemaDefinition:
                return self._shown(number)
        raise self._missing("Schema version is not found.")

    def register_schema_version(self, *, SchemaId: Any, SchemaDefinition: str) -> dict[str, Any]:  # noqa: N803
        self._called("register_schema_version")
        if self._key(SchemaId) not in self.names:
            raise self._missing("Schema is not found.")
        return self._add(self._key(SchemaId), SchemaDefinition)

    def create_schema(self, **arguments: Any) -> dict[str, Any]:
        self._called("create_schema")
        key = self._key({**arguments["RegistryId"], "SchemaName": arguments["SchemaName"]})
        if key in self.names:
            raise ClientError("AlreadyExistsException", "Schema already exists.")
        self.names[key] = []
        version = self._add(key, arguments["SchemaDefinition"])
        return {"SchemaVersionId": version["SchemaVersionId"], "SchemaVersionStatus": version["Status"]}

    @staticmethod
    def _key(schema_id: dict[str, str]) -> tuple[str, str]:
        return schema_id["RegistryName"], schema_id["SchemaName"]
