"""Options of several functions have the same default, type and text in all of them."""

import inspect
import re

import polars as pl
import pytest

import polars_avro
import polars_avro.dask
import polars_avro.ray
from polars_avro._frame_namespaces import DataFrameNamespace, LazyFrameNamespace

FUNCTIONS = [polars_avro.scan_avro, polars_avro.read_avro, polars_avro.AvroReader]


def options(function):
    """The keyword-only parameters of a function."""
    every = inspect.signature(function).parameters.values()
    return {each.name: each for each in every if each.kind is inspect.Parameter.KEYWORD_ONLY}


def texts(function):
    """The heading and the text of each parameter in the docstring."""
    section = inspect.getdoc(function).split("Parameters\n----------\n")[1]
    section = re.split(r"\n\n\w[\w ]+\n---", section)[0]
    parts = re.split(r"^(?=\S)", section, flags=re.MULTILINE)
    found = [part.partition("\n") for part in parts if part]
    return {head.split(" :")[0]: (head, " ".join(text.split())) for head, _, text in found}


NAMES = sorted({name for function in FUNCTIONS for name in options(function)})


@pytest.mark.parametrize("name", NAMES)
def test_an_option_is_the_same_in_all_functions(name):
    having = [function for function in FUNCTIONS if name in options(function)]
    assert len({(options(f)[name].default, str(options(f)[name].annotation)) for f in having}) == 1
    assert len({texts(f)[name] for f in having}) == 1


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_docstring_has_every_parameter_in_order(function):
    assert list(texts(function)) == ["source", *options(function)]
    assert all(text for _, text in texts(function).values())


def test_what_is_shared_is_what_we_think():
    shared = set.intersection(*(set(options(function)) for function in FUNCTIONS))
    assert {"n_rows", "row_index_name", "ignore_errors", "reader_schema", "batch_size", "limits"} <= shared
    assert set(options(polars_avro.scan_avro)) - set(options(polars_avro.read_avro)) == {"cache"}


def test_options_are_named_ordered_and_preset_as_in_scan_parquet():
    ours, theirs = options(polars_avro.scan_avro), options(pl.scan_parquet)
    both = [name for name in theirs if name in ours]
    assert [name for name in ours if name in theirs] == both
    assert len(both) == 17
    assert {name: ours[name].default for name in both} == {name: theirs[name].default for name in both}
    left_out = {name for name in theirs if name not in ours and not name.startswith("_")}
    # Statistics, encryption and `parallel` are specific to Parquet.
    assert left_out <= {"parallel", "use_statistics", "decryption"}


@pytest.mark.parametrize("name", ["decode", "encode"])
@pytest.mark.parametrize("owner", [pl.col("value"), pl.Series("value", [b""])], ids=["expression", "series"])
def test_namespaces_take_the_arguments_of_the_functions(owner, name):
    _, *own = inspect.signature(getattr(polars_avro, name)).parameters.values()
    method = getattr(owner.avro, name)
    assert list(inspect.signature(method).parameters.values()) == own
    assert method.__doc__ == getattr(polars_avro, name).__doc__
    with pytest.raises(TypeError, match="unexpected keyword argument 'unknown'"):
        method(unknown=1)


WRITERS = [polars_avro.write_avro, polars_avro.sink_avro, polars_avro.AvroWriter]


@pytest.mark.parametrize("name", sorted({name for function in WRITERS for name in texts(function)} - {"target"}))
def test_an_option_of_writing_has_the_same_text_everywhere(name):
    assert len({texts(f)[name] for f in WRITERS if name in texts(f)}) == 1


PUBLIC = [
    *(getattr(polars_avro, name) for name in ("decode", "encode", "plan_splits", "scan_splits", "SchemaRegistry")),
    *(polars_avro.read_avro_schema, polars_avro.read_avro_metadata, polars_avro.Split.read, *FUNCTIONS, *WRITERS),
    *(DataFrameNamespace.write, DataFrameNamespace.schema, LazyFrameNamespace.sink, LazyFrameNamespace.schema),
    *(polars_avro.ray.read_avro, polars_avro.ray.write_avro, polars_avro.dask.read_avro),
]


@pytest.mark.parametrize("function", PUBLIC, ids=lambda function: f"{function.__module__}.{function.__qualname__}")
def test_every_parameter_has_an_entry_of_its_own(function):
    kinds = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    parameters = inspect.signature(function).parameters.values()
    names = [kinds.get(each.kind, "") + each.name for each in parameters if each.name != "self"]
    assert list(texts(function)) == names
    assert all(text for _, text in texts(function).values())
