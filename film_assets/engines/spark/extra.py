"""Whether what the engine needs beside the package itself is installed.

Does not belong here: what executors need (``executors``).
"""

from importlib.util import find_spec

from film_assets.errors import FilmAssetsError

_LIBRARIES = ("deltalake", "obstore", "pyspark")


def ensure_installed() -> None:
    """Make sure that the libraries of the extra are there.

    Raises:
        FilmAssetsError: One is not.
    """
    if any(find_spec(library) is None for library in _LIBRARIES):
        raise FilmAssetsError("the engine spark needs an extra: pip install 'film-assets[spark]'")
