"""Schemas by their ids, from a registry that speaks Confluent's HTTP API."""

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
#: How many schemas one schema may refer to, those that they refer to included.
_MAX_REFERENCES = 1000
#: How long a schema that is not there is not asked for again, in seconds.
_REMEMBER_MISSING = 10.0
#: The context that qualifies a subject, such as ``:.staging:`` of ``:.staging:orders-value``. Each has ids of its own.
_CONTEXT = re.compile(r":\.[^:]*:")
#: Statuses with which a registry refuses a schema: it is incompatible, or not valid.
_REFUSED = (409, 422)


@dataclass(frozen=True)
class RegisteredSchema:
    """
    A version of a subject in a registry.

    Attributes
    ----------
    id : int
        The id in the header of datums.
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
    A schema registry with Confluent's HTTP API, which other registries have as well.

    A schema is fetched once for all threads, and kept as long as this object. Pickling keeps the credentials, and drops
    the fetched schemas.

    Parameters
    ----------
    url
        The address of the registry, such as ``https://registry.example.com``. It may hold a user and a password.
    subject
        Datums are read as the latest version of this subject if no `reader_schema` is given. If it is qualified by a
        context, as ``:.staging:orders-value`` is, ids are looked up in that context.
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
        Seconds to wait for an answer.
    retries
        How many times a request is repeated after a transient failure.
    backoff
        Seconds to wait before the first repetition. The wait doubles each time.

    Raises
    ------
    ValueError
        If the URL is not one, or both `auth` and `token` are given.

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
        Return the schema of an id.

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
            If the answer is not that of a registry.
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
            The subject. The default is that of this object.

        Returns
        -------
        RegisteredSchema

        Raises
        ------
        AvroSchemaNotFoundError
            If the registry has no such subject.
        ValueError
            If there is no subject.
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
            The subject that gets the schema as a version.
        schema
            JSON text, Python objects, or the path of an ``.avsc`` file.

        Returns
        -------
        int
            The id of the schema.

        Raises
        ------
        AvroSchemaError
            If the schema breaks a rule of the specification, or the registry does not accept it.
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

    def _collect(self, body: Any, context: str, found: dict[tuple[str, int], Any]) -> None:
        """Fetch the schemas that a schema refers to, directly or not."""
        waiting = [(body, context)]
        while waiting:
            referrer, around = waiting.pop()
            for reference in self._member(referrer, "references", list, []):
                subject, version = self._member(reference, "subject", str), self._member(reference, "version", int)
                # A subject that is not qualified is in the context of the schema that refers to it.
                subject = subject if _context(subject) else around + subject
                if (subject, version) in found:
                    continue
                if len(found) == _MAX_REFERENCES:
                    msg = f"{self!r}: a schema refers to more than {_MAX_REFERENCES} others"
                    raise AvroSchemaError(msg)
                other = self._referenced(subject, version)
                found[subject, version] = _parsed(self._avro(other))
                waiting.append((other, _context(subject)))

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
            msg = f"{self!r} answers without {name!r}: is it a schema registry?"
            raise AvroError(msg)
        return value

    def _once(self, key: Hashable, what: str, fetch: Callable[[], _T]) -> _T:
        """Fetch something on one thread while others wait for it; remember what was found."""
        with self._lock:
            if self._missing.get(key, 0) > time.monotonic():
                msg = f"{self!r} has no {what}"
                raise AvroSchemaNotFoundError(msg)
            future = self._fetched.get(key)
            if mine := future is None:
                future = self._fetched[key] = Future()
        if mine:
            try:
                future.set_result(fetch())
            except BaseException as error:
                with self._lock:
                    del self._fetched[key]
                    if isinstance(error, AvroSchemaNotFoundError):
                        self._missing[key] = time.monotonic() + _REMEMBER_MISSING
                future.set_exception(error)
        found: _T = future.result()
        return found


def _context(subject: str) -> str:
    """Return the context that qualifies a subject; the empty string if none does."""
    found = _CONTEXT.match(subject)
    return found[0] if found else ""


def _is_not_found(answer: _http.Answer) -> bool:
    """
    Return whether a registry says that it lacks what was asked for.

    A proxy, or a server without this API at that path, answers 404 too, but without a registry's error code: 40403 for
    an id, 40401 for a subject, and so on.
    """
    code = answer.body.get("error_code") if isinstance(answer.body, dict) else None
    return answer.status == 404 and isinstance(code, int) and code // 100 == 404


def _message(answer: _http.Answer) -> str:
    """Return the error message of a registry."""
    text = answer.body.get("message") if isinstance(answer.body, dict) else answer.body
    said = f"status {answer.status}, {' '.join(str(text).split())}"
    return f"{said}: is `url` that of a schema registry?" if answer.status == 404 else said


def _parsed(text: str) -> Any:
    """Parse a schema, of which JSON allows the bare name of a type."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        msg = f"a registered schema is not JSON: {error}"
        raise AvroSchemaError(msg) from None
