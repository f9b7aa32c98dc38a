"""Runs the code of the guide to datums in columns."""

import re
from pathlib import Path

import pytest
from registry_server import serve

GUIDE = Path(__file__).parents[2] / "docs" / "datums.md"


def test_the_code_of_the_guide_runs(examples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(examples)
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
