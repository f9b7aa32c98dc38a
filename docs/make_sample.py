"""Writes ``docs/sample.avro``, the file that the examples read. Needs fastavro."""

import random
from datetime import datetime, timedelta, timezone
from pathlib import Path

import fastavro

STATIONS = ["Bergen", "Cusco", "Da Nang", "Oran", "Perth"]
SCHEMA = {
    "type": "record",
    "name": "Measurement",
    "namespace": "example.weather",
    "fields": [
        {"name": "station", "type": "string"},
        {"name": "time", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "celsius", "type": ["null", "double"]},
        {"name": "sky", "type": {"type": "enum", "name": "Sky", "symbols": ["CLEAR", "CLOUDS", "RAIN"]}},
        {"name": "gusts", "type": {"type": "array", "items": "int"}},
    ],
}


def measurements() -> list[dict[str, object]]:
    """Make 300 hours of weather from a fixed seed."""
    rng = random.Random(2026)
    start = datetime(2026, 1, 1, tzinfo=timezone.utc)
    return [
        {
            "station": STATIONS[hour % len(STATIONS)],
            "time": start + timedelta(hours=hour),
            "celsius": None if hour % 29 == 7 else round(rng.gauss(15, 8), 1),
            "sky": rng.choice(["CLEAR", "CLOUDS", "RAIN"]),
            "gusts": [rng.randint(0, 90) for _ in range(hour % 3)],
        }
        for hour in range(300)
    ]


if __name__ == "__main__":
    target = Path(__file__).with_name("sample.avro")
    with target.open("wb") as file:
        options = {"codec": "deflate", "sync_interval": 1500, "sync_marker": bytes(range(16))}
        fastavro.writer(file, SCHEMA, measurements(), metadata={"made.by": "make_sample.py"}, **options)
