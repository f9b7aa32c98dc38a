"""The queries that are measured, as data."""

from dataclasses import asdict, dataclass, field

from data import DATASETS


@dataclass(frozen=True)
class Query:
    """A query on a dataset. Its parts apply in the order of the fields.

    Parameters
    ----------
    where
        Keep the rows in which a column compares (`<` or `>=`) with a number.
    head, tail
        Keep this many rows at the beginning or at the end.
    columns
        Keep these columns; all if empty.
    count
        Return only the number of rows.
    eager
        Use the reader's eager function instead of the lazy one.
    group_by, total
        Return, for each value of a column (a dot selects a struct field), the rows and the total of another, sorted.
    """

    where: tuple[str, str, int] | None = None
    head: int | None = None
    tail: int | None = None
    columns: tuple[str, ...] = ()
    count: bool = False
    eager: bool = False
    group_by: str | None = None
    total: str | None = None


@dataclass(frozen=True)
class Scenario:
    """A query on a dataset.

    Parameters
    ----------
    name, title
        Its name on the command line and in the record, and its title in the table and the figure.
    repeat
        Repetitions in a timed run, if one is too short for the clock. Times are per repetition.
    floor
        Whether the time of decompression alone is shown as a bound.
    quick
        Whether `--quick` runs it.
    """

    name: str
    title: str
    dataset: str
    query: Query = field(default_factory=Query)
    repeat: int = 1
    floor: bool = False
    quick: bool = False

    def checked(self) -> tuple[str, ...]:
        """Return the columns of the result whose checksums are compared."""
        if self.query.count or self.query.group_by:
            return ()
        if self.query.columns:
            return self.query.columns
        return DATASETS[self.dataset].checked

    def as_request(self) -> dict[str, object]:
        """Return the request for a worker, which can be encoded as JSON."""
        return {"query": asdict(self.query), "repeat": self.repeat, "checked": self.checked()}


FIVE = ("col_000", "col_020", "col_040", "col_060", "col_080")

SCENARIOS = (
    Scenario("tiny", "100 rows", "simple_tiny", Query(eager=True), repeat=50, quick=True),
    Scenario("simple-null", "6 columns, no codec", "simple_null", floor=True),
    Scenario("simple-snappy", "6 columns, snappy", "simple_snappy", floor=True, quick=True),
    Scenario("simple-deflate", "6 columns, deflate", "simple_deflate", floor=True),
    Scenario("simple-zstandard", "6 columns, zstandard", "simple_zstandard", floor=True),
    Scenario("one-block", "6 columns, one block", "simple_one_block", floor=True, quick=True),
    Scenario("nullable", "nullable logical types", "events", floor=True, quick=True),
    Scenario("nested", "records, arrays, maps", "nested", floor=True, quick=True),
    Scenario("text", "strings of many lengths", "text", floor=True),
    Scenario("wide", "100 columns", "wide", floor=True),
    Scenario("wide-project", "5 of 100 columns", "wide", Query(columns=FIVE), floor=True, quick=True),
    Scenario("wide-filter-few", "100 columns, 1 % of rows", "wide", Query(where=("col_000", "<", 10_000))),
    Scenario("wide-filter-all", "100 columns, filter keeps all", "wide", Query(where=("col_000", ">=", 0))),
    Scenario("simple-filter-few", "6 columns, 1 % of rows", "simple_snappy", Query(where=("int_val", "<", 10_000))),
    Scenario("simple-filter-all", "6 columns, filter keeps all", "simple_snappy", Query(where=("int_val", ">=", 0))),
    Scenario("len", "number of rows", "wide", Query(count=True), quick=True),
    Scenario("head", "first 10 rows of 100 columns", "wide", Query(head=10), repeat=3, quick=True),
    Scenario("tail", "last 10 rows of 100 columns", "wide", Query(tail=10)),
    Scenario("group-by", "group by, streaming", "nested", Query(group_by="address.city", total="id")),
    Scenario("64-files", "64 files of 10,000 rows", "simple_64_files", floor=True, quick=True),
    Scenario("10000-files", "10,000 files of 10 rows", "simple_10000_files"),
)
