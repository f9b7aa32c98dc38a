"""Commands of avro-tools under their names there."""

from __future__ import annotations

import copy

import click

from polars_avro._cli.commands.metadata import metadata
from polars_avro._cli.commands.schema import schema


def _alias(command: click.Command, name: str, **defaults: str) -> click.Command:
    """Return a command that ``--help`` does not list, with other defaults of options."""
    renamed = copy.copy(command)
    renamed.name, renamed.hidden = name, True
    renamed.params = [copy.copy(parameter) for parameter in command.params]
    for parameter in renamed.params:
        if parameter.name in defaults:
            parameter.default = defaults[parameter.name]
    return renamed


getmeta = _alias(metadata, "getmeta")
getschema = _alias(schema, "getschema", form="avro")
