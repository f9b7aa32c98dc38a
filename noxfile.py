"""
Sessions for all development tasks.

``nox -s test``, ``slow``, ``lint``, ``polars``, ``frames``, ``package``, ``distributed``, ``fuzz``, ``docs``,
``bench``, ``counts``.
"""

import os
import shutil
from pathlib import Path

import nox

nox.options.sessions = ["lint", "test", "docs"]
nox.options.error_on_external_run = True

GROUPS = nox.project.load_toml("pyproject.toml")


def requirements(group: str) -> list[str]:
    """Return one of the project's dependency groups, which older versions of pip cannot read."""
    return list(nox.project.dependency_groups(GROUPS, group))


@nox.session
def test(session: nox.Session) -> None:
    """Run the Rust tests, build the package, run the Python tests and the examples in docstrings."""
    stores = ["--features", "object_store"]
    if shutil.which("cargo-llvm-cov"):
        session.run("cargo", "llvm-cov", "--summary-only", *stores, external=True)
        session.run("cargo", "test", "--doc", *stores, external=True)
    else:
        session.run("cargo", "test", *stores, external=True)
    install_tested(session)
    # The console script, not `python -m`: that would import the sources, which have no extension module.
    arguments = session.posargs or [
        "-n",
        "auto",
        "--doctest-modules",
        "--pyargs",
        "polars_avro",
        "tests/python",
    ]
    session.run("pytest", *arguments)


@nox.session
def slow(session: nox.Session) -> None:
    """Run all Python tests, also slow ones, with many random cases, and measure coverage.

    ``POLARS_AVRO_CASES`` sets the number of cases.
    """
    install_tested(session)
    arguments = session.posargs or ["-n", "auto", "--cov", "-m", "", "tests/python"]
    session.run("pytest", *arguments, env={"POLARS_AVRO_CASES": os.environ.get("POLARS_AVRO_CASES", "1000")})


def install_tested(session: nox.Session) -> None:
    """Install the package and everything that its tests use."""
    session.install(".", *requirements("test"))
    install_azurite(session)
    install_rival(session)


def install_azurite(session: nox.Session) -> None:
    """Install the Azure emulator if npm is available. Without it its tests are skipped."""
    if shutil.which("npm") and not shutil.which("azurite-blob"):
        folder = Path(session.create_tmp()).absolute()
        session.run("npm", "install", "--silent", "--no-fund", "--prefix", str(folder), "azurite@3", external=True)
        session.env["PATH"] = os.pathsep.join([str(folder / "node_modules/.bin"), os.environ["PATH"]])


def install_rival(session: nox.Session) -> None:
    """Install polars-avro, a reader for tests, into a separate environment, because the package names clash."""
    folder = Path(session.create_tmp()).absolute() / "rival"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        session.run("python", "-m", "venv", str(folder))
        session.run(str(python), "-m", "pip", "install", "--quiet", "polars-avro==0.13.0", external=True)
    session.env["POLARS_AVRO_RIVAL"] = str(python)


# The oldest version that `pyproject.toml` allows, and the last before 2.0, which has other scans.
POLARS = {"oldest-1": "==1.44.1", "newest-1": "<2", "oldest-2": "==2.0.0", "newest-2": "<3"}


@nox.session
@nox.parametrize("version", [nox.param(version, id=name) for name, version in POLARS.items()])
def polars(session: nox.Session, version: str) -> None:
    """Run queries with the oldest and the newest Polars of each major version."""
    session.install(".", *requirements("test"))
    session.install("--upgrade", f"polars{version}")
    tests = ["api_io_source", "interrupts", "query_fuzzer", "cli", "cli_process", "cli_convert", "cli_diff", "package"]
    if version in (POLARS["oldest-2"], POLARS["newest-2"]):
        tests += ["api_scan", "query_pushdown"]
    session.run("pytest", *(session.posargs or [f"tests/python/test_{name}.py" for name in tests]))


@nox.session
def frames(session: nox.Session) -> None:
    """Run the tests and the examples of the cargo features ``arrow`` and ``polars``, which take minutes to build."""
    # The guide has examples of all features.
    features = ["--features", "arrow,object_store,polars"]
    tests = ["--test", "arrow", "--test", "polars"]
    session.run("cargo", "test", *features, *tests, *session.posargs, external=True)
    session.run("cargo", "test", "--doc", *features, *session.posargs, external=True)


@nox.session
def package(session: nox.Session) -> None:
    """Pack the crate, then build and test the package outside of the checkout."""
    session.run("cargo", "package", "--no-verify", *session.posargs, external=True)
    folder = Path(session.create_tmp()).absolute() / "crate"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (crate,) = Path("target/package").glob("polars-avro-plugin-*.crate")
    session.run("tar", "-xzf", str(crate), "-C", str(folder), "--strip-components=1", external=True)
    # Tests contain the path of their folder, so each folder has its own target directory.
    with session.chdir(folder):
        session.run("cargo", "test", "--locked", "--target-dir", "../target", external=True)


