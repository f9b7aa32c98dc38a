"""``polars-avro concat``: files joined block by block."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import click

from polars_avro._cli import sources as sources_
from polars_avro._cli import targets
from polars_avro._cli.command import Command
from polars_avro._cli.progress import Progress
from polars_avro._sources import stores

if TYPE_CHECKING:
    from collections.abc import Iterator

    from polars_avro._cli.containers import Header
    from polars_avro._cli.sources import Sources


@click.command(cls=Command)
@sources_.argument
@click.argument("target", type=sources_.PATH)
@click.option("--overwrite", is_flag=True, help="Replace an existing TARGET.")
def concat(sources: Sources, target: str, overwrite: bool) -> None:
    """
    Join Avro files of the same schema and codec without decoding them.

    Blocks are copied as they are, so damage inside of a block is not noticed: see `check`. The metadata is that of the
    first file. `convert` joins files of other codecs, or in stores. An existing TARGET is replaced with --overwrite
    only, and at success only.
    """
    from polars_avro._cli import containers

    files = _local(sources)
    if not overwrite and not stores.is_remote(target):
        targets.refuse_existing(target)
    first: Header | None = None
    size = 0
    for file in files:
        with _opened(file) as source:
            header = containers.read_header(source, sources_.name_of(file))
            size += _size(source)
        if first is None:
            first = header
        else:
            _check_same(first, header, sources_.name_of(files[0]), sources_.name_of(file))
    assert first is not None
    # The marker of one of the files may occur in the blocks of another.
    written = first._replace(sync_marker=os.urandom(16))
    with targets.opened_file(target, "concat") as out, Progress(stores.shown(target), size) as bar:
        out.write(written.encode())
        for file in files:
            with _opened(file) as source:
                name = sources_.name_of(file)
                header = containers.read_header(source, name)
                containers.copy_blocks(source, header, out, written.sync_marker, name, bar.advance)


def _local(sources: Sources) -> list[Any]:
    files = sources.files()
    for file in files:
        if isinstance(file, str) and stores.is_remote(file):
            msg = f"concat reads local files, got {stores.shown(file)}: use `convert`, which reads stores"
            raise click.UsageError(msg)
    return files


@contextmanager
def _opened(file: Any) -> Iterator[IO[bytes]]:
    if isinstance(file, str):
        with open(file, "rb") as source:
            yield source
        return
    # Standard input is read twice.
    start = file.tell()
    yield file
    file.seek(start)


def _size(source: IO[bytes]) -> int:
    start = source.tell()
    return source.seek(0, os.SEEK_END) - start


def _check_same(first: Header, other: Header, first_name: str, name: str) -> None:
    import json

    from polars_avro._cli.schema_differences import first_difference

    if first.codec != other.codec:
        msg = f"{name}: its codec is {other.codec}, that of {first_name} is {first.codec}: `recodec` changes it"
        raise click.ClickException(msg)
    schemas = json.loads(first.schema), json.loads(other.schema)
    difference = first_difference(schemas, (first_name, name))
    if difference is not None:
        msg = (
            f"{name}: its schema differs from that of {first_name}: {difference}; "
            f"`polars-avro diff {first_name} {name}` compares them"
        )
        raise click.ClickException(msg)
