"""Scans as Polars runs them: the external reader, the plain IO source, and the rows of files for both."""
