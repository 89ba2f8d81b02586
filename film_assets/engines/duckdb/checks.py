"""How each kind of rule is evaluated in the working file, and where what was found is kept.

Does not belong here: which rules there are (``tables.rules``), and when one is evaluated again (``engines.checks``).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from film_assets.engines.checks import EXAMPLES, Broken, Finding, Findings
from film_assets.engines.duckdb import slices
from film_assets.engines.duckdb.slices import scan
from film_assets.engines.duckdb.warehouse import Warehouse
from film_assets.engines.losses import by_column
from film_assets.engines.state import digest
from film_assets.tables import BLOBS, sql
from film_assets.tables.rules import Account, Count, Key, KnownFor, NothingDropped, Reference, Rule, Values

_STATE = """create table if not exists state.checks (
    name varchar, rule varchar, range varchar, version varchar, looked boolean, failing bigint, examples varchar[])"""


class WarehouseEvaluator:
    """Evaluates rules in the working file, which keeps what was found."""

    def __init__(self, warehouse: Warehouse) -> None:
        """Nothing is evaluated yet."""
        self._warehouse = warehouse
        self.ranges = warehouse.ranges
        warehouse.run(_STATE)

    def evaluate(self, rule: Rule, keys: Sequence[str]) -> Broken:
        """Look at every row of these ranges."""
        if isinstance(rule, Key) and _keeps_key(self._warehouse, rule, keys):
            return []
        if isinstance(rule, NothingDropped):
            dropped, landed = slices.dropped_values(self._warehouse), slices.landed_blobs(self._warehouse)
            found = by_column(rule.table.short, dropped, landed)
            return [(key, *found) for key in keys]
        if rule.of_rows:
            query = f"""select {sql.range_of(rule.table.range_column, "id")} as range, count(*), min(distinct example, {EXAMPLES})
                from ({offending(rule, keys)}) group by range"""
            return self._warehouse.rows(query)
        return [(key, *row) for row in self._warehouse.rows(_WHOLE[type(rule)](self._warehouse, rule)) for key in keys]

    def rule_version(self, rule: Rule) -> str:
        """Changes when the rule would be evaluated otherwise, or the account it is about changes."""
        if isinstance(rule, Account | NothingDropped):
            return digest(self._warehouse.rows("from quality.blobs where blob = ?", [rule.table.short]))
        return digest(offending(rule, rule.table.range_keys)) if rule.of_rows else digest(type(rule).__name__)

    def findings(self) -> Findings:
        """What was found before."""
        rows = self._warehouse.rows("select name, rule, range, version, looked, failing, examples from state.checks")
        return {(name, rule, key): Finding(*found) for name, rule, key, *found in rows}

    def keep_findings(self, found: Findings) -> None:
        """Keep what was found, in place of what was found there before."""
        names, rules, keys = zip(*found, strict=True)
        new = [{"name": name, "rule": rule, "range": key, **vars(item)} for (name, rule, key), item in found.items()]
        with self._warehouse.transaction():
            self._warehouse.run(
                "delete from state.checks where (name, rule, range) in (select unnest(?), unnest(?), unnest(?))",
                [list(names), list(rules), list(keys)],
            )
            self._warehouse.insert("state.checks", new, "* replace (examples::varchar[] as examples)")


# ---- rules that each row keeps or breaks


def offending(rule: Rule, keys: Iterable[str]) -> str:
    """A query for the rows that break a rule: columns id, which is of the table's range column, and example."""
    return _OFFENDING[type(rule)](rule, list(keys))


def _where(rule: Rule, keys: Iterable[str]) -> str:
    return f"from {sql.quoted(rule.table.name)} where {sql.in_ranges(rule.table.range_column, keys)}"


def _example(rule: Rule) -> str:
    """An expression that names a row."""
    return f"concat_ws(', ', {sql.names(rule.table.key)})"


