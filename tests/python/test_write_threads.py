"""Writers that are shared by threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from polars_avro import AvroSchemaError, AvroWriter, read_avro

N_THREADS = 4


def together(*calls: Callable[[], None]) -> list[BaseException]:
    """Run calls concurrently, each on its own thread, and return their exceptions."""
    barrier, raised = threading.Barrier(len(calls)), []

    def run(call: Callable[[], None]) -> None:
        barrier.wait()
        try:
            call()
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


@pytest.mark.parametrize("append", [False, True])
def test_threads_that_begin_a_file_together_lose_no_rows(tmp_path: Path, append: bool) -> None:
    for number in range(50):
        path = tmp_path / f"{number}.avro"
        frames = [pl.DataFrame({"a": range(10 * k, 10 * k + 10)}) for k in range(N_THREADS)]
        if append:
            with AvroWriter(path) as first:
                first.write(frames[0].clear())
        with AvroWriter(path, append=append) as writer:
            calls = [lambda df=df: writer.write(df) for df in frames]  # type: ignore[misc]
            assert together(*calls) == []
            assert writer.rows_written == 40
        df = read_avro(path)
        assert sorted(df["a"]) == list(range(40))
        # The rows of a call stay together.
        assert all(df["a"][10 * k] % 10 == 0 and df["a"][10 * k + 9] == df["a"][10 * k] + 9 for k in range(N_THREADS))


def test_closing_waits_for_rows_that_are_written(tmp_path: Path) -> None:
    for number in range(50):
        path = tmp_path / f"{number}.avro"
        writer = AvroWriter(path, schema={"a": pl.Int64})
        df = pl.DataFrame({"a": range(1000)})
        raised = together(lambda: writer.write(df), writer.close, lambda: writer.write(df), writer.close)  # noqa: B023
        assert all(str(error) == "the writer is closed" for error in raised)
        assert read_avro(path).height == writer.rows_written == 1000 * (2 - len(raised))


def test_one_thread_alone_decides_on_the_columns(tmp_path: Path) -> None:
    for number in range(20):
        path = tmp_path / f"{number}.avro"
        writer = AvroWriter(path)
        a, b = pl.DataFrame({"a": [1]}), pl.DataFrame({"b": ["x"]})
        raised = together(lambda: writer.write(a), lambda: writer.write(b))  # noqa: B023
        assert [type(error) for error in raised] == [AvroSchemaError]
        assert not path.exists()


def test_an_abort_waits_for_a_write(tmp_path: Path) -> None:
    for number in range(20):
        path = tmp_path / f"{number}.avro"
        writer = AvroWriter(path)
        together(lambda: writer.write(pl.DataFrame({"a": range(1000)})), writer.abort)  # noqa: B023
        writer.abort()
        assert list(tmp_path.iterdir()) == []
