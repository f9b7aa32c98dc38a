"""One module per reader, each with ``start(threads)`` and ``run(paths, query)``, which returns a Polars frame.

A module is imported in its reader's own virtual environment and nowhere else. What a reader cannot do raises
``NotImplementedError`` with the reason, or whatever the reader raises.
"""
