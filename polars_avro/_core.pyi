"""The compiled part, private to the package."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, final

from polars_avro._limits import Limits

__all__ = [
    "Batch",
    "BatchReader",
    "Batches",
    "Column",
    "ContainerFile",
    "DatumDecoder",
    "DatumEncoder",
    "Datums",
    "FileOpener",
    "FileSet",
    "Frame",
    "FrameStream",
    "OnDrop",
    "OpenFile",
    "ReadOptions",
    "StoreFile",
    "StoreTarget",
    "StoreTargets",
    "WriteOptions",
    "Writer",
    "__version__",
    "check_store_options",
    "check_written_schema",
    "close_interpreter",
    "datum_schema",
    "default_limits",
    "incompatibilities",
    "remove_store_files",
    "reopen_interpreter",
    "select_columns",
    "stop_reads",
    "store_files",
    "store_files_in",
    "store_sizes",
]

__version__: str

def default_limits() -> dict[str, int]: ...
def store_files(
    urls: list[str],
    options: dict[str, Any],
    credentials: Mapping[str, Callable[[bool], tuple[dict[str, str], int | None]]],
    chunk_size: int | None = None,
) -> list[StoreFile]: ...
def store_files_in(
    directory: str,
    options: dict[str, Any],
    credentials: Mapping[str, Callable[[bool], tuple[dict[str, str], int | None]]],
) -> list[tuple[str, int]]: ...
def store_sizes(
    urls: list[str],
    options: dict[str, Any],
    credentials: Mapping[str, Callable[[bool], tuple[dict[str, str], int | None]]],
) -> list[int]: ...
def remove_store_files(
    directory: str,
    prefix: str,
    options: dict[str, Any],
    credentials: Mapping[str, Callable[[bool], tuple[dict[str, str], int | None]]],
) -> int: ...
def close_interpreter(patience: float) -> None: ...
def reopen_interpreter() -> None: ...
def stop_reads() -> None: ...
def check_store_options(urls: list[str], options: dict[str, Any]) -> None: ...

@final
class OnDrop:
    def __new__(
        cls,
        finish: Callable[[], None],
        get_ident: Callable[[], int],
        main_thread: int,
        postpone: Callable[[Callable[[], None]], None],
    ) -> OnDrop: ...
    def __call__(self, /, *args: Any, **kwargs: Any) -> None: ...

@final
class OpenFile:
    @staticmethod
    def from_descriptor(descriptor: int, name: str, start: int) -> OpenFile: ...
    @staticmethod
    def from_object(readable: object, name: str, start: int, size: int) -> OpenFile: ...

@final
class StoreFile:
    @property
    def name(self) -> str: ...

@final
class StoreTarget:
    @property
    def name(self) -> str: ...

@final
class StoreTargets:
    def __new__(
        cls,
        options: dict[str, Any],
        credentials: Mapping[str, Callable[[bool], tuple[dict[str, str], int | None]]],
        *,
        together: bool = False,
    ) -> StoreTargets: ...
    def target(self, url: str) -> StoreTarget: ...
    def commit(self) -> None: ...
    def abort(self) -> None: ...

@final
class Batch:
    @property
    def height(self) -> int: ...
    @property
    def width(self) -> int: ...
    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]: ...

@final
class Batches:
    @property
    def height(self) -> int: ...
    @property
    def bad_blocks(self) -> list[tuple[str, int, int, int | None, str, str, int]]: ...
    @property
    def n_batches(self) -> int: ...
    def columns(self) -> list[Column]: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

@final
class Column:
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

@final
class DatumDecoder:
    def __new__(
        cls,
        framing: str,
        *,
        schema: str | None = None,
        reader_schema: str | None = None,
        ignore_ids: bool = False,
        ids: set[int | bytes] | None = None,
        looked_up: list[str] | None = None,
        fields: list[str] | None = None,
        ignore_errors: bool = False,
        limits: Limits | None = None,
        annotations: Sequence[tuple[str, str, str]] = ...,
    ) -> DatumDecoder: ...
    def __arrow_c_schema__(self) -> object: ...
    def add_schema(self, schema_id: int | bytes, schema: str) -> None: ...
    def decode(self, series: object, unknown: set[int | bytes], ids: object | None = None) -> Datums: ...

@final
class DatumEncoder:
    def __new__(
        cls, framing: str, schema: str, schema_id: int | bytes | None = None, compress: bool = False
    ) -> DatumEncoder: ...
    def encode(self, frame: Frame) -> Datums: ...

def datum_schema(frame: Frame, name: str | None = None, namespace: str | None = None) -> str: ...

@final
class Datums:
    @property
    def bad(self) -> tuple[int, str | None]: ...
    @property
    def missing(self) -> list[int | bytes]: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

@final
class ReadOptions:
    def __new__(
        cls,
        *,
        columns: list[str] | None = None,
        row_index: tuple[str, int, bool] | None = None,
        file_index: str | None = None,
        byte_range: tuple[int, int | None] | None = None,
        offset: int = 0,
        length: int | None = None,
        ignore_errors: bool = False,
        strict: bool = False,
        row_filter: tuple[list[str], Callable[[Batch], object]] | None = None,
        batch_size: int | None = None,
        n_threads: int | None = None,
    ) -> ReadOptions: ...

@final
class FileOpener:
    def __new__(
        cls,
        reader_schema: str | None,
        *,
        limits: Limits | None = None,
        insert_missing_columns: bool = False,
        insert_missing_fields: bool = False,
        refuse_extra_columns: bool = False,
        refuse_extra_fields: bool = False,
        by_columns: bool = False,
        exact: bool = False,
        casts: list[str] = ...,
        field_matching: str = "name",
        annotations: Sequence[tuple[str, str, str]] = ...,
        recursion_depth: int | None = None,
        invalid_values: str = "raise",
    ) -> FileOpener: ...
    def __arrow_c_schema__(self) -> object: ...

@final
class FileSet:
    def __new__(
        cls, sources: Sequence[str | bytes | OpenFile | StoreFile], options: FileOpener, eager: bool = False
    ) -> FileSet: ...
    def __len__(self) -> int: ...
    def first_size(self) -> int | None: ...
    def select(self, indices: list[int]) -> FileSet: ...
    def union_schema(self) -> str: ...
    def all_columns_schema(self, names: list[str]) -> str: ...
    def count_rows(self, limit: int | None = None) -> int: ...
    def count_readable_rows(self, limit: int | None = None) -> int: ...
    def count_rows_by_file(self, limit: int | None = None) -> list[tuple[int, int]]: ...
    def count_rows_from_end(self, limit: int) -> tuple[int, int]: ...
    def batches(self, options: ReadOptions, join_first: bool = False, interruptible: bool = False) -> BatchReader: ...

@final
class ContainerFile:
    def __new__(
        cls, source: str | bytes | OpenFile | StoreFile, options: FileOpener | None = None, in_set: bool = False
    ) -> ContainerFile: ...
    @property
    def schema_json(self) -> str: ...
    @property
    def canonical_form(self) -> str: ...
    @property
    def fingerprints(self) -> dict[str, bytes]: ...
    @property
    def codec(self) -> str: ...
    @property
    def sync_marker(self) -> bytes: ...
    @property
    def metadata(self) -> dict[str, bytes]: ...
    @property
    def size(self) -> int: ...
    @property
    def header_size(self) -> int: ...
    def __arrow_c_schema__(self) -> object: ...
    def count_rows(self, limit: int | None = None) -> int: ...
    def count_readable_rows(self, limit: int | None = None) -> int: ...
    def count_blocks(self) -> tuple[int, int]: ...
    def first_block(self) -> tuple[int, int] | None: ...
    def read(self, options: ReadOptions) -> Batches: ...
    def batches(self, options: ReadOptions, join_first: bool = False, interruptible: bool = False) -> BatchReader: ...

@final
class BatchReader:
    def __iter__(self) -> Iterator[Batch | Batches]: ...
    def __next__(self) -> Batch | Batches: ...
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...
    def give_back(self, rows: Batch | Batches) -> None: ...
    def take_bad_blocks(self) -> list[tuple[str, int, int, int | None, str, str, int]]: ...
    @property
    def stats(self) -> dict[str, int]: ...

@final
class Frame:
    def __new__(cls, frame: object, height: int, checked: bool = False) -> Frame: ...

@final
class FrameStream:
    def __new__(cls, source: object) -> FrameStream: ...
    def __arrow_c_schema__(self) -> object: ...
    def __iter__(self) -> Iterator[Batch]: ...
    def __next__(self) -> Batch: ...

def check_written_schema(schema: str) -> None: ...
def select_columns(schema: str, names: list[str]) -> str: ...
def incompatibilities(writer: str, reader: str) -> list[tuple[str, str, str | None]]: ...

@final
class WriteOptions:
    def __new__(
        cls,
        *,
        codec: str | None = None,
        level: int | None = None,
        schema: str | None = None,
        name: str | None = None,
        namespace: str | None = None,
        doc: str | None = None,
        metadata: list[tuple[str, bytes]] | None = None,
        block_size: int | None = None,
        sync_marker: bytes | None = None,
        n_threads: int | None = None,
    ) -> WriteOptions: ...
    def check(self, frame: Frame, *, append: bool = False) -> None: ...
    def schema_of(self, frame: Frame) -> str: ...

@final
class Writer:
    def __new__(
        cls,
        target: str | StoreTarget | object,
        frame: Frame,
        options: WriteOptions,
        *,
        append: bool = False,
        hold: bool = False,
        mkdir: bool = False,
        sync_on_close: str | None = None,
    ) -> Writer: ...
    def write(self, frame: Frame) -> None: ...
    def finish(self) -> tuple[int, int, int]: ...
    def abort(self) -> None: ...
