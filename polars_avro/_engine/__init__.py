"""Scans as Polars runs them: the multi-file scan, the plain IO source, and the rows of files behind both."""
