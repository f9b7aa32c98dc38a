"""Lookup of schemas in a registry with Confluent's HTTP API."""

from __future__ import annotations

import json
import re
import threading
import time
import urllib.parse
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from polars_avro import _references
from polars_avro._core import check_written_schema
from polars_avro._errors import AvroError, AvroSchemaError, AvroSchemaNotFoundError, AvroUnsupportedError
from polars_avro._schemas import AvroSchema, schema_json

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from polars_avro import _http

_T = TypeVar("_T")
_CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"
#: The maximum number of schemas that one schema refers to, directly or indirectly.
_MAX_REFERENCES = 1000
#: Seconds for which a missing schema is not requested again.
_REMEMBER_MISSING = 10.0
#: The context that qualifies a subject, such as ``:.staging:`` of ``:.staging:orders-value``. Contexts have separate
#: ids.
_CONTEXT = re.compile(r":\.[^:]*:")
#: Statuses with which a registry refuses an incompatible or invalid schema.
_REFUSED = (409, 422)


@dataclass(frozen=True)
class RegisteredSchema:
    """
    A version of a subject in a registry.

    Attributes
    ----------
    id : int
        The id in the header of a datum.
    schema : str
        The schema as JSON text, with the types that it refers to.
    subject : str
        The subject.
    version : int
        The version of the subject.
    """

    id: int
    schema: str
    subject: str
    version: int


