//! The readers, the writer and the scan of the feature `polars`.
