"""The tables of the learning pipeline, the same in every database, and what they are made from.

Belongs here: what there is, and what it means. Does not belong here: what is done with it.
"""

from dataclasses import dataclass

from film_assets.learning.database import Database

ID = "id"
"""The column that numbers the rows of a table."""


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        name: Its name.
        type: What both databases call its type.
        text: What it means.
        sources: The columns its values come from, as ``learning.table.column``.
        required: Whether it is never null.
        allowed: The only values it may have, as SQL writes them; any if there are none.
        private: Whether it is left out where rows are shown, as it may name a learner's account or be anything that came.
    """

    name: str
    type: str
    text: str
    sources: tuple[str, ...] = ()
    required: bool = True
    allowed: tuple[str, ...] = ()
    private: bool = False

    @property
    def check(self) -> str:
        """The condition its values keep; empty where there is none."""
        return f"{self.name} in ({', '.join(self.allowed)})" if self.allowed else ""


@dataclass(frozen=True)
class Table:
    """A table, or what can be looked at as one.

    Attributes:
        short: Its name in the database, and that of its asset in the group.
        text: What it holds.
        columns: Its columns.
        unique: The columns that no two rows have alike.
        in_database: Whether the database has it.
    """

    short: str
    text: str
    columns: tuple[Column, ...]
    unique: tuple[str, ...] = ()
    in_database: bool = True

    @property
    def name(self) -> str:
        """``learning.table``."""
        return f"learning.{self.short}"

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def shown(self) -> tuple[str, ...]:
        """The names of the columns that are not private."""
        return tuple(column.name for column in self.columns if not column.private)

    def paths(self, *names: str) -> tuple[str, ...]:
        """These columns, or all, as the sources of others."""
        return tuple(f"{self.name}.{name}" for name in names or self.column_names)


def _id(what: str) -> Column:
    return Column(ID, "bigint", f"Number of the {what}.")


RAW = Table(
    "attempts_raw",
    "The answer of the statistics API for a day: learners' attempts at tasks, as they are delivered.",
    (
        Column("lti_user_id", "text", "The learner."),
        Column("passback_params", "text", "What the learning platform wants to be told of the attempt, as a Python dict."),
        Column("is_correct", "integer", "1 for a right answer, 0 for a wrong one, null where there is none.", required=False),
        Column("attempt_type", "text", "run or submit."),
        Column("created_at", "text", "When it was made."),
    ),
    in_database=False,
)

_PASSED = RAW.paths("passback_params")

SOLUTIONS = Table(
    "solutions",
    "Every attempt, once: who, when, and whether it was right.",
    (
        _id("attempt"),
        Column("user_id", "text", "The learner.", RAW.paths("lti_user_id")),
        Column("oauth_consumer_key", "text", "The learning platform.", _PASSED, required=False, private=True),
        Column("lis_result_sourcedid", "text", "What the platform knows the result by.", _PASSED, required=False, private=True),
        Column("lis_outcome_service_url", "text", "Where the result is sent.", _PASSED, required=False, private=True),
        Column(
            "is_correct",
            "integer",
            "1 for a right answer, 0 for a wrong one, null where there is none.",
            RAW.paths("is_correct"),
            required=False,
            allowed=("0", "1"),
        ),
        Column(
            "attempt_type",
            "text",
            "Whether the learner only ran the code, or submitted it.",
            RAW.paths("attempt_type"),
            allowed=("'run'", "'submit'"),
        ),
        Column("created_at", "timestamp", "When it was made; in UTC if the API gave a zone.", RAW.paths("created_at")),
    ),
    unique=("user_id", "created_at"),
)

REJECTED = Table(
    "rejected_attempts",
    "Rows that are no attempts, with the reason and as they came.",
    (
        _id("row"),
        Column("study_date", "date", "The day it was fetched for."),
        Column("digest", "text", "A digest of the row, which tells rows apart.", RAW.paths(), private=True),
        Column("reason", "text", "What is wrong with it.", RAW.paths()),
        Column("text", "text", "The row as it came, as JSON.", RAW.paths(), private=True),
    ),
    unique=("study_date", "digest"),
)

FAULTS = Table(
    "passback_faults",
    "Attempts of which passback_params could not be read, with the reason.",
    (
        _id("fault"),
        Column("study_date", "date", "The day it was fetched for."),
        Column("user_id", "text", "The learner who made the attempt.", RAW.paths("lti_user_id")),
        Column("created_at", "timestamp", "When the attempt was made.", RAW.paths("created_at")),
        Column("reason", "text", "What is wrong with passback_params.", _PASSED),
        Column("text", "text", "What came as passback_params, as JSON.", _PASSED, private=True),
    ),
    unique=("user_id", "created_at"),
)

METRICS = Table(
    "study_metrics",
    "For each day: attempts, correct ones, learners, and learners never seen before. Over all attempts each time.",
    (
        Column("study_date", "date", "The day.", SOLUTIONS.paths("created_at")),
        Column("attempts_per_day_total", "bigint", "Attempts of the day.", SOLUTIONS.paths("created_at")),
        Column("correct_attempts_per_day", "bigint", "Those that were right.", SOLUTIONS.paths("created_at", "is_correct")),
        Column("unique_users_per_day", "bigint", "Learners who made any.", SOLUTIONS.paths("created_at", "user_id")),
        Column("new_users_per_day", "bigint", "Learners whose first day it is.", SOLUTIONS.paths("created_at", "user_id")),
    ),
    unique=("study_date",),
)

DASHBOARD = Table(
    "study_dashboard",
    "The metrics in a Google Sheet, a row a day; what people add beside and below them stays.",
    tuple(Column(column.name, column.type, column.text, METRICS.paths(column.name)) for column in METRICS.columns),
    unique=METRICS.unique,
    in_database=False,
)

_LOADS = """create table if not exists loads (
    {identity},
    study_date date not null,
    loaded_at timestamp not null,
    rows_fetched bigint not null,
    rows_valid bigint not null,
    rows_rejected bigint not null,
    rows_new bigint not null,
    reported boolean not null default false)"""

_METRICS = f"""create or replace view study_metrics ({", ".join(METRICS.column_names)}) as
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


def _creating(table: Table) -> str:
    columns = (_defined(column) for column in table.columns if column.name != ID)
    return f"create table if not exists {table.short} ({{identity}}, {', '.join(columns)}, unique ({', '.join(table.unique)}))"


def _defined(column: Column) -> str:
    required, check = " not null" if column.required else "", f" check ({column.check})" if column.check else ""
    return f"{column.name} {column.type}{required}{check}"


_TABLES = {**{table.short: _creating(table) for table in (SOLUTIONS, REJECTED, FAULTS)}, "loads": _LOADS}
"""Table -> the statement that makes it, with ``{identity}`` for the column that numbers the rows."""
