"""The Spark engine: tables as Delta tables in a lake, computed on Spark, for data that has outgrown one machine.

``storage`` is the lake's files, ``lake`` its tables and their versions, ``known`` and ``state`` what is known of them; ``session``
opens Spark (``classic`` or ``connect``), ``executors`` sees that they have what they need, ``package`` sends them our code,
``watch`` and ``faults`` say what went wrong; ``landing`` lands blobs on the executors, ``rebuild`` brings the ranges of a table up
to date through ``frames``, several tables at a time (``ahead``); ``checks`` evaluates rules, ``profiles`` looks at columns,
``copy`` is what readers are given; ``engine`` puts them together; ``lists`` takes lists apart. Does not belong here: what the
tables hold (``tables``), how bytes are read (``landing``), what only readers use (``snapshot``).
"""

from film_assets.engines.spark import lists
from film_assets.engines.spark.engine import open_engine, peek, peek_ranges

__all__ = ["open_engine", "peek", "peek_ranges"]

lists.register()
