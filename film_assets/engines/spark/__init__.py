"""The Spark engine: tables as Delta tables in a lake, computed on Spark, for data that has outgrown one machine.

``lake`` keeps the tables and what is known of them, ``session`` opens Spark; ``landing`` lands blobs on executors, ``rebuild``
brings the ranges of a table up to date through ``frames``, several tables at a time (``ahead``); ``checks`` evaluates rules,
``profiles`` looks at columns, ``copy`` is what readers are given; ``engine`` puts them together; ``lists`` takes lists apart.
Does not belong here: what the tables hold (``tables``), how bytes are read (``landing``), what readers use (``snapshot``).
"""

from film_assets.engines.spark import lists
from film_assets.engines.spark.engine import open_engine, peek, peek_ranges

__all__ = ["open_engine", "peek", "peek_ranges"]

lists.register()
