"""Lookup of schemas in a registry with Confluent's HTTP API."""

from __future__ import annotations

import json
import urllib.parse
import uuid
from typing import TYPE_CHECKING, Any, ClassVar

from polars_avro import _options
from polars_avro._fetch_cache import FetchCache
from polars_avro._registered_schema import RegisteredSchema
from polars_avro._registry_base import Registry
from polars_avro._registry_client import RegistryClient, context_of, registration, subject_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from polars_avro._references import References
    from polars_avro._schemas import AvroSchema

_CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"


class SchemaRegistry(RegistryClient, Registry):
    """
    A schema registry with Confluent's HTTP API, which other registries support as well.

    A schema is fetched once for all threads, and cached as long as this object lives. Pickling keeps the credentials
    and drops the cached schemas.

    Parameters
    ----------
    url
        The address of the registry, such as ``https://registry.example.com``. It may contain a user and a password. A
        list has the addresses of several nodes of one registry. After a failed connection, a timeout or a status of an
        overloaded or unreachable node (408, 429, 500, 502, 503, 504), a request is sent to the next address. Later
        requests begin with the address that responded last.
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
        Seconds to wait for a connection, and for each part of a response.
    retries
        The number of retries after a transient failure; with several addresses, after a failure of all of them.
    backoff
        Seconds to wait before the first retry. The wait doubles each time.

    Raises
    ------
    ValueError
        If a URL or a number is invalid, or both `auth` and `token` are passed.
    TypeError
        If an argument has the wrong type.

    Examples
    --------
    >>> import polars_avro
    >>> registry = polars_avro.SchemaRegistry("http://localhost:8081", subject="orders-value")
    >>> registry
    SchemaRegistry('http://localhost:8081', subject='orders-value')
    """

    framings: ClassVar[tuple[str, ...]] = ("confluent", "apicurio")
    _name_hint = "`registry` must have a subject to encode: SchemaRegistry(url, subject=...)"

    def __init__(
        self,
        url: str | Sequence[str],
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

        _options.check(subject=subject)
        self._service = _http.service(
            url,
            auth=auth,
            token=token,
            headers=headers,
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
        self._cache = FetchCache()

    def __repr__(self) -> str:
        subject = "" if self.subject is None else f", subject={self.subject!r}"
        urls = self._service.urls
        return f"SchemaRegistry({(urls[0] if len(urls) == 1 else urls)!r}{subject})"

    def __getstate__(self) -> tuple[Any, ...]:
        return self._service, self.subject

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._service, self.subject = state
        self._cache = FetchCache()

    @property
    def _name(self) -> str | None:
        return self.subject

    def schema(self, schema_id: int | uuid.UUID | str) -> str:
        """
        Return the schema with an id.

        Parameters
        ----------
        schema_id
            The id of a datum: a number, or a GUID as a :class:`uuid.UUID` or text.

        Returns
        -------
        str
            The schema as JSON text, with the types that it refers to.

        Raises
        ------
        AvroSchemaNotFoundError
            If the registry says that it has no such id.
        ValueError
            If a text is not a UUID.
        AvroError
            If the response is not that of a registry.
        AvroUnsupportedError
            If the schema is not an Avro schema.
        PermissionError, ConnectionError
            If the registry refuses, or cannot be reached.
        """
        subject = self.subject or ""
        context = context_of(subject)
        if isinstance(schema_id, (str, uuid.UUID)):
            # A GUID has the same meaning in all contexts.
            guid = uuid.UUID(str(schema_id))
            path, what = f"/schemas/guids/{guid}", f"schema GUID {guid}"
            return self._cache.get((guid, context), lambda: self._whole(self._get(path, what), context))
        path, what = f"/schemas/ids/{schema_id}", f"schema id {schema_id}"
        if context:
            path += f"?subject={urllib.parse.quote(subject, safe='')}"
            what += f" in the context {context}"
        return self._cache.get((schema_id, context), lambda: self._whole(self._get(path, what), context))

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

    def register(self, subject: str, schema: AvroSchema, references: References | None = None) -> int:
        """
        Register a schema, unless it is registered already.

        Parameters
        ----------
        subject
            The subject to register the schema under.
        schema
            JSON text, Python objects, or the path of an ``.avsc`` or Avro file.
        references
            The registered schemas whose types `schema` uses without defining them, as in Confluent's API: mappings with
            the keys ``"name"`` (the full name of the type), ``"subject"`` and ``"version"``.

        Returns
        -------
        int
            The id of the schema.

        Raises
        ------
        AvroSchemaError
            If the schema violates the specification, or the registry does not accept it.
        AvroSchemaNotFoundError
            If the registry lacks a referenced version.
        ValueError
            If a reference lacks a key.
        PermissionError, ConnectionError
            If the registry refuses, or cannot be reached.

        Examples
        --------
        A schema that uses the type of another subject:

        >>> import polars_avro
        >>> registry = polars_avro.SchemaRegistry("http://localhost:8081")
        >>> order = {
        ...     "type": "record",
        ...     "name": "Order",
        ...     "fields": [{"name": "total", "type": "shop.Money"}],
        ... }
        >>> money = {"name": "shop.Money", "subject": "money", "version": 1}
        >>> registry.register("orders-value", order, references=[money])  # doctest: +SKIP
        2
        """
        body = registration(schema, references)

        def post() -> int:
            answer = self._post_schema(f"{subject_path(subject)}/versions", subject, body, "register")
            return int(self._member(answer, "id", int))

        return self._cache.get(("register", subject, json.dumps(body)), post)

    def lookup(self, subject: str, schema: AvroSchema, references: References | None = None) -> RegisteredSchema:
        """
        Return the version of a subject that has this schema, without registering it.

        Parameters
        ----------
        subject
            The subject that the schema is registered under.
        schema
            JSON text, Python objects, or the path of an ``.avsc`` or Avro file.
        references
            The references that the schema is registered with, as in :meth:`register`.

        Returns
        -------
        RegisteredSchema

        Raises
        ------
        AvroSchemaNotFoundError
            If the registry has no such subject, or the subject has no such schema.
        AvroSchemaError
            If the schema violates the specification.
        ValueError
            If a reference lacks a key.
        PermissionError, ConnectionError
            If the registry refuses, or cannot be reached.
        """
        body = registration(schema, references)

        def post() -> RegisteredSchema:
            return self._registered(self._post_schema(subject_path(subject), subject, body, "look up"), subject)

        # A missing schema may be registered at any time, so only the versions found are cached.
        return self._cache.get(("lookup", subject, json.dumps(body)), post, remember_missing=False)
