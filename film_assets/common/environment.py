"""Reading settings: from the environment or a file ``.env`` in the working directory; the environment wins.

Belongs here: how they are read, and what is said of one that has no valid value. Does not belong here: which settings there are.
"""

from pathlib import Path
from typing import Annotated, Self
from zoneinfo import available_timezones

from dotenv import load_dotenv
from pydantic import AfterValidator, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from film_assets.errors import SettingsError


def _time_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("no such time zone; a name is like Europe/Kyiv")
    return name


TimeZone = Annotated[str, AfterValidator(_time_zone)]
"""The name of a time zone, as Europe/Kyiv."""


class EnvironmentSettings(BaseSettings):
    """Settings that are environment variables: a prefix, which a class of its own gives, and their names in capitals.

    What is said of a value that cannot be repeats it only where a class says that it may: ``hide_input_in_errors=False``.
    """

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True, hide_input_in_errors=True)

    @classmethod
    def load(cls, **given: object) -> Self:
        """The settings, with those given and not None in place of the environment's.

        Raises:
            SettingsError: One has no valid value; the text names it and never shows a secret.
        """
        load_dotenv(Path(".env"))  # into the environment, where the sources look for their credentials
        try:
            return cls(**{name: value for name, value in given.items() if value is not None})
        except ValidationError as error:
            fault = SettingsError(cls._said_of(error))
        raise fault  # not in the handler: the library's error holds the value

    @classmethod
    def variable(cls, name: str) -> str:
        """The environment variable of a setting."""
        return f"{cls.model_config['env_prefix']}{name}".upper()

    @classmethod
    def _said_of(cls, error: ValidationError) -> str:
        first = error.errors()[0]
        value = "" if cls.model_config["hide_input_in_errors"] else f"={first['input']!r}"
        return f"{cls.variable(str(first['loc'][0]))}{value}: {first['msg'].lower()}"
