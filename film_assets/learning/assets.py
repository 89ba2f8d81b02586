"""The assets of the learning pipeline: from the API by way of the database to a sheet and to a mailbox.

Belongs here: which step follows which, and what the web UI shows of it. Does not belong here: how each does its work.
"""

import logging
import warnings
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import dagster as dg
import polars as pl

from film_assets.learning import api, reports
from film_assets.learning.load import BATCH, load
from film_assets.learning.resource import LearningResource
from film_assets.learning.settings import LearningSettings
from film_assets.notifications.channels.mail import send
from film_assets.notifications.channels.sheets import upsert

GROUP = "learning"
POOL = "learning"
"""One run at a time writes to the database; ``dagster.yaml`` says how many places the pool has."""

_OWNERS = ["team:learning-data"]
_HEAD_ROWS = 10
_log = logging.getLogger(__name__)


def _key(name: str) -> dg.AssetKey:
    return dg.AssetKey([GROUP, name])


RAW, SOLUTIONS, REJECTED = _key("attempts_raw"), _key("solutions"), _key("rejected_attempts")
FAULTS = _key("passback_faults")
METRICS, DASHBOARD, DIGEST = _key("study_metrics"), _key("study_dashboard"), _key("study_digest")


def days_of(settings: LearningSettings) -> dg.DailyPartitionsDefinition:
    """The days there are attempts of; today too, for whoever wants to see how far it is."""
    return dg.DailyPartitionsDefinition(start_date=settings.start_date.isoformat(), timezone=settings.time_zone, end_offset=1)


def daily_assets(days: dg.DailyPartitionsDefinition) -> list[dg.AssetsDefinition]:
    """The assets that have a partition a day."""
    with warnings.catch_warnings(action="ignore", category=dg.BetaWarning):  # of the policy; the lock file pins Dagster
        return list(_daily_assets(days, dg.BackfillPolicy.single_run()))


def _daily_assets(days: dg.DailyPartitionsDefinition, policy: dg.BackfillPolicy) -> Iterator[dg.AssetsDefinition]:

    @dg.asset(
        key=RAW,
        partitions_def=days,
        backfill_policy=policy,
        group_name=GROUP,
        owners=_OWNERS,
        kinds={"json"},
        description="The answer of the statistics API for a day: learners' attempts at tasks, as they are delivered.",
    )
    def attempts_raw(context: dg.AssetExecutionContext, learning: LearningResource) -> dg.MaterializeResult[None]:
        with learning.step("attempts_raw"):
            days = map(date.fromisoformat, context.partition_keys)
            for answer in api.fetch_days(learning.settings.statistics, days, learning.settings.answers):
                learning.answers.append(answer)
                facts = {"API status": answer.status, "API seconds": round(answer.seconds, 3)}
                for day, rows in answer.rows.items():
                    _tell(context, RAW, day.isoformat(), {"dagster/partition_row_count": rows, **facts})
        return dg.MaterializeResult()

    @dg.multi_asset(
        name="load_attempts",
        specs=[
            dg.AssetSpec(SOLUTIONS, deps=[RAW], description="Every attempt, once: who, when, and whether it was right."),
            dg.AssetSpec(REJECTED, deps=[RAW], description="Rows that are no attempts, with the reason and as they came."),
            dg.AssetSpec(FAULTS, deps=[RAW], description="Attempts of which passback_params could not be read, with the reason."),
        ],
        partitions_def=days,
        backfill_policy=policy,
        group_name=GROUP,
        pool=POOL,
    )
    def load_attempts(context: dg.AssetExecutionContext, learning: LearningResource) -> Iterator[dg.MaterializeResult[None]]:
        with learning.step("load_attempts"), learning.database() as database:
            for day in context.partition_keys:
                batches = api.texts(learning.settings.answers / f"{day}.json", BATCH)
                loaded = load(database, date.fromisoformat(day), batches)
                counts = {"rows fetched": loaded.fetched, "rows valid": loaded.valid, "rows rejected": loaded.rejected}
                counts["passback faults"] = loaded.faulty
                _tell(context, SOLUTIONS, day, {**counts, "rows new": loaded.new})
                _tell(context, REJECTED, day, {**counts, "rows new": loaded.newly_rejected})
                _tell(context, FAULTS, day, {**counts, "rows new": loaded.newly_faulty})
        for key in (SOLUTIONS, REJECTED, FAULTS):
            yield dg.MaterializeResult(asset_key=key)

    yield from (attempts_raw, load_attempts)


