"""What a user can set of the films.

Read when asked for, never at import. Belongs here: names, defaults and meaning of settings. Does not belong here: how they are
read (``common.environment``), what the machine allows where nothing is set (the engines), and secrets of sources, which the
sources read from the environment themselves.
"""

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from film_assets.common.environment import EnvironmentSettings, TimeZone
from film_assets.home import Home

_REPO = Path(__file__).parent.parent


class Settings(EnvironmentSettings):
    """All settings, one of them a secret; each is the environment variable ``FILM_ASSETS_`` and its name in capitals."""

    model_config = SettingsConfigDict(env_prefix="FILM_ASSETS_", hide_input_in_errors=False)

    source: str | None = Field(None, description="Where the blobs are: a folder, a container URL, or an https base URL.")
    home: Path = Field(_REPO / "data", description="The folder everything is kept in.")
    memory: float | None = Field(None, gt=0.5, description="GiB of memory a refresh may use; None for what the machine allows.")
    threads: int | None = Field(None, ge=1, description="Threads a refresh may use; None for what the machine allows.")

    engine: str = Field("duckdb", description="What computes and keeps the tables: duckdb, in this process, or spark.")
    spark: str = Field("local[*]", description="Spark's master, as spark://host:7077, or a Spark Connect address, as sc://host.")
    spark_wait: float = Field(120, gt=0, description="Seconds to wait for Spark to give the first executor.")
    lake: str | None = Field(
        None,
        description="Where Spark keeps the tables: a folder all workers reach, abfss://, s3a://, gs://; None: lake/ in the home.",
    )
    lake_options: SecretStr | None = Field(
        None, description="What opens that storage, as a JSON object of delta-rs' storage options; a secret, never shown."
    )
    lake_days: int = Field(7, ge=1, description="How many days earlier versions of the lake's tables can be read.")
    snapshot: Literal["tables", "views"] = Field(
        "tables", description="Whether films.duckdb has large tables of the lake as tables, or as views that read the lake."
    )

    max_lost_rows: float = Field(
        0.5,
        gt=0,
        le=1,
        description="Share of its rows that a blob may lose from one landing to the next, or that cannot be read.",
    )
    max_lost_values: float = Field(0.5, gt=0, le=1, description="Share of its values that a column of a blob may lose likewise.")

    refresh_hour: int = Field(5, ge=0, le=23, description="The hour of the day at which the daily refresh begins.")
    time_zone: TimeZone = Field("UTC", description="The time zone of that hour, as Europe/Kyiv.")
    keep_runs_days: int = Field(30, ge=1, description="How many days Dagster's history of a run is kept.")

    @property
    def kept_in(self) -> Home:
        """The home, as an absolute path."""
        return Home(self.home.expanduser().absolute())


def load_settings(**given: object) -> Settings:
    """The settings, with those given and not None in place of the environment's.

    Raises:
        SettingsError: One has no valid value; the text names it.
    """
    settings = Settings.load(**given)
    if settings.threads:
        os.environ.setdefault("POLARS_MAX_THREADS", str(settings.threads))  # looked at once, when Polars is imported
    return settings
