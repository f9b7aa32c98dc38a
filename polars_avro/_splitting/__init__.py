"""Splits: shares of a read for the tasks of a distributed engine."""
