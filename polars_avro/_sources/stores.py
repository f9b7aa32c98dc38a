"""
Files in object stores and on HTTP servers: their URLs, options and credentials.

This module contains all uses of Polars' private credential functions.
"""

from __future__ import annotations

import errno
import os
import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from polars_avro import _core, _options
from polars_avro._errors import AvroUnsupportedError
from polars_avro._sources import schemes

try:
    from polars.io.cloud.credential_provider._builder import _init_credential_provider_builder
    from polars.io.cloud.credential_provider._providers import CredentialProviderAWS
except ImportError:  # an older Polars
    _init_credential_provider_builder = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from polars.io.cloud import CredentialProviderFunction

    from polars_avro._core import OpenFile, StoreFile, StoreTargets

StorageOptions: TypeAlias = "dict[str, Any]"
"""Options of a store, under the names and with the types that Polars' own scans take."""
CredentialProvider: TypeAlias = "CredentialProviderFunction | Literal['auto'] | None"
"""A callable that returns ``(dict, expiry)``, a credential provider of Polars, ``"auto"`` or None."""

#: Credentials are fetched again this many seconds before they expire.
_MARGIN = 10

SCHEMES = ("s3", "s3a", "gs", "gcs", "az", "azure", "adl", "abfs", "abfss", "http", "https", "file")

SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]+)://|(file):(?=/)", re.IGNORECASE)
_KINDS = {"s3": "aws", "s3a": "aws", "gs": "gcp", "gcs": "gcp"} | dict.fromkeys(
    ("az", "azure", "adl", "abfs", "abfss"), "azure"
)

_LONG_NAMES = {"token": "google_bearer_token", "bearer_token": "google_bearer_token"}

#: Options that are not credentials, which pickled splits keep.
_PLAIN = (
    r"(aws_)?(default_)?region|(aws_)?endpoint(_url)?(_s3)?|(aws_|google_|azure_)?(storage_)?skip_signature|"
    r"(aws_)?virtual_hosted_style_request|(aws_)?unsigned_payload|(aws_)?profile|google_base_url|"
    r"(azure_storage_)?(account_name|endpoint|use_emulator)|(aws_)?allow_http|allow_invalid_certificates|"
    r"(connect_|read_)?timeout|user_agent|max_retries|retry_[a-z_]+|file_cache_ttl|rate_[a-z_]+"
)


def scheme(path: str) -> str | None:
    """Return the scheme of a URL, None for a path."""
    match = SCHEME.match(path)
    if match is None:
        if path.startswith("dbfs:/") and not os.path.exists(path):
            msg = f"{path}: the scheme dbfs:/ is unknown: {schemes.instead('dbfs', SCHEMES)}"
            raise AvroUnsupportedError(msg)
        prefix, colon, rest = path.partition(":/")
        if colon and prefix in SCHEMES and rest and not os.path.isdir(f"{prefix}:"):
            msg = (
                f"No such file or directory; a URL begins with {prefix}://: "
                "pass URLs as str, because a Path removes one of the slashes"
            )
            raise FileNotFoundError(errno.ENOENT, msg, path)
        return None
    name = (match[1] or match[2]).lower()
    if name not in SCHEMES:
        known = " ".join(f"{each}://" for each in SCHEMES)
        msg = f"{shown(path)}: the scheme {name}:// is unknown; known are {known}; {schemes.instead(name, SCHEMES)}"
        raise AvroUnsupportedError(msg)
    return name


def is_remote(path: str) -> bool:
    """Return whether a path is the URL of a store or a web server. ``file:`` URLs are local."""
    # Lists may have thousands of paths, and most have no colon.
    return ":" in path and scheme(path) not in (None, "file")


def is_web(path: str) -> bool:
    """Return whether a path is an HTTP URL, which is never a pattern."""
    return ":" in path and scheme(path) in ("http", "https")


