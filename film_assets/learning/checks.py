"""The asset checks of the attempts: whether most rows are valid, whether there are recent ones, and whether they come in time.

Each is a warning: what is loaded is right all the same. Belongs here: what is watched, and how it shows. Does not belong here:
what makes a row valid (``attempts``), and what the database itself keeps to (``schema``).
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg

from film_assets.common import markdown
from film_assets.learning.assets import POOL, SOLUTIONS
from film_assets.learning.database import Database
from film_assets.learning.resource import LearningResource
from film_assets.orchestration.failures import readable_failures

_DAYS = 7
"""So many of the days that were loaded last are looked at."""

_TOLERATED_REJECTED, _TOLERATED_LATE = 0.02, 0.02
"""Of the rows of these days."""

_RECENT = timedelta(days=2)
"""A daily run fetches the day before; if it has not come yet, the last day there is is the one before that."""

_REJECTED = f"""select study_date, rows_fetched, rows_rejected from loads
    where id in (select max(id) from loads group by study_date) order by study_date desc limit {_DAYS}"""

_LATE = f"""select study_date, cast(sum(rows_new) as bigint), cast(sum(case when id > ended then rows_new else 0 end) as bigint)
    from loads join (
        select study_date, min(id) as ended from loads where cast(loaded_at as date) > study_date group by study_date) as whole
        using (study_date)
    group by study_date order by study_date desc limit {_DAYS}"""
"""What came with a load after the first one of a day that was over."""

_VALID, _CURRENT, _IN_TIME = "attempts_are_valid", "attempts_are_recent", "attempts_came_in_time"

_WORDS = {
    _VALID: f"Of the last {_DAYS} days, no more than {_TOLERATED_REJECTED:.0%} of the rows are rejected.",
    _CURRENT: f"The newest attempt is of no earlier day than {_RECENT.days} days before today.",
    _IN_TIME: f"Of the last {_DAYS} days, no more than {_TOLERATED_LATE:.0%} of the attempts came after the first load of their "
    "day once it was over. If more do, see whether LEARNING_REFETCH_DAYS is enough.",
}
_SPECS = [dg.AssetCheckSpec(name, asset=SOLUTIONS, description=words) for name, words in _WORDS.items()]


@dg.multi_asset_check(name="check_attempts", specs=_SPECS, can_subset=True, pool=POOL)
def attempts_checks(context: dg.AssetCheckExecutionContext, learning: LearningResource) -> Iterator[dg.AssetCheckResult]:
    """Look at what was loaded, and when."""
    today = datetime.now(ZoneInfo(learning.settings.time_zone))
    with readable_failures(), learning.database() as database:
        found = {_VALID: _valid(database), _CURRENT: _recent(database, today), _IN_TIME: _in_time(database)}
    for spec in _SPECS:
        if spec.key in context.selected_asset_check_keys:
            yield found[spec.name]


def _valid(database: Database) -> dg.AssetCheckResult:
    days = database.rows(_REJECTED)
    return _share(_VALID, days, "rows fetched", "rows rejected", _TOLERATED_REJECTED)


def _in_time(database: Database) -> dg.AssetCheckResult:
    days = database.rows(_LATE)
    return _share(_IN_TIME, days, "attempts", "late attempts", _TOLERATED_LATE)


def _share(name: str, days: Sequence[tuple[Any, ...]], every: str, bad: str, tolerated: float) -> dg.AssetCheckResult:
    """Whether few enough are bad; ``days`` are day, how many there are, and how many of them are bad."""
    rows, offending = (sum(day[place] for day in days) for place in (1, 2))
    share = offending / max(rows, 1)
    return dg.AssetCheckResult(
        check_name=name,
        asset_key=SOLUTIONS,
        passed=share <= tolerated,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{offending:,} of {rows:,} {every}: {bad} ({share:.1%}; {tolerated:.0%} is tolerated)",
        metadata={
            every: rows,
            bad: offending,
            "share": share,
            "days": dg.MetadataValue.md(markdown.table(("day", every, bad), days)),
        },
    )


def _recent(database: Database, now: datetime) -> dg.AssetCheckResult:
    ((newest,),) = database.rows("select max(created_at) from solutions")
    return dg.AssetCheckResult(
        check_name=_CURRENT,
        asset_key=SOLUTIONS,
        passed=newest is not None and newest.date() >= now.date() - _RECENT,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"the newest attempt is of {newest:%Y-%m-%d %H:%M}" if newest else "there is no attempt yet",
        metadata={"newest attempt": newest.isoformat(sep=" ")} if newest else {},
    )
