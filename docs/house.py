"""The picture of the code in ``docs/architecture.md``: its packages, and which imports which, read from the code itself.

Belongs here: what is drawn. Does not belong here: which directions are allowed (the contracts in ``pyproject.toml``).
"""

import importlib
import inspect
import re
from collections.abc import Iterable, Iterator, Mapping

import grimp

_PACKAGE = "film_assets"
_LEFT_OUT = {"errors", "common"}
"""What everything imports; drawn, it would hide the rest."""


def picture() -> Iterator[str]:
    """A Mermaid diagram: an arrow from each package to those it imports, less those that a longer way implies."""
    imports = _imports()
    yield from ("```mermaid", "flowchart TD")
    for name in sorted(imports):
        yield f'    {name}["<b>{name}</b><br>{_opening(name)}"]'
    for name in sorted(imports):
        yield from (f"    {name} --> {other}" for other in sorted(_direct(name, imports)))
    yield "```"


def _imports() -> Mapping[str, set[str]]:
    graph = grimp.build_graph(_PACKAGE, exclude_type_checking_imports=True, cache_dir=None)
    rooms = {name.split(".")[1] for name in graph.modules if "." in name} - _LEFT_OUT
    found: dict[str, set[str]] = {room: set() for room in rooms}
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            one, other = (name.split(".")[1] if "." in name else "" for name in (module, imported))
            if one != other and {one, other} <= rooms:
                found[one].add(other)
    return found


def _direct(name: str, imports: Mapping[str, set[str]]) -> set[str]:
    return {other for other in imports[name] if not any(other in _reached(way, imports) for way in imports[name] - {other})}


def _reached(name: str, imports: Mapping[str, set[str]]) -> set[str]:
    todo, done = [name], set[str]()
    while todo:
        new = imports[todo.pop()] - done
        done |= new
        todo += new
    return done


def _opening(name: str) -> str:
    """The first sentence that a package or module says of itself."""
    text = inspect.getdoc(importlib.import_module(f"{_PACKAGE}.{name}")) or ""
    first = re.split(r"[.;](?: |$)", " ".join(text.partition("\n\n")[0].split()), maxsplit=1)[0]
    return re.sub(r"^[A-Z]+: ", "", first).replace("`", "").replace('"', "'")


def replaced(page: str, begin: str, end: str, lines: Iterable[str]) -> str:
    """A page with these lines between two lines of it."""
    before, _, rest = page.partition(f"{begin}\n")
    _, _, after = rest.partition(f"{end}\n")
    return "\n".join([before + begin, *lines, end]) + "\n" + after
