"""The conflict with the distribution `polars-avro`, which installs the same package."""

import warnings


def warn() -> None:
    """Warn that both distributions are installed: removing either breaks the other."""
    warnings.warn(
        "the distributions polars-avro and polars-avro-plugin are both installed, and both contain the package "
        "`polars_avro`: files of one have replaced files of the other. Run "
        "`pip uninstall -y polars-avro polars-avro-plugin`, then install the one that you want",
        RuntimeWarning,
        stacklevel=3,
    )
