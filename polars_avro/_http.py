"""Requests to an HTTP service with JSON responses: authentication, TLS, retries."""

from __future__ import annotations

import base64
import json
import random
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from polars_avro import _options
from polars_avro._errors import AvroError
from polars_avro._sources.stores import shown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from email.message import Message

#: Statuses of transient failures: the service is busy, restarting, or unreachable from its gateway.
_TRANSIENT = (408, 429, 500, 502, 503, 504)
_MAX_WAIT = 10.0
_MAX_RESPONSE = 64 << 20


@dataclass(frozen=True)
class Answer:
    """A response of the service."""

    status: int
    body: Any


@dataclass(frozen=True)
class Endpoint:
    """One address of a service, and the headers of requests to it."""

    url: str
    headers: Mapping[str, str] = field(repr=False)


@dataclass
class Service:
    """A service: its addresses, credentials and timeouts."""

    endpoints: tuple[Endpoint, ...]
    timeout: float
    retries: int
    backoff: float
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    #: The index of the endpoint that responded last. It is the first one that the next request is sent to.
    _preferred: int = field(default=0, init=False, repr=False)

    @property
    def urls(self) -> list[str]:
        """The addresses."""
        return [endpoint.url for endpoint in self.endpoints]

    def request(self, method: str, path: str, body: Any = None) -> Answer:
        """
        Send a request. After a transient failure it is sent to the next endpoint, and after failures of all, retried.

        Raises
        ------
        PermissionError
            If the service does not accept the credentials.
        ConnectionError
            If it does not respond, or only with transient failures, after all retries.
        """
        data = None if body is None else json.dumps(body).encode()
        for attempt in range(self.retries + 1):
            wait = min(self.backoff * 2**attempt, _MAX_WAIT) * random.uniform(0.5, 1)
            failures: list[tuple[str, _TransientError]] = []
            first, n = self._preferred, len(self.endpoints)
            for number in ((first + i) % n for i in range(n)):
                endpoint = self.endpoints[number]
                url = endpoint.url + path
                try:
                    answer = self._once(urllib.request.Request(url, data, dict(endpoint.headers), method=method))
                except _TransientError as error:
                    failures.append((url, error))
                else:
                    self._preferred = number
                    return answer
            if attempt == self.retries:
                tries = "1 try" if attempt == 0 else f"{attempt + 1} tries"
                msg = f"{method} {'; '.join(f'{url} failed after {tries}: {error}' for url, error in failures)}"
                raise ConnectionError(msg) from failures[-1][1].__cause__
            # One endpoint that is ready again suffices.
            asked = [error.wait for _, error in failures if error.wait is not None]
            time.sleep(min(*asked, _MAX_WAIT) if asked else wait)
        raise AssertionError

    def _once(self, request: urllib.request.Request) -> Answer:
        try:
            with self._opener(request.full_url).open(request, timeout=self.timeout) as response:
                return Answer(response.status, _json(response.read(_MAX_RESPONSE + 1), request))
        except urllib.error.HTTPError as error:
            with error:
                body = error.read(_MAX_RESPONSE)
            reason = _reason(_json_or_text(body))
            if error.code in _TRANSIENT:
                raise _TransientError(f"status {error.code}{reason}", _retry_after(error.headers)) from error
            where = f"{request.get_method()} {request.full_url}"
            if error.code in (401, 403):
                msg = f"{where}: access denied, status {error.code}{reason}"
                raise PermissionError(msg) from None
            if 300 <= error.code < 400:
                msg = f"{where} redirects to {_target(request, error)}: pass the URL of the registry there"
                raise AvroError(msg) from None
            return Answer(error.code, _json_or_text(body))
        except ssl.SSLError as error:
            raise ConnectionError(f"{request.full_url}: {error}") from error
        except urllib.error.URLError as error:
            if isinstance(error.reason, ssl.SSLError):
                raise ConnectionError(f"{request.full_url}: {error.reason}") from error
            raise _TransientError(str(error.reason)) from error
        except (OSError, HTTPException) as error:
            raise _TransientError(str(error) or type(error).__name__) from error

    def _opener(self, url: str) -> urllib.request.OpenerDirector:
        handlers: list[urllib.request.BaseHandler] = [_NoRedirects()]
        if url.startswith("https:"):
            context = ssl.create_default_context()
            if self.ca_file is not None:
                context.load_verify_locations(self.ca_file)
            if self.cert_file is not None:
                context.load_cert_chain(self.cert_file, self.key_file)
            handlers.append(urllib.request.HTTPSHandler(context=context))
        return urllib.request.build_opener(*handlers)


