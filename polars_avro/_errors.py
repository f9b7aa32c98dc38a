"""Error classes. Their ``__module__`` is ``polars_avro``, from which users import them."""

from __future__ import annotations

from polars.exceptions import ColumnNotFoundError, ComputeError, SchemaError


class AvroError(ComputeError):
    """
    Base class of all Avro errors.

    The attributes have the position that the message states, or None if they do not apply.

    Attributes
    ----------
    file : str or None
        The path of the file, ``<bytes>`` for a file in memory.
    block_index : int or None
        Index of the block in the file, counted from 0.
    offset : int or None
        Offset in the file, in bytes, of the block or of the fault in the header.
    record : int or None
        Index of the record in the block, counted from 0.
    row : int or None
        Index of the row in the column, counted from 0, if a column of datums is decoded.
    field : str or None
        The field in the record, such as ``items[].price``.
    """

    __module__ = "polars_avro"

    file: str | None = None
    block_index: int | None = None
    offset: int | None = None
    record: int | None = None
    row: int | None = None
    field: str | None = None


class AvroDataError(AvroError):
    """
    The file is damaged, truncated, or not an Avro object container file.

    Also raised if `reader_schema` cannot represent a value, such as a null. That is not damage, so `ignore_errors` does
    not hide it.
    """

    __module__ = "polars_avro"


class AvroSchemaError(AvroError, SchemaError):
    """A schema is invalid, or the schemas of files that are read together differ."""

    __module__ = "polars_avro"


class AvroColumnNotFoundError(AvroSchemaError, ColumnNotFoundError):
    """A file lacks a column of the schema that it is read as."""

    __module__ = "polars_avro"


class AvroSchemaNotFoundError(AvroSchemaError, LookupError):
    """A schema registry has no schema of this id, subject or version."""

    #: Whether the missing schema is one that a known schema refers to.
    _is_referenced = False


class AvroLimitError(AvroError):
    """The file exceeds a limit, such as the bytes of a block."""

    __module__ = "polars_avro"


class AvroUnsupportedError(AvroError):
    """Valid Avro that is not supported, such as a value of 2 GiB."""

    __module__ = "polars_avro"
