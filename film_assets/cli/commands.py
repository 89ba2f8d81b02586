"""The command line ``film-assets``: what people type, and what they read.

Belongs here: commands, their options and their output. Does not belong here: the work itself. Anything slow to import is imported
by the command that needs it.
"""

import gc
import json
import logging
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from film_assets.cli import terminal
from film_assets.cli.output import Format, format_for, write
from film_assets.errors import FilmAssetsError
from film_assets.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from rich.console import Console

    from film_assets.engines.outcome import Outcome
    from film_assets.home import Home
    from film_assets.reader import Films
    from film_assets.refresh.pipeline import Report
    from film_assets.refresh.source import Chosen
    from film_assets.settings import Settings
    from film_assets.sources.base import Entry

_LONGEST_ERROR = 2_000
"""Characters; a name or header that an error repeats may be of any length."""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)

SourceOption = Annotated[
    str | None,
    typer.Option("--source", "-s", help="Folder, container URL or https base URL of the blobs. [env: FILM_ASSETS_SOURCE]"),
]
HomeOption = Annotated[
    Path | None, typer.Option("--home", help="Folder everything is kept in. [env: FILM_ASSETS_HOME; default: data/ in the repo]")
]
FormatOption = Annotated[
    Format | None, typer.Option("--format", "-f", help="How to write the answer; default: as the FILE's name says, or a table.")
]
OutputOption = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to, if not standard output.")]


@dataclass
class _Run:
    """What is known of the command that is under way, for the case that it ends in an error that nobody foresaw.

    Attributes:
        debug: Whether the traceback is to be shown.
        home: The home it works in, once that is known.
    """

    debug: bool = False
    home: "Home | None" = None


_RUN = _Run()


def main() -> None:
    """Run the command line; an error is one line on standard error and exit code 1."""
    gc.set_threshold(100_000, 20, 20)  # A tenth of a short run went into looking for garbage among the imports.
    logging.getLogger("film_assets").addHandler(logging.NullHandler())
    try:
        app(standalone_mode=True)
    except FilmAssetsError as error:
        _print_error(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        terminal.console(errors=True).print("film-assets: stopped; nothing published was touched", markup=False)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
    except Exception as error:  # noqa: BLE001  Whatever it is, people are told, and nothing of it is lost.
        from film_assets.cli import unforeseen

        if _RUN.debug:
            sys.stderr.write(unforeseen.traceback_of(error))
        else:
            _print_error(unforeseen.told(error, _RUN.home))
        sys.exit(1)


def _print_error(text: str) -> None:
    bounded = text if len(text) <= _LONGEST_ERROR else f"{text[:_LONGEST_ERROR]}..."
    terminal.console(errors=True).print(f"film-assets: {bounded}", style="red", markup=False)


def _settings(**given: object) -> "Settings":
    settings = load_settings(**given)
    _RUN.home = settings.kept_in
    return settings


@app.callback()
def options(
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error that nobody foresaw, instead of the name of its file.")
    ] = False,
) -> None:
    """IMDb-shaped film data from a blob container to one DuckDB file, refreshing only what changed."""
    _RUN.debug = debug


