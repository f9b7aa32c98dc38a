"""The code of the guide to datums in columns."""

import json
import re
from pathlib import Path

import fastavro
import pytest
from framed import datum
from registry_server import serve

GUIDE = Path(__file__).parents[2] / "docs" / "datums.md"
#: The schema of files that Event Hubs writes.
PROPERTIES = {"type": "map", "values": ["long", "double", "string", "bytes"]}
CAPTURE = {
    "type": "record",
    "name": "EventData",
    "namespace": "Microsoft.ServiceBus.Messaging",
    "fields": [
        {"name": "SequenceNumber", "type": "long"},
        {"name": "Offset", "type": "string"},
        {"name": "EnqueuedTimeUtc", "type": "string"},
        {"name": "SystemProperties", "type": PROPERTIES},
        {"name": "Properties", "type": PROPERTIES},
        {"name": "Body", "type": ["null", "bytes"]},
    ],
}
ORDER = {
    "type": "record",
    "name": "Order",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "customer", "type": "string"},
        {"name": "price", "type": ["null", "double"]},
    ],
}


def write_captures(folder: Path) -> None:
    folder.mkdir()
    for i, price in enumerate([9.5, None]):
        body = datum({"id": i, "customer": "ada", "price": price}, ORDER)
        event = {"SequenceNumber": i, "Offset": str(i), "EnqueuedTimeUtc": "1/2/2026 3:04:05 AM", "Body": body}
        with (folder / f"{i}.avro").open("wb") as file:
            fastavro.writer(file, CAPTURE, [event | {"SystemProperties": {}, "Properties": {"a": 1}}], codec="deflate")


def test_the_code_of_the_guide_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_captures(tmp_path / "capture")
    (tmp_path / "order.avsc").write_text(json.dumps(ORDER))
    blocks = re.findall(r"^```python\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    assert len(blocks) > 4
    names: dict[str, object] = {}
    with serve() as server:
        for block in blocks:
            exec(compile(block.replace("http://localhost:8081", server.url), str(GUIDE), "exec"), names)
        assert server.requests[:2] == [
            "POST /subjects/orders-value/versions",
            "GET /subjects/orders-value/versions/latest",
        ]
