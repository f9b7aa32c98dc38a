"""The namespaces ``df.avro`` and ``lf.avro``, which call the public functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from polars_avro._sink import sink_avro
from polars_avro._write import write_avro
from polars_avro._writing.frames import core_frame, empty_frame
from polars_avro._writing.options import core_options

if TYPE_CHECKING:
    from polars_avro._core import WriteOptions
    from polars_avro._schemas import AvroSchema
    from polars_avro._writing.targets import Target

_NAME = "avro"


class _Namespace:
    """Holds its frame until its one method is called."""

    # Polars caches the namespace on the frame, and the namespace refers to the frame. Removing it from the cache breaks
    # this reference cycle, so that reference counting frees the frame.
    def __init__(self, frame: Any) -> None:
        self._frame = frame

    def _take(self) -> Any:
        self._frame.__dict__.pop(_NAME, None)
        return self._frame


class DataFrameNamespace(_Namespace):
    """Methods of ``df.avro``."""

    def write(self, target: Target | pl.PartitionBy, *args: Any, **options: Any) -> None:
        """
        Write the frame to an Avro file; see :func:`polars_avro.write_avro`.

        Parameters
        ----------
        target
            A path, the URL of an object in a store, a ``BytesIO``, a file opened for writing bytes, any object with
            ``write()``, a ``UPath``, the result of ``fsspec.open``, or a :class:`polars.PartitionBy`.
        *args
            The codec and the name of the record, which :func:`polars_avro.write_avro` takes by position.
        **options
            The other arguments of :func:`polars_avro.write_avro`.

        Examples
        --------
        >>> import io
        >>> import polars as pl
        >>> import polars_avro
        >>> target = io.BytesIO()
        >>> pl.DataFrame({"a": [1, 2]}).avro.write(target)
        >>> polars_avro.read_avro(target.getvalue()).height
        2
        """
        write_avro(self._take(), target, *args, **options)

    def schema(
        self,
        *,
        avro_schema: AvroSchema | None = None,
        name: str = "",
        namespace: str | None = None,
        doc: str | None = None,
    ) -> str:
        """
        Return the Avro schema that the frame is written with.

        Parameters
        ----------
        avro_schema
            The Avro schema to write with: JSON text, the same as Python objects, or the path of an ``.avsc`` or Avro
            file. Columns are found by name; a field without a column gets its default. By default the schema follows
            from the dtypes.
        name
            The name of the root record in the Avro schema, ``Row`` by default.
        namespace
            The namespace of the root record.
        doc
            The documentation of the root record.

        Returns
        -------
        str
            JSON text.

        Examples
        --------
        >>> import polars as pl
        >>> import polars_avro
        >>> print(pl.DataFrame({"a": [1]}).avro.schema(name="Point"))
        {"type":"record","name":"Point","fields":[{"name":"a","type":["null","long"],"default":null}]}
        """
        options = _schema_options(avro_schema, name, namespace, doc)
        frame = core_frame(self._take())
        options.check(frame)
        return options.schema_of(frame)


class LazyFrameNamespace(_Namespace):
    """Methods of ``lf.avro``."""

    def sink(self, target: Target | pl.PartitionBy, **options: Any) -> pl.LazyFrame | None:
        """
        Run the query and write its rows to an Avro file; see :func:`polars_avro.sink_avro`.

        Parameters
        ----------
        target
            The target of :func:`polars_avro.sink_avro`.
        **options
            The other arguments of :func:`polars_avro.sink_avro`.

        Returns
        -------
        LazyFrame or None
            With ``lazy=True``, a LazyFrame that writes when it is collected.

        Examples
        --------
        >>> import io
        >>> import polars as pl
        >>> import polars_avro
        >>> target = io.BytesIO()
        >>> pl.LazyFrame({"a": [1, 2]}).avro.sink(target)
        >>> polars_avro.read_avro(target.getvalue()).height
        2
        """
        sink: pl.LazyFrame | None = sink_avro(self._take(), target, **options)
        return sink

    def schema(
        self,
        *,
        avro_schema: AvroSchema | None = None,
        name: str = "",
        namespace: str | None = None,
        doc: str | None = None,
    ) -> str:
        """
        Return the Avro schema that the rows of the query are written with.

        The query does not run, so a Time column becomes ``time-micros``, while :meth:`sink` writes nanoseconds if its
        first rows have a time that needs them. To write with the returned schema, pass it as `avro_schema`.

        Parameters
        ----------
        avro_schema
            The Avro schema to write with: JSON text, the same as Python objects, or the path of an ``.avsc`` or Avro
            file. Columns are found by name; a field without a column gets its default. By default the schema follows
            from the dtypes.
        name
            The name of the root record in the Avro schema, ``Row`` by default.
        namespace
            The namespace of the root record.
        doc
            The documentation of the root record.

        Returns
        -------
        str
            JSON text.

        Examples
        --------
        >>> import polars as pl
        >>> import polars_avro
        >>> print(pl.LazyFrame({"a": [1]}).avro.schema())
        {"type":"record","name":"Row","fields":[{"name":"a","type":["null","long"],"default":null}]}
        """
        options = _schema_options(avro_schema, name, namespace, doc)
        frame = empty_frame(self._take().collect_schema())
        options.check(frame)
        return options.schema_of(frame)


def _schema_options(avro_schema: AvroSchema | None, name: str, namespace: str | None, doc: str | None) -> WriteOptions:
    return core_options(
        compression="null",
        compression_level=None,
        avro_schema=avro_schema,
        name=name,
        namespace=namespace,
        doc=doc,
        metadata=None,
        block_size=None,
        sync_marker=None,
        n_threads=None,
    )
