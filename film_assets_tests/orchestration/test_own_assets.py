"""The page on people's own assets: its code, as it stands there, on a refreshed home."""

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import dagster as dg
import duckdb
import pytest

from film_assets.errors import HomeError
from film_assets.orchestration.conventions import EVERYTHING
from film_assets.orchestration.resources import published_films
from film_assets_tests.blobs import change
from film_assets_tests.orchestration.conftest import Workshop

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[2] / "docs" / "your-own-assets.md"
OWN = dg.AssetKey(["best_directors"])


@pytest.fixture
def modules(workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, ModuleType]]:
    """The page's modules, imported from files of the names that it gives them, by name."""
    monkeypatch.setenv("FILM_ASSETS_HOME", str(workshop.settings.home))
    monkeypatch.setenv("FILM_ASSETS_SOURCE", str(workshop.blobs))
    monkeypatch.syspath_prepend(tmp_path)
    found = re.findall(r"as a file `(\w+)\.py`.*?```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    for name, code in found:
        (tmp_path / f"{name}.py").write_text(code, encoding="utf-8")
    yield {name: importlib.import_module(name) for name, _ in found}
    for name, _ in found:
        del sys.modules[name]


def execute(defs: dg.Definitions, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    return defs.resolve_implicit_global_asset_job_def().execute_in_process(instance=instance)


def test_a_code_location_of_ones_own_reads_what_is_published(workshop: Workshop, modules: dict[str, ModuleType]) -> None:
    workshop.refresh()
    defs = modules["my_films"].defs
    with duckdb.connect(workshop.settings.kept_in.films, read_only=True):  # a notebook that is left open
        result = execute(defs, workshop.instance)
    assert result.success
    assert [check.passed for check in result.get_asset_check_evaluations()] == [True]
    rows = Path("best_directors.csv").read_text(encoding="utf-8").splitlines()
    assert rows[0] == "primaryName,titles,hitShare"
    assert {row.split(",")[0] for row in rows[1:]} == {"William K.L. Dickson", "Alexander Black"}


def test_its_check_finds_what_is_wrong(workshop: Workshop, modules: dict[str, ModuleType]) -> None:
    workshop.refresh()
    with duckdb.connect(workshop.settings.kept_in.films) as films:
        films.execute("delete from names where primaryName = 'Alexander Black'")
    found = execute(modules["my_films"].defs, workshop.instance).get_asset_check_evaluations()
    assert [(check.passed, check.metadata["unnamed"].value > 0) for check in found] == [(False, True)]


def test_it_runs_by_itself_when_its_table_changed_and_is_published(workshop: Workshop, modules: dict[str, ModuleType]) -> None:
    defs, instance = modules["all_films"].defs, workshop.instance
    cursor = None

    def requested() -> bool:
        nonlocal cursor
        result = dg.evaluate_automation_conditions(defs, instance, asset_selection=dg.AssetSelection.assets(OWN), cursor=cursor)
        cursor = result.cursor
        return result.get_num_requested(OWN) > 0

    requested()  # the sensor is switched on
    workshop.refresh()
    assert requested()
    execute(modules["my_films"].defs, instance)
    assert not requested()
    workshop.refresh()
    assert not requested(), "nothing was new"
    change(workshop.blobs, "titles", "tt0000009", lambda fields: [*fields[:8], "Drama"])
    workshop.refresh()
    assert not requested(), "what was new is not in its table"
    change(workshop.blobs, "ratings", "tt0000009", lambda fields: [fields[0], "9.9", "999999"])
    workshop.refresh()
    assert requested()


def test_merged_the_refresh_is_of_the_films_and_its_check_of_what_that_published(
    workshop: Workshop, modules: dict[str, ModuleType]
) -> None:
    defs = modules["all_films"].defs
    result = defs.resolve_job_def("refresh").execute_in_process(instance=workshop.instance, tags=EVERYTHING)
    assert not Path("best_directors.csv").exists()
    own = [check for check in result.get_asset_check_evaluations() if check.check_name == "every_person_has_a_name"]
    assert [check.passed for check in own] == [True]
    assert (
        defs.resolve_implicit_global_asset_job_def().execute_in_process(instance=workshop.instance, asset_selection=[OWN]).success
    )
    assert Path("best_directors.csv").exists()
    assert workshop.instance.get_latest_materialization_event(OWN)


def test_nothing_published_is_told_at_once(workshop: Workshop) -> None:
    films = published_films(workshop.settings)
    with (
        pytest.raises(HomeError, match=r"nothing is published in .*home yet; materialize"),
        films.get_connection(),
    ):
        pass


def test_what_is_opened_is_what_is_published_then(workshop: Workshop) -> None:
    workshop.refresh()
    films = published_films(workshop.settings)
    query = "select genre from genres where tconst = 'tt0000009'"
    with films.get_connection() as before:
        change(workshop.blobs, "titles", "tt0000009", lambda fields: [*fields[:8], "Drama"])
        workshop.refresh()
        with films.get_connection() as after:
            assert (before.sql(query).fetchall(), after.sql(query).fetchall()) == ([("Romance",)], [("Drama",)])


def test_the_snapshot_cannot_be_written_to(workshop: Workshop) -> None:
    workshop.refresh()
    with published_films(workshop.settings).get_connection() as connection, pytest.raises(duckdb.Error, match="read-only"):
        connection.execute("delete from films.titles")
