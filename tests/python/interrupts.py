"""Loops that Ctrl-C may end at any instant. Each iteration checks its rows."""

#: The setup of each loop, and its body. `path` is a file of `rows` rows, and `target` a path that does not exist yet.
LOOPS = {
    "batches of a query": ("", "check(sum(batch.height for batch in scan().collect_batches()))"),
    "a slow loop over batches": (
        "",
        "count = 0\nfor batch in scan().collect_batches():\n    count += batch.height; time.sleep(0.01)\ncheck(count)",
    ),
    "AvroReader": ("", "check(sum(batch.height for batch in pa.AvroReader(path)))"),
    "collect": ("", 'check(scan().filter(pl.col("a") >= 0).collect(engine="in-memory").height)'),
    "collect, streaming": ("", 'check(scan().filter(pl.col("a") >= 0).collect(engine="streaming").height)'),
    "a Python filter": (
        'passes = pl.col("a").map_batches(lambda values: values >= 0, return_dtype=pl.Boolean)',
        "check(scan().filter(passes).collect().height)",
    ),
    "read_avro": ("", "check(pa.read_avro(path).height)"),
    "read_avro on one thread": ("", "check(pa.read_avro(path, n_threads=1).height)"),
    "sink_avro": ("", "pa.sink_avro(scan(), target)\ncheck_target()"),
    "AvroWriter": (
        "",
        "with pa.AvroWriter(target) as writer:\n    for batch in scan().collect_batches(): writer.write(batch)\n"
        "check_target()",
    ),
    "partitions": (
        "",
        'pa.sink_avro(scan().with_columns(k=pl.col("a") % 3), pl.PartitionBy(target + "d", key="k"))\n'
        'check(pa.scan_avro(target + "d/").select(pl.len()).collect().item())',
    ),
    "decode": (
        """encoded = pl.DataFrame({"v": range(rows)}).select(pa.encode("v"))""",
        """check(encoded.select(pa.decode("v", '"long"').max()).item() + 1)""",
    ),
}
