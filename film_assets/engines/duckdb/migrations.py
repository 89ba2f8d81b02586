"""What other releases wrote into a home, so that a new one need not rebuild what has not changed.

Belongs here: what is known of the past, which does not change any more. Does not belong here: the state itself (``warehouse``).
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from film_assets.engines.state import Derived, Ranges
from film_assets.tables import COMPUTED, TABLES

CODE_VERSIONS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "raw.ratings": ("6e2621a506af74c9", "6e2621a506af74c9"),
        "raw.titles": ("7ec6d1cf13d56c56", "7ec6d1cf13d56c56"),
        "raw.crew": ("2d59bc33241d33f1", "2d59bc33241d33f1"),
        "raw.names": ("981b7c434aebf16a", "981b7c434aebf16a"),
        "raw.cast": ("5dd316d966c54fb2", "5dd316d966c54fb2"),
        "films.titles": ("c62aac4198573e1c", "683054851e1e0136"),
        "films.genres": ("48afeeecdb15d01b", "2623d55dcb48a30c"),
        "films.names": ("168027338fa94f29", "ba10f265eaf5ef06"),
        "films.professions": ("3d9e6ea2673608ef", "2328e2a40740830a"),
        "films.known_for": ("cda16685c58ee6a9", "56bdc764cc25af14"),
        "films.ratings": ("25677efd9b12fe9f", "a76fc11c66464b1f"),
        "films.cast": ("5f67e61fd6785520", "62a942cff508939d"),
        "films.characters": ("93b25e1b3e83fcf2", "c6a7cb2464c149c1"),
        "films.actors": ("88eb4427c602c5f2", "f557c59d7cb9f90e"),
        "films.directors": ("2fa247d7b5c1a73b", "f2f2c3fd49c39d98"),
        "films.writers": ("d38faf4bee6de4ad", "9b553fa0d5bc4ef0"),
        "metrics.known_for_success": ("3aee74a320792767", "7549d9027f28fdd5"),
        "metrics.actor_performance": ("635a562ba254344c", "3389954a1913dab6"),
        "metrics.director_performance": ("b30eb17af7b5bd81", "e76f60d50085daa7"),
        "metrics.writer_performance": ("d70b15793a119e5e", "ae506054f26dbcfe"),
        "metrics.comparison": ("d6edcb86060c4a75", "bf4b0f7ed44cffad"),
        "metrics.title_success": ("6f4f10df42581ca1", "34954afb34621945"),
        "metrics.person_success": ("f8df82955a078a4d", "2361cb1e65e5fcb5"),
        "metrics.genre_success": ("d30788c89abe0ced", "fd3ff196f9cb1868"),
        "metrics.collaborations": ("6b10c86ae7ff2501", "bffa80de912955d4"),
    }
)
"""Table -> the code version it had when that was a digest of its functions' text (the same on Python 3.11 to 3.14), and the one
that the same code has had since then, as a digest of definitions: the rows of both are the same."""

_LISTS = "003ae09bf2ee4834"
"""The version that the embedded engine's ``lists`` had then, which has been part of the version of tables that use them since."""


def with_definitions(ranges: Ranges) -> Iterator[tuple[str, str, str]]:
    """The ranges whose state tells of the code by its text, and what it is where it tells of definitions.

    Returns:
        Name, range, and the new ``own`` of its state. A range that was out of date stays so.
    """
    before, now = (Ranges(ranges, version) for version in (_by_text, _by_definitions))
    for table in COMPUTED:
        for key in table.range_keys:
            built_from = ranges.built_from(table, key)
            if table.name in CODE_VERSIONS and built_from and built_from.own == before.inputs(table, key).own:
                yield table.name, key, now.inputs(table, key).own


def _by_text(derived: Derived) -> str:
    return CODE_VERSIONS[derived.name][0]


def _by_definitions(derived: Derived) -> str:
    version = CODE_VERSIONS[derived.name][1]
    return f"{version}:{_LISTS}" if TABLES[derived.name].uses_lists else version
