"""Whether what the engine needs beside the package itself is installed.

Does not belong here: what executors need (``executors``).
"""

from importlib.util import find_spec

from film_assets.errors import FilmAssetsError

_LIBRARIES = ("deltalake", "grpc", "obstore", "pyspark")


def ensure_installed() -> None:
    """Make sure that the libraries of the extra are there.

    Raises:
        FilmAssetsError: One is not.
    """
    for library in _LIBRARIES:
        if find_spec(library) is None:
            raise FilmAssetsError(f"no {library} is installed, which Spark needs: pip install 'film-assets[spark]'")
