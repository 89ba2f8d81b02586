"""The types of columns: what SQL calls them, and what Polars and Narwhals do, which call them alike.

Belongs here: the names, so that who needs them of one library need not load the other. Does not belong here: which column has
which type (``tables``).
"""

from collections.abc import Mapping
from types import ModuleType
from typing import Any, Literal

Type = Literal["VARCHAR", "BOOLEAN", "SMALLINT", "INTEGER", "BIGINT", "DOUBLE", "TIMESTAMP"]
"""The SQL types tables use."""

_NAMES: Mapping[Type, str] = {
    "VARCHAR": "String",
    "BOOLEAN": "Boolean",
    "SMALLINT": "Int16",
    "INTEGER": "Int32",
    "BIGINT": "Int64",
    "DOUBLE": "Float64",
    "TIMESTAMP": "Datetime",
}


def dtypes(library: ModuleType) -> Mapping[str, Any]:
    """SQL type -> the type of a library, ``polars`` or ``narwhals``; timestamps have microseconds."""
    return {sql: getattr(library, name)() for sql, name in _NAMES.items()}
