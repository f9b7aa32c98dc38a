"""Schemes of URLs that are not read, and what to use instead."""

from __future__ import annotations

from polars_avro._suggestions import nearest

#: Schemes that other systems use for a store that is read under another one.
_SAME_STORE = {"s3n": "s3", "wasb": "abfs", "wasbs": "abfss"}
#: Schemes that fsspec opens and that resemble those of stores.
_OF_FSSPEC = ("ftp", "sftp", "ssh", "hf", "hdfs", "smb", "webhdfs", "dav", "oci", "oss", "lakefs", "memory", "data")
_FSSPEC = "open the file with fsspec and pass the file object"


def instead(scheme: str, known: tuple[str, ...]) -> str:
    """Return the advice for an unknown scheme."""
    if scheme == "dbfs":
        return f"use the path below /dbfs/ on a Databricks cluster, or {_FSSPEC}"
    if same := _SAME_STORE.get(scheme):
        return f"use {same}:// for this store"
    near = [] if scheme in _OF_FSSPEC else nearest(scheme, known)
    return f"did you mean {near[0]}://?" if near else _FSSPEC