@app.command()
def refresh(
    source: SourceOption = None,
    home: HomeOption = None,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Do all the work, even where nothing changed.")] = False,
    rebuild_table: Annotated[
        list[str] | None,
        typer.Option("--rebuild-table", metavar="TABLE", help="Do the work of this table, as films.ratings; may be repeated."),
    ] = None,
    accept_losses: Annotated[
        bool, typer.Option("--accept-losses", help="Take over blobs also where most rows, or values of a column, are lost.")
    ] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Say of every range that was rebuilt why it was.")] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Say what would be done, by the blobs as they are now.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")] = False,
) -> None:
    """Land the blobs that changed, rebuild what depends on them, publish **films.duckdb**.

    This is the job *refresh* of the web UI, run here; its history shows there.

    Example: `film-assets refresh --source https://ACCOUNT.blob.core.windows.net/CONTAINER`
    """
    started = time.monotonic()
    share = 1.0 if accept_losses else None
    # before Polars is imported, which looks at them then
    settings = _settings(source=source, home=home, max_lost_rows=share, max_lost_values=share)
    if plan:
        _print_plan(settings, rebuild=rebuild, tables=rebuild_table or [], as_json=as_json)
        return
    from film_assets.definitions import build_defs
    from film_assets.orchestration.run import run_refresh
    from film_assets.refresh.estimate import steps

    with terminal.TerminalProgress(terminal.console(errors=True), steps()) as progress:
        report = run_refresh(build_defs, settings, rebuild=rebuild, tables=rebuild_table or [], progress=progress)
    seconds = time.monotonic() - started
    if as_json:
        typer.echo(json.dumps(_document(report, seconds)))
    else:
        _print_report(settings, report, seconds, explain=explain)


def _print_plan(settings: "Settings", *, rebuild: bool, tables: "Sequence[str]", as_json: bool) -> None:
    from film_assets.refresh.plan import plan as look_ahead

    steps = look_ahead(settings, rebuild=rebuild, tables=tables)
    if as_json:
        typer.echo(json.dumps([vars(step) for step in steps], default=list))
        return
    out = terminal.console()
    for step in steps:
        out.print(str(step), markup=False)
    out.print("nothing was done" if steps else "there is nothing to do", style="dim")


def _document(report: "Report", seconds: float) -> dict[str, Any]:
    return {
        "blobs": {blob: _blob_document(report, blob, account) for blob, account in report.accounts.items()},
        "tables": {name: _table_document(outcome) for name, outcome in report.outcomes.items()},
        "indexes": {name: {"rebuilt": list(built.rebuilt), "rows": built.rows} for name, built in report.indexes.items()},
        "notices": report.notices,
        "dropped": [vars(dropped) for dropped in report.dropped],
        "warnings": report.warnings,
        "published": report.published,
        "seconds": round(seconds, 3),
    }


def _blob_document(report: "Report", blob: str, account: dict[str, Any]) -> dict[str, Any]:
    changed = any(one.difference for one in report.outcomes[f"raw.{blob}"].rebuilt.values())
    return {"changed": changed, "downloaded": blob in report.downloaded, **account}


def _table_document(outcome: "Outcome") -> dict[str, Any]:
    why = {key: one.why.document for key, one in outcome.rebuilt.items()}
    return {"rebuilt": list(outcome.rebuilt), "why": why, "unchanged": outcome.unchanged, "rows": outcome.rows}


def _print_report(settings: "Settings", report: "Report", seconds: float, *, explain: bool) -> None:
    out = terminal.console()
    rows = [
        (name, len(outcome.rebuilt), outcome.unchanged, outcome.rows, outcome.rows - outcome.rows_before or None, outcome.seconds)
        for name, outcome in report.outcomes.items()
    ]
    out.print(terminal.grid("", ("table", "rebuilt", "unchanged", "rows", "more rows", "seconds"), rows))
    _print_notices(out, report.notices)
    out.print("\nrebuilt and unchanged count id ranges, of which every table has the same 20", style="dim")
    for reason in _reasons(report) if explain else ():
        out.print(reason, markup=False)
    for line in (*report.dropped, *(f"warning: {warning}" for warning in report.warnings)):
        out.print(str(line), style="yellow", markup=False)
    rejected = sum(account["rowsRejected"] for account in report.accounts.values())
    if rejected:
        out.print(f"{rejected:,} rows were rejected; quality.rejected_rows says which and why.")
    what = "published" if report.published else "nothing new to publish;"
    out.print(f"{what} {settings.kept_in.films} in {seconds:.1f} s", markup=False)


def _reasons(report: "Report") -> "Iterator[str]":
    from film_assets.engines.reasons import by_range, named

    for name, outcome in report.outcomes.items():
        for why, keys in by_range({key: one.why for key, one in outcome.rebuilt.items()}).items():
            yield f"{name} {named(keys)}: {why}"


