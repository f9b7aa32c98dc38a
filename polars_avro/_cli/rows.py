"""Reading of rows on the main thread, frame by frame, so that no work continues when the command ends."""

from __future__ import annotations

import functools
from collections import deque
from contextlib import closing
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar, get_args

import click
import polars as pl
from polars.exceptions import ColumnNotFoundError

from polars_avro import _schema_request, _schemas, _selection
from polars_avro._cli import sources as sources_
from polars_avro._cli import where
from polars_avro._conversions import InvalidValues, conversions
from polars_avro._core import FileOpener, select_columns
from polars_avro._engine.files import Files
from polars_avro._errors import AvroError
from polars_avro._options import ReaderOptions
from polars_avro._schemas import FieldMatching
from polars_avro._sources import expansion, inputs
from polars_avro._write import write_avro

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from polars_avro._cli.sources import Sources
    from polars_avro._core import ContainerFile

#: A generator of frames. Closing it ends the read.
Frames: TypeAlias = "Generator[pl.DataFrame, None, None]"

_Command = TypeVar("_Command", bound="Callable[..., Any]")


class Reading(NamedTuple):
    """Options of commands that read rows."""

    columns: list[str] | None
    where: str | None
    ignore_errors: bool
    schema_mode: Any
    hive: bool | None
    invalid_values: InvalidValues
    field_matching: FieldMatching = "name"

    def rows(self, sources: Sources) -> Rows:
        """Open the files of the sources and read the first header."""
        if self.field_matching != "name" and self.schema_mode == "union":
            msg = "--field-matching matches with the schema of the first file, so it needs --schema-mode first"
            raise click.UsageError(msg)
        named: Any = sources.normalized()
        in_stores = sources.stores(named)
        files = sources.list_files(named, in_stores)
        sources_.check_existence(files)
        hive = expansion.hive(named, partitioning=self.hive, schema=None, parse_dates=True)
        evolution = _schemas.schema_evolution(
            "raise",
            "raise",
            None,
            field_matching=self.field_matching,
            conversions=conversions(None, invalid_values=self.invalid_values),
        )
        request = _schema_request.schema_request(None, None, self.schema_mode, evolution, None).below(hive, files[0])
        first = inputs.identify(files[0])
        opened = in_stores.files(files)
        read_schema, file = request.resolve(opened)
        partitions = request.partitions(hive, read_schema)
        scan = Files(tuple(files), read_schema, partitions, first=first, stores=in_stores, opened=[opened])
        return Rows(scan, file, self)


class Rows:
    """The rows of some files that a command reads."""

    def __init__(self, files: Files, first: ContainerFile, reading: Reading) -> None:
        self.files = files
        self.first = first
        self.reading = reading
        file_schema = files.schema()
        self._where = None if reading.where is None else where.parse(reading.where, file_schema)
        # `root_names` repeats a name that the condition uses several times.
        self._roots = roots = [] if self._where is None else list(dict.fromkeys(self._where.meta.root_names()))
        selected = list(file_schema) if reading.columns is None else reading.columns
        self.schema = pl.Schema(_projected(selected, file_schema))
        if any(path not in file_schema for path in selected):
            if cut := [name for name in roots if self.schema.get(name, file_schema[name]) != file_schema[name]]:
                msg = f"--columns selects fields of {cut[0]!r}, which --where needs whole: select the whole column"
                raise click.UsageError(msg)
            files.columns = (*selected, *(name for name in roots if name not in self.schema))
        self._needed = list(dict.fromkeys([*self.schema, *roots]))

    @property
    def header(self) -> dict[str, Any]:
        """The schema of the columns and the metadata of the first file, which a copy keeps; empty if columns differ."""
        if self.reading.schema_mode != "first" or self.files.file_columns is not None:
            return {}
        metadata = {key: value for key, value in self.first.metadata.items() if not key.startswith("avro.")}
        schema = self.first.schema_json
        if self.reading.columns is not None:
            schema = select_columns(schema, list(self.schema))
            if not self._is_writable(schema):
                return {}
        return {"avro_schema": schema, "metadata": metadata}

    def _is_writable(self, schema: str) -> bool:
        """Return whether the columns can be written by a schema. Fields of structs and texts of other types cannot."""
        if self.reading.invalid_values != "raise" or pl.Schema(FileOpener(schema)) != self.schema:
            return False
        try:
            write_avro(pl.DataFrame(schema=self.schema), BytesIO(), avro_schema=schema)
        except AvroError:
            return False
        return True

    def count(self) -> int | None:
        """Count the rows from block headers; None if counting would need decoding."""
        if self._where is not None or self.reading.ignore_errors:
            return None
        return self.files.open_files().count_rows()

    def count_matching(self) -> int:
        """Count the rows that satisfy the condition. Only the columns of the condition are decoded."""
        assert self._where is not None
        self._needed = self._roots or self._needed
        with where.evaluated(), closing(self._frames(None)) as frames:
            return sum(df.filter(self._where).height for df in frames)

    def frames(self, offset: int = 0, length: int | None = None) -> Frames:
        """Read the rows, or `length` of them after the first `offset`."""
        with closing(self._frames((offset, length) if self._where is None else None)) as frames:
            yield from frames if self._where is None else _sliced(self._filtered(frames), offset, length)

    def last(self, length: int) -> Frames:
        """Read the last rows."""
        if self._where is None:
            yield from self._frames((-length, length))
            return
        kept: deque[pl.DataFrame] = deque()
        height = 0
        with closing(self._frames(None)) as frames:
            for df in self._filtered(frames):
                kept.append(df)
                height += df.height
                while kept and height - kept[0].height >= length:
                    height -= kept.popleft().height
        yield from _sliced(kept, max(0, height - length), length)

    def _filtered(self, frames: Iterable[pl.DataFrame]) -> Frames:
        assert self._where is not None
        # The condition is also evaluated while blocks are decoded.
        with where.evaluated():
            for df in frames:
                rows = df.filter(self._where)
                if rows.height:
                    yield rows[list(self.schema)]

    def _frames(self, pre_slice: tuple[int, int | None] | None) -> Frames:
        reader = ReaderOptions(ignore_errors=self.reading.ignore_errors)
        filters = [] if self._where is None else [self._where]
        frames = self.files.open_files().frames(
            columns=self._needed, pre_slice=pre_slice, filters=filters, reader=reader, interruptible=True
        )
        for df in frames:
            # A selection of no columns would have no height.
            yield df[self._needed] if self._needed else df


