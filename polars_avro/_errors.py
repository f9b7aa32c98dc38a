"""What goes wrong, by whose fault. The classes say that they live in ``polars_avro``, where users find them."""

from __future__ import annotations

from polars.exceptions import ColumnNotFoundError, ComputeError, SchemaError


class AvroError(ComputeError):
    """
    Base class of all Avro errors.

    The message says all that is known. The attributes hold the same for programs; each is None where it does not apply.

    Attributes
    ----------
    file : str or None
        The path of the file, ``<bytes>`` for one in memory.
    block_index : int or None
        Index of the block in the file, counted from 0.
    offset : int or None
        Offset in the file, in bytes: where the block begins, or where the header is wrong.
    record : int or None
        Index of the record in the block, counted from 0.
    row : int or None
        Index of the row in the column, counted from 0, where a column of datums is decoded.
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
    The file is damaged, cut short, or no Avro object container file.

    Also raised where `reader_schema` has no place for a value, such as a null. That is no damage, so `ignore_errors`
    does not hide it.
    """

    __module__ = "polars_avro"


class AvroSchemaError(AvroError, SchemaError):
    """A schema is not valid, or files that are read together differ in theirs."""

    __module__ = "polars_avro"


class AvroColumnNotFoundError(AvroSchemaError, ColumnNotFoundError):
    """A file lacks a column of the schema that it is read as."""

    __module__ = "polars_avro"


class AvroSchemaNotFoundError(AvroSchemaError, LookupError):
    """A schema registry has no schema of this id, subject or version."""


class AvroLimitError(AvroError):
    """The file asks for more than is allowed, such as a block of many gigabytes."""

    __module__ = "polars_avro"


class AvroUnsupportedError(AvroError):
    """Something that is valid but not supported here, such as a codec."""

    __module__ = "polars_avro"