def _print_notices(out: "Console", notices: "Sequence[str]") -> None:
    for notice in notices:
        out.print(f"note: {notice}", style="yellow", markup=False)


@app.command()
def status(
    source: SourceOption = None,
    home: HomeOption = None,
    everything: Annotated[bool, typer.Option("--all", help="List every file at the source with its size instead.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")] = False,
) -> None:
    """Show the blobs at the source, and whether they changed since the last refresh."""
    from film_assets.refresh.pipeline import blob_status

    settings = _settings(source=source, home=home)
    chosen = _chosen(settings)
    if everything:
        _print_entries(chosen.source.entries(), as_json=as_json)
        return
    blobs = blob_status(settings)
    if as_json:
        typer.echo(json.dumps([vars(blob) for blob in blobs], default=str))
        return
    rows = [
        (
            blob.blob,
            blob.file,
            blob.bytes,
            blob.version,
            _minute(blob.last_modified),
            blob.state,
            blob.rows_loaded,
            blob.rows_rejected,
        )
        for blob in blobs
    ]
    columns = ("blob", "file", "bytes", "version", "last modified", "is", "rows loaded", "rejected")
    out = terminal.console()
    out.print(terminal.grid("", columns, rows))
    _print_notices(out, [blob.choice for blob in blobs if blob.choice])


def _chosen(settings: "Settings") -> "Chosen":
    """Where the blobs come from; where nobody set it, people are told."""
    from film_assets.refresh.source import choose

    chosen = choose(settings)
    _print_notices(terminal.console(errors=True), [chosen.notice] if chosen.notice else [])
    return chosen


def _print_entries(entries: "Sequence[Entry]", *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([vars(entry) for entry in entries], default=str))
        return
    rows = [(entry.name, entry.bytes, _minute(entry.last_modified)) for entry in entries]
    terminal.console().print(terminal.grid("", ("file", "bytes", "last modified"), rows))


def _minute(time: "datetime | None") -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC") if time else ""


@app.command()
def download(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to: plain files titles.tsv, names.tsv, ...")],
    blobs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[BLOB...]", help="Which: cast, crew, names, ratings, titles; all if none."),
    ] = None,
    source: SourceOption = None,
) -> None:
    """Copy blobs from the source into a folder, and nothing else; what was cut goes on where it was cut.

    Example: `film-assets download blobs titles ratings`
    """
    from film_assets.refresh.download import download as copy

    settings = _settings(source=source)
    _chosen(settings)
    with terminal.TerminalProgress(terminal.console(errors=True)) as progress:
        found = copy(settings, folder, blobs or [], progress)
    rows = [(item.blob, item.path.name, item.bytes, "downloaded" if item.is_new else "unchanged") for item in found]
    terminal.console().print(terminal.grid("", ("blob", "file", "bytes", "is"), rows))


@app.command()
def sample(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where to write cast.tsv, crew.tsv, names.tsv, ratings.tsv, titles.tsv.")
    ],
    scale: Annotated[float, typer.Option(min=0.0001, help="1.0 has 95 million rows (4.75 GB), as the real data.")] = 0.01,
    seed: Annotated[int, typer.Option(help="Another seed, other films.")] = 1,
) -> None:
    """Write invented film data of the very shape of the real one, for trying things out."""
    from film_assets.sample import write_sample

    with terminal.TerminalProgress(terminal.console(errors=True)) as progress:
        counts = write_sample(folder, scale=scale, seed=seed, progress=progress)
    terminal.console().print(terminal.grid("", ("blob", "rows"), list(counts.items())))
    terminal.console().print(f"\nwritten to {folder}", markup=False)


