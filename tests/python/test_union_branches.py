"""Union branches in files of several schemas match by full name, or by short name if that is unambiguous."""

import itertools

import polars as pl
import pytest
from branches import bar, foo, record, values
from containers import container, long, text
from polars.testing import assert_frame_equal

from polars_avro import AvroDataError, AvroSchemaError, read_avro, scan_avro


def file(union, *rows, name="u"):
    """A file with one union column, whose rows are tuples of branch index and encoded value."""
    data = b"".join(long(index) + value for index, value in rows)
    return container(record("R", (name, union)), (len(rows), data))


def united(*files):
    """The results of all orders of the files, by file."""
    found = {}
    for order in itertools.permutations(range(len(files))):
        df = read_avro([files[at] for at in order], schema_mode="union", include_file_paths="path")
        rows = values(df)
        by_file = {}
        for at in order:
            height = read_avro(files[at]).height
            by_file[at], rows = rows[:height], rows[height:]
        found[order] = [by_file[at] for at in range(len(files))]
    first, *others = found.values()
    assert all(other == first for other in others), found
    return first


def test_branches_that_share_a_short_name_keep_their_own_fields():
    one = file([foo("x"), bar("y")], (0, long(1)), (1, long(2)))
    other = file([foo("x"), bar("y", "z")], (0, long(3)), (1, long(4) + long(5)))
    assert united(one, other) == [
        [{"foo.Ctx": {"x": 1}}, {"bar.Ctx": {"y": 2}}],
        [{"foo.Ctx": {"x": 3}}, {"bar.Ctx": {"y": 4, "z": 5}}],
    ]
    df = read_avro([one, other], schema_mode="union")
    inner = {field.name: field.dtype for field in df.schema["u"].fields}
    assert inner == {"foo.Ctx": pl.Struct({"x": pl.Int64}), "bar.Ctx": pl.Struct({"y": pl.Int64, "z": pl.Int64})}


def test_a_branch_more_of_the_same_short_name_is_a_branch_of_its_own():
    one = file([foo("x"), "int"], (0, long(1)), (1, long(2)))
    other = file([bar("x"), foo("x"), "int"], (0, long(3)), (1, long(4)), (2, long(5)))
    assert united(one, other) == [
        [{"foo.Ctx": {"x": 1}}, {"int": 2}],
        [{"bar.Ctx": {"x": 3}}, {"foo.Ctx": {"x": 4}}, {"int": 5}],
    ]


def test_short_names_that_pair_up_are_one_branch():
    one = file([foo("x"), "int"], (0, long(1)), (1, long(2)))
    other = file([bar("x", "y"), "int"], (0, long(3) + long(4)), (1, long(5)))
    assert united(one, other) == [[{"Ctx": {"x": 1}}, {"int": 2}], [{"Ctx": {"x": 3, "y": 4}}, {"int": 5}]]


def test_of_three_files_one_tells_the_other_two_apart():
    files = [
        file([foo("x"), "int"], (0, long(1))),
        file([bar("y"), "int"], (0, long(2))),
        file([foo("x"), bar("z"), "int"], (0, long(3)), (1, long(4))),
    ]
    assert united(*files) == [
        [{"foo.Ctx": {"x": 1}}],
        [{"bar.Ctx": {"y": 2}}],
        [{"foo.Ctx": {"x": 3}}, {"bar.Ctx": {"z": 4}}],
    ]


def test_nullable_types_of_one_column_are_told_apart_by_a_third_file():
    files = [
        file(["null", foo("x")], (1, long(1))),
        file(["null", bar("y")], (1, long(2))),
        file(["null", foo("x"), bar("z")], (1, long(3)), (2, long(4)), (0, b"")),
    ]
    assert united(*files) == [
        [{"foo.Ctx": {"x": 1}}],
        [{"bar.Ctx": {"y": 2}}],
        [{"foo.Ctx": {"x": 3}}, {"bar.Ctx": {"z": 4}}, None],
    ]


def test_three_namespaces():
    names = ["a", "b", "c"]
    branch = {name: record(f"{name}.Ctx", (name, "long")) for name in names}
    files = [
        file([branch["a"], branch["b"]], (0, long(1)), (1, long(2))),
        file([branch["c"], branch["a"]], (0, long(3)), (1, long(4))),
        file([branch["b"], branch["c"]], (0, long(5)), (1, long(6))),
    ]
    assert united(*files) == [
        [{"a.Ctx": {"a": 1}}, {"b.Ctx": {"b": 2}}],
        [{"c.Ctx": {"c": 3}}, {"a.Ctx": {"a": 4}}],
        [{"b.Ctx": {"b": 5}}, {"c.Ctx": {"c": 6}}],
    ]


