"""The settings of the films' deliveries, each of which is off until the one that says what to deliver is set.

Belongs here: what can be told of them. Does not belong here: what sheets and mail need (``channels.settings``).
"""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from film_assets.notifications.channels.settings import DeliverySettings


class FilmsDelivery(DeliverySettings):
    """They begin with ``FILM_ASSETS_``, as all settings of the films."""

    model_config = SettingsConfigDict(env_prefix="FILM_ASSETS_")

    sheet_tables: str | None = Field(None, description="The tables of which rows go into the sheet, with commas between.")
    sheet_top: int = Field(100, ge=1, le=10_000, description="How many rows of each: those with the most votes.")

    @property
    def tables(self) -> list[str]:
        """The tables of which rows go into the sheet; none where that is off."""
        return [name.strip() for name in (self.sheet_tables or "").split(",") if name.strip()]

    @property
    def sends_digest(self) -> bool:
        """Whether somebody is to get a digest."""
        return self.mail_to is not None
