"""Two distributions that share the package."""

import warnings


def warn() -> None:
    """Warn, because either distribution breaks when the other is removed."""
    warnings.warn(
        "the distributions polars-avro and polars-avro-plugin are both installed, and both are the package "
        "`polars_avro`: files of one have replaced files of the other. Run "
        "`pip uninstall -y polars-avro polars-avro-plugin`, then install the one that you want",
        RuntimeWarning,
        stacklevel=3,
    )
