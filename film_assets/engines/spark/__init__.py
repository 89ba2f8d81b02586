"""The Spark engine: tables as Delta tables in a lake, computed on Spark, for data that has outgrown one machine.

``lake`` keeps the tables and what is known of them, ``session`` opens Spark; ``landing`` lands blobs by ``tasks`` on executors,
``rebuild`` brings the ranges of a table up to date through ``frames``, several tables at a time (``ahead``); ``checks`` evaluates
rules, ``profiles`` looks at columns, ``copy`` is what readers are given; ``engine`` puts them together; ``lists`` takes lists
apart. Does not belong here: what the tables hold (``tables``), how bytes are read (``landing``), what readers use (``snapshot``).
"""

from typing import TYPE_CHECKING

from film_assets.engines.spark import lists

if TYPE_CHECKING:
    from film_assets.common.database import Connect
    from film_assets.engines.blobs import LandedBlobs
    from film_assets.engines.spark.engine import SparkEngine
    from film_assets.engines.state import Ranges
    from film_assets.home import Home
    from film_assets.settings import Settings

# The engine is imported where it is asked for, as executors import this package too and have less than it needs.


def open_engine(settings: "Settings", home: "Home", connect: "Connect") -> "SparkEngine":
    """As ``engine.open_engine`` says."""
    from film_assets.engines.spark import engine

    return engine.open_engine(settings, home, connect)


def peek(settings: "Settings", home: "Home") -> "LandedBlobs":
    """As ``engine.peek`` says."""
    from film_assets.engines.spark import engine

    return engine.peek(settings, home)


def peek_ranges(settings: "Settings", home: "Home") -> "Ranges":
    """As ``engine.peek_ranges`` says."""
    from film_assets.engines.spark import engine

    return engine.peek_ranges(settings, home)


lists.register()
