"""HOW: engines keep the tables of a home and bring them up to date; ``base`` says what an engine is.

``open_engine`` opens the one that the settings name, ``peek`` asks what it has landed, ``peek_ranges`` what it has built.
What every engine needs stands once: ``state`` (versions of ranges, what is out of date), ``reasons`` (why), ``outcome``,
``blobs``, ``losses``, ``checks``, and ``working_file`` (how it is opened). Does not belong here: which tables there are
(``tables``), when they are refreshed (``orchestration``), how blobs are read (``landing``), and what only readers use
(``snapshot``).
"""

from importlib import import_module
from typing import TYPE_CHECKING

from film_assets.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from film_assets.common.database import Connect
    from film_assets.engines.base import Engine
    from film_assets.engines.blobs import LandedBlobs
    from film_assets.engines.state import Ranges
    from film_assets.home import Home
    from film_assets.settings import Settings

ENGINES: dict[str, str] = {"duckdb": "film_assets.engines.duckdb", "spark": "film_assets.engines.spark"}
"""Name -> the module that has ``open_engine``, ``peek`` and ``peek_ranges``, imported only where it is used."""


def open_engine(settings: "Settings", home: "Home", connect: "Connect") -> "Engine":
    """The engine of these settings, in a home that is held alone.

    Args:
        settings: Which engine, and what it may do.
        home: Where it keeps the tables.
        connect: Opens the working file, each time that it was closed to be published too.

    Raises:
        SettingsError: There is no such engine.
        HomeError: What it keeps there cannot be opened.
    """
    opened: Callable[[Settings, Home, Connect], Engine] = _module(settings).open_engine
    return opened(settings, home, connect)


def peek(settings: "Settings", home: "Home") -> "LandedBlobs":
    """Which version of each blob is landed in a home, also while a refresh holds it; empty where there is none.

    Raises:
        SettingsError: There is no such engine.
        HomeError: What it keeps there cannot be opened.
    """
    found: Callable[[Settings, Home], LandedBlobs] = _module(settings).peek
    return found(settings, home)


def peek_ranges(settings: "Settings", home: "Home") -> "Ranges":
    """The state of every range, also while a refresh holds the home; empty where nothing was ever built.

    Raises:
        SettingsError: There is no such engine.
        HomeError: What it keeps there cannot be opened.
    """
    found: Callable[[Settings, Home], Ranges] = _module(settings).peek_ranges
    return found(settings, home)


def _module(settings: "Settings") -> "ModuleType":
    if settings.engine not in ENGINES:
        raise SettingsError(f"FILM_ASSETS_ENGINE={settings.engine!r}: there is no such engine; set it to {' or '.join(ENGINES)}")
    return import_module(ENGINES[settings.engine])
