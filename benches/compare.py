"""Compares this project with other Avro readers, in turn and in the same run.

``python benches/compare.py`` writes the files and the virtual environments it needs into ``benches/cache`` (minutes,
once), runs every scenario on one core and on all of them, prints a table, and leaves a record and the figure.
``--quick`` is for development: few scenarios, three rounds, all cores, no record.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import figure
import report
from data import DATASETS, is_written
from measure import Result, compare
from readers import BASELINE, PEERS, REFERENCE, ROOT, Reader, prepare, project
from scenarios import SCENARIOS, Scenario

ROUNDS = 11
QUICK_ROUNDS = 3


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"few scenarios, {QUICK_ROUNDS} rounds, all cores")
    parser.add_argument("--scenario", nargs="+", choices=[s.name for s in SCENARIOS], metavar="NAME", default=[])
    parser.add_argument("--reader", nargs="+", choices=[r.name for r in PEERS], metavar="NAME", help="only these peers")
    parser.add_argument("--rounds", type=int, help=f"timed runs of each reader, {ROUNDS} by default")
    parser.add_argument("--threads", type=int, nargs="+", help="numbers of threads, 1 and all cores by default")
    parser.add_argument("--project", type=Path, default=ROOT, help="a wheel or a tree of this project")
    parser.add_argument("--without-project", action="store_true", help="the other readers alone")
    parser.add_argument("--baseline", type=Path, help="a wheel or a tree of this project to compare with")
    parser.add_argument("--record", action="store_true", help="leave a record and the figure of a partial run too")
    return parser.parse_args()


def chosen(wanted: argparse.Namespace) -> tuple[list[Reader], list[Scenario], list[int]]:
    """Return the readers, scenarios and numbers of threads of the command line."""
    readers = [] if wanted.without_project else [project(wanted.project.resolve())]
    if wanted.baseline:
        readers.append(project(wanted.baseline.resolve(), BASELINE))
    readers += [reader for reader in PEERS if wanted.reader is None or reader.name in wanted.reader]
    named = [s for s in SCENARIOS if s.name in wanted.scenario]
    scenarios = named or [s for s in SCENARIOS if s.quick or not wanted.quick]
    cores = report.cores()
    return readers, scenarios, wanted.threads or sorted({cores} if wanted.quick else {1, cores})


def write_files(scenarios: Sequence[Scenario], reference: Reader) -> None:
    """Write missing datasets, one per core at a time."""
    missing = sorted({s.dataset for s in scenarios if not is_written(s.dataset)}, key=list(DATASETS).index)
    script = Path(__file__).with_name("data.py")
    shares = [missing[i :: report.cores()] for i in range(report.cores())]
    started = [subprocess.Popen([reference.python, script, *share]) for share in shares if share]
    statuses = [process.wait() for process in started]
    if any(statuses):
        sys.exit("a dataset could not be written")


def main() -> None:
    """Run the comparison."""
    wanted = arguments()
    readers, scenarios, threads = chosen(wanted)
    reference = next(reader for reader in PEERS if reader.name == REFERENCE)
    for reader in {reader.folder: reader for reader in (*readers, reference)}.values():
        prepare(reader)
    write_files(scenarios, reference)
    rounds = wanted.rounds or (QUICK_ROUNDS if wanted.quick else ROUNDS)
    load = os.getloadavg()[0]
    results: list[Result] = []
    for scenario in scenarios:
        for number in threads:
            print(f"{scenario.name}, {number} threads", file=sys.stderr, flush=True)
            results += compare(scenario, readers, reference, number, rounds)
    print(report.text(results, scenarios, readers))
    if wanted.record or (not wanted.quick and not wanted.scenario and not wanted.without_project):
        record = report.record(results, readers, load)
        print(f"recorded in {report.keep(record)}")
        figure.draw(results, scenarios, readers, record)


if __name__ == "__main__":
    main()
