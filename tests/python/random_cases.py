"""The number of cases in random tests: few by default, and the same ones each time.

`POLARS_AVRO_CASES` sets another number, and then each run draws its own. `nox -s slow` sets it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings

CASES = int(os.environ.get("POLARS_AVRO_CASES", "100"))


def cases(share: float = 1, **options: Any) -> Callable[[Any], Any]:
    """Return a decorator that runs a test of hypothesis on this share of the cases."""
    return settings(
        max_examples=max(1, round(CASES * share)),
        deadline=None,
        database=None,
        derandomize="POLARS_AVRO_CASES" not in os.environ,
        suppress_health_check=list(HealthCheck),
        **options,
    )
