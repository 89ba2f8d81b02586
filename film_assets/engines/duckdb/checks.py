"""What holds for the rows of a table, and how many rows it does not hold for.

The rules follow from the declarations: a key is unique and not null, a value is one of those allowed, an id is one its own table
has. What was found is kept with the version of the range it was found in, and is not looked for again where nothing changed.

Belongs here: the rules and their SQL. Does not belong here: when they are checked and what a broken one does (``assets``).
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from film_assets.engines.duckdb.landed import slices
from film_assets.engines.duckdb.warehouse import Warehouse, digest
from film_assets.tables import BLOBS, COMPUTED, TABLES, Column, Table, sql
from film_assets.tables.ranges import UNCUT_KEYS

TOLERATED_ORPHANS = 0.02
"""So many of a table's rows may name a title or person that is unknown: in the real data a few always do."""

EXAMPLES = 10
"""How many offending rows are named, the first ones in the order of their keys."""

_AT_ONCE = 500_000
"""Of a table with more new rows, keys and orphans are looked for in some of the changed ranges only, so that a refresh stays
quick: in others each time, and in all of them when somebody asks for the check itself."""

_STATE = """create table if not exists state.checks (
    name varchar, rule varchar, range varchar, version varchar, looked boolean, failing bigint, examples varchar[])"""


@dataclass(frozen=True)
class Found:
    """What a rule found in one range.

    Attributes:
        version: Of all it would look at there.
        looked: Whether it did.
        failing: How many rows break the rule.
        examples: The first of them.
    """

    version: str
    looked: bool
    failing: int = 0
    examples: Sequence[str] = ()


@dataclass(frozen=True)
class Rule(ABC):
    """Something that holds for a table.

    Attributes:
        table: The table.
        name: What the rule is called; no other of the table is.
        fatal: Whether what breaks it must not be published.
        tolerated: The share of rows that may break it.
    """

    table: Table
    name: str
    fatal: bool = True
    tolerated: float = 0.0

    @abstractmethod
    def versions(self, warehouse: Warehouse) -> Mapping[str, str]:
        """Range -> the version of all that the rule looks at there."""

    @abstractmethod
    def look(self, warehouse: Warehouse, keys: Sequence[str]) -> Iterable[tuple[str, int, Sequence[str]]]:
        """The ranges in which it is broken: range, how often, and examples."""

    def some(self, warehouse: Warehouse, versions: Mapping[str, str]) -> Sequence[str]:  # noqa: ARG002
        """The ranges it looks at if it is to be quick."""
        return list(versions)


@dataclass(frozen=True)
class _RowRule(Rule):
    """A rule that each row keeps or breaks, whatever the rows of other ranges are."""

    @property
    def id(self) -> str:
        return self.table.range_column

    @property
    def example(self) -> str:
        """An expression that names a row."""
        return f"concat_ws(', ', {sql.names(self.table.key)})"

    @property
    @abstractmethod
    def reads(self) -> Mapping[str, tuple[str, ...]]:
        """Table -> columns the rule looks at."""

    @abstractmethod
    def offending(self, keys: Iterable[str]) -> str:
        """A query for the rows that break the rule: columns id, which is of the table's range column, and example."""

    @cached_property
    def code(self) -> str:
        return digest(self.offending(self.table.range_keys))

    def versions(self, warehouse: Warehouse) -> Mapping[str, str]:
        aligned = {name: columns for name, columns in self.reads.items() if TABLES[name].range_column == self.id}
        others = [
            warehouse.version(TABLES[name], key, columns)
            for name, columns in self.reads.items()
            if name not in aligned
            for key in TABLES[name].range_keys
        ]
        rest = digest(self.code, others)
        return {
            key: digest(rest, [warehouse.version(TABLES[name], key, columns) for name, columns in aligned.items()])
            for key in self.table.range_keys
        }

    def look(self, warehouse: Warehouse, keys: Sequence[str]) -> Iterable[tuple[str, int, Sequence[str]]]:
        query = f"""select {sql.range_of(self.table.range_column, "id")} as range, count(*), min(distinct example, {EXAMPLES})
            from ({self.offending(keys)}) group by range"""
        return warehouse.rows(query)

    def _where(self, keys: Iterable[str]) -> str:
        return f"from {sql.quoted(self.table.name)} where {sql.in_ranges(self.id, keys)}"


class _DearRule(_RowRule):
    """A rule that takes long to check."""

    def some(self, warehouse: Warehouse, versions: Mapping[str, str]) -> Sequence[str]:
        chosen: list[str] = []
        rows = 0
        for key in sorted(versions, key=versions.__getitem__):  # which is as good as random
            rows += warehouse.row_count(self.table, [key])
            if rows > _AT_ONCE and chosen:
                break
            chosen.append(key)
        return chosen


