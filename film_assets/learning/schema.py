"""The tables of the learning pipeline, the same in every database.

Belongs here: what there is. Does not belong here: what is done with it.
"""

from film_assets.learning.database import Database

METRICS = ("study_date", "attempts_per_day_total", "correct_attempts_per_day", "unique_users_per_day", "new_users_per_day")
"""The columns of ``study_metrics``."""

_SOLUTIONS = """create table if not exists solutions (
    {identity},
    user_id text not null,
    oauth_consumer_key text,
    lis_result_sourcedid text,
    lis_outcome_service_url text,
    is_correct integer check (is_correct in (0, 1)),
    attempt_type text not null check (attempt_type in ('run', 'submit')),
    created_at timestamp not null,
    unique (user_id, created_at))"""

_REJECTED = """create table if not exists rejected_attempts (
    {identity},
    study_date date not null,
    digest text not null,
    reason text not null,
    text text not null,
    unique (study_date, digest))"""

_FAULTS = """create table if not exists passback_faults (
    {identity},
    study_date date not null,
    user_id text not null,
    created_at timestamp not null,
    reason text not null,
    text text not null,
    unique (user_id, created_at))"""

_LOADS = """create table if not exists loads (
    {identity},
    study_date date not null,
    loaded_at timestamp not null,
    rows_fetched bigint not null,
    rows_valid bigint not null,
    rows_rejected bigint not null,
    rows_new bigint not null,
    reported boolean not null default false)"""

_TABLES = {"solutions": _SOLUTIONS, "rejected_attempts": _REJECTED, "passback_faults": _FAULTS, "loads": _LOADS}

_METRICS = f"""create or replace view study_metrics ({", ".join(METRICS)}) as
    with attempts as (select cast(created_at as date) as study_date, user_id, is_correct from solutions),
        by_day as (
            select study_date, count(*) as attempts, count(distinct user_id) as users,
                count(case when is_correct = 1 then 1 end) as correct
            from attempts group by study_date),
        first_days as (select user_id, min(study_date) as study_date from attempts group by user_id),
        newcomers as (select study_date, count(*) as users from first_days group by study_date)
    select study_date, attempts, correct, by_day.users, coalesce(newcomers.users, 0)
    from by_day left join newcomers using (study_date)"""


def prepare(database: Database) -> None:
    """Make what is not there yet."""
    with database.transaction():
        database.rows(database.exclusive)
        for table, statement in _TABLES.items():
            database.run(database.prelude.format(table=table))
            database.run(statement.format(identity=database.identity.format(table=table)))
        database.run(_METRICS)
