"""The union of the schemas of files does not depend on the order of the files."""

import itertools
from typing import Any

import polars as pl
import pytest
from branches import bar, foo, record, values
from containers import written as fastavro_written

from polars_avro import read_avro


def symbols(name, *values):
    return {"type": "enum", "name": name, "symbols": list(values)}


def fixed(name, size):
    return {"type": "fixed", "name": name, "size": size}


APART = {
    "records": (
        (record("bar.Ev", ("y", "long")), [{"y": 1}]),
        (foo("x", "y"), [{"x": 2, "y": 3}]),
        ([foo("x"), bar("y")], [{"x": 5}, {"y": 6}]),
    ),
    "records of a shared name": (
        (bar("y"), [{"y": 1}]),
        (foo("x", "y"), [{"x": 2, "y": 3}]),
        ([foo("x", "y"), bar("y")], [{"x": 5, "y": 7}, {"y": 6}]),
    ),
    "nullable records": (
        (["null", bar("y")], [None, {"y": 1}]),
        ([foo("x", "y"), "null"], [{"x": 2, "y": 3}, None]),
        (["null", bar("y"), foo("x", "y")], [{"y": 6}, {"x": 5, "y": 7}, None]),
    ),
    "enums": (
        (symbols("bar.E", "P"), ["P"]),
        (symbols("foo.E", "Q"), ["Q"]),
        ([symbols("foo.E", "Q"), symbols("bar.E", "P"), "int"], ["Q", "P", 3]),
    ),
    "fixed": (
        (fixed("bar.E", 1), [b"x"]),
        (fixed("foo.E", 2), [b"yy"]),
        ([fixed("foo.E", 2), fixed("bar.E", 1), "int"], [b"zz", b"a", 3]),
    ),
    "numbers": (("int", [1]), ("long", [2]), (["string", "double"], ["a", 0.5])),
    "types without a common one": (("int", [1]), (foo("x"), [{"x": 2}]), (["int", "string"], [3, "b"])),
}


def without_order(dtype):
    """A dtype, except for the order of fields and categories."""
    if isinstance(dtype, pl.Enum):
        return sorted(dtype.categories)
    if isinstance(dtype, pl.Struct):
        return {field.name: without_order(field.dtype) for field in dtype.fields}
    inner = getattr(dtype, "inner", None) or getattr(dtype, "value", None)
    return dtype if inner is None else (type(dtype), without_order(inner))


WRAPPED = {
    "column": (lambda kind: kind, lambda value: value),
    "list": (lambda kind: {"type": "array", "items": kind}, lambda value: [value]),
    "map": (lambda kind: {"type": "map", "values": kind}, lambda value: {"k": value}),
    "field": (lambda kind: record("Outer", ("v", kind)), lambda value: {"v": value}),
    "list of records": (
        lambda kind: {"type": "array", "items": ["null", record("Outer", ("v", kind))]},
        lambda value: [None, {"v": value}],
    ),
}


@pytest.mark.parametrize("wrapped", WRAPPED)
@pytest.mark.parametrize("case", APART)
def test_the_union_does_not_depend_on_the_order_of_files(case, wrapped):
    wrap, wrap_value = WRAPPED[wrapped]
    files = [
        fastavro_written(record("R", ("u", wrap(kind))), [{"u": wrap_value(value)} for value in values_of])
        for kind, values_of in APART[case]
    ]
    found = {}
    for order in itertools.permutations(range(3)):
        df = read_avro([files[at] for at in order], schema_mode="union")
        heights = [len(APART[case][at][1]) for at in order]
        parts = {at: values(df[sum(heights[:place]) :][: heights[place]]) for place, at in enumerate(order)}
        found[order] = (without_order(df.schema["u"]), [parts[at] for at in range(3)])
    first, *others = found.values()
    assert all(other == first for other in others), found


def array(kind):
    return {"type": "array", "items": kind}


