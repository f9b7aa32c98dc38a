"""Scripts that end early, in error or at once: what each prints and how it ends."""

from typing import NamedTuple


class Ending(NamedTuple):
    """A script over a file of 400,000 rows at `path`, with `scan` of it; `folder` is empty before and after."""

    code: str
    status: int = 0
    printed: str = ""
    #: A file that may be whole when the script ends.
    whole: str = ""


FILE_LIKE = """
class Opened:
    def __init__(self):
        self.file = open(path, "rb")
    def read(self, n=-1):
        return self.file.read(n)
    def seek(self, *where):
        return self.file.seek(*where)
    def tell(self):
        return self.file.tell()
"""

CAST = 'pl.col("text").cast(pl.Int8)'

ENDINGS = {
    "head behind a filter": Ending('print(scan.filter(pl.col("a") >= 0).head(3).collect().height)', 0, "3"),
    "head behind a Python filter": Ending(
        'passes = pl.col("a").map_batches(lambda values: values >= 0, return_dtype=pl.Boolean)\n'
        "print(scan.filter(passes).head(3).collect().height)",
        0,
        "3",
    ),
    "break": Ending("for batch in scan.collect_batches(): break"),
    "return": Ending("def first():\n    for batch in scan.collect_batches(): return batch\nfirst()"),
    "exit": Ending("for batch in scan.collect_batches(): sys.exit(7)", 7),
    "an error in a loop": Ending("for batch in scan.collect_batches(): raise ValueError", 1),
    "an error in a function": Ending("def run():\n    for batch in scan.collect_batches(): raise ValueError\nrun()", 1),
    "an error that is caught and kept": Ending(
        "def run():\n    batches = scan.collect_batches()\n    for batch in batches: raise ValueError\n"
        "try: run()\nexcept ValueError as error: kept = error"
    ),
    "an iterator alive": Ending("batches = scan.collect_batches(); next(batches)"),
    "an iterator alive that nothing was taken from": Ending("batches = scan.collect_batches()"),
    "three iterators alive": Ending("kept = [scan.collect_batches() for _ in range(3)]; [next(each) for each in kept]"),
    "an iterator alive in a forked child": Ending(
        "batches = scan.collect_batches(); next(batches)\nchild = os.fork()\nif child == 0: sys.exit(5)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))",
        0,
        "5",
    ),
    "a sink without directory": Ending('pa.sink_avro(scan, folder + "/missing/x.avro")', 1),
    "a sink of other Polars formats without directory": Ending('scan.sink_parquet(folder + "/missing/x.parquet")', 1),
    "a lazy sink without directory": Ending('pa.sink_avro(scan, folder + "/missing/x.avro", lazy=True).collect()', 1),
    "a sink to a full disk": Ending('pa.sink_avro(scan, open("/dev/full", "wb"))', 1),
    "a sink of values that do not fit": Ending(
        'fields = [{"name": "a", "type": "int"}, {"name": "text", "type": "string"}]\n'
        'schema = {"type": "record", "name": "r", "fields": fields}\n'
        'pa.sink_avro(scan.with_columns(pl.col("a") + 2**40), folder + "/x.avro", avro_schema=schema)',
        1,
    ),
    "a sink of a cast that fails": Ending(f'pa.sink_avro(scan.with_columns({CAST}), folder + "/x.avro")', 1),
    "partitions of a cast that fails": Ending(
        f'pa.sink_avro(scan.with_columns({CAST}, k=pl.col("a") % 3), pl.PartitionBy(folder + "/parts", key="k"))', 1
    ),
    "one of two lazy sinks fails": Ending(
        f'failing = pa.sink_avro(scan.with_columns({CAST}), folder + "/x.avro", lazy=True)\n'
        'other = pa.sink_avro(pl.concat([scan] * 9), folder + "/y.avro", lazy=True)\n'
        "pl.collect_all([failing, other])",
        1,
        whole="y.avro",
    ),
    "a cast that fails": Ending(f"scan.with_columns({CAST}).collect()", 1),
    "datums that are damaged": Ending(
        """scan.with_columns(pa.decode(pl.col("text").cast(pl.Binary), '"boolean"')).collect()""", 1
    ),
    "a row index of a name that exists": Ending('scan.with_row_index("a").collect()', 1),
    "a reader alive": Ending("reader = pa.AvroReader(path); next(reader)"),
    "a reader of a file object alive": Ending(FILE_LIKE + "reader = pa.AvroReader(Opened()); next(reader)"),
    "a scan of a file object left": Ending(FILE_LIKE + "for batch in pa.scan_avro(Opened()).collect_batches(): break"),
    "a writer alive": Ending(
        'writer = pa.AvroWriter(folder + "/x.avro"); writer.write(pl.DataFrame({"a": range(100_000)}))'
    ),
    "a daemon thread in a query": Ending(
        "def run():\n    while True: scan.filter(pl.col('a') > 5).collect()\n"
        "threading.Thread(target=run, daemon=True).start(); time.sleep(0.3)"
    ),
    "a daemon thread in a read": Ending(
        "def run():\n    while True: pa.read_avro(path)\n"
        "threading.Thread(target=run, daemon=True).start(); time.sleep(0.3)"
    ),
    "a daemon thread in a loop over batches": Ending(
        "def run():\n    for batch in scan.collect_batches(): time.sleep(0.01)\n"
        "threading.Thread(target=run, daemon=True).start(); time.sleep(0.2)"
    ),
    "a thread that outlives the script": Ending(
        "def run():\n    rows = 0\n    for batch in scan.collect_batches(): rows += batch.height; time.sleep(0.01)\n"
        "    print(rows)\nthreading.Thread(target=run).start(); time.sleep(0.2)",
        0,
        "400000",
    ),
    "a task of an executor that outlives the script": Ending(
        "from concurrent.futures import ThreadPoolExecutor\n"
        "def run():\n    rows = 0\n    for batch in scan.collect_batches(): rows += batch.height; time.sleep(0.01)\n"
        "    print(rows)\nThreadPoolExecutor(1).submit(run); time.sleep(0.2)",
        0,
        "400000",
    ),
    "a spawned child that reads": Ending(
        "import multiprocessing\nwith multiprocessing.get_context('spawn').Pool(1) as pool:\n"
        "    print(pool.apply(pa.read_avro, (path,)).height)",
        0,
        "400000",
    ),
    "a forked child that ends as an iterator is begun": Ending(
        "child = os.fork()\nif child == 0:\n    batches = scan.collect_batches(); next(batches); sys.exit(5)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))",
        0,
        "5",
    ),
    "a sink to a closed pipe": Ending(
        'left, right = os.pipe(); os.close(left)\npa.sink_avro(scan, open(right, "wb", buffering=0))', 1
    ),
    "rows printed to a closed pipe": Ending(
        "left, right = os.pipe(); os.close(left); os.dup2(right, 1)\n"
        "for batch in scan.collect_batches(): print(batch, flush=True)",
        1,
    ),
    "a query in the background": Ending("query = scan.filter(pl.col('a') > 5).collect(background=True)"),
}
