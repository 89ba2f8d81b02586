"""The embedded engine: one DuckDB file that holds the tables and what is known of each id range.

``warehouse`` is the file, its tables and its state; ``landed`` takes over the slices of a blob; ``rebuild`` brings the
ranges of a table up to date, by ``changes`` where few ids changed; ``publish`` gives readers their snapshot. Does not belong
here: what the tables hold (``tables``), how blobs are read (``landing``).
"""
