"""Settings: where they are read from, and what is said of one that has no valid value."""

from pathlib import Path

import pytest
from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from film_assets.common.environment import EnvironmentSettings
from film_assets.errors import SettingsError


class Hidden(EnvironmentSettings):
    """Settings of which some are secret."""

    model_config = SettingsConfigDict(env_prefix="TRIAL_")

    places: int = Field(1, ge=1)
    password: SecretStr | None = None


class Open(Hidden):
    """Settings of which none is."""

    model_config = SettingsConfigDict(hide_input_in_errors=False)


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a file ``.env``, of which nothing stays in the environment."""
    for name in ("TRIAL_PLACES", "TRIAL_PASSWORD"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("TRIAL_PLACES=2\nTRIAL_PASSWORD=CANARY\n")
    return tmp_path / ".env"


def test_a_file_is_read_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Hidden.load().places == 2
    monkeypatch.setenv("TRIAL_PLACES", "3")
    assert Hidden.load().places == 3


def test_what_is_given_wins_unless_it_is_none() -> None:
    assert Hidden.load(places=4).places == 4
    assert Hidden.load(places=None).places == 2


@pytest.mark.parametrize("value", ["0", "CANARY"])
def test_a_value_that_cannot_be_is_named_and_shown_only_where_it_may_be(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAL_PLACES", value)
    with pytest.raises(SettingsError, match=r"^TRIAL_PLACES: input should be ") as caught:
        Hidden.load()
    assert "CANARY" not in f"{caught.value} {caught.value.__cause__} {caught.value.__context__}"
    with pytest.raises(SettingsError, match=rf"^TRIAL_PLACES='{value}': input should be ") as caught:
        Open.load()
    assert len(str(caught.value).splitlines()) == 1
