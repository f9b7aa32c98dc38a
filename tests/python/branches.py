"""Avro types and values for tests of unions."""


def record(name, *fields):
    return {"type": "record", "name": name, "fields": [{"name": field, "type": kind} for field, kind in fields]}


def foo(*fields):
    return record("foo.Ctx", *((field, "long") for field in fields))


def bar(*fields):
    return record("bar.Ctx", *((field, "long") for field in fields))


def values(df):
    """The rows of the column, without null fields."""

    def without_nulls(value):
        if isinstance(value, dict):
            inner = {key: without_nulls(each) for key, each in value.items()}
            return {key: each for key, each in inner.items() if each is not None} or None
        if isinstance(value, list):
            return [without_nulls(each) for each in value]
        return value

    return [without_nulls(value) for value in df["u"].to_list()]
