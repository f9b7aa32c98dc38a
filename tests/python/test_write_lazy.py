"""Lazy sinks are sinks of Polars' engine, as those of `sink_parquet` are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from write_parity import LF, Case, Sink, check

pytestmark = [
    pytest.mark.filterwarnings("ignore:`PartitionBy`"),
    pytest.mark.filterwarnings("ignore:.*considered unstable"),
]


def _lazy(sink: Sink, directory: Path, kind: str) -> Any:
    lf = sink(LF, directory / f"a.{kind}", lazy=True)
    assert isinstance(lf, pl.LazyFrame)
    assert not list(directory.iterdir())
    return lf.collect().shape


def _together(sink: Sink, directory: Path, kind: str) -> Any:
    sinks = [sink(LF.filter(pl.col("i") > n), directory / f"{n}.{kind}", lazy=True) for n in range(3)]
    return [df.shape for df in pl.collect_all(sinks)]


def _together_lazily(sink: Sink, directory: Path, kind: str) -> Any:
    sinks = [sink(LF.filter(pl.col("i") > n), directory / f"{n}.{kind}", lazy=True) for n in range(3)]
    return pl.collect_all(sinks, lazy=True).collect().shape


def _on_top(sink: Sink, directory: Path, kind: str) -> Any:
    return sink(sink(LF, directory / f"a.{kind}", lazy=True), directory / f"b.{kind}")


def _lazy_on_top(sink: Sink, directory: Path, kind: str) -> Any:
    return sink(sink(LF, directory / f"a.{kind}", lazy=True), directory / f"b.{kind}", lazy=True)


def _made_of(sink: Sink, directory: Path, kind: str) -> Any:
    return sink(sink(LF, directory / f"a.{kind}", lazy=True).with_columns(x=1), directory / f"b.{kind}")


def _polars_on_top(sink: Sink, directory: Path, kind: str) -> Any:
    return sink(LF, directory / f"a.{kind}", lazy=True).sink_csv(directory / "b.csv")


def _on_top_of_polars(sink: Sink, directory: Path, kind: str) -> Any:
    return sink(LF.sink_csv(directory / "a.csv", lazy=True), directory / f"b.{kind}")


def _input_of(operation: Callable[[pl.LazyFrame], pl.LazyFrame]) -> Case:
    return lambda sink, directory, kind: operation(sink(LF, directory / f"a.{kind}", lazy=True)).collect()


INPUTS: dict[str, Case] = {
    "filter": _input_of(lambda lf: lf.filter(pl.lit(True))),
    "select": _input_of(lambda lf: lf.select(pl.len())),
    "head": _input_of(lambda lf: lf.head(1)),
    "cache": _input_of(lambda lf: lf.cache()),
    "cross join": _input_of(lambda lf: LF.join(lf, how="cross")),
    "left of a join": _input_of(lambda lf: lf.join(LF, how="cross")),
    "horizontal": _input_of(lambda lf: pl.concat([LF, lf], how="horizontal")),
    "vertical": _input_of(lambda lf: pl.concat([lf, lf])),
}


@pytest.mark.parametrize("case", [_lazy, _together, _together_lazily])
def test_lazy_sinks(tmp_path: Path, case: Case) -> None:
    check(tmp_path, case)


@pytest.mark.parametrize("case", [_on_top, _lazy_on_top, _made_of, _polars_on_top, _on_top_of_polars])
def test_no_sink_stands_on_another_one(tmp_path: Path, case: Case) -> None:
    check(tmp_path, case, error=pl.exceptions.InvalidOperationError)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
@pytest.mark.parametrize("case", INPUTS.values(), ids=INPUTS)
def test_a_lazy_sink_is_no_input(tmp_path: Path, case: Case, engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLARS_ENGINE_AFFINITY", engine)
    check(tmp_path, case, error=pl.exceptions.InvalidOperationError)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
