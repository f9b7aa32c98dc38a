"""
Writes the files that the documentation's code reads into the working directory, or into the directory in the argument.

Needs fastavro, and cramjam for snappy blocks. A file appears when it is complete.

The files have the names, types and folders of real writers.
"""

from __future__ import annotations

import io
import json
import sys
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import fastavro
import polars as pl
from make_sample import SCHEMA, measurements

START = datetime(2026, 1, 1, tzinfo=timezone.utc)
Rows = list[dict[str, Any]]


def write(path: Path, schema: Any, rows: Rows, *, codec: str = "deflate", **options: Any) -> None:
    """Write one file, and the folders above it."""
    file = io.BytesIO()
    fastavro.writer(file, schema, rows, codec=codec, sync_marker=bytes(range(16)), **options)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(file.getvalue())


def datum(schema: Any, value: Any) -> bytes:
    """Encode one value as a bare datum."""
    file = io.BytesIO()
    fastavro.schemaless_writer(file, schema, value)
    return file.getvalue()


def record(name: str, fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Make the schema of a record. Nullable fields are null by default."""
    nullable = {
        name: {"default": None} for name, kind in fields.items() if isinstance(kind, list) and kind[0] == "null"
    }
    listed = [{"name": name, "type": kind, **nullable.get(name, {})} for name, kind in fields.items()]
    return {"type": "record", "name": name, "fields": listed, **more}


def weather(root: Path) -> None:
    """Write the sample as several files, one damaged."""
    rows = measurements()
    for i in range(3):
        write(root / "measurements" / f"part-{i}.avro", SCHEMA, rows[i * 100 : (i + 1) * 100], sync_interval=1500)
    data = bytearray((root / "measurements" / "part-2.avro").read_bytes())
    data[len(data) // 2] ^= 0xFF
    (root / "part-3.avro").write_bytes(data)


def sample(root: Path) -> None:
    """Copy the sample to the path that the guide reads it from."""
    target = root / "docs" / "sample.avro"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(Path(__file__).with_name("sample.avro").read_bytes())


def bigquery(root: Path) -> None:
    """Write a BigQuery export with logical types: a root record of nullable columns."""
    numeric = {"type": "bytes", "logicalType": "decimal", "precision": 38, "scale": 9}
    item = record("Items", {"sku": ["null", "string"], "quantity": ["null", "long"]}, namespace="root")
    fields = {
        "order_id": ["null", "long"],
        "placed_at": ["null", {"type": "long", "logicalType": "timestamp-micros"}],
        "local_time": ["null", {"type": "string", "sqlType": "DATETIME"}],
        "total": ["null", numeric],
        "items": {"type": "array", "items": item},
    }
    for part in range(2):
        rows = [
            {
                "order_id": i,
                "placed_at": START + timedelta(hours=i),
                "local_time": f"2026-01-01T{i % 24:02}:30:00" + (".250000" if i % 2 else ""),
                "total": Decimal(i) / 4,
                "items": [{"sku": f"sku-{i % 7}", "quantity": i % 3 + 1}] * (i % 3),
            }
            for i in range(part * 50, part * 50 + 50)
        ]
        write(root / "bigquery" / f"orders-{part:012}.avro", record("Root", fields), rows, codec="snappy")


def spark(root: Path) -> None:
    """Write Spark output: parts in partitions, a success marker, and checksums."""
    fields = {"user": ["string", "null"], "clicks": ["int", "null"]}
    for day in (1, 2):
        folder = root / "spark" / f"day=2026-01-0{day}"
        part = folder / "part-00000-6d1f.c000.avro"
        rows = [{"user": f"user {i % 5}", "clicks": i % 4} for i in range(day * 20)]
        write(part, record("topLevelRecord", fields), rows, codec="snappy")
        (folder / f".{part.name}.crc").write_bytes(b"crc\x00" + bytes(8))
    (root / "spark" / "_SUCCESS").touch()


def kafka(root: Path) -> None:
    """Write the output of a Kafka Connect sink: one folder per partition, and a new file if the schema changes."""
    old = {"id": "long", "amount": "double"}
    new = {**old, "currency": ["null", "string"]}
    for partition in (0, 1):
        folder = root / "topics" / "orders" / f"partition={partition}"
        rows: Rows = [{"id": i, "amount": i / 2} for i in range(30)]
        write(folder / f"orders+{partition}+0000000000.avro", record("Order", old, namespace="shop"), rows)
        rows = [{"id": i, "amount": i / 2, "currency": "EUR"} for i in range(30, 45)]
        write(folder / f"orders+{partition}+0000000030.avro", record("Order", new, namespace="shop"), rows)


def event_hubs(root: Path) -> None:
    """Write an Event Hubs capture: an envelope around bytes, which are JSON in one hub and Avro in another."""
    values = {"type": "map", "values": ["long", "double", "string", "bytes"]}
    fields = {
        "SequenceNumber": "long",
        "Offset": "string",
        "EnqueuedTimeUtc": "string",
        "SystemProperties": values,
        "Properties": {"type": "map", "values": ["long", "double", "string", "bytes", "null"]},
        "Body": ["null", "bytes"],
    }
    order = record("Order", {"id": "long", "customer": "string", "price": ["null", "double"]})
    hubs = {
        "meters": [json.dumps({"meter": i % 3, "kwh": i / 8}).encode() for i in range(24)],
        "orders": [datum(order, {"id": i, "customer": "ada", "price": [9.5, None][i]}) for i in range(2)],
    }
    schema = record("EventData", fields, namespace="Microsoft.ServiceBus.Messaging")
    for hub, bodies in hubs.items():
        rows = [
            {
                "SequenceNumber": i,
                "Offset": str(i * 64),
                "EnqueuedTimeUtc": f"1/1/2026 {i % 12 + 1}:15:00 PM",
                "SystemProperties": {"x-opt-enqueued-time": 1_767_225_600_000 + i},
                "Properties": {"source": hub},
                "Body": body,
            }
            for i, body in enumerate(bodies)
        ]
        folder = root / "capture" / "namespace" / hub / "0" / "2026" / "01" / "01" / "13" / "15"
        write(folder / "00.avro", schema, rows)
    (root / "order.avsc").write_text(json.dumps(order, indent=2))


def debezium(root: Path) -> None:
    """Write Debezium changes: the row before and after the change, of one named type."""
    times = {
        "born": {"type": "int", "connect.name": "io.debezium.time.Date"},
        "seen": {"type": "long", "connect.name": "io.debezium.time.MicroTimestamp"},
        "joined": {"type": "string", "connect.name": "io.debezium.time.ZonedTimestamp"},
    }
    row = record("Value", {"id": "long", "email": ["null", "string"], **times}, namespace="db.public.customers")
    values = {"born": 7305, "seen": 1_767_225_600_123_456, "joined": "2025-12-31T23:00:00Z"}
    fields = {
        "before": ["null", row],
        "after": ["null", "db.public.customers.Value"],
        "source": record("Source", {"table": "string", "lsn": ["null", "long"]}, namespace="io.debezium"),
        "op": "string",
        "ts_ms": ["null", "long"],
    }
    rows: Rows = []
    for i in range(12):
        row_before = {"id": i % 5, "email": f"{i - 5}@example.com", **values} if i >= 5 else None
        row_after = None if i == 11 else {"id": i % 5, "email": f"{i}@example.com", **values}
        op = "d" if i == 11 else "u" if i >= 5 else "c"
        source = {"table": "customers", "lsn": 1000 + i}
        rows.append(
            {"before": row_before, "after": row_after, "source": source, "op": op, "ts_ms": 1_767_225_600_000 + i}
        )
    envelope = record("Envelope", fields, namespace="db.public.customers")
    write(root / "debezium" / "customers.avro", envelope, rows)
    # A topic of the same events, each after the header of a registry with the id 1.
    (root / "debezium" / "customers.avsc").write_text(json.dumps(envelope))
    pl.DataFrame({"value": [b"\0\0\0\0\1" + datum(envelope, row) for row in rows]}).write_parquet(
        root / "debezium" / "topic.parquet"
    )


def tree(root: Path) -> None:
    """Write one linked list of three values, a recursive type."""
    fields = {"value": "long", "next": ["null", "Node"]}
    nodes = {"value": 1, "next": {"value": 2, "next": {"value": 3, "next": None}}}
    write(root / "tree.avro", record("Node", fields), [nodes])


def iceberg(root: Path) -> None:
    """
    Write a snapshot of an Iceberg table: the manifest list, two manifests of data files, one of delete files.

    The table has no partitions, so the record of their values has no fields.
    """
    folder = (root / "iceberg").resolve()
    files = []
    for i in range(6):
        path = folder / "data" / f"{i:05}.avro"
        write(path, record("table", {"id": "long", "amount": "double"}), [{"id": i, "amount": i / 4}] * (i + 1))
        files.append(path)
    lists = {"m0.avro": (0, files[:4]), "m1.avro": (0, files[4:]), "m2-deletes.avro": (1, [])}
    manifests = []
    for name, (content, listed) in lists.items():
        path = folder / "metadata" / name
        iceberg_manifest(path, content, listed)
        manifests.append(
            {
                "manifest_path": path.as_uri(),
                "manifest_length": path.stat().st_size,
                "partition_spec_id": 0,
                "content": content,
                "sequence_number": 1,
                "added_snapshot_id": 7000,
                "added_files_count": len(listed),
            }
        )
    kinds = {"manifest_path": "string", "manifest_length": "long", "partition_spec_id": "int", "content": "int"}
    kinds |= {"sequence_number": "long", "added_snapshot_id": "long", "added_files_count": "int"}
    write(folder / "metadata" / "snap-7000.avro", record("manifest_file", kinds), manifests)


def iceberg_manifest(path: Path, content: int, files: list[Path]) -> None:
    """Write a manifest; the fourth of the files has been deleted."""
    counts = record("k117_v118", {"key": "int", "value": "long"})
    data_file = {
        "content": "int",
        "file_path": "string",
        "file_format": "string",
        "partition": record("r102", {}),
        "record_count": "long",
        "file_size_in_bytes": "long",
        "column_sizes": ["null", {"type": "array", "items": counts, "logicalType": "map"}],
    }
    entry = {"status": "int", "snapshot_id": ["null", "long"], "data_file": record("r2", data_file)}
    rows = [
        {
            "status": 2 if file.stem == "00003" else 1,
            "snapshot_id": 7000,
            "data_file": {
                "content": content,
                "file_path": file.as_uri(),
                "file_format": "AVRO",
                "partition": {},
                "record_count": int(file.stem) + 1,
                "file_size_in_bytes": file.stat().st_size,
                "column_sizes": [{"key": 1, "value": 400}, {"key": 2, "value": 900}],
            },
        }
        for file in files
    ]
    metadata = {"format-version": "2", "partition-spec": "[]", "content": ["data", "deletes"][content]}
    write(path, record("manifest_entry", entry), rows, metadata=metadata)


def write_all(root: Path) -> None:
    """Write everything."""
    for make in (sample, weather, tree, bigquery, spark, kafka, event_hubs, debezium, iceberg):
        make(root)


if __name__ == "__main__":
    write_all(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