def shown(path: str) -> str:
    """Return a URL without parts that may be secret, in the format of the core."""
    if SCHEME.match(path) is None or "://" not in path:
        return path
    scheme, _, rest = path.partition("://")
    match = re.match(r"[^/?#]*", rest)
    authority = match[0] if match else ""
    rest = rest[len(authority) :]
    user, at, host = authority.rpartition("@")
    # In `abfss://container@account` the user is a container.
    user = "" if scheme.lower() in ("http", "https") or ":" in user else user + at
    name, colon, port = host.rpartition(":")
    # If a password contains a slash, a question mark or a hash, its beginning is parsed as a port.
    is_cut = not rest.startswith("/") and "@" in rest
    if colon and not host.endswith("]") and (is_cut or re.search("[^0-9]", port)):
        return f"{scheme}://{user}{name}:***"
    path = re.split("[?#]", rest, maxsplit=1)[0]
    # Keys in stores may contain both characters.
    is_store = scheme.lower() in SCHEMES and scheme.lower() not in ("http", "https")
    is_key = is_store and "sig" not in rest[len(path) :].lower()
    return f"{scheme}://{user}{host}{rest if is_key else path}"


class Stores(NamedTuple):
    """Options of the stores of some URLs. It opens nothing, and its repr shows no secrets."""

    options: tuple[tuple[str, Any], ...] = ()
    #: For each kind of store, the builder that makes a credential provider when a query runs.
    builders: tuple[tuple[str, Any], ...] = ()
    #: Whether credentials were removed.
    is_bare: bool = False

    def __repr__(self) -> str:
        return f"Stores(is_bare={self.is_bare})"

    @property
    def key(self) -> tuple[object, ...]:
        """A key that identifies these stores."""
        return self.options, tuple((kind, builder.stable_cache_key()) for kind, builder in self.builders)

    def files(self, sources: Sequence[str | bytes | OpenFile]) -> list[str | bytes | OpenFile | StoreFile]:
        """Replace URLs by files in stores. Sends no request."""
        urls = [source for source in sources if isinstance(source, str) and is_remote(source)]
        if not urls:
            return list(sources)
        files = iter(_core.store_files(urls, *self._resolved()))
        return [next(files) if isinstance(source, str) and is_remote(source) else source for source in sources]

    def targets(self, *, together: bool = False) -> StoreTargets:
        """Return a factory of objects to write, which appear one by one or together. Sends no request."""
        return _core.StoreTargets(*self._resolved(), together=together)

    def sizes(self, paths: Sequence[str]) -> list[int]:
        """Return the sizes of files, from listings if several are in one directory. Reads no bytes."""
        urls = [path for path in paths if is_remote(path)]
        remote_sizes = iter(_core.store_sizes(urls, *self._resolved()) if urls else [])
        return [next(remote_sizes) if is_remote(path) else os.stat(path).st_size for path in paths]

    def remove(self, directory: str, prefix: str) -> None:
        """Remove the objects of a directory in a store whose names begin with a prefix."""
        _core.remove_store_files(directory, prefix, *self._resolved())

    def bare(self) -> Stores:
        """Return a copy without credentials, which can be sent to other processes."""
        plain = [(name, value) for name, value in self.options if re.fullmatch(_PLAIN, name.lower())]
        # The value may be a URL with a password.
        return Stores(tuple((name, value) for name, value in plain if "@" not in str(value)), is_bare=True)

    def overridden(
        self,
        paths: Iterable[str],
        storage_options: StorageOptions | None,
        credential_provider: CredentialProvider,
        caller: str,
    ) -> Stores:
        """Return a copy with these options and credentials, or the same object if none are passed."""
        _options.check(storage_options=storage_options, credential_provider=credential_provider)
        if storage_options is None and credential_provider == "auto" and not self.is_bare:
            return self
        options = {**dict(self.options), **_with_headers(storage_options or {})}
        options = {name.lower(): value for name, value in options.items()}
        return stores(paths, options or None, credential_provider, caller)

    def _resolved(self) -> tuple[dict[str, Any], dict[str, Credentials]]:
        """Return the options, and the credentials of each kind of store."""
        options = dict(self.options)
        credentials = {}
        for kind, builder in self.builders:
            provider = builder.build_credential_provider()
            if provider is None:
                continue
            if isinstance(provider, CredentialProviderAWS):
                if not provider._can_use_as_provider():
                    continue
                options = {**provider._storage_update_options(), **options}
            credentials[kind] = Credentials(provider)
        return options, credentials

    def list_directory(self, url: str) -> list[tuple[str, int]]:
        """List the objects below a directory and their sizes, sorted by key."""
        return _core.store_files_in(url, *self._resolved())


