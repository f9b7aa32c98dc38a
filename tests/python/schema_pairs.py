"""Pairs of a random writer schema, a reader schema derived from it, and values, all determined by a seed."""

from __future__ import annotations

import copy
import random
from dataclasses import dataclass
from typing import Any

PRIMITIVES = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
WIDER = {
    "int": ("long", "float", "double"),
    "long": ("float", "double"),
    "float": ("double",),
    "string": ("bytes",),
    "bytes": ("string",),
}
#: Branches that resolution could confuse are never in one union.
BRANCHES = (("boolean",), ("int", "long", "float", "double"), ("string", "bytes", "enum"), ("array",), ("record",))


@dataclass
class Pair:
    """Two schemas, and values that were written with the first."""

    writer: Any
    reader: Any
    rows: list[Any]


class Maker:
    """Makes pairs. Named types are used once, because references are tested elsewhere."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.names = 0

    def pair(self) -> Pair:
        """Make a writer's schema, rows, and a reader's schema by random changes of the writer's."""
        writer = self.record(0)
        rows = [self.value(writer) for _ in range(self.random.randint(1, 8))]
        return Pair(writer, self.changed(writer), rows)

    def name(self, prefix: str) -> str:
        self.names += 1
        return f"{prefix}{self.names}"

    def record(self, depth: int) -> Any:
        fields = [{"name": self.name("f"), "type": self.type(depth + 1)} for _ in range(self.random.randint(1, 4))]
        return {"type": "record", "name": self.name("R"), "fields": fields}

    def type(self, depth: int) -> Any:
        kinds = [*PRIMITIVES, "enum", "fixed"]
        if depth < 4:
            kinds += ["record", "array", "map", "nullable", "union"] * 2
        return self.of_kind(self.random.choice(kinds), depth)

    def of_kind(self, kind: str, depth: int) -> Any:  # noqa: PLR0911  (one return a kind)
        if kind == "enum":
            count = self.random.randint(1, 4)
            return {"type": "enum", "name": self.name("E"), "symbols": [f"S{i}" for i in range(count)]}
        if kind == "fixed":
            return {"type": "fixed", "name": self.name("F"), "size": self.random.randint(0, 4)}
        if kind == "record":
            return self.record(depth)
        if kind == "array":
            return {"type": "array", "items": self.type(depth + 1)}
        if kind == "map":
            return {"type": "map", "values": self.type(depth + 1)}
        if kind == "nullable":
            branches = ["null", self.of_kind(self.random.choice((*PRIMITIVES[1:], "array", "record")), depth + 1)]
            return self.random.sample(branches, 2)
        if kind == "union":
            groups = self.random.sample(BRANCHES, self.random.randint(2, 3))
            branches = [self.of_kind(self.random.choice(group), depth + 1) for group in groups]
            return self.random.sample([*branches, "null"], len(branches) + self.random.randint(0, 1))
        return kind

    def value(self, schema: Any) -> Any:  # noqa: PLR0911  (one return a kind)
        kind = kind_of(schema)
        if kind == "union":
            return self.value(self.random.choice(schema))
        if kind == "record":
            return {field["name"]: self.value(field["type"]) for field in schema["fields"]}
        if kind == "array":
            return [self.value(schema["items"]) for _ in range(self.random.randint(0, 3))]
        if kind == "map":
            return {f"k{i}": self.value(schema["values"]) for i in range(self.random.randint(0, 3))}
        if kind == "enum":
            return self.random.choice(schema["symbols"])
        if kind == "fixed":
            return self.random.randbytes(schema["size"])
        return {
            "null": None,
            "boolean": self.random.random() < 0.5,
            "int": self.random.randint(-(1 << 20), 1 << 20),
            "long": self.random.randint(-(1 << 20), 1 << 20),
            "float": self.random.randint(-99, 99) / 4,
            "double": self.random.randint(-99, 99) / 4,
            "bytes": f"b{self.random.randint(0, 999)}é".encode(),
            "string": f"s{self.random.randint(0, 999)}é",
        }[kind]

    def changed(self, schema: Any) -> Any:
        """A type as which values of `schema` can usually be read."""
        kind = kind_of(schema)
        if kind == "union":
            return self.changed_union(schema)
        if kind in WIDER and self.random.random() < 0.3:
            return self.random.choice(WIDER[kind])
        if kind in PRIMITIVES:
            # Occasionally an unreadable type or a union.
            if self.random.random() < 0.02:
                return self.random.choice(PRIMITIVES)
            return [kind, "null"] if kind != "null" and self.random.random() < 0.1 else kind
        schema = copy.deepcopy(schema)
        if kind == "record":
            schema["fields"] = self.changed_fields(schema["fields"])
        elif kind == "array":
            schema["items"] = self.changed(schema["items"])
        elif kind == "map":
            schema["values"] = self.changed(schema["values"])
        elif kind == "enum" and self.random.random() < 0.5:
            schema["symbols"] = self.random.sample([*schema["symbols"], "T0", "T1"], len(schema["symbols"]) + 1)
            if self.random.random() < 0.7:
                schema["default"] = self.random.choice(schema["symbols"])
        if "name" in schema and self.random.random() < 0.2:
            schema["aliases"] = [schema["name"]]
            schema["name"] = self.name("N")
        return schema

    def changed_union(self, branches: list[Any]) -> Any:
        kept = [branch if self.random.random() < 0.5 else self.changed_branch(branch) for branch in branches]
        if len(kept) > 1 and self.random.random() < 0.15:
            kept.pop(self.random.randrange(len(kept)))
        if "null" not in kept and self.random.random() < 0.3:
            kept.append("null")
        if len(kept) == 1 and self.random.random() < 0.5:
            return kept[0]
        return self.random.sample(kept, len(kept))

    def changed_branch(self, branch: Any) -> Any:
        changed = self.changed(branch)
        return branch if isinstance(changed, list) else changed

    def changed_fields(self, fields: list[Any]) -> list[Any]:
        kept = [{**field, "type": self.changed(field["type"])} for field in fields if self.random.random() < 0.85]
        for field in kept:
            if self.random.random() < 0.15:
                field["aliases"] = [field["name"]]
                field["name"] = self.name("n")
        for _ in range(self.random.choice((0, 0, 1, 2))):
            kept.append(self.new_field())
        return self.random.sample(kept, len(kept))

    def new_field(self) -> Any:
        while True:
            schema = self.type(3)
            # The default of a union belongs to its first branch.
            value = self.value(schema[0] if isinstance(schema, list) else schema)
            if not has_bytes(schema):
                return {"name": self.name("d"), "type": schema, "default": value}


