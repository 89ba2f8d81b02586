"""The assets of the learning pipeline: from the API by way of the database to a sheet and to a mailbox.

Belongs here: which step follows which, and what the web UI shows of it. Does not belong here: how each does its work.
"""

import inspect
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

import dagster as dg
import polars as pl

from film_assets.common import markdown
from film_assets.learning import api, reports, schema
from film_assets.learning.database import Database
from film_assets.learning.load import BATCH, load
from film_assets.learning.resource import LearningResource
from film_assets.learning.schema import Column, Table
from film_assets.learning.settings import LearningSettings
from film_assets.notifications.channels.mail import send
from film_assets.notifications.channels.sheets import upsert
from film_assets.orchestration.description import DAILY, key_of, table_metadata

GROUP = "learning"
POOL = "learning"
"""One run at a time writes to the database; ``dagster.yaml`` says how many places the pool has."""

_OWNERS = ["team:learning-data"]
_NEWEST_DAYS, _NEWEST_ROWS = 10, 5
_log = logging.getLogger(__name__)

RAW, SOLUTIONS, REJECTED = key_of(schema.RAW.name), key_of(schema.SOLUTIONS.name), key_of(schema.REJECTED.name)
FAULTS, METRICS, DASHBOARD = key_of(schema.FAULTS.name), key_of(schema.METRICS.name), key_of(schema.DASHBOARD.name)
DIGEST = dg.AssetKey([GROUP, "study_digest"])


def _metadata_of(table: Table, maker: Callable[..., object]) -> dict[str, Any]:
    """What the web UI shows of a table, with the link to the function that makes its rows."""
    name = table.short if table.in_database else None
    columns = ((_column(table, column), column.sources) for column in table.columns)
    return table_metadata(name, columns, file=inspect.getfile(maker), line=inspect.getsourcelines(maker)[1])


def _schema_of(table: Table) -> dg.TableSchema:
    return dg.TableSchema([_column(table, column) for column in table.columns])


def _column(table: Table, column: Column) -> dg.TableColumn:
    constraints = dg.TableColumnConstraints(
        nullable=not column.required,
        unique=column.name == schema.ID or table.unique == (column.name,),
        other=[column.check] if column.check else [],
    )
    return dg.TableColumn(column.name, column.type, column.text, constraints)


def days_of(settings: LearningSettings) -> dg.DailyPartitionsDefinition:
    """The days there are attempts of; today too, for whoever wants to see how far it is."""
    return dg.DailyPartitionsDefinition(start_date=settings.start_date.isoformat(), timezone=settings.time_zone, end_offset=1)


def assets_of(settings: LearningSettings) -> list[dg.AssetsDefinition]:
    """All assets, for a database that the settings name."""
    kinds = {"postgresql" if settings.database_url else "duckdb"}
    with warnings.catch_warnings(action="ignore", category=dg.BetaWarning):  # the lock file pins Dagster
        daily = _daily_assets(days_of(settings), dg.BackfillPolicy.single_run(), kinds)
        return [*daily, _metrics(settings, kinds), _dashboard(), study_digest]


def _daily_assets(
    days: dg.DailyPartitionsDefinition, policy: dg.BackfillPolicy, kinds: set[str]
) -> Iterator[dg.AssetsDefinition]:
    """The assets that have a partition a day."""

    @dg.asset(
        key=RAW,
        partitions_def=days,
        backfill_policy=policy,
        group_name=GROUP,
        owners=_OWNERS,
        kinds={"json"},
        description=schema.RAW.text,
        metadata=_metadata_of(schema.RAW, api.fetch_days),
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
        specs=[_loaded(table, kinds) for table in _LOADED],
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
            for table in _LOADED:
                _show(context, database, table)
        for table in _LOADED:
            yield dg.MaterializeResult(asset_key=key_of(table.name))

    yield from (attempts_raw, load_attempts)


_LOADED = (schema.SOLUTIONS, schema.REJECTED, schema.FAULTS)


def _loaded(table: Table, kinds: set[str]) -> dg.AssetSpec:
    return dg.AssetSpec(
        key_of(table.name),
        deps=[RAW],
        description=table.text,
        owners=_OWNERS,
        kinds=kinds,
        metadata=_metadata_of(table, load),
    )


def _metrics(settings: LearningSettings, kinds: set[str]) -> dg.AssetsDefinition:
    @dg.asset(
        key=METRICS,
        deps=[SOLUTIONS],
        group_name=GROUP,
        owners=_OWNERS,
        kinds=kinds,
        pool=POOL,
        description=schema.METRICS.text,
        metadata=_metadata_of(schema.METRICS, reports.study_metrics),
        freshness_policy=None if settings.missing_for_schedule else DAILY,  # nobody waits for what is not scheduled
    )
    def study_metrics(learning: LearningResource) -> dg.MaterializeResult[None]:
        """Compute the metrics of every day."""
        with learning.step("study_metrics"), learning.database() as database:
            metrics = reports.study_metrics(database)
        newest = metrics.tail(_NEWEST_DAYS).reverse().cast({"study_date": pl.String})
        head = dg.MetadataValue.table([dg.TableRecord(row) for row in newest.to_dicts()], schema=_schema_of(schema.METRICS))
        return dg.MaterializeResult(metadata={"dagster/row_count": metrics.height, "newest": head})

    return study_metrics


def _dashboard() -> dg.AssetsDefinition:
    @dg.asset(
        key=DASHBOARD,
        deps=[METRICS],
        group_name=GROUP,
        owners=_OWNERS,
        kinds={"googlesheets"},
        pool=POOL,
        description=schema.DASHBOARD.text,
        metadata=_metadata_of(schema.DASHBOARD, upsert),
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

    return study_dashboard


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


def _tell(context: dg.AssetExecutionContext, key: dg.AssetKey, day: str, facts: Mapping[str, Any]) -> None:
    """The same to the web UI and to the log."""
    context.add_asset_metadata(facts, asset_key=key, partition_key=day)
    _log.info("counted", extra={"asset": key.path[-1], "day": day, **facts})


def _show(context: dg.AssetExecutionContext, database: Database, table: Table) -> None:
    """The size of a table and its newest rows, once a run: with its last day."""
    newest = dg.MetadataValue.md(markdown.table(table.shown, reports.newest(database, table, _NEWEST_ROWS)))
    facts = {"dagster/row_count": reports.row_count(database, table), "newest": newest}
    context.add_asset_metadata(facts, asset_key=key_of(table.name), partition_key=context.partition_keys[-1])