@dg.asset(
    key=METRICS,
    deps=[SOLUTIONS],
    group_name=GROUP,
    owners=_OWNERS,
    pool=POOL,
    description="For each day: attempts, correct ones, learners, and learners never seen before. Over all attempts each time.",
)
def study_metrics(learning: LearningResource) -> dg.MaterializeResult[None]:
    """Compute the metrics of every day."""
    with learning.step("study_metrics"), learning.database() as database:
        metrics = reports.study_metrics(database)
    newest = metrics.tail(_HEAD_ROWS).reverse().cast({"study_date": pl.String})
    head = dg.MetadataValue.table([dg.TableRecord(row) for row in newest.to_dicts()], schema=_schema(metrics))
    return dg.MaterializeResult(metadata={"dagster/row_count": metrics.height, "newest": head})


@dg.asset(
    key=DASHBOARD,
    deps=[METRICS],
    group_name=GROUP,
    owners=_OWNERS,
    kinds={"googlesheets"},
    pool=POOL,
    description="The metrics in a Google Sheet, a row a day; what people add beside and below them stays.",
)
def study_dashboard(context: dg.AssetExecutionContext, learning: LearningResource) -> dg.MaterializeResult[None]:
    """Bring the metrics into the sheet."""
    with learning.step("study_dashboard"):
        access, worksheet = learning.settings.sheet, learning.settings.sheet_worksheet
        with learning.database() as database:
            metrics = reports.study_metrics(database)
        learning.written = written = upsert(access, worksheet, metrics, ["study_date"])
        context.log.info("worksheet %s: %s", worksheet, written)
        return dg.MaterializeResult(
            metadata={"rows appended": written.appended, "rows updated": written.updated, "rows unchanged": written.unchanged}
        )


@dg.asset(
    key=DIGEST,
    deps=[METRICS, REJECTED, FAULTS, DASHBOARD],
    group_name=GROUP,
    owners=_OWNERS,
    kinds={"email"},
    pool=POOL,
    description="An email that tells what was loaded since the last one, with a chart of attempts per day.",
)
def study_digest(context: dg.AssetExecutionContext, learning: LearningResource) -> dg.MaterializeResult[None]:
    """Report what has not been reported yet; nothing is sent where there is nothing to report."""
    with learning.step("study_digest"):
        server = learning.settings.mail
        with learning.database() as database:
            loads = reports.unreported(database)
            if loads is None:
                context.log.info("nothing new to report")
                return dg.MaterializeResult(metadata={"sent": False})
            done = reports.Done(learning.answers, learning.written, learning.seconds)
            digest = reports.digest(loads, reports.study_metrics(database), done)
            refused = send(server, digest.mail())
            reports.mark_reported(database, loads)
        for address in refused:
            context.log.warning("the mail server takes no mail for %s", address)
        facts: Mapping[str, Any] = digest.facts
        return dg.MaterializeResult(metadata={"sent": True, "subject": digest.subject, **facts})


def _schema(frame: pl.DataFrame) -> dg.TableSchema:
    return dg.TableSchema([dg.TableColumn(name, str(kind)) for name, kind in frame.schema.items()])


def _tell(context: dg.AssetExecutionContext, key: dg.AssetKey, day: str, facts: Mapping[str, Any]) -> None:
    """The same to the web UI and to the log."""
    context.add_asset_metadata(facts, asset_key=key, partition_key=day)
    _log.info("counted", extra={"asset": key.path[-1], "day": day, **facts})
