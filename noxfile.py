"""The one door to everything: ``nox -s test``, ``lint``, ``fuzz``, ``docs``, ``bench``."""

import shutil

import nox

nox.options.sessions = ["lint", "test", "docs"]
nox.options.error_on_external_run = True

GROUPS = nox.project.load_toml("pyproject.toml")


def requirements(group: str) -> list[str]:
    """Give one of the project's dependency groups; pip learned to read them late."""
    return list(nox.project.dependency_groups(GROUPS, group))


@nox.session
def test(session: nox.Session) -> None:
    """Run the Rust tests, build the package, run the Python tests and the examples in docstrings."""
    if shutil.which("cargo-llvm-cov"):
        session.run("cargo", "llvm-cov", "--summary-only", external=True)
        session.run("cargo", "test", "--doc", external=True)
    else:
        session.run("cargo", "test", external=True)
    session.install(".", *requirements("test"))
    # The console script, not `python -m`: that would import the sources, which have no extension module.
    arguments = session.posargs or ["--cov", "--doctest-modules", "--pyargs", "polars_avro", "tests/python"]
    session.run("pytest", *arguments)


@nox.session
@nox.parametrize("version", ["<2", "<3"])
def polars(session: nox.Session, version: str) -> None:
    """Run queries with the newest Polars of each kind: the one before 2.0 has no external readers."""
    session.install(".", *requirements("test"))
    # The package asks for 2.0, so pip objects, and goes on.
    session.install("--upgrade", f"polars{version}")
    queries = ["tests/python/test_surface_io_source.py", "tests/python/test_query_fuzzer.py"]
    if version != "<2":
        queries += ["tests/python/test_surface_scan.py", "tests/python/test_query_pushdown.py"]
    session.run("pytest", *(session.posargs or queries))


@nox.session
def lint(session: nox.Session) -> None:
    """Check formatting, types, docstrings, and that the stubs say what the extension module has."""
    session.run("cargo", "fmt", "--check", external=True)
    session.run("cargo", "clippy", "--all-targets", "--features", "python", "--", "-D", "warnings", external=True)
    # The fuzz tests are not built with the extension.
    session.run("cargo", "clippy", "--test", "fuzz", "--", "-D", "warnings", external=True)
    session.install("-e", ".", "nox", *requirements("lint"), env={"MATURIN_PEP517_ARGS": "--profile dev"})
    session.run("ruff", "format", "--check")
    session.run("ruff", "check")
    session.run("mypy")
    session.run("stubtest", "polars_avro._core")


@nox.session
def fuzz(session: nox.Session) -> None:
    """Damage files at random, 200,000 in all unless an argument after ``--`` says how many of each kind."""
    mutations = session.posargs[0] if session.posargs else "60000"
    session.run("cargo", "test", "--release", "--test", "fuzz", external=True, env={"POLARS_AVRO_MUTATIONS": mutations})


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation into ``site``; warnings are errors."""
    session.install(*requirements("docs"))
    session.run("mkdocs", "build", "--strict", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Compare with other readers, each in an environment of its own; arguments after ``--`` go to the script."""
    session.run("python", "benches/compare.py", *session.posargs)