@app.command()
def compare(
    who_or_what: Annotated[
        list[str], typer.Argument(metavar="WHO_OR_WHAT...", help="People, or titles: ids (nm0000001, tt0000001) or names.")
    ],
    metrics: Annotated[str | None, typer.Option(help="Which metrics, with commas between: averageRating,hitShare.")] = None,
    home: HomeOption = None,
    form: FormatOption = None,
    output: OutputOption = None,
) -> None:
    """Show people, or titles, side by side on their ratings, votes and part in successful titles.

    Example: `film-assets compare nm0000001 "Ginger Rogers" --metrics averageRating,numVotes`
    """
    chosen_form = format_for(form, output)
    chosen = [name.strip() for name in metrics.split(",") if name.strip()] if metrics else None
    with _films(home) as films:
        write(films.compare(*who_or_what, metrics=chosen, transpose=chosen_form is Format.TABLE), chosen_form, output)


@app.command()
def credits(  # noqa: A001
    who: Annotated[str, typer.Argument(metavar="WHO", help="A person: an id (nm0000001) or a name.")],
    home: HomeOption = None,
    form: FormatOption = None,
    output: OutputOption = None,
) -> None:
    """List every title a person has a part in, newest first."""
    with _films(home) as films:
        write(films.credits(who), format_for(form, output), output)


@app.command()
def find(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="Part of a name or title; case and accents do not matter.")],
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 20,
    home: HomeOption = None,
    form: FormatOption = None,
    output: OutputOption = None,
) -> None:
    """Find people and titles by a part of their name, the best known first."""
    with _films(home) as films:
        write(films.find(text, limit), format_for(form, output), output)


@app.command()
def profile(
    table: Annotated[str, typer.Argument(metavar="TABLE", help="Any table: raw.titles, metrics.person_success, ...")],
    home: HomeOption = None,
    form: FormatOption = None,
    output: OutputOption = None,
) -> None:
    """Show what each column of a table holds: how many values, how many different ones, the outermost, the mean."""
    with _films(home) as films:
        write(films.profile(table), format_for(form, output), output)


@app.command()
def export(
    table: Annotated[str, typer.Argument(metavar="TABLE", help="Any table: films.titles, metrics.person_success, ...")],
    output: Annotated[Path, typer.Argument(metavar="FILE", help="Where to: a name that ends in .parquet, .csv or .json.")],
    home: HomeOption = None,
) -> None:
    """Write a whole table to a file, as Parquet, CSV or newline-delimited JSON, whichever its name says."""
    with _films(home) as films:
        rows = films.export(table, output)
    terminal.console().print(f"{rows:,} rows of {table} written to {output}", markup=False)


def _films(home: Path | None) -> "Films":
    from film_assets.reader import Films

    return Films(_settings(home=home).kept_in.films)


@app.command()
def ui(
    home: HomeOption = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the web UI, on 127.0.0.1.")] = 3000,
) -> None:
    """Open Dagster's web UI, with the daily schedules, on this machine; its history is kept in the home.

    The learning pipeline is there too if any of its settings is; without them *Materialize all* is about films alone.
    """
    import os

    from film_assets.cli import web_ui
    from film_assets.orchestration.configuration import dagster_home
    from film_assets.refresh.source import outlook

    settings = _settings(home=home)
    web_ui.ensure_free(port)
    os.environ["FILM_ASSETS_HOME"] = str(settings.kept_in.folder)
    os.environ["DAGSTER_HOME"] = str(dagster_home(settings.kept_in))
    os.environ.setdefault("FILM_ASSETS_UI_URL", web_ui.address(port))
    line, _ = outlook(settings)
    out = terminal.console(errors=True)
    _print_notices(out, [line] if line else [])
    out.print(f"the web UI will be at {web_ui.address(port)} in half a minute; Ctrl-C stops it")
    web_ui.serve(port)


@app.command(name="dagster-home")
def dagster_home(home: HomeOption = None) -> None:
    """Write Dagster's settings of the home and print their folder: the **DAGSTER_HOME** of services that run Dagster themselves.

    Settings of your own, such as another storage, are taken from **dagster.yaml** in the home.
    """
    from film_assets.orchestration import configuration

    typer.echo(configuration.dagster_home(_settings(home=home).kept_in))