def _projected(columns: list[str], file_schema: pl.Schema) -> dict[str, Any]:
    """Return the dtypes of the selected columns, which may be paths to fields of structs."""
    try:
        return _selection.project(file_schema, _selection.selection(columns, file_schema))
    except (ColumnNotFoundError, ValueError) as error:
        error.args = (str(error).replace("`columns`", "--columns"),)
        raise


def _sliced(frames: Iterable[pl.DataFrame], offset: int, length: int | None) -> Frames:
    for df in frames:
        rows = df.slice(min(offset, df.height), length)
        offset -= min(offset, df.height)
        if length is not None:
            length -= rows.height
        if rows.height:
            yield rows
        if length == 0:
            return


def reading_options(command: _Command) -> Callable[..., Any]:
    """Add the options of commands that read rows, and pass them as `reading`."""

    @functools.wraps(command)
    def with_reading(*arguments: Any, columns: tuple[str, ...], **options: Any) -> Any:
        names = ("where", "ignore_errors", "schema_mode", "hive", "invalid_values", "field_matching")
        reading = Reading(sources_.split_names(columns), *(options.pop(name) for name in names))
        return command(*arguments, reading=reading, **options)

    return functools.reduce(lambda decorated, option: option(decorated), _OPTIONS, with_reading)


def _all_of(ctx: click.Context, option: click.Parameter, conditions: tuple[str, ...]) -> str | None:
    """Join conditions. On a line of its own, each may end in a comment."""
    if len(conditions) < 2:
        return conditions[0] if conditions else None
    return " AND ".join(f"({condition}\n)" for condition in conditions)


#: The option of commands that filter rows.
where_option = click.option(
    "--where",
    metavar="SQL",
    multiple=True,
    callback=_all_of,
    help='Read only rows that satisfy this condition, such as "a > 5"; may be repeated.',
)

_OPTIONS: tuple[Callable[..., Any], ...] = (
    click.option(
        "--schema-mode",
        type=click.Choice(["first", "union"]),
        default="first",
        show_default=True,
        help="Read several files as the schema of the first, or as the union of all schemas.",
    ),
    click.option(
        "--hive/--no-hive",
        default=None,
        help="Turn key=value directories into columns, or do not. By default only those below a single directory.",
    ),
    click.option(
        "--invalid-values",
        type=click.Choice(get_args(InvalidValues)),
        default="raise",
        show_default=True,
        help="Read a uuid, a time or a decimal that is not valid as null, or such columns as text.",
    ),
    click.option(
        "--field-matching",
        type=click.Choice(get_args(FieldMatching)),
        default="name",
        show_default=True,
        help="Match fields of later files with those of the first by name, by name without case, or by position.",
    ),
    click.option("--ignore-errors", is_flag=True, help="Skip damaged blocks; a warning counts them."),
    where_option,
    click.option(
        "-c",
        "--columns",
        metavar="NAMES",
        multiple=True,
        help="Read only these columns, separated by commas; of Avro also fields of structs, such as a.b.",
    ),
)

#: The option of commands that can start at a later row.
offset_option = click.option("--offset", type=sources_.NUMBER, default=0, help="Skip this many rows first.")
