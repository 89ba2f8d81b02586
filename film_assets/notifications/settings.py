"""The settings of the films' deliveries, each of which is off until the one that says what to deliver is set.

Belongs here: what can be told of them. Does not belong here: what sheets and mail need (``channels.settings``).
"""

from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from film_assets.notifications.channels.settings import DeliverySettings


class FilmsDelivery(DeliverySettings):
    """They begin with ``FILM_ASSETS_``, as all settings of the films."""

    model_config = SettingsConfigDict(env_prefix="FILM_ASSETS_")

    sheet_tables: str | None = Field(None, description="The tables of which rows go into the sheet, with commas between.")
    sheet_top: int = Field(100, ge=1, le=10_000, description="How many rows of each: those with the most votes.")

    alert_url: SecretStr | None = Field(None, description="The webhook that is told of failures; its address is a secret.")
    ui_url: str | None = Field(None, pattern="^https?://", description="The web UI's address, for links in messages.")

    @field_validator("alert_url")
    @classmethod
    def _is_web_address(cls, url: SecretStr | None) -> SecretStr | None:
        if url and not _has_host(url.get_secret_value()):
            raise ValueError("not the https:// address of a webhook")
        return url

    @property
    def tables(self) -> list[str]:
        """The tables of which rows go into the sheet; none where that is off."""
        return [name.strip() for name in (self.sheet_tables or "").split(",") if name.strip()]

    @property
    def sends_digest(self) -> bool:
        """Whether somebody is to get a digest."""
        return self.mail_to is not None

    @property
    def alerts_by_mail(self) -> bool:
        """Whether somebody is to be told of failures by mail: who gets the digest."""
        return self.sends_digest


def _has_host(address: str) -> bool:
    try:
        parts = urlsplit(address)
        _ = parts.port  # only looking at it finds out that it is no number
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)