class SchemaRegistry:
    """
    A schema registry with Confluent's HTTP API, which other registries support as well.

    A schema is fetched once for all threads, and cached as long as this object lives. Pickling keeps the credentials
    and drops the cached schemas.

    Parameters
    ----------
    url
        The address of the registry, such as ``https://registry.example.com``. It may contain a user and a password.
    subject
        Datums are read as the latest version of this subject if no `reader_schema` is passed. If the subject is
        qualified by a context, such as ``:.staging:orders-value``, ids are looked up in that context.
    auth
        User and password for basic authentication.
    token
        A bearer token.
    ca_file
        A file of certificates to trust, in addition to those of the system.
    cert_file
        The file of a client certificate.
    key_file
        The file of the key of the client certificate.
    headers
        Additional headers of each request.
    timeout
        Seconds to wait for a response.
    retries
        The number of retries after a transient failure.
    backoff
        Seconds to wait before the first retry. The wait doubles each time.

    Raises
    ------
    ValueError
        If the URL is invalid, or both `auth` and `token` are passed.

    Examples
    --------
    >>> import polars_avro
    >>> registry = polars_avro.SchemaRegistry("http://localhost:8081", subject="orders-value")
    >>> registry
    SchemaRegistry('http://localhost:8081', subject='orders-value')
    """

    def __init__(
        self,
        url: str,
        *,
        subject: str | None = None,
        auth: tuple[str, str] | None = None,
        token: str | None = None,
        ca_file: str | None = None,
        cert_file: str | None = None,
        key_file: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 30.0,
        retries: int = 3,
        backoff: float = 0.2,
    ) -> None:
        # HTTP and TLS take as long to import as the rest of the package.
        from polars_avro import _http

        self._service = _http.service(
            url,
            auth=auth,
            token=token,
            headers=headers or {},
            accept=_CONTENT_TYPE,
            timeout=timeout,
            retries=retries,
            backoff=backoff,
            ca_file=ca_file,
            cert_file=cert_file,
            key_file=key_file,
        )
        #: The subject whose latest version datums are read as.
        self.subject = subject
        self._start()

    def _start(self) -> None:
        self._lock = threading.Lock()
        self._fetched: dict[Hashable, Future[Any]] = {}
        self._missing: dict[Hashable, float] = {}

    def __repr__(self) -> str:
        subject = "" if self.subject is None else f", subject={self.subject!r}"
        return f"SchemaRegistry({self._service.url!r}{subject})"

    def __getstate__(self) -> tuple[Any, ...]:
        return self._service, self.subject

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._service, self.subject = state
        self._start()

    def schema(self, schema_id: int) -> str:
        """
        Return the schema with an id.

        Parameters
        ----------
        schema_id
            The id in the header of a datum.

        Returns
        -------
        str
            The schema as JSON text, with the types that it refers to.

        Raises
        ------
        AvroSchemaNotFoundError
            If the registry says that it has no such id.
        AvroError
            If the response is not that of a registry.
        AvroUnsupportedError
            If the schema is not an Avro schema.
        PermissionError, ConnectionError
            If the registry refuses, or cannot be reached.
        """
        subject = self.subject or ""
        context = _context(subject)
        path, what = f"/schemas/ids/{schema_id}", f"schema id {schema_id}"
        if context:
            path += f"?subject={urllib.parse.quote(subject, safe='')}"
            what += f" in the context {context}"
        return self._once((schema_id, context), what, lambda: self._whole(self._get(path, what), context))

    def latest(self, subject: str | None = None) -> RegisteredSchema:
        """
        Return the latest version of a subject, with a request each time.

        Parameters
        ----------
        subject
            The subject. The default is the subject of this object.

        Returns
        -------
        RegisteredSchema

        Raises
        ------
        AvroSchemaNotFoundError
            If the registry has no such subject.
        ValueError
            If no subject is passed and this object has none.
        PermissionError, ConnectionError
            If the registry refuses, or cannot be reached.
        """
        subject = subject or self.subject
        if subject is None:
            msg = "`subject` is missing"
            raise ValueError(msg)
        return self._version(subject, "latest")

    def register(self, subject: str, schema: AvroSchema) -> int:
        """
        Register a schema, unless it is registered already.

        Parameters
        ----------
        subject
            The subject to register the schema under.
        schema
            JSON text, Python objects, or the path of an ``.avsc`` file.

        Returns
        -------
        int
            The id of the schema.

        Raises
        ------
        AvroSchemaError
            If the schema violates the specification, or the registry does not accept it.
        PermissionError, ConnectionError
            If the registry refuses, or cannot be reached.
        """
        text = schema_json(schema, "schema")
        check_written_schema(text)

        def post() -> int:
            path = f"/subjects/{urllib.parse.quote(subject, safe='')}/versions"
            answer = self._service.request("POST", path, {"schema": text})
            if answer.status in _REFUSED:
                msg = f"{self!r} does not accept the schema as {subject!r}: {_message(answer)}"
                raise AvroSchemaError(msg)
            if answer.status != 200:
                msg = f"{self!r} did not register the schema as {subject!r}: {_message(answer)}"
                raise AvroError(msg)
            return int(self._member(answer.body, "id", int))

        return self._once((subject, text), f"subject {subject!r}", post)

    def _version(self, subject: str, version: int | str) -> RegisteredSchema:
        path = f"/subjects/{urllib.parse.quote(subject, safe='')}/versions/{version}"
        body = self._get(path, f"version {version} of subject {subject!r}")
        numbers = {name: self._member(body, name, int) for name in ("id", "version")}
        return RegisteredSchema(schema=self._whole(body, _context(subject)), subject=subject, **numbers)

    def _get(self, path: str, what: str) -> Any:
        answer = self._service.request("GET", path)
        if _is_not_found(answer):
            msg = f"{self!r} has no {what}"
            raise AvroSchemaNotFoundError(msg)
        if answer.status != 200:
            msg = f"{self!r} did not return {what}: {_message(answer)}"
            raise AvroError(msg)
        return answer.body

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
                subject = subject if _context(subject) else referrer_context + subject
                if (subject, version) in referenced:
                    continue
                if len(referenced) == _MAX_REFERENCES:
                    msg = f"{self!r}: a schema refers to more than {_MAX_REFERENCES} others"
                    raise AvroSchemaError(msg)
                other = self._referenced(subject, version)
                referenced[subject, version] = _parsed(self._avro(other))
                pending.append((other, _context(subject)))

    def _referenced(self, subject: str, version: int) -> Any:
        """Fetch a version that a schema refers to, which may have been soft-deleted since."""
        path = f"/subjects/{urllib.parse.quote(subject, safe='')}/versions/{version}"
        what = f"version {version} of subject {subject!r}, which a schema refers to"
        try:
            return self._get(path, what)
        except AvroSchemaNotFoundError:
            return self._get(f"{path}?deleted=true", what)

    def _avro(self, body: Any) -> str:
        kind = self._member(body, "schemaType", str, "AVRO")
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

    def _once(self, key: Hashable, what: str, fetch: Callable[[], _T]) -> _T:
        """Fetch a value on one thread while others wait for it, and cache the result."""
        with self._lock:
            if self._missing.get(key, 0) > time.monotonic():
                msg = f"{self!r} has no {what}"
                raise AvroSchemaNotFoundError(msg)
            future = self._fetched.get(key)
            if is_first := future is None:
                future = self._fetched[key] = Future()
        if is_first:
            try:
                future.set_result(fetch())
            except BaseException as error:
                with self._lock:
                    del self._fetched[key]
                    if isinstance(error, AvroSchemaNotFoundError):
                        self._missing[key] = time.monotonic() + _REMEMBER_MISSING
                future.set_exception(error)
        result: _T = future.result()
        return result


def _context(subject: str) -> str:
    """Return the context that qualifies a subject; the empty string if none does."""
    match = _CONTEXT.match(subject)
    return match[0] if match else ""


def _is_not_found(answer: _http.Answer) -> bool:
    """
    Return whether a registry reports that it lacks the requested object.

    A proxy, or a server without this API, also responds with 404, but without a registry error code: 40403 for an id,
    40401 for a subject, and so on.
    """
    code = answer.body.get("error_code") if isinstance(answer.body, dict) else None
    return answer.status == 404 and isinstance(code, int) and code // 100 == 404


def _message(answer: _http.Answer) -> str:
    """Return the error message of a registry."""
    text = answer.body.get("message") if isinstance(answer.body, dict) else answer.body
    reason = f"status {answer.status}, {' '.join(str(text).split())}"
    return f"{reason}: is `url` that of a schema registry?" if answer.status == 404 else reason


def _parsed(text: str) -> Any:
    """Parse the JSON text of a schema."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        msg = f"a registered schema is not JSON: {error}"
        raise AvroSchemaError(msg) from None
