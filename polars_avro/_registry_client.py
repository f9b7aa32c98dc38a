"""Requests to a registry with Confluent's HTTP API, and its responses."""

from __future__ import annotations

import json
import re
import urllib.parse
import uuid
from typing import TYPE_CHECKING, Any

from polars_avro import _references
from polars_avro._core import check_written_schema
from polars_avro._errors import AvroError, AvroSchemaError, AvroSchemaNotFoundError, AvroUnsupportedError
from polars_avro._registered_schema import RegisteredSchema
from polars_avro._schemas import schema_json

if TYPE_CHECKING:
    from polars_avro import _http
    from polars_avro._references import References
    from polars_avro._schemas import AvroSchema

#: The maximum number of schemas that one schema refers to, directly or indirectly.
_MAX_REFERENCES = 1000
#: The context that qualifies a subject, such as ``:.staging:`` of ``:.staging:orders-value``. Contexts have separate
#: ids.
_CONTEXT = re.compile(r":\.[^:]*:")
#: Statuses with which a registry refuses an incompatible or invalid schema.
_REFUSED = (409, 422)


class RegistryClient:
    """Sends requests and checks the responses. The `repr` of the subclass names the registry in messages."""

    _service: _http.Service

    def _get(self, path: str, what: str) -> Any:
        """Return the body of a response."""
        answer = self._service.request("GET", path)
        if is_not_found(answer):
            msg = f"{self!r} has no {what}"
            raise AvroSchemaNotFoundError(msg)
        if answer.status != 200:
            msg = f"{self!r} did not return {what}: {_message(answer)}"
            raise AvroError(msg)
        return answer.body

    def _post_schema(self, path: str, subject: str, body: dict[str, Any], action: str) -> Any:
        """Check a schema with the types that it refers to, and return the body of the response to it."""
        check_written_schema(self._whole(body, context_of(subject)))
        what = f"schema as {subject!r}"
        answer = self._service.request("POST", path, body)
        if is_not_found(answer):
            msg = f"{self!r} has no {what}: {_message(answer, hint=False)}"
            raise AvroSchemaNotFoundError(msg)
        if answer.status != 200:
            msg = f"{self!r} did not {action} {what}: {_message(answer)}"
            raise AvroSchemaError(msg) if answer.status in _REFUSED else AvroError(msg)
        return answer.body

    def _version(self, subject: str, version: int | str) -> RegisteredSchema:
        """Fetch a version of a subject."""
        path = f"{subject_path(subject)}/versions/{version}"
        return self._registered(self._get(path, f"version {version} of subject {subject!r}"), subject)

    def _registered(self, body: Any, subject: str) -> RegisteredSchema:
        """Return the version that a response describes."""
        number, version = self._member(body, "id", int), self._member(body, "version", int)
        try:
            guid = uuid.UUID(self._member(body, "guid", str)) if body.get("guid") else None
        except ValueError:
            msg = f"the response of {self!r} has {body['guid']!r} as 'guid': is it a schema registry?"
            raise AvroError(msg) from None
        return RegisteredSchema(number, self._whole(body, context_of(subject)), subject, version, guid)

    def _whole(self, body: Any, context: str) -> str:
        """Return a schema with the types that it refers to inlined."""
        text = self._avro(body)
        if not body.get("references"):
            return text
        referenced: dict[tuple[str, int], Any] = {}
        self._collect(body, context, referenced)
        return json.dumps(_references.inline(_parsed(text), referenced.values()))

    def _collect(self, body: Any, context: str, referenced: dict[tuple[str, int], Any]) -> None:
        """Fetch the schemas that a schema refers to, directly or indirectly."""
        pending = [(body, context)]
        while pending:
            referrer, referrer_context = pending.pop()
            for reference in self._member(referrer, "references", list, []):
                subject, version = self._member(reference, "subject", str), self._member(reference, "version", int)
                # An unqualified subject is in the context of the schema that refers to it.
                subject = subject if context_of(subject) else referrer_context + subject
                if (subject, version) in referenced:
                    continue
                if len(referenced) == _MAX_REFERENCES:
                    msg = f"{self!r}: a schema refers to more than {_MAX_REFERENCES} others"
                    raise AvroSchemaError(msg)
                other = self._referenced(subject, version)
                referenced[subject, version] = _parsed(self._avro(other))
                pending.append((other, context_of(subject)))

    def _referenced(self, subject: str, version: int) -> Any:
        """Fetch a version that a schema refers to, which may have been soft-deleted since."""
        path = f"{subject_path(subject)}/versions/{version}"
        what = f"version {version} of subject {subject!r}, which a schema refers to"
        try:
            return self._get(path, what)
        except AvroSchemaNotFoundError:
            try:
                return self._get(f"{path}?deleted=true", what)
            except AvroSchemaNotFoundError as error:
                error._is_referenced = True
                raise

    def _avro(self, body: Any) -> str:
        kind = body.get("schemaType") if isinstance(body, dict) else None
        kind = "AVRO" if kind is None else self._member(body, "schemaType", str)
        if kind != "AVRO":
            msg = f"{self!r}: the schema is of type {kind}, not of Avro"
            raise AvroUnsupportedError(msg)
        return str(self._member(body, "schema", str))

    def _member(self, body: Any, name: str, kind: type, default: Any = None) -> Any:
        value = body.get(name, default) if isinstance(body, dict) else None
        if not isinstance(value, kind):
            msg = f"the response of {self!r} has no {name!r}: is it a schema registry?"
            raise AvroError(msg)
        return value


def subject_path(subject: str) -> str:
    """Return the path of a subject in the API."""
    return f"/subjects/{urllib.parse.quote(subject, safe='')}"


def context_of(subject: str) -> str:
    """Return the context that qualifies a subject; the empty string if none does."""
    match = _CONTEXT.match(subject)
    return match[0] if match else ""


def is_not_found(answer: _http.Answer) -> bool:
    """
    Return whether a registry reports that it lacks the requested object.

    A proxy, or a server without this API, also responds with 404, but without a registry error code: 40403 for an id,
    40401 for a subject, and so on.
    """
    code = answer.body.get("error_code") if isinstance(answer.body, dict) else None
    return answer.status == 404 and isinstance(code, int) and 40400 < code < 40500


def registration(schema: AvroSchema, references: References | None) -> dict[str, Any]:
    """Return the body of a request with a schema."""
    text, checked = schema_json(schema, "schema"), _references.check(references)
    return {"schema": text, **({"references": checked} if checked else {})}


def _message(answer: _http.Answer, *, hint: bool = True) -> str:
    """Return the error message of a registry."""
    text = answer.body.get("message") if isinstance(answer.body, dict) else answer.body
    reason = f"status {answer.status}, {' '.join(str(text).split())}"
    return f"{reason}: is `url` that of a schema registry?" if hint and answer.status == 404 else reason


def _parsed(text: str) -> Any:
    """Parse the JSON text of a schema."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        msg = f"a registered schema is not JSON: {error}"
        raise AvroSchemaError(msg) from None
