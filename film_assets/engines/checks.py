"""Evaluating rules no more often than needed: what was found is kept with the version of what it was found in.

Belongs here: what is looked at again, the same for every engine. Does not belong here: the rules (``tables.rules``), and how one
is evaluated and its findings are kept (the engines).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from film_assets.engines.state import Ranges, digest
from film_assets.tables import TABLES
from film_assets.tables.ranges import UNPARTITIONED_KEYS
from film_assets.tables.rules import RULES, Rule

EXAMPLES = 10
"""How many offending rows are named, the first ones in the order of their keys."""

_AT_ONCE = 500_000
"""Of a table with more new rows, expensive rules are evaluated in some of the changed ranges only, so that a refresh stays quick:
in others each time, and in all of them when somebody asks for the check itself."""


@dataclass(frozen=True)
class Finding:
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


Findings = Mapping[tuple[str, str, str], Finding]
"""Table, rule and range -> what was found."""

Broken = Iterable[tuple[str, int, Sequence[str]]]
"""The ranges in which a rule is broken: range, how often, and examples."""


class Evaluator(Protocol):
    """What an engine brings to checks."""

    ranges: Ranges

    def evaluate(self, rule: Rule, keys: Sequence[str]) -> Broken:
        """Look at every row of these ranges."""

    def rule_version(self, rule: Rule) -> str:
        """Changes when the rule would be evaluated otherwise, or looks at something whose version ``ranges`` does not tell."""

    def findings(self) -> Findings:
        """What was found before."""

    def keep_findings(self, found: Findings) -> None:
        """Keep what was found, in place of what was found there before."""


def check(evaluator: Evaluator, rules: Iterable[Rule], *, full: bool = False) -> list[tuple[Rule, Mapping[str, Finding]]]:
    """What each rule found, by range; only what changed since the last time is looked at.

    Args:
        evaluator: The engine.
        rules: The rules to check.
        full: Look at every row, whatever was found before.
    """
    known = {} if full else evaluator.findings()
    results: list[tuple[Rule, Mapping[str, Finding]]] = []
    new: dict[tuple[str, str, str], Finding] = {}
    for rule in rules:
        versions = _versions(evaluator, rule)
        before = {key: known[place] for key in versions if (place := (rule.table.name, rule.name, key)) in known}
        stale = {key: now for key, now in versions.items() if not _holds(rule, before.get(key), now)}
        chosen = list(stale) if full or not rule.expensive else _some(evaluator.ranges, rule, stale)
        looked = _look(evaluator, rule, stale, chosen) if stale else {}
        results.append((rule, {key: found[key] for found in [before | looked] for key in versions if key in found}))
        new |= {(rule.table.name, rule.name, key): finding for key, finding in looked.items()}
    if new:
        evaluator.keep_findings(new)
    return results


def rejected(found: Findings) -> set[tuple[str, str]]:
    """Table and range in which something was found that must not be published; of a table as a whole, all its ranges."""
    fatal = {(rule.table.name, rule.name): rule for rules in RULES.values() for rule in rules if rule.fatal}
    broken = [(fatal[name, rule].table, key) for (name, rule, key), one in found.items() if one.failing and (name, rule) in fatal]
    return {(table.name, place) for table, key in broken for place in ([key] if key in table.range_keys else table.range_keys)}


def _versions(evaluator: Evaluator, rule: Rule) -> Mapping[str, str]:
    """Range -> the version of all that the rule looks at there."""
    ranges, own = evaluator.ranges, rule.table.range_column
    code = evaluator.rule_version(rule)
    aligned = {name: columns for name, columns in rule.reads.items() if rule.of_rows and TABLES[name].range_column == own}
    others = [
        ranges.version(TABLES[name], key, columns)
        for name, columns in rule.reads.items()
        if name not in aligned
        for key in TABLES[name].range_keys
    ]
    rest = digest(code, others)
    keys = rule.table.range_keys if rule.of_rows else UNPARTITIONED_KEYS
    return {key: digest(rest, [ranges.version(TABLES[name], key, columns) for name, columns in aligned.items()]) for key in keys}


def _some(ranges: Ranges, rule: Rule, versions: Mapping[str, str]) -> Sequence[str]:
    """The ranges that are looked at if it is to be quick."""
    chosen: list[str] = []
    rows = 0
    for key in sorted(versions, key=versions.__getitem__):  # which is as good as random
        rows += ranges.rows(rule.table, [key])
        if rows > _AT_ONCE and chosen:
            break
        chosen.append(key)
    return chosen


def _holds(rule: Rule, before: Finding | None, now: str) -> bool:
    """Whether what was found still goes; what must be mended is looked at again, however it was mended."""
    return before is not None and before.version == now and not (rule.fatal and before.failing)


def _look(evaluator: Evaluator, rule: Rule, stale: Mapping[str, str], keys: Sequence[str]) -> dict[str, Finding]:
    broken = {key: (failing, examples) for key, failing, examples in evaluator.evaluate(rule, keys) if failing}
    return {key: Finding(version, key in keys, *broken.get(key, (0, []))) for key, version in stale.items()}
