"""The asset checks: what holds for each table, checked in the run that rebuilt it and before anything is published.

One check a kind of rule and table, under the name that its rules carry; its metadata tells the rules apart. A check is blocking
if any of its rules is fatal: such a rule, if broken, fails the step, so that the previous snapshot stays. Any other is a warning.
In a run that checks alone every row is looked at (a full check). Belongs here: when tables are checked, and how that shows.
Does not belong here: the rules (``tables.rules``).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

import dagster as dg

from film_assets.common import markdown
from film_assets.engines.checks import EXAMPLES, Finding
from film_assets.orchestration.assets.describe import key_of
from film_assets.orchestration.conventions import POOL, PipelineResource
from film_assets.orchestration.failures import readable_failures
from film_assets.refresh.pipeline import Pipeline
from film_assets.tables import TABLES
from film_assets.tables.rules import RULES, Rule


@dataclass(frozen=True)
class _Verdict:
    """What a rule found in all ranges together.

    ``rows`` are those it looked at, ``of`` those of the table; both 0 for a rule that counts rather than looks at rows.
    """

    rule: Rule
    failing: int
    rows: int
    of: int
    examples: tuple[str, ...]

    @property
    def share(self) -> float:
        """Of the rows it looked at."""
        return self.failing / max(self.rows, 1)

    @property
    def passed(self) -> bool:
        """Whether no more than the tolerated share breaks the rule."""
        return not self.failing or 0 < self.share <= self.rule.tolerated

    def __str__(self) -> str:
        examples = f": {', '.join(self.examples)}" if self.examples else ""
        return f"{self.rule.table.name}: {self.rule.name}: {self.failing:,} {'does' if self.failing == 1 else 'do'} not{examples}"


def _verdict(pipeline: Pipeline, rule: Rule, found: Mapping[str, Finding]) -> _Verdict:
    rows = {key: pipeline.rows(rule.table, key) for key in found}
    return _Verdict(
        rule,
        failing=sum(item.failing for item in found.values()),
        rows=sum(rows.get(key, 0) for key, item in found.items() if item.looked),
        of=sum(rows.values()),
        examples=tuple(sorted({example for item in found.values() for example in item.examples})[:EXAMPLES]),
    )


def _key(rule: Rule) -> dg.AssetCheckKey:
    return dg.AssetCheckKey(key_of(rule.table.name), rule.check)


def _spec(key: dg.AssetCheckKey, rules: Sequence[Rule]) -> dg.AssetCheckSpec:
    text = "\n".join(f"- {rule.name}{'' if rule.fatal else ' (a warning)'}" for rule in rules)
    return dg.AssetCheckSpec(key.name, asset=key.asset_key, description=text, blocking=any(rule.fatal for rule in rules))


def _specs(rules: Iterable[Rule]) -> list[dg.AssetCheckSpec]:
    checks: dict[dg.AssetCheckKey, list[Rule]] = {}
    for rule in rules:
        checks.setdefault(_key(rule), []).append(rule)
    return [_spec(key, of) for key, of in checks.items()]


def _checks(number: int, tables: Iterable[str]) -> dg.AssetChecksDefinition:
    """The checks of tables none of which is computed from another of them."""
    rules = [rule for name in tables for rule in RULES[name]]
    specs = _specs(rules)

    @dg.multi_asset_check(name=f"check_tables_{number}", specs=specs, can_subset=True, pool=POOL)
    def check_tables(
        context: dg.AssetCheckExecutionContext, pipeline: PipelineResource
    ) -> Iterator[dg.Output[None] | dg.AssetCheckEvaluation]:
        """Check the rules of the tables; what changed since the last time is looked at, the rest is known."""
        selected = context.selected_asset_check_keys
        with readable_failures():
            found = pipeline.check([rule for rule in rules if _key(rule) in selected], full=_is_alone(context))
            verdicts = [_verdict(pipeline, rule, ranges) for rule, ranges in found]
        for spec in specs:
            if spec.key in selected:
                yield from _events(spec, [verdict for verdict in verdicts if _key(verdict.rule) == spec.key])
        _report(pipeline, [verdict for verdict in verdicts if not verdict.passed])

    return check_tables


def _report(pipeline: Pipeline, broken: Sequence[_Verdict]) -> None:
    """Note the warnings, and fail the step for what is fatal."""
    pipeline.report.warnings += [str(verdict) for verdict in broken if not verdict.rule.fatal]
    fatal = [str(verdict) for verdict in broken if verdict.rule.fatal]
    if fatal:
        raise dg.Failure(description=f"not published: {'; '.join(fatal)}", allow_retries=False)


def _is_alone(context: dg.AssetCheckExecutionContext) -> bool:
    """Whether the run is for checks only."""
    return not context.op_execution_context.job_def.asset_layer.selected_asset_keys


def _events(spec: dg.AssetCheckSpec, verdicts: Sequence[_Verdict]) -> Iterator[dg.Output[None] | dg.AssetCheckEvaluation]:
    """What Dagster makes of an ``AssetCheckResult``, without its search for the event that was checked."""
    yield dg.Output(None, spec.get_python_identifier())
    yield _evaluation(spec, verdicts)


def _evaluation(spec: dg.AssetCheckSpec, verdicts: Sequence[_Verdict]) -> dg.AssetCheckEvaluation:
    broken = [verdict for verdict in verdicts if not verdict.passed]
    fatal = any(verdict.rule.fatal for verdict in broken or verdicts)
    return dg.AssetCheckEvaluation(
        asset_key=spec.asset_key,
        check_name=spec.name,
        passed=not broken,
        severity=dg.AssetCheckSeverity.ERROR if fatal else dg.AssetCheckSeverity.WARN,
        description="; ".join(verdict.rule.name for verdict in broken) or "all rules hold",
        metadata=_metadata(verdicts),
        blocking=spec.blocking,
    )


def _metadata(verdicts: Sequence[_Verdict]) -> dict[str, dg.MetadataValue[Any]]:
    """Numbers that the page can draw, the rules one by one, and examples where there are any."""
    offending = [verdict for verdict in verdicts if verdict.examples]
    shares = [verdict.share for verdict in verdicts if verdict.of]
    return {
        "offending rows": dg.MetadataValue.int(sum(verdict.failing for verdict in verdicts)),
        **({"greatest share": dg.MetadataValue.float(max(shares))} if shares else {}),
        "rules": dg.MetadataValue.md(_rules(verdicts)),
        **({"offending": dg.MetadataValue.md(_examples(offending))} if offending else {}),
    }


def _rules(verdicts: Iterable[_Verdict]) -> str:
    header = ("rule", "", "offending rows", "share", "tolerated", "rows looked at", "of")
    return markdown.table(header, (_row(verdict) for verdict in verdicts))


def _row(verdict: _Verdict) -> tuple[str, ...]:
    shares = f"{verdict.share:.3%}", f"{verdict.rule.tolerated:.1%}"
    rows = f"{verdict.rows:,}", f"{verdict.of:,}"
    return verdict.rule.name, "holds" if verdict.passed else "broken", f"{verdict.failing:,}", *shares, *rows


def _examples(verdicts: Iterable[_Verdict]) -> str:
    return markdown.table(("rule", "first"), ((v.rule.name, example) for v in verdicts for example in v.examples))


def _generations() -> list[list[str]]:
    """The tables that have rules, each after all that it is computed from.

    A step that checked tables of several generations would wait for some that wait for it; Dagster cuts it up, under
    other names in every run, and keeps a new snapshot of the job for each.
    """
    order = TopologicalSorter({name: TABLES[name].reads for name in RULES})
    order.prepare()
    generations = []
    while order.is_active():
        ready = order.get_ready()
        generations.append(sorted(ready))
        order.done(*ready)
    return generations


TABLE_CHECKS = [_checks(number, tables) for number, tables in enumerate(_generations(), start=1)]