@pytest.mark.parametrize("kind", ["fixed", "enum"])
def test_fixed_and_enum_branches(kind):
    def branch(name, size):
        if kind == "fixed":
            return {"type": "fixed", "name": name, "size": size}
        return {"type": "enum", "name": name, "symbols": ["A", "B", "C"][:size]}

    value = {1: b"x", 2: b"yy", 3: b"zzz"} if kind == "fixed" else {size: long(size - 1) for size in (1, 2, 3)}
    shown = {1: b"x", 2: b"yy", 3: b"zzz"} if kind == "fixed" else {1: "A", 2: "B", 3: "C"}
    one = file([branch("foo.X", 1), branch("bar.X", 2)], (0, value[1]), (1, value[2]))
    other = file([branch("bar.X", 3), branch("foo.X", 2)], (0, value[3]), (1, value[2]))
    assert united(one, other) == [
        [{"foo.X": shown[1]}, {"bar.X": shown[2]}],
        [{"bar.X": shown[3]}, {"foo.X": shown[2]}],
    ]


@pytest.mark.parametrize("wrap", ["array", "map", "record", "union in a record"])
def test_nested_unions(wrap):
    def nested(*branches):
        if wrap == "array":
            return {"type": "array", "items": list(branches)}
        if wrap == "map":
            return {"type": "map", "values": list(branches)}
        inner = record("Inner", ("v", list(branches)))
        return inner if wrap == "record" else ["null", inner]

    def row(index, value):
        value = long(index) + value
        return {
            "array": long(1) + value + long(0),
            "map": long(1) + text("k") + value + long(0),
            "record": value,
            "union in a record": long(1) + value,
        }[wrap]

    def shown(df):
        for value in df["u"]:
            if wrap == "array":
                yield value[0]
            elif wrap == "map":
                yield value[0]["value"] if isinstance(value, list) else value["k"]
            else:
                yield value["v"]

    one = container(record("R", ("u", nested(foo("x"), bar("y")))), (2, row(0, long(1)) + row(1, long(2))))
    two = long(4) + long(5)
    other = container(record("R", ("u", nested(bar("y", "z"), foo("x")))), (2, row(1, long(3)) + row(0, two)))
    for files, expected in [((one, other), [1, (2, None), 3, (4, 5)]), ((other, one), [3, (4, 5), 1, (2, None)])]:
        df = read_avro(list(files), schema_mode="union")
        found = [
            value["foo.Ctx"]["x"] if value["foo.Ctx"] else (value["bar.Ctx"]["y"], value["bar.Ctx"]["z"])
            for value in shown(df)
        ]
        assert found == expected


def test_the_same_types_in_two_columns_of_which_one_file_lacks_one():
    both = [foo("x"), bar("y")]
    one = container(record("R", ("u", both), ("v", ["foo.Ctx", "bar.Ctx"])), (1, long(1) + long(2) + long(0) + long(3)))
    other = file([foo("x"), bar("y", "z")], (1, long(4) + long(5)))
    for files in ([one, other], [other, one]):
        df = read_avro(files, schema_mode="union").sort(pl.col("v").is_null())
        assert values(df) == [{"bar.Ctx": {"y": 2}}, {"bar.Ctx": {"y": 4, "z": 5}}]
        assert df["v"].to_list() == [{"foo.Ctx": {"x": 3}, "bar.Ctx": None}, None]


def test_with_the_first_schema_a_branch_more_is_an_error():
    one = file([foo("x"), "int"], (0, long(1)))
    other = file([bar("x"), foo("x"), "int"], (0, long(2)), (1, long(3)))
    with pytest.raises(AvroSchemaError, match=r"bar\.Ctx"):
        read_avro([one, other])
    options = pl.ScanCastOptions(extra_struct_fields="ignore")
    df = read_avro([one, other], cast_options=options)
    assert values(df) == [{"Ctx": {"x": 1}}, None, {"Ctx": {"x": 3}}]
    df = read_avro([other, one])
    assert values(df) == [{"bar.Ctx": {"x": 2}}, {"foo.Ctx": {"x": 3}}, {"foo.Ctx": {"x": 1}}]


