"""Calls of a client of AWS Glue, and its errors."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from polars_avro import _extras
from polars_avro._errors import AvroError, AvroSchemaError, AvroSchemaNotFoundError

#: Codes of responses that refuse the credentials.
_DENIED = (
    "AccessDeniedException",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "UnrecognizedClientException",
)
#: Exceptions of botocore about missing credentials. The package may not be installed, so classes are compared by name.
_NO_CREDENTIALS = ("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError")


class GlueClient:
    """Makes the client of boto3 when it is first used, and converts errors. `owner` names the registry in messages."""

    def __init__(self, client: Any, owner: str) -> None:
        self._given = client
        self._client: Any = None if client is None or isinstance(client, Mapping) else client
        self._owner = owner

    def __getstate__(self) -> tuple[Any, ...]:
        return self._given, self._owner

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.__init__(*state)  # type: ignore[misc]

    def call(self, method: str, what: str, **arguments: Any) -> dict[str, Any]:
        """Call a method of the client. `what` is the object that the call is about."""
        if self._client is None:
            (boto3,) = _extras.require("glue", "boto3", caller="polars_avro.GlueSchemaRegistry")
            try:
                self._client = boto3.client("glue", **(self._given or {}))
            except Exception as error:
                raise self._converted(error, "client", what) from error
        try:
            response: dict[str, Any] = getattr(self._client, method)(**arguments)
        except Exception as error:
            raise self._converted(error, method, what) from error
        return response

    def _converted(self, error: Exception, method: str, what: str) -> Exception:
        """Return the error to raise for an exception of botocore; others are returned unchanged."""
        response = getattr(error, "response", None)
        code = response.get("Error", {}).get("Code", "") if isinstance(response, dict) else ""
        failed = f"{self._owner}: {method} of {what} failed: {error}"
        if code == "EntityNotFoundException":
            return AvroSchemaNotFoundError(f"{self._owner} has no {what}")
        if code in _DENIED or type(error).__name__ in _NO_CREDENTIALS:
            return PermissionError(failed)
        if code == "InvalidInputException":
            return AvroSchemaError(failed)
        if code:
            return AvroError(failed)
        return ConnectionError(failed) if type(error).__module__.startswith("botocore") else error


def is_code(error: BaseException, code: str) -> bool:
    """Return whether an error was converted from a response with this code."""
    response = getattr(error.__cause__, "response", None)
    return isinstance(response, dict) and response.get("Error", {}).get("Code") == code


def version_id(response: Mapping[str, Any]) -> uuid.UUID:
    """Return the schema version id of a response."""
    try:
        return uuid.UUID(response["SchemaVersionId"])
    except (KeyError, TypeError, ValueError, AttributeError):
        msg = f"the response of AWS Glue has no 'SchemaVersionId': {dict(response)!r:.200}"
        raise AvroError(msg) from None
