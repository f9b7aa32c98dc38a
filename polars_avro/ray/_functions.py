"""Reading and writing of datasets of Ray Data."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from polars_avro._extras import require
from polars_avro._plan_options import StoreOptions
from polars_avro._splitting.functions import plan_splits, scan_splits

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    import ray.data
    from typing_extensions import Unpack

    from polars_avro._plan_options import PlanOptions
    from polars_avro._sources.inputs import Sources


def read_avro(
    paths: Sources,
    *,
    columns: Sequence[str] | Sequence[int] | str | int | None = None,
    target_bytes: int = 128 << 20,
    num_cpus: float | None = None,
    memory: float | None = None,
    concurrency: int | None = None,
    ray_remote_args: Mapping[str, Any] | None = None,
    **options: Unpack[PlanOptions],
) -> ray.data.Dataset:
    """
    Read Avro files into a dataset of Ray Data, one task per split.

    This call plans the files as :func:`polars_avro.plan_splits` does, and tasks read them when Ray runs. Blocks are
    Arrow tables. Tasks decode only the columns that the dataset uses, and apply those filters of
    ``Dataset.filter(expr=...)`` that Arrow can evaluate. Ray applies the others. Enums become strings.

    Parameters
    ----------
    paths
        Path(s) to files or directories, or glob patterns, which every node must be able to read.
    columns
        Columns to read, by name or by index counted from 0, in the order wanted. ``"a.b"`` reads only the field ``b``
        of the struct ``a``, also in lists and maps of structs, unless a column has that very name. ``"^temp_.*$"``
        stands for the columns that match this regular expression, and ``"*"`` for all.
    target_bytes
        The approximate number of file bytes that a task reads. Larger files are cut, and smaller ones are packed
        together.
    num_cpus
        The number of processors that Ray reserves for each task: 1 by default. A task decodes on as many threads.
    memory
        The bytes of memory that Ray reserves for each task.
    concurrency
        The maximum number of tasks that Ray runs at the same time.
    ray_remote_args
        Further options of ``ray.remote`` for the tasks.
    **options
        The other options of :func:`polars_avro.plan_splits`. `storage_options` and `credential_provider` are sent to
        the tasks with the splits.

    Returns
    -------
    ray.data.Dataset

    Raises
    ------
    ModuleNotFoundError
        If Ray is not installed: ``pip install 'polars-avro-plugin[ray]'``.
    AvroError
        If the first file is damaged or cannot be read as Avro. Tasks raise for the others.
    FileNotFoundError
        If the file does not exist.
    polars.exceptions.ColumnNotFoundError
        If `columns` names a column that does not exist.

    See Also
    --------
    polars_avro.plan_splits : Plan splits for other engines.

    Examples
    --------
    >>> import polars_avro.ray
    >>> dataset = polars_avro.ray.read_avro("docs/sample.avro")  # doctest: +SKIP
    >>> dataset.filter(expr=ray.data.expressions.col("celsius") > 34).count()  # doctest: +SKIP
    3
    """
    (data,) = require("ray", "ray.data", caller="polars_avro.ray.read_avro")
    from polars_avro.ray._datasource import AvroDatasource

    splits = plan_splits(paths, columns=columns, target_bytes=target_bytes, **options)
    schema = scan_splits(splits[:1]).collect_schema()
    threads = max(1, math.floor(num_cpus or 1))
    source = AvroDatasource(splits, schema, threads, StoreOptions.of(options))
    dataset: ray.data.Dataset = data.read_datasource(
        source,
        num_cpus=num_cpus,
        memory=memory,
        concurrency=concurrency,
        ray_remote_args=dict(ray_remote_args or {}),
    )
    return dataset


def write_avro(
    dataset: ray.data.Dataset,
    path: str | os.PathLike[str],
    *,
    concurrency: int | None = None,
    ray_remote_args: Mapping[str, Any] | None = None,
    **options: Any,
) -> None:
    """
    Write a dataset of Ray Data as Avro files, one file per task.

    Each file gets its name when it is complete, so failed tasks leave no files. If the whole job fails, the files of
    finished tasks are removed too. Existing files in the directory stay.

    Parameters
    ----------
    dataset
        The dataset to write.
    path
        The directory, which is created if necessary, or its URL in a store. Every node must be able to write to it.
    concurrency
        The maximum number of tasks that Ray runs at the same time.
    ray_remote_args
        Options of ``ray.remote`` for the tasks.
    **options
        Options of :func:`polars_avro.write_avro` for each file, such as `compression`, `avro_schema` or
        `storage_options`.

    Raises
    ------
    ModuleNotFoundError
        If Ray is not installed: ``pip install 'polars-avro-plugin[ray]'``.
    AvroError
        If rows cannot be written as Avro.

    Examples
    --------
    >>> import polars_avro.ray
    >>> polars_avro.ray.write_avro(dataset, "rows", compression="zstandard")  # doctest: +SKIP
    """
    require("ray", "ray.data", caller="polars_avro.ray.write_avro")
    from polars_avro.ray._datasink import AvroDatasink

    sink = AvroDatasink(path, options)
    dataset.write_datasink(sink, concurrency=concurrency, ray_remote_args=dict(ray_remote_args or {}))
