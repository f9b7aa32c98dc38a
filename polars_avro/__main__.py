"""Runs the command line as ``python -m polars_avro``."""

from polars_avro._cli.app import main

if __name__ == "__main__":
    main()