def _null(rule: Rule) -> str:
    required = [sql.quoted(column.name) for column in rule.table.columns if rule.table.is_required(column)]
    return " or ".join(f"{column} is null" for column in required) or "false"


def _keeps_key(warehouse: Warehouse, rule: Key, keys: Sequence[str]) -> bool:
    """Different hashes are different keys, and take less than the keys themselves; only if some are equal, look closer."""
    hashes = f"count(distinct hash({sql.names(rule.table.key)}))"
    quick = f"select count(*) = {hashes} {_where(rule, keys)}"
    nulls = f"select not exists ({_where(rule, keys)} and ({_null(rule)}))"
    return warehouse.rows(quick) == warehouse.rows(nulls) == [(True,)]


def _key(rule: Key, keys: list[str]) -> str:
    """Keys that stand in several rows, once each, and those with a null."""
    key, table = sql.names(rule.table.key), rule.table
    return f"""select any_value({sql.quoted(table.range_column or table.key[0])}) as id, {_example(rule)} as example
        {_where(rule, keys)}
        group by {key} having count(*) > 1 or {_null(rule)}"""


def _values(rule: Values, keys: list[str]) -> str:
    """Rows with another value."""
    name, known = sql.quoted(rule.column), ", ".join(sql.text(value) for value in rule.allowed)
    tests = [f"{name}::varchar not in ({known})"] if known else []
    tests += [f"{name} < {rule.minimum}"] if rule.minimum is not None else []
    tests += [f"{name} > {rule.maximum}"] if rule.maximum is not None else []
    return f"""select {sql.quoted(rule.table.range_column)} as id, {_example(rule)} || ': ' || {name} as example
        {_where(rule, keys)} and ({" or ".join(tests)})"""


def _reference(rule: Reference, keys: list[str]) -> str:
    """Rows whose title or person is not there."""
    own, here, column = rule.table.range_column, sql.quoted(rule.column), rule.parent_column
    there = sql.in_ranges(column, keys) if rule.column == own else "true"
    return f"""select id, example from (select {sql.quoted(own)} as id, {here} as example {_where(rule, keys)}
        and {here} is not null) anti join (select {sql.quoted(column)} as example from {sql.quoted(rule.parent)} where {there})
        using (example)"""


_OFFENDING: Mapping[type[Rule], Callable[[Any, list[str]], str]] = {Key: _key, Values: _values, Reference: _reference}


# ---- rules about a table as a whole: queries for the number of rows too many or too few, and examples


def _count(warehouse: Warehouse, rule: Rule) -> str:
    """The difference between the rows there are and those that were written."""
    written, name = warehouse.ranges.rows(rule.table), sql.quoted(rule.table.name)
    return f"select abs(count(*) - {written}), []::varchar[] from {name}"


def _account(warehouse: Warehouse, rule: Rule) -> str:
    """The account of the blob if it does not add up."""
    (blob,) = (blob for blob in BLOBS if blob == rule.table)
    there = f"(select count(*) as rows from {scan(warehouse, blob)})"
    text = "format('{}: {} read, {} loaded, {} rejected, {} there', blob, rowsRead, rowsLoaded, rowsRejected, rows)"
    return f"""select count(*), coalesce(list({text}), []) from quality.blobs, {there}
        where blob = {sql.text(blob.short)} and (rowsRead <> rowsLoaded + rowsRejected or rowsLoaded <> rows)"""


def _known_for(warehouse: Warehouse, rule: Rule) -> str:  # noqa: ARG001
    """The people too many."""
    names = next(blob for blob in BLOBS if blob.name == "raw.names")
    return f"""select greatest(0, (select count(*) from films.known_for where position = 1)
        - (select count(knownForTitles) from {scan(warehouse, names)})), []::varchar[]"""


_WHOLE: Mapping[type[Rule], Callable[[Warehouse, Rule], str]] = {Count: _count, Account: _account, KnownFor: _known_for}
