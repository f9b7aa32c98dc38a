"""Avro files as datasets of Ray Data, one split per task. Ray is imported when a function is called."""

from polars_avro.ray._functions import read_avro, write_avro

__all__ = ["read_avro", "write_avro"]
