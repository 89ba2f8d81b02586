"""IMDb-shaped film data from a blob container to a DuckDB warehouse, as Dagster assets that refresh only what changed."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from film_assets.reader import Films, Lake, open_films, open_lake

__all__ = ["Films", "Lake", "open_films", "open_lake"]


def __getattr__(name: str) -> Any:
    """``film_assets.open_films``, loaded when it is asked for, so that importing the package loads nothing."""
    if name in __all__:
        from film_assets import reader

        return getattr(reader, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
