"""Optional packages are imported on use, and errors name missing ones."""

import subprocess
import sys

import pytest

WITHOUT = """
import sys
for name in {missing!r}:
    sys.modules[name] = None
import polars_avro
import polars_avro.dask, polars_avro.ray
print([name for name in ("ray", "dask", "pandas", "pyarrow") if sys.modules.get(name)])
try:
    polars_avro.{call}
except ModuleNotFoundError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("call", "extra", "missing"),
    [
        ("ray.read_avro('docs/sample.avro')", "ray", ["ray"]),
        ("ray.write_avro(None, 'out')", "ray", ["ray"]),
        ("dask.read_avro('docs/sample.avro')", "dask", ["dask"]),
        ("GlueSchemaRegistry(schema_name='events').latest()", "glue", ["boto3"]),
    ],
)
def test_a_missing_package_is_named_and_how_to_install_it(call, extra, missing):
    code = WITHOUT.format(missing=missing, call=call)
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported, error = found.stdout.splitlines()
    assert imported == "[]"
    name = call.partition("(")[0]
    assert error.startswith(f"polars_avro.{name} needs {missing[0]}")
    assert f"pip install 'polars-avro-plugin[{extra}]'" in error
