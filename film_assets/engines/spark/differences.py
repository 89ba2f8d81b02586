"""How the rows of a range differ from those before, as far as versions of columns and numbers of rows tell.

Does not belong here: what the versions are made of (``frames``, ``landing``).
"""

from collections.abc import Mapping

from film_assets.engines.outcome import Difference
from film_assets.engines.state import RangeState
from film_assets.tables import Table


def difference(table: Table, before: RangeState, versions: Mapping[str, str], rows: int) -> Difference:
    """How a range differs that has so many rows now, and columns of these versions."""
    columns = [name for name in table.column_names if before.versions.get(name) != versions[name]]
    came = rows - before.rows
    return Difference(max(0, came), max(0, -came), None if columns else 0, columns)
