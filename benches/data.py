"""The datasets: declared as data, written by fastavro, with the same bytes every time.

``python benches/data.py DATASET...`` writes missing files into ``benches/cache/data``.
"""

import datetime as dt
import decimal
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(__file__).resolve().parent / "cache"
SYNC = bytes(range(16))
DEFAULT_BLOCK = 16_000
ONE_BLOCK = 1 << 40

Row = dict[str, object]


def optional(kind: object) -> list[object]:
    """Return the union of null and `kind`."""
    return ["null", kind]


def record(name: str, /, **fields: object) -> Row:
    """Return a record schema with these fields, in order."""
    return {"type": "record", "name": name, "fields": [{"name": key, "type": kind} for key, kind in fields.items()]}


SIMPLE = record(
    "simple", id="long", name="string", int_val="int", float_val="float", double_val="double", bool_val="boolean"
)
EVENT = record(
    "event",
    id="long",
    at=optional({"type": "long", "logicalType": "timestamp-micros"}),
    sent=optional({"type": "long", "logicalType": "timestamp-millis"}),
    day=optional({"type": "int", "logicalType": "date"}),
    clock=optional({"type": "long", "logicalType": "time-micros"}),
    amount=optional({"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}),
    score=optional("double"),
    number=optional("int"),
    label=optional("string"),
    flag=optional("boolean"),
)
ADDRESS = record(
    "address",
    street="string",
    city="string",
    zip="string",
    coordinates=optional(record("coordinates", lat="double", lon="double")),
)
NESTED = record(
    "person",
    id="long",
    name="string",
    address=ADDRESS,
    contacts={"type": "array", "items": record("contact", type="string", value="string", primary="boolean")},
    tags={"type": "array", "items": "string"},
    metadata={"type": "map", "values": "string"},
    score=optional("double"),
)
WIDE_KINDS = ("long", "string", "double", "int", "boolean", "float", "bytes")
WIDE = record("wide", **{f"col_{i:03}": WIDE_KINDS[i % 7] for i in range(100)})
TEXT = record("text", id="long", short="string", medium="string", skewed="string", repeated="string")

EPOCH = dt.datetime(2020, 1, 1, tzinfo=dt.timezone.utc)
CITIES = [f"City {i:02}" for i in range(50)]
ALPHABET = "abcdefghijklmnopqrstuvwxyz 0123456789-ABCDEFGHIJKLMNOPQRSTUVWXYZéß中"


def simple_rows(start: int, stop: int) -> Iterator[Row]:
    """Return rows of six plain columns."""
    rng = random.Random(start)
    for i in range(start, stop):
        yield {
            "id": i,
            "name": f"user_{i:08}",
            "int_val": rng.randrange(1_000_000),
            "float_val": rng.random() * 100,
            "double_val": rng.random() * 1e6,
            "bool_val": rng.random() < 0.5,
        }


def event_rows(start: int, stop: int) -> Iterator[Row]:
    """Return rows of columns, mostly of logical types, in which one value in five is null."""
    rng = random.Random(start)
    for i in range(start, stop):
        at = EPOCH + dt.timedelta(seconds=i, microseconds=rng.randrange(1_000_000))
        row: Row = {
            "at": at,
            "sent": at.replace(microsecond=at.microsecond // 1000 * 1000),
            "day": at.date(),
            "clock": at.time(),
            "amount": decimal.Decimal(rng.randrange(-(10**9), 10**9)).scaleb(-2),
            "score": rng.random(),
            "number": rng.randrange(-1000, 1000),
            "label": f"label {rng.randrange(10_000)}",
            "flag": rng.random() < 0.5,
        }
        yield {"id": i, **{key: None if rng.random() < 0.2 else value for key, value in row.items()}}


def nested_rows(start: int, stop: int) -> Iterator[Row]:
    """Return rows of records in records, arrays of records, arrays of strings and maps."""
    rng = random.Random(start)
    for i in range(start, stop):
        place = {"lat": rng.uniform(-90, 90), "lon": rng.uniform(-180, 180)} if rng.random() < 0.7 else None
        contact = {"type": "email", "value": f"user{i}@example.com", "primary": i % 2 == 0}
        yield {
            "id": i,
            "name": f"user_{i:08}",
            "address": {
                "street": f"{rng.randrange(1000)} Main Street",
                "city": rng.choice(CITIES),
                "zip": f"{rng.randrange(100_000):05}",
                "coordinates": place,
            },
            "contacts": [contact] * rng.randrange(4),
            "tags": [f"tag_{rng.randrange(100)}" for _ in range(rng.randrange(6))],
            "metadata": {f"key_{k}": f"value_{rng.randrange(1000)}" for k in range(rng.randrange(4))},
            "score": rng.random() * 100 if rng.random() < 0.8 else None,
        }


def wide_rows(start: int, stop: int) -> Iterator[Row]:
    """Return rows of a hundred columns, the seven scalar types in turn."""
    rng = random.Random(start)
    make: tuple[Callable[[int], object], ...] = (
        lambda _: rng.randrange(1_000_000),
        lambda i: f"value_{i}",
        lambda _: rng.random() * 1000,
        lambda _: rng.randrange(10_000),
        lambda i: i % 2 == 0,
        lambda _: rng.random() * 100,
        lambda i: b"bytes_%d" % (i % 1000),
    )
    columns = [(f"col_{i:03}", make[i % 7]) for i in range(100)]
    for i in range(start, stop):
        yield {name: value(i) for name, value in columns}


def text_rows(start: int, stop: int) -> Iterator[Row]:
    """Return rows of strings: short enough for a view, medium, of skewed lengths, and with few distinct values."""
    rng = random.Random(start)
    pool = "".join(rng.choice(ALPHABET) for _ in range(20_000))

    def text(length: int) -> str:
        at = rng.randrange(len(pool) - length)
        return pool[at : at + length]

    for i in range(start, stop):
        yield {
            "id": i,
            "short": text(rng.randrange(9)),
            "medium": text(rng.randrange(13, 65)),
            "skewed": text(int(2000 ** rng.random()) - 1),
            "repeated": f"category number {rng.randrange(100)}",
        }


@dataclass(frozen=True)
class Dataset:
    """One file, or a folder of equal files.

    Parameters
    ----------
    schema, rows
        The Avro schema, and a function that makes a range of rows.
    per_file, files
        Rows in each file, and how many files.
    codec, block
        Avro's codec name, and the bytes after which fastavro ends a block.
    checked
        The columns whose checksum a reader's result has to match; a dot selects a struct field.
    """

    schema: Row
    rows: Callable[[int, int], Iterator[Row]]
    per_file: int
    checked: tuple[str, ...]
    files: int = 1
    codec: str = "snappy"
    block: int = DEFAULT_BLOCK


SIMPLE_CHECKED = ("id", "name", "int_val", "double_val", "bool_val")
NESTED_CHECKED = ("id", "address.zip", "address.coordinates.lat", "contacts", "tags", "metadata", "score")
EVENT_CHECKED = ("id", "at", "sent", "day", "clock", "amount", "score", "number", "label", "flag")
WIDE_CHECKED = ("col_000", "col_001", "col_002", "col_004", "col_005", "col_006", "col_099")
TEXT_CHECKED = ("id", "short", "medium", "skewed", "repeated")

DATASETS: dict[str, Dataset] = {
    "simple_snappy": Dataset(SIMPLE, simple_rows, 1_000_000, SIMPLE_CHECKED),
    "simple_one_block": Dataset(SIMPLE, simple_rows, 1_000_000, SIMPLE_CHECKED, codec="null", block=ONE_BLOCK),
    "simple_null": Dataset(SIMPLE, simple_rows, 1_000_000, SIMPLE_CHECKED, codec="null"),
    "simple_tiny": Dataset(SIMPLE, simple_rows, 100, SIMPLE_CHECKED),
    "simple_64_files": Dataset(SIMPLE, simple_rows, 10_000, SIMPLE_CHECKED, files=64),
    "nested": Dataset(NESTED, nested_rows, 300_000, NESTED_CHECKED),
    "events": Dataset(EVENT, event_rows, 1_000_000, EVENT_CHECKED),
    "wide": Dataset(WIDE, wide_rows, 250_000, WIDE_CHECKED),
    "text": Dataset(TEXT, text_rows, 200_000, TEXT_CHECKED),
    "simple_deflate": Dataset(SIMPLE, simple_rows, 1_000_000, SIMPLE_CHECKED, codec="deflate"),
    "simple_zstandard": Dataset(SIMPLE, simple_rows, 1_000_000, SIMPLE_CHECKED, codec="zstandard"),
    "simple_10000_files": Dataset(SIMPLE, simple_rows, 10, SIMPLE_CHECKED, files=10_000),
}


def paths(name: str) -> list[Path]:
    """Return the paths of a dataset's files in order, even if they are not written."""
    folder = CACHE / "data" / name
    files = DATASETS[name].files
    return [folder / f"part-{i:05}.avro" for i in range(files)]


def is_written(name: str) -> bool:
    """Return whether the dataset is complete."""
    return (CACHE / "data" / name / "complete").exists()


def write(name: str) -> None:
    """Write the dataset's files, and then the marker of completeness."""
    # Imported here, because interpreters without fastavro also import this module.
    import fastavro

    dataset = DATASETS[name]
    schema = fastavro.parse_schema(dataset.schema)
    files = paths(name)
    files[0].parent.mkdir(parents=True, exist_ok=True)
    for i, path in enumerate(files):
        rows = dataset.rows(i * dataset.per_file, (i + 1) * dataset.per_file)
        with path.open("wb") as file:
            fastavro.writer(file, schema, rows, codec=dataset.codec, sync_interval=dataset.block, sync_marker=SYNC)
    (files[0].parent / "complete").touch()


if __name__ == "__main__":
    for wanted in sys.argv[1:]:
        if not is_written(wanted):
            write(wanted)