def kind_of(schema: Any) -> str:
    """The kind of a type."""
    if isinstance(schema, list):
        return "union"
    return schema["type"] if isinstance(schema, dict) else schema


def has_bytes(schema: Any) -> bool:
    """Return whether values contain bytes, which fastavro does not decode in defaults."""
    if isinstance(schema, list):
        return any(map(has_bytes, schema))
    if isinstance(schema, str):
        return schema == "bytes"
    inner = [field["type"] for field in schema.get("fields", ())] + [schema.get("items"), schema.get("values")]
    return schema["type"] == "fixed" or any(has_bytes(each) for each in inner if each is not None)


def as_polars(schema: Any, value: Any) -> Any:  # noqa: PLR0911  (one return a kind)
    """A value of fastavro as Polars returns it."""
    kind = kind_of(schema)
    if kind == "union":
        if value is None:
            return None
        branches = [branch for branch in schema if branch != "null"]
        if len(branches) == 1:
            return as_polars(branches[0], value)
        taken = next(branch for branch in branches if is_of(branch, value))
        return {word(branch): as_polars(branch, value) if branch is taken else None for branch in branches}
    if kind == "record":
        return {field["name"]: as_polars(field["type"], value[field["name"]]) for field in schema["fields"]}
    if kind == "array":
        return [as_polars(schema["items"], item) for item in value]
    if kind == "map":
        return {key: as_polars(schema["values"], item) for key, item in value.items()}
    return value


def word(branch: Any) -> str:
    """Return the name of a branch of a union."""
    return branch.get("name", branch["type"]) if isinstance(branch, dict) else branch


def is_of(branch: Any, value: Any) -> bool:
    """Return whether the value fits only this branch of its union."""
    kinds = {
        bool: ("boolean",),
        int: ("int", "long"),
        float: ("float", "double"),
        bytes: ("bytes",),
        str: ("string",),
        list: ("array",),
        dict: ("record",),
    }
    kind = kind_of(branch)
    if kind == "enum":
        return isinstance(value, str) and value in branch["symbols"]
    return kind in kinds[type(value)]