class _TransientError(Exception):
    """A transient failure. `wait` is the delay that the service asks for, in seconds."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Refuses redirects, so that credentials are not sent to another host."""

    def http_error_302(self, *_: Any) -> None:
        return None

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302  # type: ignore[assignment]


def service(
    urls: str | Sequence[str],
    *,
    auth: tuple[str, str] | None,
    token: str | None,
    headers: Mapping[str, str] | None,
    accept: str,
    timeout: float,
    retries: int,
    backoff: float,
    ca_file: str | None,
    cert_file: str | None,
    key_file: str | None,
) -> Service:
    """Check the arguments of a service. A URL may contain a user and a password."""
    if isinstance(urls, Mapping):
        msg = f"`url` must be a str or a list of str, got {type(urls).__name__!r}; other settings are arguments"
        raise TypeError(msg)
    if not isinstance(urls, Iterable):
        msg = f"`url` must be a str or a list of str, got {type(urls).__name__!r}"
        raise TypeError(msg)
    urls = [urls] if isinstance(urls, str) else list(urls)
    if not urls:
        msg = "`url` must be a URL or a list of URLs, got an empty list"
        raise ValueError(msg)
    _options.check(auth=auth, token=token, headers=headers, ca_file=ca_file, cert_file=cert_file, key_file=key_file)
    sent = {"Accept": accept, "Content-Type": accept, **(headers or {})}
    return Service(
        tuple(_endpoint(url, auth, token, sent) for url in urls),
        timeout=_options.seconds("timeout", timeout),
        retries=_options.integer("retries", retries),
        backoff=_options.seconds("backoff", backoff, zero=True),
        ca_file=ca_file,
        cert_file=cert_file,
        key_file=key_file,
    )


def _endpoint(url: str, auth: tuple[str, str] | None, token: str | None, headers: Mapping[str, str]) -> Endpoint:
    """Check a URL, and add the header that authenticates. Credentials in a URL are for this URL only."""
    if not isinstance(url, str):
        msg = f"`url` must be a str or a list of str, got {type(url).__name__!r}"
        raise TypeError(msg)
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        msg = f"`url` must begin with http:// or https:// and a host, got {shown(url)!r}"
        raise ValueError(msg)
    if parts.query or parts.fragment:
        msg = f"`url` must have no query and no fragment, got one of {parts.hostname!r} that has"
        raise ValueError(msg)
    if parts.username is not None:
        unquote = urllib.parse.unquote
        auth = auth or (unquote(parts.username), unquote(parts.password or ""))
        host = parts.netloc.rpartition("@")[2]
        url = urllib.parse.urlunsplit((parts.scheme, host, parts.path, "", ""))
    if auth is not None and token is not None:
        msg = "`auth` and `token` are two ways to authenticate: pass one of them"
        raise ValueError(msg)
    if auth is not None:
        headers = {**headers, "Authorization": "Basic " + base64.b64encode(":".join(auth).encode()).decode()}
    elif token is not None:
        headers = {**headers, "Authorization": f"Bearer {token}"}
    return Endpoint(url.rstrip("/"), headers)


def _json(body: bytes, request: urllib.request.Request) -> Any:
    if len(body) > _MAX_RESPONSE:
        msg = f"{request.full_url}: the response is longer than {_MAX_RESPONSE} bytes"
        raise AvroError(msg)
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        msg = f"{request.full_url}: the response is not JSON: {error}"
        raise AvroError(msg) from None


def _reason(body: Any) -> str:
    """Return the message of a response in JSON, for the end of an error."""
    text = body.get("message") if isinstance(body, dict) else None
    if not isinstance(text, str):
        return ""
    return f", {''.join(filter(str.isprintable, ' '.join(text.split())))[:200]}"


def _target(request: urllib.request.Request, error: urllib.error.HTTPError) -> str:
    """Return the address of a redirect, without parts that may be secret."""
    location = error.headers.get("Location")
    if not location:
        return "no address"
    try:
        return shown(urllib.parse.urljoin(request.full_url, location))
    except ValueError:
        return "an address that is not valid"


def _json_or_text(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body[:200].decode(errors="replace")


def _retry_after(headers: Message) -> float | None:
    """Return the seconds of a Retry-After header, or None if it is missing or a date."""
    value = headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else None