class Credentials:
    """Requests credentials from a provider of Polars, and refreshes them before they expire."""

    def __init__(self, provider: Callable[[], tuple[dict[str, str], int | None]]) -> None:
        self.provider = provider

    def __call__(self, refused: bool) -> tuple[dict[str, str], int | None]:
        """Return keys and their expiry. Providers cache keys until they expire, so this clears the cache early."""
        keys, expiry = self._ask(clear=refused)
        if expiry is not None and expiry - time.time() < _MARGIN and not refused:
            keys, expiry = self._ask(clear=True)
        if expiry is not None and expiry <= time.time():
            msg = "the credential provider returned credentials that have expired"
            raise ValueError(msg)
        return keys, expiry

    def _ask(self, *, clear: bool) -> tuple[dict[str, str], int | None]:
        if clear and hasattr(self.provider, "clear_cached_credentials"):
            self.provider.clear_cached_credentials()
        return self.provider()


def stores(
    paths: Iterable[str | bytes | OpenFile],
    storage_options: StorageOptions | None,
    credential_provider: CredentialProvider,
    caller: str,
) -> Stores:
    """Check the options of the stores of these paths. Sends no request, and fetches no credentials."""
    _options.check(storage_options=storage_options, credential_provider=credential_provider)
    urls = [path for path in paths if isinstance(path, str) and is_remote(path)]
    if not urls and not storage_options:
        return Stores()
    options = _with_headers(storage_options or {})
    if not hasattr(_core, "store_files"):
        if urls:
            msg = f"{shown(urls[0])}: this build of polars_avro supports local files only"
            raise AvroUnsupportedError(msg)
        return Stores()
    if urls and all(_KINDS.get(scheme(url) or "") == "gcp" for url in urls):
        # Polars accepts the short names of the token only if it is the only option.
        options = {_LONG_NAMES.get(name.lower(), name): value for name, value in options.items()}
    _core.check_store_options(urls, options)
    builders = {}
    for url in urls:
        kind = _KINDS.get(scheme(url) or "")
        if kind is None or kind in builders:
            continue
        if _init_credential_provider_builder is None:
            if credential_provider not in ("auto", None):
                msg = "`credential_provider` needs Polars 2"
                raise AvroUnsupportedError(msg)
            continue
        builders[kind] = _init_credential_provider_builder(credential_provider, [url], options or None, caller)
    built = tuple((kind, builder) for kind, builder in builders.items() if builder is not None)
    return Stores(tuple(sorted(options.items())), built)


def _with_headers(storage_options: StorageOptions) -> StorageOptions:
    """Make an option of each header of web servers, which are a dict in `headers`."""
    options = dict(storage_options)
    headers = options.pop("headers", None)
    if headers is None:
        return options
    if not isinstance(headers, Mapping) or not all(isinstance(part, str) for pair in headers.items() for part in pair):
        msg = "`headers` in `storage_options` must be a dict of str to str"
        raise TypeError(msg)
    return options | {f"header.{name}": value for name, value in headers.items()}


def open_source(
    source: str | bytes | OpenFile,
    storage_options: StorageOptions | None,
    credential_provider: CredentialProvider,
    caller: str,
) -> str | bytes | OpenFile | StoreFile:
    """Replace a URL by a file in a store."""
    return stores([source], storage_options, credential_provider, caller).files([source])[0]
