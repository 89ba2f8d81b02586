"""Dagster's own settings in a home: the project's, with the user's over them, or all of them the user's."""

from pathlib import Path

import dagster as dg
import pytest
import yaml

from film_assets.errors import SettingsError
from film_assets.home import Home
from film_assets.orchestration.configuration import dagster_home
from film_assets.orchestration.history import EventLog
from film_assets_tests.command import film_assets


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "home").mkdir()
    return Home(tmp_path / "home")


def written(home: Home) -> dict[str, object]:
    found: dict[str, object] = yaml.safe_load((dagster_home(home) / "dagster.yaml").read_text())
    return found


def test_what_the_user_sets_goes_over_what_the_project_has_section_by_section(home: Home) -> None:
    before = written(home)
    home.dagster_settings.write_text("retention: {schedule: {purge_after_days: 90}}\nsensors: {use_threads: true}\n")
    after = written(home)
    assert after["retention"] == {**before["retention"], "schedule": {"purge_after_days": 90}}
    assert after["sensors"] == {"use_threads": True}
    assert {**after, "retention": None, "sensors": None} == {**before, "retention": None, "sensors": None}
    home.dagster_settings.unlink()
    assert written(home) == before


def test_another_storage_takes_the_place_of_ours(home: Home, tmp_path: Path) -> None:
    with dg.DagsterInstance.from_config(str(dagster_home(home))) as instance:
        assert isinstance(instance.event_log_storage, EventLog)
    home.dagster_settings.write_text(f"storage: {{sqlite: {{base_dir: {tmp_path / 'elsewhere'}}}}}\n")
    with dg.DagsterInstance.from_config(str(dagster_home(home))) as instance:
        assert not isinstance(instance.event_log_storage, EventLog)
        assert instance.get_concurrency_config().pool_config.default_pool_limit == 1
    assert (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [("storage:\n  postgres: [\n", "is no YAML, see line 3; mend it"), ("postgres\n", "must have sections as Dagster's")],
)
def test_settings_that_cannot_be_read_are_one_line(home: Home, text: str, said: str) -> None:
    home.dagster_settings.write_text(text)
    with pytest.raises(SettingsError, match=r"home/dagster\.yaml " + said):
        dagster_home(home)


def test_a_dagster_home_of_the_users_own_is_left_alone(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own"
    monkeypatch.setenv("DAGSTER_HOME", str(own))
    assert dagster_home(home) == own
    assert not own.exists()
    monkeypatch.setenv("DAGSTER_HOME", str(home.dagster))
    assert dagster_home(home) == home.dagster
    assert (home.dagster / "dagster.yaml").exists()


@pytest.mark.slow
def test_services_are_told_the_folder(home: Home) -> None:
    done = film_assets("dagster-home", home=home.folder)
    assert done.stdout == f"{home.dagster}\n"
    assert (home.dagster / "dagster.yaml").read_text().startswith("# Written by film-assets before each run.")
