"""Options that several commands have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from polars_avro._cli import formats, sources

if TYPE_CHECKING:
    from collections.abc import Callable

#: The schema of an Avro target.
schema_option = click.option(
    "--schema-file",
    "--schema",
    "schema",
    metavar="SCHEMA",
    type=sources.PATH,
    required=True,
    help="Schema of TARGET: a file, or JSON.",
)
level_option = click.option("--level", type=int, help="Level of the codec.")


def codec_option(text: str, *, required: bool = False) -> Callable[..., Any]:
    """Return the option for the codec of an Avro target."""
    return click.option(
        "-C",
        "--codec",
        "--compression",
        "codec",
        metavar="NAME",
        required=required,
        shell_complete=formats.complete_codec,
        help=text,
    )