class Key(_DearRule):
    """No two rows have the same key, and none has a null in it where that is no group of its own."""

    @property
    def reads(self) -> Mapping[str, tuple[str, ...]]:
        """The key."""
        return {self.table.name: self.table.key}

    def offending(self, keys: Iterable[str]) -> str:
        """Keys that stand in several rows, once each, and those with a null."""
        key = sql.names(self.table.key)
        return f"""select any_value({sql.quoted(self.table.range_column or self.table.key[0])}) as id, {self.example} as example
            {self._where(keys)}
            group by {key} having count(*) > 1 or {self._null}"""

    def look(self, warehouse: Warehouse, keys: Sequence[str]) -> Iterable[tuple[str, int, Sequence[str]]]:
        """Different hashes are different keys, and take less than the keys themselves; only if some are equal, look closer."""
        hashes = f"count(distinct hash({sql.names(self.table.key)}))"
        quick = f"select count(*) = {hashes} {self._where(keys)}"
        nulls = f"select not exists ({self._where(keys)} and ({self._null}))"
        if warehouse.rows(quick) == warehouse.rows(nulls) == [(True,)]:
            return []
        return super().look(warehouse, keys)

    @property
    def _null(self) -> str:
        required = [sql.quoted(column.name) for column in self.table.columns if self.table.is_required(column)]
        return " or ".join(f"{column} is null" for column in required) or "false"


@dataclass(frozen=True)
class Values(_RowRule):
    """The values of a column are such as its declaration, or that of the blob's column it is, says; null is always allowed."""

    column: Column | None = None
    source: Column | None = None

    @property
    def reads(self) -> Mapping[str, tuple[str, ...]]:
        """The column."""
        assert self.column
        return {self.table.name: (self.column.name,)}

    def offending(self, keys: Iterable[str]) -> str:
        """Rows with another value."""
        assert self.column
        assert self.source
        name, known = sql.quoted(self.column.name), ", ".join(sql.text(value) for value in self.column.allowed)
        tests = [f"{name}::varchar not in ({known})"] if known else []
        tests += [f"{name} < {self.source.minimum}"] if self.source.minimum is not None and not known else []
        tests += [f"{name} > {self.source.maximum}"] if self.source.maximum is not None and not known else []
        return f"""select {sql.quoted(self.id)} as id, {self.example} || ': ' || {name} as example
            {self._where(keys)} and ({" or ".join(tests)})"""


@dataclass(frozen=True)
class Reference(_DearRule):
    """The titles and people that a column names are there."""

    column: str = ""
    parent: str = ""

    @property
    def reads(self) -> Mapping[str, tuple[str, ...]]:
        """The ids here and there."""
        table, _, column = self.parent.rpartition(".")
        return {self.table.name: (self.column,), table: (column,)}

    def offending(self, keys: Iterable[str]) -> str:
        """Rows whose title or person is not there."""
        table, _, column = self.parent.rpartition(".")
        keys, here = list(keys), sql.quoted(self.column)
        there = sql.in_ranges(column, keys) if self.column == self.id else "true"
        return f"""select id, example from (select {sql.quoted(self.id)} as id, {here} as example {self._where(keys)}
            and {here} is not null) anti join (select {sql.quoted(column)} as example from {sql.quoted(table)} where {there})
            using (example)"""


@dataclass(frozen=True)
class _WholeRule(Rule):
    """A rule about a table as a whole.

    ``query`` gives the number of rows too many or too few, and examples.
    """

    def versions(self, warehouse: Warehouse) -> Mapping[str, str]:
        looked_at = [warehouse.version(TABLES[name], key) for name in self.reads for key in TABLES[name].range_keys]
        return dict.fromkeys(UNCUT_KEYS, digest(type(self).__name__, looked_at))

    @property
    def reads(self) -> Iterable[str]:
        return (self.table.name,)

    @abstractmethod
    def query(self, warehouse: Warehouse) -> str: ...

    def look(self, warehouse: Warehouse, keys: Sequence[str]) -> Iterable[tuple[str, int, Sequence[str]]]:
        return [(key, *row) for row in warehouse.rows(self.query(warehouse)) for key in keys]


class Count(_WholeRule):
    """A table has as many rows as were written to it."""

    def query(self, warehouse: Warehouse) -> str:
        """The difference."""
        return f"select abs(count(*) - {warehouse.row_count(self.table)}), []::varchar[] from {sql.quoted(self.table.name)}"


class Account(_WholeRule):
    """Of every blob, rows read = rows loaded + rows rejected, and the rows loaded are in the raw table."""

    def versions(self, warehouse: Warehouse) -> Mapping[str, str]:
        """The accounts themselves."""
        accounts = warehouse.rows("from quality.blobs order by blob")
        return dict.fromkeys(UNCUT_KEYS, digest(accounts))

    def query(self, warehouse: Warehouse) -> str:
        """The accounts that do not add up."""
        counts = " union all ".join(
            f"select {sql.text(blob.short)} as blob, count(*) as rows from {slices(warehouse, blob)}" for blob in BLOBS
        )
        text = "format('{}: {} read, {} loaded, {} rejected, {} there', blob, rowsRead, rowsLoaded, rowsRejected, rows)"
        return f"""select count(*), coalesce(min({text}, {EXAMPLES}), []) from quality.blobs join ({counts}) using (blob)
            where rowsRead <> rowsLoaded + rowsRejected or rowsLoaded <> rows"""


