"""A lazy query on the sample: the mean temperature by station, in hours with rain."""

from pathlib import Path

import polars as pl

import polars_avro

measurements = polars_avro.scan_avro(Path(__file__).with_name("sample.avro"))
query = (
    measurements.filter(pl.col("sky") == "RAIN")
    .group_by("station")
    .agg(pl.len().alias("hours"), pl.col("celsius").mean().round(1))
    .sort("station")
)
print(query.collect())
