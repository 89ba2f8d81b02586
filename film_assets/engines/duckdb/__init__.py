"""The embedded engine: one DuckDB file that holds the tables and what is known of each id range.

``warehouse`` is the file, its tables and its state; ``slices`` takes over the slices of a blob; ``rebuild`` brings the
ranges of a table up to date, by ``changes`` where few ids changed; ``checks`` evaluates rules; ``store`` is the file as what the
snapshot is made from; ``engine`` puts them together; ``peek`` looks at the state while another run may hold the home; ``lists``
takes lists apart. Does not belong here: what the tables hold (``tables``), how blobs are read
(``landing``), what only readers use (``snapshot``).
"""

from film_assets.engines.duckdb import lists
from film_assets.engines.duckdb.engine import open_engine
from film_assets.engines.duckdb.peek import peek, peek_ranges

__all__ = ["open_engine", "peek", "peek_ranges"]

lists.register()
