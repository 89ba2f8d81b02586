"""The asset checks: what holds for each table, checked in the run that rebuilt it and before anything is published.

One check a table, because each one costs Dagster more time than the check itself where nothing changed; its metadata
tells the rules apart. A rule that is fatal fails the step, so that the previous snapshot stays; any other is a warning. In a
run that checks alone every row is looked at (a full check). Belongs here: when tables are checked, and how that shows. Does not
belong here: the rules (``tables.rules``).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import dagster as dg

from film_assets.common import markdown
from film_assets.engines.checks import EXAMPLES, Finding
from film_assets.orchestration.assets.describe import key_of
from film_assets.orchestration.conventions import POOL, PipelineResource
from film_assets.orchestration.failures import readable_failures
from film_assets.refresh.pipeline import Pipeline
from film_assets.tables.rules import RULES, Rule

_CHECK = "sound"


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


def _spec(name: str, rules: Iterable[Rule]) -> dg.AssetCheckSpec:
    text = "\n".join(f"- {rule.name}{'' if rule.fatal else ' (a warning)'}" for rule in rules)
    return dg.AssetCheckSpec(_CHECK, asset=key_of(name), description=text, blocking=True)


_SPECS = {name: _spec(name, rules) for name, rules in RULES.items()}


@dg.multi_asset_check(name="check_tables", specs=list(_SPECS.values()), can_subset=True, pool=POOL)
def table_checks(
    context: dg.AssetCheckExecutionContext, pipeline: PipelineResource
) -> Iterator[dg.Output[None] | dg.AssetCheckEvaluation]:
    """Check the rules of the tables; what changed since the last time is looked at, the rest is known."""
    chosen = [name for name, spec in _SPECS.items() if spec.key in context.selected_asset_check_keys]
    rules = [rule for name in chosen for rule in RULES[name]]
    with readable_failures():
        found = pipeline.check(rules, full=_is_alone(context))
        verdicts = [_verdict(pipeline, rule, ranges) for rule, ranges in found]
    for name in chosen:
        yield dg.Output(None, _SPECS[name].get_python_identifier())
        yield _evaluation(name, [verdict for verdict in verdicts if verdict.rule.table.name == name])
    pipeline.report.warnings += [str(verdict) for verdict in verdicts if not verdict.rule.fatal and not verdict.passed]
    fatal = [str(verdict) for verdict in verdicts if verdict.rule.fatal and not verdict.passed]
    if fatal:
        raise dg.Failure(description=f"not published: {'; '.join(fatal)}", allow_retries=False)


def _is_alone(context: dg.AssetCheckExecutionContext) -> bool:
    """Whether the run is for checks only."""
    return not context.op_execution_context.job_def.asset_layer.selected_asset_keys


def _evaluation(name: str, verdicts: list[_Verdict]) -> dg.AssetCheckEvaluation:
    """What Dagster makes of an ``AssetCheckResult``, without its search for the event that was checked."""
    broken = [verdict for verdict in verdicts if not verdict.passed]
    fatal = any(verdict.rule.fatal for verdict in broken)
    offending = [verdict for verdict in verdicts if verdict.examples]
    return dg.AssetCheckEvaluation(
        asset_key=key_of(name),
        check_name=_CHECK,
        passed=not broken,
        severity=dg.AssetCheckSeverity.ERROR if fatal else dg.AssetCheckSeverity.WARN,
        description="; ".join(verdict.rule.name for verdict in broken) or "all rules hold",
        metadata={"rules": dg.MetadataValue.md(_rules(verdicts))}
        | ({"offending": dg.MetadataValue.md(_examples(offending))} if offending else {}),
        blocking=True,
    )


def _rules(verdicts: Iterable[_Verdict]) -> str:
    header = ("rule", "", "offending rows", "share", "tolerated", "rows looked at", "of")
    return markdown.table(header, (_row(verdict) for verdict in verdicts))


def _row(verdict: _Verdict) -> tuple[str, ...]:
    shares = f"{verdict.share:.3%}", f"{verdict.rule.tolerated:.1%}"
    rows = f"{verdict.rows:,}", f"{verdict.of:,}"
    return verdict.rule.name, "holds" if verdict.passed else "broken", f"{verdict.failing:,}", *shares, *rows


def _examples(verdicts: Iterable[_Verdict]) -> str:
    return markdown.table(("rule", "first"), ((v.rule.name, example) for v in verdicts for example in v.examples))
