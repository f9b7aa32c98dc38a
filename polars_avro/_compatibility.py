"""Whether readers with one schema can read what writers with another wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from polars_avro import _core
from polars_avro._schemas import schema_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from polars_avro._schemas import AvroSchema

Mode: TypeAlias = Literal[
    "BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE", "NONE"
]

_DIRECTIONS: dict[str, tuple[Literal["backward", "forward"], ...]] = {
    "BACKWARD": ("backward",),
    "FORWARD": ("forward",),
    "FULL": ("backward", "forward"),
    "NONE": (),
}
_TRANSITIVE = "_TRANSITIVE"


class Incompatibility(NamedTuple):
    """
    A place in a schema where reading fails.

    Attributes
    ----------
    path : str
        The path of the reader's field, such as ``orders[].price``; empty for the root.
    message : str
        The reason.
    values : str or None
        The values that fail, as a branch of the writer's union or a symbol of its enum. None if all values do.
    direction : {'backward', 'forward'}
        Whether the new schema is the reader's, or the writer's.
    version : int
        The position of the earlier schema among those that were passed, counted from 0.
    """

    path: str
    message: str
    values: str | None = None
    direction: Literal["backward", "forward"] = "backward"
    version: int = 0

    def __str__(self) -> str:
        place = f"field `{self.path}`: " if self.path else ""
        return f"{place}{self.message}" + (f", where the value is {self.values}" if self.values else "")


def check_compatibility(reader: AvroSchema, *writers: AvroSchema, mode: Mode = "BACKWARD") -> list[Incompatibility]:
    """
    Check whether a reader with one schema can read what earlier schemas wrote.

    The rules are those of schema resolution in the Avro specification, as for `reader_schema` of :func:`scan_avro`.
    Every failure is listed, not the first alone. Those inside a record that is used several times are listed at its
    first use.

    Parameters
    ----------
    reader
        The new schema: JSON text, the same as Python objects, or the path of an ``.avsc`` or Avro file.
    *writers
        Earlier schemas, oldest first.
    mode : {'BACKWARD', 'BACKWARD_TRANSITIVE', 'FORWARD', 'FORWARD_TRANSITIVE', 'FULL', 'FULL_TRANSITIVE', 'NONE'}
        What must hold, by the names of schema registries. Backward: a reader with the new schema reads what the last of
        `writers` wrote. Forward: a reader with that schema reads what the new one writes. Full: both. The transitive
        modes check all of `writers` instead of the last.

    Returns
    -------
    list of Incompatibility
        Empty if the schemas are compatible. A problem with `values` fails for these values only; registries refuse it
        like any other.

    Raises
    ------
    AvroSchemaError
        If a schema is not valid.
    ValueError
        If `mode` is unknown.

    Examples
    --------
    >>> import polars_avro
    >>> old = {"type": "record", "name": "Row", "fields": [{"name": "id", "type": "int"}]}
    >>> new = {"type": "record", "name": "Row", "fields": [{"name": "id", "type": "long"}]}
    >>> polars_avro.check_compatibility(new, old)
    []
    >>> for problem in polars_avro.check_compatibility(new, old, mode="FULL"):
    ...     print(problem.direction, problem)
    forward field `id`: the writer's long cannot be read as the reader's int
    """
    base = str(mode).removesuffix(_TRANSITIVE)
    if base not in _DIRECTIONS or mode == f"NONE{_TRANSITIVE}":
        modes = [name for each in _DIRECTIONS for name in (each, each + _TRANSITIVE)][:-1]
        msg = f"`mode` must be one of {', '.join(map(repr, modes))}, got {mode!r}"
        raise ValueError(msg)
    new = schema_json(reader, "reader")
    earlier = list(enumerate(schema_json(writer, "writers") for writer in writers))
    checked = earlier if mode.endswith(_TRANSITIVE) else earlier[-1:]
    return [
        problem
        for direction in _DIRECTIONS[base]
        for version, old in checked
        for problem in _problems(new, old, direction, version)
    ]


def _problems(new: str, old: str, direction: Literal["backward", "forward"], version: int) -> Iterator[Incompatibility]:
    writer, reader = (old, new) if direction == "backward" else (new, old)
    for path, message, values in _core.incompatibilities(writer, reader):
        yield Incompatibility(path, message, values, direction, version)
