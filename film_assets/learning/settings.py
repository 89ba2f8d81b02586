"""What can be set of the learning pipeline: variables that begin with ``LEARNING_``.

Read when asked for, never at import. Belongs here: names, defaults and meaning. Does not belong here: what sheets and mail need
(``notifications.channels.settings``), and how settings are read (``common.environment``).
"""

from datetime import date
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from film_assets.common.environment import TimeZone
from film_assets.learning.api import Statistics
from film_assets.notifications.channels.settings import MAIL, SHEET, DeliverySettings

_REPO = Path(__file__).parent.parent.parent
_API = ("api_url", "api_client", "api_client_key")


class LearningSettings(DeliverySettings):
    """All settings of the pipeline."""

    model_config = SettingsConfigDict(env_prefix="LEARNING_", populate_by_name=True)

    api_url: str | None = Field(None, pattern="^https?://", description="The address of the statistics API.")
    api_client: str | None = Field(None, description="The client that asks it.")
    api_client_key: SecretStr | None = Field(None, description="The client's key.")
    api_deadline: float = Field(300, gt=0, description="Seconds after which the API is given up, all tries together.")
    api_days: int = Field(31, ge=1, description="How many days at most it is asked for at once; 1 if it takes a single day.")

    start_date: date = Field(date(2023, 1, 1), description="The first day.")
    time_zone: TimeZone = Field("UTC", description="The time zone of days and hours, as Europe/Kyiv.")
    hour: int = Field(3, ge=0, le=23, description="The hour of the day at which the day before is fetched.")
    refetch_days: int = Field(1, ge=0, description="How many days before that one are fetched again, for late rows.")

    database_url: SecretStr | None = Field(None, description="postgresql://USER:PASSWORD@HOST/NAME; none for a file.")
    sheet_worksheet: str = Field("study_metrics", description="The worksheet of the dashboard.")
    keep_days: int = Field(3, ge=1, description="How many days, counting today, logs and answers of the API are kept.")
    home: Path = Field(_REPO / "data", validation_alias="FILM_ASSETS_HOME", description="The folder everything is kept in.")

    @property
    def statistics(self) -> Statistics:
        """Whom to ask for attempts.

        Raises:
            SettingsError: A setting for that is missing.
        """
        found = self.require(*_API)
        return Statistics(found["api_url"], found["api_client"], found["api_client_key"], self.api_deadline, self.api_days)

    @property
    def missing_for_schedule(self) -> list[str]:
        """The variables without which no run can come to its end."""
        return self.missing(*_API, *SHEET, *MAIL)

    @property
    def mail_missing(self) -> list[str]:
        """The variables without which there is no mail."""
        return self.missing(*MAIL)

    @property
    def answers(self) -> Path:
        """The folder of the API's answers, one file a day."""
        return self._home / "learning" / "answers"

    @property
    def logs(self) -> Path:
        """The folder of the logs, one file a day."""
        return self._home / "learning" / "logs"

    @property
    def database_file(self) -> Path:
        """The database, where no other is set."""
        return self._home / "learning" / "learning.duckdb"

    @property
    def _home(self) -> Path:
        return self.home.expanduser().absolute()
