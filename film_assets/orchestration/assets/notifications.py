"""The deliveries of a new snapshot as assets: there only if their settings are, so that they cost nothing where they are off.

Belongs here: when something is delivered, and how that shows. Does not belong here: what (``notifications``), and how (the
``channels`` there).
"""

import time
from collections.abc import Iterator
from typing import Any

import dagster as dg
from dagster import DagsterEventType

from film_assets.common.database import readable_faults
from film_assets.notifications import news
from film_assets.notifications.pending import Pending
from film_assets.notifications.settings import FilmsDelivery
from film_assets.notifications.top import chosen, top
from film_assets.orchestration.assets.events import materialized
from film_assets.orchestration.assets.snapshot import SNAPSHOT
from film_assets.orchestration.conventions import OWNERS, POOL, PipelineResource
from film_assets.orchestration.failures import readable_failures
from film_assets.orchestration.private import events_of

_DIGEST, _SHEET = "digest", "sheet"


def delivery_assets(settings: FilmsDelivery) -> Iterator[dg.AssetsDefinition]:
    """The assets of the deliveries that are on."""
    if settings.sends_digest:
        yield _digest(settings)
    if settings.tables:
        yield _sheet(settings)


def _digest(settings: FilmsDelivery) -> dg.AssetsDefinition:
    @dg.asset(
        key=dg.AssetKey(["published", _DIGEST]),
        deps=[SNAPSHOT],
        group_name="published",
        description="An email that tells what is new: tables, rejected rows, failing checks, and the titles that moved most.",
        owners=OWNERS,
        kinds={"email"},
        pool=POOL,
    )
    def digest(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> dg.MaterializeResult[None]:
        """Send it if there is a new snapshot since the last one."""
        from film_assets.notifications.channels.mail import send

        with readable_failures(), readable_faults(pipeline.home.folder):
            server, pending, version = settings.mail, Pending(pipeline.home), pipeline.published_version
            delivered = pending.delivered(_DIGEST)
            metadata: dict[str, Any] = {"sent": False}
            if delivered != version and (delivered or pipeline.report.published):
                previous = pipeline.home.previous
                found = news.news(pipeline.home.films, previous if previous.exists() else None)
                record = context.instance.get_run_record_by_id(context.run.run_id)
                began = record.start_time if record and record.start_time else time.time()
                message = news.digest(version, found, _failing(context), time.time() - began)
                for address in send(server, message.mail()):
                    context.log.warning("the mail server takes no mail for %s", address)
                metadata = {"sent": True, "subject": message.subject}
            pending.note(_DIGEST, version)
            pending.forget_previous()
            return materialized(context, metadata)

    return digest


def _failing(context: dg.AssetExecutionContext) -> list[tuple[str, str]]:
    """Of each check that failed in this run, the table and what does not hold there."""
    events = events_of(context.instance, context.run.run_id, DagsterEventType.ASSET_CHECK_EVALUATION)
    found = [event.asset_check_evaluation_data for event in events]
    return [(".".join(one.asset_key.path), one.description or one.check_name) for one in found if not one.passed]


def _sheet(settings: FilmsDelivery) -> dg.AssetsDefinition:
    @dg.asset(
        key=dg.AssetKey(["published", _SHEET]),
        deps=[SNAPSHOT],
        group_name="published",
        description=f"A Google Sheet with the first {settings.sheet_top} rows by votes of {', '.join(settings.tables)}.",
        owners=OWNERS,
        kinds={"googlesheets"},
        pool=POOL,
    )
    def sheet(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> dg.MaterializeResult[None]:
        """Bring the rows into a worksheet a table, if they may have changed since the last time."""
        from film_assets.notifications.channels.sheets import upsert

        with readable_failures(), readable_faults(pipeline.home.folder):
            pending = Pending(pipeline.home)
            access, tables = settings.sheet, chosen(settings.tables)
            version = f"{pipeline.published_version} {settings.sheet_id} {settings.sheet_tables} {settings.sheet_top}"
            if pending.delivered(_SHEET) == version:
                return materialized(context, {"looked at": False})
            metadata = {}
            for table in tables:
                written = upsert(access, table.name, top(pipeline.home.films, table, settings.sheet_top), table.key)
                context.log.info("worksheet %s: %s", table.name, written)
                metadata[table.name] = f"{written.appended} rows appended, {written.updated} updated"
            pending.note(_SHEET, version)
            return materialized(context, {"looked at": True, **metadata})

    return sheet