class Known(_WholeRule):
    """No more people are known for something than the blob gives a list for; each has one title in the first position."""

    @property
    def reads(self) -> Iterable[str]:
        """The table, and the blob it is from."""
        return ("films.known_for", "raw.names")

    def query(self, warehouse: Warehouse) -> str:
        """The people too many."""
        names = next(blob for blob in BLOBS if blob.short == "names")
        return f"""select greatest(0, (select count(*) from films.known_for where position = 1)
            - (select count(knownForTitles) from {slices(warehouse, names)})), []::varchar[]"""


def check(warehouse: Warehouse, rules: Iterable[Rule], *, afresh: bool = False) -> list[tuple[Rule, Mapping[str, Found]]]:
    """What each rule found, by range; only what changed since the last time is looked at.

    Args:
        warehouse: The open warehouse.
        rules: The rules to check.
        afresh: Look at every row, whatever was found before.
    """
    warehouse.run(_STATE)
    known = {} if afresh else _known(warehouse)
    results: list[tuple[Rule, Mapping[str, Found]]] = []
    new: list[Mapping[str, Any]] = []
    for rule in rules:
        versions = rule.versions(warehouse)
        found = {key: known.get((rule.table.name, rule.name, key)) for key in versions}
        stale = {key: now for key, now in versions.items() if not _holds(rule, found[key], now)}
        looked = _look(warehouse, rule, stale, list(stale) if afresh else rule.some(warehouse, stale)) if stale else {}
        results.append((rule, {key: item for key, item in (found | looked).items() if item}))
        new += [{"name": rule.table.name, "rule": rule.name, "range": key, **vars(item)} for key, item in looked.items()]
    _remember(warehouse, new)
    return results


def _known(warehouse: Warehouse) -> dict[tuple[str, str, str], Found]:
    rows = warehouse.rows("select name, rule, range, version, looked, failing, examples from state.checks")
    return {(name, rule, key): Found(*found) for name, rule, key, *found in rows}


def _holds(rule: Rule, before: Found | None, now: str) -> bool:
    """Whether what was found still goes; what must be mended is looked at again, however it was mended."""
    return before is not None and before.version == now and not (rule.fatal and before.failing)


def _look(warehouse: Warehouse, rule: Rule, stale: Mapping[str, str], keys: Sequence[str]) -> dict[str, Found]:
    broken = {key: (failing, examples) for key, failing, examples in rule.look(warehouse, keys) if failing}
    return {key: Found(version, key in keys, *broken.get(key, (0, []))) for key, version in stale.items()}


def _remember(warehouse: Warehouse, new: Sequence[Mapping[str, Any]]) -> None:
    if new:
        names, rules, keys = ([item[column] for item in new] for column in ("name", "rule", "range"))
        with warehouse.transaction():
            warehouse.run(
                "delete from state.checks where (name, rule, range) in (select unnest(?), unnest(?), unnest(?))",
                [names, rules, keys],
            )
            warehouse.insert("state.checks", new, "* replace (examples::varchar[] as examples)")


# ---- the rules there are


def _rules(table: Table) -> Iterator[Rule]:
    yield Key(table, f"key {', '.join(table.key)}")
    yield Count(table, "rows written")
    if table.schema == "films":
        for column in table.columns:
            yield from _column_rules(table, column)
    if table.name == "films.known_for":
        yield Known(table, "people in the blob")


def _column_rules(table: Table, column: Column) -> Iterator[Rule]:
    source = _source(column)
    if column.allowed:
        yield Values(table, f"known {column.name}", fatal=False, column=column, source=source)
    elif (source.minimum, source.maximum) != (None, None):
        yield Values(table, f"{column.name} {source.form}", column=column, source=source)
    parent = column.references
    if parent and _is_its_own(table, column) and _blob(column) != f"raw.{parent.split('.')[1]}":
        name = f"{column.name} in {parent.rpartition('.')[0]}"
        yield Reference(table, name, fatal=False, tolerated=TOLERATED_ORPHANS, column=column.name, parent=parent)


def _blob(column: Column) -> str:
    return column.sources[0].rpartition(".")[0]


def _source(column: Column) -> Column:
    """The column of the blob that a column of a films table is made from."""
    return TABLES[_blob(column)].column(column.sources[0].rpartition(".")[2])


def _is_its_own(table: Table, column: Column) -> bool:
    """Whether no table is nearer to the blob: what holds for the ids of ``films.cast`` holds for the actors, taken from there."""
    nearest = TABLES.get(_blob(column).replace("raw.", "films."), table)
    return nearest == table or _source(column).name not in nearest.column_names


RULES: Mapping[str, Sequence[Rule]] = {
    **{table.name: tuple(_rules(table)) for table in COMPUTED},
    "quality.blobs": (Account(TABLES["quality.blobs"], "every row accounted for"),),
}
"""Table -> the rules that hold for it."""
