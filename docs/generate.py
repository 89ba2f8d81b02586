"""What is generated of the pages in ``docs/``: ``python -m docs.generate`` writes it anew.

Belongs here: how the declarations are laid out as Markdown and as Mermaid diagrams. Does not belong here: words about the
data, which stand in the declarations (``tables``), and the picture of the code (``house``).
"""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType

import duckdb

from docs import house
from film_assets.common import markdown
from film_assets.common.database import CATALOG, attached
from film_assets.snapshot import indexes, macros
from film_assets.tables import TABLES, Blob, Column, Table, sql

FOLDER = Path(__file__).parent
"""Where the pages are kept."""


def pages() -> dict[str, str]:
    """File name -> text of each page."""
    return {name: "\n".join(lines()) + "\n" for name, lines in _PAGES.items()}


def write(folder: Path = FOLDER) -> None:
    """Write the pages, in place of those that are there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


# ---- the data dictionary


def _dictionary() -> Iterator[str]:
    yield from ("# Data dictionary", "")
    yield "What is in `films.duckdb`, made from the declarations in `film_assets/tables` by `make docs`; how the tables hang"
    yield "together is drawn in [diagrams](diagrams.md). The file itself says the same, in `duckdb_tables()`, `duckdb_columns()`"
    yield from ("and `duckdb_functions()`.", "")
    for schema in _schemas():
        module = import_module(f"film_assets.tables.{schema}")
        tables = [item for item in vars(module).values() if isinstance(item, Table) and item.schema == schema]
        yield from (f"## {schema}", "", _opening(module), "")
        yield from _grid(("table", "key", "holds"), ((_link(table.name), _names(table.key), table.text) for table in tables))
        for table in tables:
            yield from _table(table)
    yield from _macros()
    yield from _metrics()


def _schemas() -> tuple[str, ...]:
    return tuple(dict.fromkeys(table.schema for table in TABLES.values()))


def _opening(module: ModuleType) -> str:
    """The first paragraph of the module that declares the tables."""
    text, _, _ = inspect.cleandoc(module.__doc__ or "").partition("\n\n")
    return text.replace("``", "`")


def _table(table: Table) -> Iterator[str]:
    yield from (f"### {table.name}", "", table.text, "")
    yield from (f"- {fact}" for fact in _facts(table))
    yield ""
    heads = ("column", "type", "meaning", "values" if isinstance(table, Blob) else "from")
    yield from _grid(heads, ([*_words(table, column), _origin(table, column)] for column in table.columns))


def _words(table: Table, column: Column) -> tuple[str, str, str]:
    name = f"**`{column.name}`**" if column.name in table.key else f"`{column.name}`"
    return name, column.type, f"{column.text} {_reference(table, column)}".rstrip()


def _origin(table: Table, column: Column) -> str:
    """Which values a blob may hold, or which columns the values come from; those from none, the landing writes itself."""
    if isinstance(table, Blob):
        return column.form or (f"each {column.element_form}" if column.elements else _names(column.allowed))
    return _names(column.sources) or "the landing"


def _reference(table: Table, column: Column) -> str:
    parent = _parent(table, column)
    return f"→ {_link(parent)}" if parent else ""


def _facts(table: Table) -> Iterator[str]:
    yield f"Key: {_names(table.key)}"
    if table.range_column:
        yield f"Cut into id ranges of `{table.range_column}`"
    if isinstance(table, Blob):
        yield f"Delivered as {' or '.join(f'`{name}`' for name in table.files)}, plain or `.gz`"
    if table.uses:
        yield f"Which rows there are depends on {_names(table.uses)} too"
    readers = [other.name for other in TABLES.values() if table.name in other.reads]
    if readers:
        yield f"Read by {', '.join(map(_link, readers))}"


def _macros() -> Iterator[str]:
    yield from ("## Macros", "", "Questions that any client of the file can ask: `from credits_of('nm0000001')`.", "")
    columns = _macro_columns()
    for macro in macros.all_macros():
        yield from (f"### {macro.name}({macro.parameters})", "", macro.text, "")
        yield from (f"Columns: {', '.join(f'`{name}` {kind}' for name, kind in columns[macro.name])}", "")


def _macro_columns() -> dict[str, list[tuple[str, str]]]:
    """What each macro gives, as DuckDB itself says over empty tables."""
    with attached(Path(":memory:")) as connection:
        for schema in _schemas():
            if schema != CATALOG:
                connection.execute(f"create schema {schema}")
        tables = (f"create table {sql.quoted(table.name)} as {sql.no_rows(table)}" for table in TABLES.values())
        for statement in (*tables, *indexes.create_tables(), *macros.statements()):
            connection.execute(statement)
        return {macro.name: _columns_of(connection, macro) for macro in macros.all_macros()}


def _columns_of(connection: duckdb.DuckDBPyConnection, macro: macros.Macro) -> list[tuple[str, str]]:
    required = [parameter for parameter in macro.parameters.split(",") if parameter and ":=" not in parameter]
    described = connection.execute(f"describe from {macro.name}({', '.join('null' for _ in required)})")
    return [(name, kind) for name, kind, *_ in described.fetchall()]


def _metrics() -> Iterator[str]:
    yield from ("## What can be compared", "")
    yield "The columns of `compare_people` and `compare_titles`, and the metrics that `films.compare(...)` and"
    yield from ("`film-assets compare --metrics` take; those in bold are shown where none are asked for.", "")
    for kind, heading in (("person", "People"), ("title", "Titles")):
        yield from (f"### {heading}", "")
        chosen = (metric for metric in macros.METRICS if metric.kind == kind)
        yield from _grid(("metric", "meaning"), ((f"**`{m.name}`**" if m.default else f"`{m.name}`", m.text) for m in chosen))


def _grid(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield from (*markdown.lines(heads, rows), "")


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _link(name: str) -> str:
    return f"[{name}](#{name.replace('.', '')})"


# ---- the diagrams


def _diagrams() -> Iterator[str]:
    blobs = [table for table in TABLES.values() if isinstance(table, Blob)]
    built = [table for table in TABLES.values() if table.function]
    yield from ("# Diagrams", "")
    yield from (
        "Made from the declarations in `film_assets/tables` by `make docs`. In words: the [data dictionary](data-dictionary.md).",
        "",
    )
    yield from ("## The blobs as delivered", "")
    yield from ("Dotted: a column that lists several ids, separated by commas.", "")
    yield from _diagram(blobs, [*_references(blobs), *_lists(blobs)])
    yield from ("## The warehouse as built", "")
    yield from ("PK is what identifies a row, FK an id that another table explains.", "")
    yield from _diagram(built, _references(built))


def _diagram(tables: Iterable[Table], relations: Iterable[str]) -> Iterator[str]:
    yield from ("```mermaid", "erDiagram", "    direction LR")
    for table in tables:
        yield f'    {_entity(table.name)}["{table.name}"] {{'
        yield from (f"        {column.type} {column.name}{_keys(table, column)}" for column in table.columns)
        yield "    }"
    yield from (f"    {relation}" for relation in relations)
    yield from ("```", "")


def _keys(table: Table, column: Column) -> str:
    marks = ["PK"] * (column.name in table.key) + ["FK"] * (_parent(table, column) is not None)
    return f" {', '.join(marks)}" if marks else ""


def _references(tables: Iterable[Table]) -> Iterator[str]:
    """A line for every id that another table explains: titles are drawn left of what has their ids, people right."""
    for table in tables:
        for column in table.columns:
            if parent := _parent(table, column):
                single = table.key == (column.name,)
                if parent.endswith(".titles"):
                    yield f'{_entity(parent)} ||--{"o|" if single else "o{"} {_entity(table.name)} : "{column.name}"'
                else:
                    yield f'{_entity(table.name)} {"|o" if single else "}o"}--|| {_entity(parent)} : "{column.name}"'


def _lists(blobs: Iterable[Table]) -> Iterator[str]:
    """The columns of blobs that hold several ids, which are those that another table has one by one."""
    held = {column.sources: column for table in TABLES.values() for column in table.columns if column.references}
    for blob in blobs:
        for column in blob.columns:
            single = held.get((f"{blob.name}.{column.name}",))
            if single and not column.references:
                yield f'{_entity(blob.name)} }}o..o{{ {_entity(_beside(blob, single))} : "{column.name}"'


def _parent(table: Table, column: Column) -> str | None:
    """The table that explains the ids of a column, unless it is the column's own."""
    parent = _beside(table, column) if column.references else None
    return None if parent == table.name else parent


def _beside(table: Table, column: Column) -> str:
    """The table that a column with a reference refers to: of a blob, the blob which that table is made from."""
    assert column.references, f"{column.name} refers to nothing"
    schema, short, _ = column.references.split(".")
    return f"{table.schema if isinstance(table, Blob) else schema}.{short}"


def _entity(name: str) -> str:
    return name.replace(".", "_")


# ---- the picture of the code, in a page that is otherwise written by hand

_ARCHITECTURE = "architecture.md"
_BEGIN, _END = (f"<!-- made from the code by `make docs`: {word} -->" for word in ("begin", "end"))


def _architecture() -> Iterator[str]:
    page = (FOLDER / _ARCHITECTURE).read_text(encoding="utf-8")
    yield house.replaced(page, _BEGIN, _END, house.picture()).rstrip("\n")


_PAGES: Mapping[str, Callable[[], Iterator[str]]] = {
    "data-dictionary.md": _dictionary,
    "diagrams.md": _diagrams,
    _ARCHITECTURE: _architecture,
}


if __name__ == "__main__":
    write()