@nox.session
def distributed(session: nox.Session) -> None:
    """Run the tests with Ray and Dask, which are large; ``-- -m ""`` runs slow tests too."""
    session.install(".", *requirements("test"), *requirements("distributed"))
    tests = [f"test_{name}.py" for name in ("splits", "extras", "dask", "ray")]
    # Ray's workers import from their driver's directory too: in the root they would find the sources, which have no
    # extension module.
    with session.chdir("tests/python"):
        session.run("pytest", *session.posargs, *tests, env={"RAY_USAGE_STATS_ENABLED": "0"})


@nox.session
def lint(session: nox.Session) -> None:
    """Check formatting, types, docstrings, and that the stubs match the extension module."""
    session.run("cargo", "fmt", "--check", external=True)
    stores = ["--features", "object_store"]
    session.run("cargo", "clippy", "--workspace", "--all-targets", *stores, "--", "-D", "warnings", external=True)
    # The kernel as it is vendored: without any codec that is optional, and with each of them.
    for codec in ["", "snappy", "zstandard", "bzip2", "xz"]:
        kernel = ["--no-default-features", "--features", codec]
        session.run("cargo", "check", *kernel, external=True, env={"RUSTFLAGS": "-D warnings"})
    # The frames of the crate `polars` take minutes to build the first time.
    frames = ["--features", "arrow,polars"]
    session.run(
        "cargo",
        "clippy",
        "--lib",
        "--test",
        "arrow",
        "--test",
        "polars",
        *frames,
        "--",
        "-D",
        "warnings",
        external=True,
    )
    doc = ["cargo", "doc", "--no-deps", "--features", "object_store"]
    for features in [[], frames]:
        session.run(*doc, *features, external=True, env={"RUSTDOCFLAGS": "-D warnings"})
    guided = ["--manifest-path", str(GUIDED / "Cargo.toml")]
    session.run("cargo", "fmt", "--check", *guided, external=True)
    # The dependencies are already built.
    session.run("cargo", "clippy", *guided, "--target-dir", "target", "--", "-D", "warnings", external=True)
    session.install("-e", ".", "nox", *requirements("lint"), env={"MATURIN_PEP517_ARGS": "--profile dev"})
    session.run("ruff", "format", "--check")
    session.run("ruff", "check")
    session.run("mypy")
    session.run("stubtest", "polars_avro._core")


# Instrumentation for libFuzzer, which stable compilers support.
COVERAGE = ["level=4", "inline-8bit-counters", "pc-table", "trace-compares"]
FLAGS = "--cfg fuzzing -C codegen-units=1 -C passes=sancov-module"
FLAGS += "".join(f" -C llvm-args=-sanitizer-coverage-{what}" for what in COVERAGE)
GUIDED = Path("tests/fuzz/guided")
TARGETS = ["header", "schema", "block", "decode", "salvage", "splits", "arrow"]


@nox.session
def fuzz(session: nox.Session) -> None:
    """Damage files at random, then search for failing inputs with libFuzzer.

    Arguments after ``--``: the number of random files of each kind (60000, which is 200,000 in total), the seconds of
    guided fuzzing for each target (300), and the targets (all).
    """
    mutations, seconds, *targets = [*session.posargs, *["60000", "300"][len(session.posargs) :]]
    tests = ["cargo", "test", "--release", "--test", "fuzz"]
    session.run(*tests, external=True, env={"POLARS_AVRO_MUTATIONS": mutations})
    seeds = GUIDED.absolute() / "seeds"
    session.run(*tests, "--", "--ignored", "write_seeds", external=True, env={"POLARS_AVRO_SEEDS": str(seeds)})
    rustc = str(session.run("rustc", "-vV", external=True, silent=True))
    host = next(line.removeprefix("host: ") for line in rustc.splitlines() if line.startswith("host: "))
    for target in targets or TARGETS:
        corpus, artifacts = GUIDED / "corpus" / target, GUIDED / "artifacts" / target
        corpus.mkdir(parents=True, exist_ok=True)
        artifacts.mkdir(parents=True, exist_ok=True)
        # Arrays by other producers have no seeds.
        (seeds / target).mkdir(exist_ok=True)
        # With an explicit target, build scripts and macros are not instrumented.
        cargo = ["cargo", "run", "--release", "--target", host, "--manifest-path", str(GUIDED / "Cargo.toml")]
        options = [f"-max_total_time={seconds}", f"-artifact_prefix={artifacts}/", f"-dict={GUIDED / 'avro.dict'}"]
        options += ["-max_len=4096", "-timeout=60", "-rss_limit_mb=1024", "-print_final_stats=1"]
        places = [str(corpus), str(seeds / target)]
        session.run(*cargo, "--bin", target, "--", *places, *options, external=True, env={"RUSTFLAGS": FLAGS})


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation into ``site``; warnings are errors."""
    session.install(*requirements("docs"))
    session.run("mkdocs", "build", "--strict", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Compare with other readers, each in its own environment; arguments after ``--`` go to the script."""
    session.run("python", "benches/compare.py", *session.posargs)


@nox.session
def counts(session: nox.Session) -> None:
    """Count instructions of reads and writes with valgrind, and fail if one exceeds the record by more than 2 %.

    ``-- --record`` writes ``benches/record/counts.json`` anew; names after ``--`` choose cases.
    """
    session.run("cargo", "bench", "--bench", "counts", "--", *session.posargs, external=True)
