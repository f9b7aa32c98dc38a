"""Schemas and metadata of files."""

from __future__ import annotations

import reprlib
from dataclasses import dataclass

import polars as pl

from polars_avro import _options
from polars_avro._core import ContainerFile
from polars_avro._limits import DEFAULT_LIMITS, Limits
from polars_avro._schemas import as_written
from polars_avro._sources import stores
from polars_avro._sources.inputs import Source, normalize_file
from polars_avro._sources.stores import CredentialProvider, StorageOptions

_RESERVED = ("avro.schema", "avro.codec")
#: Characters of the schema in the representation.
_SHOWN = 60


@dataclass(frozen=True, repr=False)
class AvroMetadata:
    """
    The header of an Avro file, and totals of its block headers.

    Attributes
    ----------
    avro_schema : str
        The schema that the file was written with, as the JSON text in its header.
    canonical_form : str
        The schema in the specification's Parsing Canonical Form, which omits what readers do not need.
    fingerprints : dict of str to bytes
        Digests of the canonical form, under the specification's names ``CRC-64-AVRO``, ``MD5`` and ``SHA-256``.
    codec : str
        The codec of the blocks, such as ``deflate``; ``null`` means uncompressed.
    sync_marker : bytes
        The 16 bytes after every block.
    metadata : dict of str to bytes
        Entries that the writer added to the header.
    header_size : int
        Size of the header in bytes.
    n_blocks : int
        Number of blocks in the file.
    n_rows : int
        Number of rows according to the block headers.
    """

    avro_schema: str
    canonical_form: str
    fingerprints: dict[str, bytes]
    codec: str
    sync_marker: bytes
    metadata: dict[str, bytes]
    header_size: int
    n_blocks: int
    n_rows: int

    def __repr__(self) -> str:
        schema = self.avro_schema if len(self.avro_schema) <= _SHOWN else f"{self.avro_schema[: _SHOWN - 1]}…"
        counts = f"n_blocks={self.n_blocks}, n_rows={self.n_rows}, header_size={self.header_size}"
        keys = reprlib.repr(list(self.metadata))
        return f"AvroMetadata(codec={self.codec!r}, {counts}, metadata={keys}, avro_schema={schema!r})"

    def _repr_html_(self) -> str:
        """Return a table for notebooks."""
        from polars_avro._html import metadata_table

        return metadata_table(self)


def read_avro_metadata(
    source: Source,
    *,
    storage_options: StorageOptions | None = None,
    credential_provider: CredentialProvider = "auto",
    limits: Limits | None = None,
) -> AvroMetadata:
    """
    Read the header of an Avro file and count its blocks and rows, without decoding data.

    Parameters
    ----------
    source
        A path, a URL, the ``bytes`` of a file, or a file-like, which is read by ranges if it can seek; also a ``UPath``
        or the result of ``fsspec.open``.
    storage_options
        Options of the store that holds the files, under the names that Polars' own scans take. Keys, region, endpoint
        and so on are ``str``; ``max_retries`` and the retry times are numbers. An unknown name is an error.
    credential_provider
        The source of credentials for the store, as in Polars' own scans. ``"auto"`` asks the cloud's Python package if
        it is installed. A provider, or a callable that returns ``(dict, expiry)``, is called before credentials expire.
        None leaves the store to `storage_options` and the environment.
    limits
        Bounds on what reading the file may cost.

    Returns
    -------
    AvroMetadata

    Raises
    ------
    AvroError
        If the file is damaged or not an Avro file.
    FileNotFoundError
        If the file does not exist.

    See Also
    --------
    read_avro_schema : The columns of the file as Polars dtypes.

    Examples
    --------
    >>> import polars_avro
    >>> metadata = polars_avro.read_avro_metadata("docs/sample.avro")
    >>> metadata.codec, metadata.n_blocks, metadata.n_rows
    ('deflate', 5, 300)
    """
    _options.check(limits=limits)
    file = open_file(source, storage_options, credential_provider, "read_avro_metadata", limits)
    n_blocks, n_rows = file.count_blocks()
    return AvroMetadata(
        avro_schema=file.schema_json,
        canonical_form=file.canonical_form,
        fingerprints=file.fingerprints,
        codec=file.codec,
        sync_marker=file.sync_marker,
        metadata={key: value for key, value in file.metadata.items() if key not in _RESERVED},
        header_size=file.header_size,
        n_blocks=n_blocks,
        n_rows=n_rows,
    )


def read_avro_schema(
    source: Source,
    *,
    storage_options: StorageOptions | None = None,
    credential_provider: CredentialProvider = "auto",
    limits: Limits | None = None,
) -> pl.Schema:
    """
    Read the names and dtypes of an Avro file's columns.

    Only the header is read.

    Parameters
    ----------
    source
        A path, a URL, the ``bytes`` of a file, or a file-like, which is read by ranges if it can seek; also a ``UPath``
        or the result of ``fsspec.open``.
    storage_options
        Options of the store that holds the files, under the names that Polars' own scans take. Keys, region, endpoint
        and so on are ``str``; ``max_retries`` and the retry times are numbers. An unknown name is an error.
    credential_provider
        The source of credentials for the store, as in Polars' own scans. ``"auto"`` asks the cloud's Python package if
        it is installed. A provider, or a callable that returns ``(dict, expiry)``, is called before credentials expire.
        None leaves the store to `storage_options` and the environment.
    limits
        Bounds on what reading the file may cost.

    Returns
    -------
    Schema

    Raises
    ------
    AvroError
        If the header is damaged, or the schema is invalid or unsupported.
    FileNotFoundError
        If the file does not exist.

    See Also
    --------
    read_avro_metadata : The Avro schema, codec, blocks and rows.

    Examples
    --------
    >>> import polars_avro
    >>> schema = polars_avro.read_avro_schema("docs/sample.avro")
    >>> schema.names()
    ['station', 'time', 'celsius', 'sky', 'gusts']
    >>> schema["sky"]
    Enum(categories=['CLEAR', 'CLOUDS', 'RAIN'])
    """
    _options.check(limits=limits)
    return pl.Schema(open_file(source, storage_options, credential_provider, "read_avro_schema", limits))


def open_file(
    source: Source,
    storage_options: StorageOptions | None,
    credential_provider: CredentialProvider,
    caller: str,
    limits: Limits | None,
) -> ContainerFile:
    """Read the header of one file."""
    opened = stores.open_source(normalize_file(source, caller), storage_options, credential_provider, caller)
    return ContainerFile(opened, as_written(limits or DEFAULT_LIMITS))
