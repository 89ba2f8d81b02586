"""The assets in Dagster: what the graph says, and which events a run leaves."""

from pathlib import Path

import dagster as dg
import duckdb
import pytest

from film_assets.definitions import build_defs
from film_assets.orchestration.conventions import EVERYTHING, ID_RANGES
from film_assets.orchestration.history import EventLog
from film_assets.orchestration.private import WITHOUT_AUTOMATIC_EVENTS, SqliteEventLogStorage
from film_assets.orchestration.tags import DATA_VERSION
from film_assets.tables import BLOBS, COMPUTED, TABLES
from film_assets.tables.ranges import RANGE_KEYS
from film_assets_tests.blobs import change
from film_assets_tests.orchestration.conftest import Workshop, history

pytestmark = pytest.mark.slow


def partitioned(events: dict[str, list[str | None]]) -> dict[str, list[str | None]]:
    return {key: ranges for key, ranges in events.items() if ranges != [None]}


def test_a_run_leaves_an_event_for_each_range_that_was_rebuilt(workshop: Workshop) -> None:
    first = partitioned(workshop.refresh())
    assert first == {table.name.replace(".", "/"): list(RANGE_KEYS) for table in (*BLOBS, *COMPUTED) if table.range_column}
    assert partitioned(workshop.refresh()) == {}
    change(workshop.blobs, "titles", "tt0000009", lambda fields: [*fields[:8], "Drama"])
    events = workshop.refresh()
    assert partitioned(events) == {"raw/titles": ["00"], "films/genres": ["00"]}
    assert events["metrics/genre_success"] == [None]
    assert "metrics/genre_success" not in workshop.refresh()


def test_each_range_has_a_version_of_its_own(workshop: Workshop) -> None:
    workshop.refresh()
    key = dg.AssetKey(["films", "genres"])

    def versions() -> dict[str, str]:
        records = workshop.instance.fetch_materializations(key, limit=100).records
        return {r.partition_key: r.asset_materialization.tags[DATA_VERSION] for r in reversed(records)}

    before = versions()
    change(workshop.blobs, "titles", "tt0000009", lambda fields: [*fields[:8], "Drama"])
    workshop.refresh()
    after = versions()
    assert {range_key for range_key in RANGE_KEYS if before[range_key] != after[range_key]} == {"00"}


def test_the_event_tells_what_is_new(workshop: Workshop) -> None:
    workshop.refresh()
    change(workshop.blobs, "titles", "tt0000009", lambda fields: [*fields[:8], "Drama,Romance"])
    workshop.refresh()
    event = workshop.instance.get_latest_materialization_event(dg.AssetKey(["films", "genres"]))
    assert event
    assert event.asset_materialization
    found = {name: value.value for name, value in event.asset_materialization.metadata.items()}
    assert {"rows added": 1, "rows removed": 0, "rows changed": 0, "dagster/partition_row_count": 6}.items() <= found.items()


def test_the_indexes_tell_of_their_rows_and_time_before_the_snapshot_is_published(workshop: Workshop) -> None:
    workshop.refresh()
    indexes, films = (dg.AssetKey(["published", name]) for name in ("indexes", "films"))
    events = {key: workshop.instance.get_latest_materialization_event(key) for key in (indexes, films)}
    assert events[indexes].timestamp <= events[films].timestamp
    found = {name: value.value for name, value in events[indexes].asset_materialization.metadata.items()}
    with duckdb.connect(workshop.settings.kept_in.films, read_only=True) as snapshot:
        counts = {
            name: snapshot.sql(f"select count(*) from films.lookup.{name}").fetchall()[0][0]
            for name in ("credits", "known_people", "other_people", "rated_titles", "other_titles")
        }
    assert found["dagster/row_count"] == sum(counts.values())
    assert found["seconds"] > 0
    assert [line for line in found["indexes"].splitlines() if line.startswith(f"| lookup.credits | 20 | {counts['credits']} |")]


def test_ranges_chosen_by_hand_each_get_an_event(workshop: Workshop) -> None:
    workshop.refresh()
    chosen = {"dagster/asset_partition_range_start": "03", "dagster/asset_partition_range_end": "05", "dagster/backfill": "x"}
    assert partitioned(workshop.refresh(chosen))["films/titles"] == ["03", "04", "05"]


