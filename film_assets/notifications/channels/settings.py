"""Settings of delivery, which every pipeline has under a prefix of its own.

Belongs here: names and meaning of what sheets and mail need. Does not belong here: what else a pipeline can be told, and how
settings are read (``common.environment``).
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, SecretStr

from film_assets.common.environment import EnvironmentSettings
from film_assets.errors import SettingsError

if TYPE_CHECKING:  # whoever delivers nothing need not import what delivers
    from film_assets.notifications.channels.mail import MailServer
    from film_assets.notifications.channels.sheets import SheetAccess


class DeliverySettings(EnvironmentSettings):
    """All that sheets and mail need; each is an environment variable: the prefix of the pipeline, and its name in capitals."""

    sheet_service_account_file: Path | None = Field(None, description="The JSON key file of a Google service account.")
    sheet_id: str | None = Field(None, description="The id in the address of the spreadsheet.")

    smtp_host: str | None = Field(None, description="The mail server.")
    smtp_port: int = Field(465, ge=1, le=65535, description="Its port.")
    smtp_starttls: bool = Field(default=False, description="Whether TLS begins by STARTTLS, as on port 587, not at once.")
    smtp_user: str | None = Field(None, description="The login at the mail server.")
    smtp_password: SecretStr | None = Field(None, description="Its password.")
    mail_from: str | None = Field(None, pattern="@", description="The sender's address.")
    mail_to: str | None = Field(None, pattern="@", description="The recipients' addresses, with commas between.")

    def missing(self, *names: str) -> list[str]:
        """The variables of those of the named settings that are not set."""
        return [self.variable(name) for name in names if getattr(self, name) is None]

    def require(self, *names: str) -> dict[str, Any]:
        """The named settings, which must all be there.

        Raises:
            SettingsError: Some are not; the text names them.
        """
        if missing := self.missing(*names):
            verb = "are" if len(missing) > 1 else "is"
            raise SettingsError(f"{', '.join(missing)} {verb} not set; see the table of settings in the documentation")
        return {name: getattr(self, name) for name in names}

    @property
    def sheet(self) -> "SheetAccess":
        """Which spreadsheet, by what right.

        Raises:
            SettingsError: A setting for that is missing.
        """
        from film_assets.notifications.channels.sheets import SheetAccess

        found = self.require(*SHEET)
        return SheetAccess(found["sheet_service_account_file"], found["sheet_id"])

    @property
    def mail(self) -> "MailServer":
        """By which server mail goes from whom to whom.

        Raises:
            SettingsError: A setting for that is missing.
        """
        from film_assets.notifications.channels.mail import MailServer

        found = self.require(*MAIL)
        return MailServer(
            host=found["smtp_host"],
            port=self.smtp_port,
            starttls=self.smtp_starttls,
            user=found["smtp_user"],
            password=found["smtp_password"],
            sender=found["mail_from"],
            recipients=[address.strip() for address in found["mail_to"].split(",") if address.strip()],
        )


SHEET = ("sheet_service_account_file", "sheet_id")
"""The settings without which there is no sheet."""

MAIL = ("smtp_host", "smtp_user", "smtp_password", "mail_from", "mail_to")
"""The settings without which there is no mail."""
