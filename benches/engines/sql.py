"""The queries in SQL, in the common dialect of DuckDB and ClickHouse."""


def quoted(path: str) -> str:
    """Return the column at a dotted path."""
    return ".".join(f'"{name}"' for name in path.split("."))


def select(table: str, query: dict) -> str:
    """Return the query as a statement on `table`."""
    if query["tail"] is not None:
        missing = "SQL has no rows at the end"
        raise NotImplementedError(missing)
    where = " WHERE {} {} {}".format(quoted(query["where"][0]), *query["where"][1:]) if query["where"] else ""
    limit = f" LIMIT {query['head']}" if query["head"] is not None else ""
    if query["count"]:
        return f"SELECT count(*) AS len FROM {table}{where}"
    if query["group_by"]:
        key, total = quoted(query["group_by"]), quoted(query["total"])
        return (
            f"SELECT {key} AS key, count(*) AS rows, sum({total})::BIGINT AS total"
            f" FROM {table}{where} GROUP BY key ORDER BY key"
        )
    columns = ", ".join(quoted(name) for name in query["columns"]) or "*"
    return f"SELECT {columns} FROM {table}{where}{limit}"