def test_a_wiped_history_is_filled_in_and_nothing_rebuilt(workshop: Workshop, tmp_path: Path) -> None:
    workshop.refresh()
    before = workshop.settings.kept_in.films.stat()
    with history(tmp_path / "another") as instance:
        workshop.instance = instance
        assert set(workshop.refresh()) >= {table.name.replace(".", "/") for table in (*BLOBS, *COMPUTED)}
    assert workshop.settings.kept_in.films.stat() == before


def test_what_a_user_can_mend_fails_the_step_with_one_line(workshop: Workshop) -> None:
    (workshop.blobs / "crew.tsv").write_text("tconst\tdirectors\ntt0000001\tnm0000001\n")
    result = workshop.defs.resolve_job_def("refresh").execute_in_process(
        instance=workshop.instance, tags=EVERYTHING, raise_on_error=False
    )
    failures = [event.step_failure_data for event in result.get_step_failure_events()]
    words = "crew: column writers is missing; the header has tconst, directors"
    assert [failure.user_failure_data and failure.user_failure_data.description for failure in failures] == [words]


def test_the_graph_says_what_the_declarations_say() -> None:
    graph = build_defs().resolve_asset_graph()
    for table in (*BLOBS, *COMPUTED):
        node = graph.get(dg.AssetKey(table.name.split(".")))
        assert node.description == table.text
        assert node.group_name == table.schema
        assert node.owners
        assert node.kinds
        assert node.partitions_def == (ID_RANGES if table.range_column else None)
        assert node.code_version == table.code_version
        schema = node.metadata["dagster/column_schema"]
        assert [(c.name, c.type, c.description) for c in schema.columns] == [(c.name, c.type, c.text) for c in table.columns]
    assert {"/".join(key.path) for key in graph.get(dg.AssetKey(["published", "films"])).parent_keys} == {
        *(name.replace(".", "/") for name in TABLES),
        "published/indexes",
    }


def test_every_source_of_a_column_is_a_column_of_a_parent() -> None:
    graph = build_defs().resolve_asset_graph()
    for table in COMPUTED:
        node = graph.get(dg.AssetKey(table.name.split(".")))
        lineage = node.metadata["dagster/column_lineage"].deps_by_column
        assert set(lineage) <= set(table.column_names)
        for dep in (dep for deps in lineage.values() for dep in deps):
            assert dep.asset_key in node.parent_keys
            TABLES[".".join(dep.asset_key.path)].column(dep.column_name)


def test_the_history_is_readable_by_dagsters_own_storage(workshop: Workshop, tmp_path: Path) -> None:
    workshop.refresh()
    genres = dg.AssetKey(["films", "genres"])
    base = workshop.instance.event_log_storage.inst_data.config_dict["base_dir"]
    own = SqliteEventLogStorage(base)
    assert isinstance(workshop.instance.event_log_storage, EventLog)
    assert own.get_materialized_partitions(genres) == set(RANGE_KEYS)
    (run,) = workshop.instance.get_runs()
    assert len(own.get_logs_for_run(run.run_id)) == len(workshop.instance.all_logs(run.run_id))


def test_the_private_key_that_holds_events_back_is_still_what_it_was() -> None:
    assert WITHOUT_AUTOMATIC_EVENTS == {"__source_asset_observation__": True}


def test_an_unforeseen_error_is_a_failure_with_a_description_and_its_traceback(workshop: Workshop) -> None:
    (workshop.settings.home / "landing").mkdir(parents=True)
    (workshop.settings.home / "landing" / "ratings").write_text("")
    job = workshop.defs.resolve_job_def("refresh")
    result = job.execute_in_process(instance=workshop.instance, tags=EVERYTHING, raise_on_error=False)
    (failed,) = [event.step_failure_data for event in result.get_step_failure_events() if event.step_key == "raw__ratings"]
    assert failed.user_failure_data.description.startswith("FileExistsError: an error that nobody foresaw")
    assert "slices.py" in failed.error.to_string()