#: Columns of the files: a type that two columns share is a branch in one of them and not in the other.
SHARED_TYPES = {
    "numbers": [{"a": "int", "b": "int"}, {"a": "long", "b": "long"}, {"b": ["boolean", "string"]}],
    "texts": [{"a": "string", "b": "string"}, {"a": "bytes", "b": "bytes"}, {"b": ["boolean", "int"]}],
    "lists": [{"a": array("int"), "b": "int"}, {"a": array("long"), "b": "long"}, {"b": ["boolean", "string"]}],
    "floats": [{"b": "float", "c": ["null", "float"]}, {"b": "double", "c": "double"}, {"b": ["boolean", "string"]}],
    "fixed": [{"a": fixed("F", 2), "b": ["F", "int"]}, {"a": fixed("F", 3), "b": "F"}],
    "fixed and bytes": [{"a": fixed("F", 2), "b": ["F", "int", "bytes"]}, {"a": fixed("F", 3), "b": "F"}],
    "fixed of three": [
        {"a": fixed("F", 2), "b": "F"},
        {"a": fixed("F", 3), "b": "F"},
        {"b": [fixed("F", 2), "int"]},
    ],
    "enums": [
        {"a": symbols("E", "A"), "b": ["E", "int"]},
        {"a": symbols("E", "B"), "b": "E"},
        {"a": "string", "b": "string"},
    ],
    "records": [
        {"a": record("X", ("x", "int")), "b": "X", "c": array("X")},
        {"a": record("Y", ("x", "long")), "b": "Y", "c": array("Y")},
        {"b": record("Z", ("x", ["string", "boolean"]))},
    ],
}


def sample(kind, names):
    """A value of a type, and how fastavro writes it in a union."""
    if isinstance(kind, list):
        branch = next(branch for branch in kind if branch != "null")
        inner = names.get(branch, branch) if isinstance(branch, str) else branch
        return sample(branch, names) if not isinstance(inner, dict) else (inner["name"], sample(inner, names))
    if isinstance(kind, str) and kind not in names:
        plain = {"int": 1, "long": 2, "string": "s", "bytes": b"b", "boolean": True, "float": 0.5, "double": 0.25}
        return plain[kind]
    kind = names.get(kind, kind) if isinstance(kind, str) else kind
    names.setdefault(kind.get("name", ""), kind)
    if kind["type"] == "fixed":
        return b"x" * kind["size"]
    if kind["type"] == "enum":
        return kind["symbols"][0]
    if kind["type"] == "array":
        return [sample(kind["items"], names)]
    return {field["name"]: sample(field["type"], names) for field in kind["fields"]}


@pytest.mark.parametrize("case", SHARED_TYPES)
def test_a_type_may_be_a_branch_in_one_column_and_not_in_another(case):
    files = []
    for columns in SHARED_TYPES[case]:
        names: dict[str, Any] = {}
        row = {name: sample(kind, names) for name, kind in columns.items()}
        files.append(fastavro_written(record("R", *columns.items()), [row]))
    found = {}
    for order in itertools.permutations(range(len(files))):
        df = read_avro([files[at] for at in order], schema_mode="union")
        dtypes = {name: without_order(dtype) for name, dtype in df.schema.items()}
        rows = [df[order.index(at)].select(sorted(df.columns)).to_dicts() for at in range(len(files))]
        found[order] = (dtypes, [values(pl.DataFrame({"u": row})) for row in rows])
    first, *others = found.values()
    assert all(other == first for other in others), found


def test_recursive_types_with_unions_stay_recursive():
    def nested(*more):
        return record("E", ("next", ["null", "E", *more]), ("x", "int"))

    one = fastavro_written(record("R", ("c", nested())), [{"c": {"next": {"next": None, "x": 1}, "x": 2}}])
    two = fastavro_written(record("R", ("c", nested("int"))), [{"c": {"next": ("int", 5), "x": 3}}])
    for files in ([one, two], [two, one]):
        df = read_avro(files, schema_mode="union")
        assert without_order(df["c"].dtype) == without_order(read_avro(two)["c"].dtype)
        assert df["c"].dtype != read_avro(one)["c"].dtype