@pytest.mark.parametrize("nullable", [False, True])
def test_one_type_is_not_two_of_its_short_name(nullable):
    nulls = ["null"] if nullable else []
    one = file([*nulls, foo("x")], (len(nulls), long(1)))
    other = file([*nulls, foo("x"), bar("x")], (len(nulls), long(2)), (1 + len(nulls), long(3)))
    with pytest.raises(AvroSchemaError, match=r"bar\.Ctx"):
        read_avro([one, other])
    one = container(record("R", ("u", foo("x"))), (1, long(1)))
    with pytest.raises(AvroSchemaError, match=r"bar\.Ctx"):
        read_avro([one, other])


def test_with_the_first_schema_short_names_pair_up():
    one = file([foo("x"), "int"], (0, long(1)))
    other = file([bar("x"), "int"], (0, long(2)))
    assert values(read_avro([one, other])) == [{"Ctx": {"x": 1}}, {"Ctx": {"x": 2}}]
    assert values(read_avro([other, one])) == [{"Ctx": {"x": 2}}, {"Ctx": {"x": 1}}]


def test_a_reader_schema_takes_full_names_first():
    written = file([bar("x"), foo("x"), "int"], (0, long(1)), (1, long(2)), (2, long(3)))
    swapped = record("R", ("u", ["int", foo("x"), bar("x")]))
    df = read_avro(written, reader_schema=swapped)
    assert values(df) == [{"bar.Ctx": {"x": 1}}, {"foo.Ctx": {"x": 2}}, {"int": 3}]
    lacking = record("R", ("u", [foo("x"), "int"]))
    with pytest.raises(AvroDataError, match=r"bar\.Ctx"):
        read_avro(written, reader_schema=lacking)
    only = record("R", ("u", foo("x")))
    with pytest.raises(AvroDataError, match=r"bar\.Ctx"):
        read_avro(written, reader_schema=only)
    alone = container(record("R", ("u", foo("x"))), (1, long(7)))
    assert values(read_avro(alone, reader_schema=only)) == [{"x": 7}]


def test_a_reader_schema_with_aliases():
    written = file([bar("x"), foo("x")], (0, long(1)), (1, long(2)))
    renamed = [{**foo("x"), "name": "new.One", "aliases": ["foo.Ctx"]}, {**bar("x"), "name": "new.Two"}]
    renamed[1]["aliases"] = ["bar.Ctx"]
    df = read_avro(written, reader_schema=record("R", ("u", renamed)))
    assert values(df) == [{"Two": {"x": 1}}, {"One": {"x": 2}}]


def test_short_names_that_do_not_pair_up_are_no_match():
    written = file([record("c.Ctx", ("x", "long")), "int"], (0, long(1)), (1, long(2)))
    wanted = record("R", ("u", [foo("x"), bar("x"), "int"]))
    with pytest.raises(AvroDataError, match=r"c\.Ctx"):
        read_avro(written, reader_schema=wanted)
    assert scan_avro(written, reader_schema=wanted).collect_schema().names() == ["u"]


def test_records_of_several_depths():
    def deep(x, y):
        inner = record("foo.In", ("c", [foo(*x), bar(*y)]))
        return record("bar.In", ("i", [inner, "null"]), ("c", ["bar.Ctx", "foo.Ctx"]))

    def row(one, two):
        return long(0) + long(1) + one + long(0) + two

    old = container(record("R", ("u", deep(["x"], ["y"]))), (1, row(long(1), long(2))))
    new = container(record("R", ("u", deep(["x"], ["y", "z"]))), (1, row(long(3) + long(4), long(5) + long(6))))
    for files, at in (([old, new], 0), ([new, old], 1)):
        df = read_avro(files, schema_mode="union")
        assert values(df[at : at + 1]) == [{"i": {"c": {"bar.Ctx": {"y": 1}}}, "c": {"bar.Ctx": {"y": 2}}}]
        other = df[1 - at : 2 - at]
        assert values(other) == [{"i": {"c": {"bar.Ctx": {"y": 3, "z": 4}}}, "c": {"bar.Ctx": {"y": 5, "z": 6}}}]
    assert_frame_equal(read_avro([old, old]), pl.concat([read_avro(old)] * 2))
