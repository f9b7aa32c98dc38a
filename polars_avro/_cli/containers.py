"""Container files as headers and blocks that are copied without decoding."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, NamedTuple

from polars_avro._errors import AvroDataError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_MAGIC = b"Obj\x01"
_SYNC_SIZE = 16
#: Bytes that are copied at a time, so that memory does not grow with the size of a block.
_CHUNK = 1 << 20
#: Most bytes of a header's key or value. A schema is far smaller; a damaged length is far larger.
_MAX_ENTRY = 64 << 20
#: The bits of a varint of 64 bits: 10 groups of 7.
_VARINT_BITS = 70


class TruncatedError(AvroDataError):
    """The bytes end inside a header or a block."""


class Header(NamedTuple):
    """The header of a container file."""

    metadata: dict[str, bytes]
    sync_marker: bytes

    @property
    def schema(self) -> str:
        """The JSON text of the schema."""
        return self.metadata["avro.schema"].decode()

    @property
    def codec(self) -> str:
        """The name of the codec."""
        return self.metadata.get("avro.codec", b"null").decode("utf-8", "backslashreplace")

    def encode(self) -> bytes:
        """Return the bytes of the header."""
        return encode_header(self.metadata, self.sync_marker)


def encode_header(metadata: Mapping[str, bytes], sync_marker: bytes) -> bytes:
    """Return the bytes of a header with these entries."""
    entries = [_sized(key.encode("utf-8", "surrogateescape")) + _sized(value) for key, value in metadata.items()]
    return _MAGIC + encode_long(len(entries)) + b"".join(entries) + encode_long(0) + sync_marker


def encode_long(value: int) -> bytes:
    """Encode a count that is not negative."""
    value <<= 1
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    return bytes([*encoded, value])


def read_header(file: IO[bytes], name: str) -> Header:
    """Read a header, and leave the file at the first block."""
    place = f"{name}: header"
    if _read_exactly(file, len(_MAGIC), place) != _MAGIC:
        msg = f"{name}: not an Avro container file; `convert` joins files that are compressed as a whole"
        raise AvroDataError(msg)
    metadata: dict[str, bytes] = {}
    while count := _read_long(file, place):
        if count < 0:
            # The size of the entries in bytes follows.
            _read_long(file, place)
        for _ in range(abs(count)):
            key = _read_sized(file, place).decode("utf-8", "surrogateescape")
            metadata[key] = _read_sized(file, place)
    if "avro.schema" not in metadata:
        msg = f"{place}: no `avro.schema`"
        raise AvroDataError(msg)
    return Header(metadata, _read_exactly(file, _SYNC_SIZE, place))


def copy_blocks(
    source: IO[bytes], header: Header, target: IO[bytes], sync_marker: bytes, name: str, advance: Callable[[int], None]
) -> None:
    """Copy all blocks to a file of another sync marker, and report the bytes as they are copied."""
    index = 0
    while first := source.read(1):
        place = f"{name}: block {index}"
        count = _read_long(source, place, first)
        size = _read_long(source, place)
        if count < 0 or size < 0:
            msg = f"{place}: a row count of {count} and a size of {size} bytes; `check` lists damaged blocks"
            raise AvroDataError(msg)
        target.write(encode_long(count) + encode_long(size))
        while size:
            chunk = _read_exactly(source, min(size, _CHUNK), place)
            target.write(chunk)
            size -= len(chunk)
            advance(len(chunk))
        if _read_exactly(source, _SYNC_SIZE, place) != header.sync_marker:
            msg = f"{place}: the sync marker after it is not that of the header; `check` lists damaged blocks"
            raise AvroDataError(msg)
        target.write(sync_marker)
        index += 1


def _sized(data: bytes) -> bytes:
    return encode_long(len(data)) + data


def _read_exactly(file: IO[bytes], size: int, place: str) -> bytes:
    data = file.read(size)
    if len(data) < size:
        msg = f"{place}: the file ends here; `check` lists damaged blocks"
        raise TruncatedError(msg)
    return data


def _read_long(file: IO[bytes], place: str, first: bytes = b"") -> int:
    value = 0
    for shift in range(0, _VARINT_BITS, 7):
        byte = (first if first and not shift else _read_exactly(file, 1, place))[0]
        value |= (byte & 127) << shift
        if byte < 128:
            return (value >> 1) ^ -(value & 1)
    msg = f"{place}: a number of more than 10 bytes"
    raise AvroDataError(msg)


def _read_sized(file: IO[bytes], place: str) -> bytes:
    size = _read_long(file, place)
    if not 0 <= size <= _MAX_ENTRY:
        msg = f"{place}: an entry of {size} bytes"
        raise AvroDataError(msg)
    return _read_exactly(file, size, place)
