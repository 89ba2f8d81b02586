"""``python -m benchmarks``: what there is to measure, and where the results go.

Whole processes are measured, in turns over several rounds. The work is kept in ``build/benchmarks``, the results in
``benchmarks/results``. Belongs here: commands and their options. Does not belong here: how anything is measured.
"""

import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

from benchmarks import changes, contest, data, download, engines, lookups, profile, report
from benchmarks.measure import Limits, run

app = typer.Typer(
    help="Measure whole processes, in turns; results go to benchmarks/results.",
    add_completion=False,
    pretty_exceptions_enable=False,
)

_BUILD = Path(__file__).parent.parent / "build" / "benchmarks"
_NAMES = [contender.name for contender in contest.CONTENDERS]
_SCALE, _ROUNDS = 0.02, 3
"""What ten minutes are enough for."""
_SCALES = (0.03, 0.1, 0.3, 1.0)
_WORTH_TELLING = 0.01
_RATIO = "ratio: to one pass over the blobs, round by round"

ScaleOption = Annotated[float, typer.Option(help="1.0 has 95 million rows, as the real data.")]
RoundsOption = Annotated[int, typer.Option(min=1, help="How often each is measured, in turns.")]
FolderOption = Annotated[Path, typer.Option(help="Where the blobs and what is made of them are kept.")]
OnlyOption = Annotated[list[str] | None, typer.Option(help=f"Only these, of: {', '.join(_NAMES)}.")]


@app.command()
def everything(scale: ScaleOption = _SCALE, rounds: RoundsOption = _ROUNDS, folder: FolderOption = _BUILD) -> None:
    """First builds, refreshes after changes, and look-ups, at one scale."""
    compare(scale, rounds, folder)
    refreshes(scale, rounds, folder)
    ask(scale, folder)


@app.command()
def compare(
    scale: ScaleOption = _SCALE, rounds: RoundsOption = _ROUNDS, folder: FolderOption = _BUILD, only: OnlyOption = None
) -> None:
    """First builds: the project beside a bare pass over the blobs, plain SQL, dataframes in memory, and imdb-sqlite."""
    rows = _builds(folder, scale, rounds, only)
    table = report.summary(rows, "contender", contest.YARDSTICK)
    title = f"First build at scale {scale:g}"
    chart = report.bars(table, "contender", title, "Whole processes; beside the bars: passes over the blobs", "{:.1f} passes")
    about = [title, _RATIO, *(f"{contender.name}: {contender.text}" for contender in contest.CONTENDERS)]
    report.keep(f"compare-{scale:g}", rows, about, table, chart)


@app.command(name="changes")
def refreshes(scale: ScaleOption = _SCALE, rounds: RoundsOption = _ROUNDS, folder: FolderOption = _BUILD) -> None:
    """Refreshes after the first: nothing changed, few rows changed, rows changed everywhere; and the disk they take."""
    rows = [_row(done.change, "change", done.round, done.run, done.home) for done in changes.refreshes(folder, scale, rounds)]
    table = report.summary(rows, "change", changes.FIRST)
    title = f"Refreshes at scale {scale:g}"
    chart = report.bars(table, "change", title, "Whole processes; beside the bars: share of the first refresh", "{:.0%}")
    grown = rows[-1]["disk"] / rows[0]["disk"]
    count = len(data.CHANGES) * (rounds + 1)
    about = [
        title,
        "ratio: to the first refresh",
        f"after {count} more refreshes the home takes {grown:.2f} times its first disk",
    ]
    report.keep(f"changes-{scale:g}", rows, about, table, chart)


@app.command()
def scales(
    scale: Annotated[list[float] | None, typer.Option(help=f"Each scale; {_SCALES} if none is given.")] = None,
    rounds: RoundsOption = 1,
    folder: FolderOption = _BUILD,
    only: OnlyOption = None,
) -> None:
    """First builds at growing scales: time and memory."""
    chosen = only or [contest.YARDSTICK, contest.PROJECT, contest.PLAIN_SQL]
    rows = [{**row, "scale": each} for each in scale or _SCALES for row in _builds(folder, each, rounds, chosen)]
    tables = [
        report.summary(part.to_dicts(), "contender", contest.YARDSTICK).select(pl.lit(value).alias("scale"), pl.all())
        for (value,), part in pl.DataFrame(rows).partition_by("scale", as_dict=True, maintain_order=True).items()
    ]
    table = pl.concat(tables)
    title = "Time and memory as the data grows"
    report.keep("scales", rows, [title, _RATIO], table, report.lines(table.filter(ended="well"), title))


@app.command()
def spark(
    scale: ScaleOption = _SCALE,
    rounds: RoundsOption = 1,
    folder: FolderOption = _BUILD,
    master: Annotated[str, typer.Option(help="Spark's master, a local one, all of which is measured.")] = "local[*]",
) -> None:
    """Refreshes by the embedded engine and by Spark, side by side; needs Java."""
    done = engines.refreshes(folder, scale, rounds, master)
    rows = [_row(f"{one.engine}, {one.change}", "refresh", one.round, one.run, one.home) for one in done]
    table = report.summary(rows, "refresh", f"{engines.EMBEDDED}, {engines.FIRST}")
    title = f"The embedded engine and Spark at scale {scale:g}"
    chart = report.bars(
        table, "refresh", title, "Whole processes; beside the bars: share of the embedded first refresh", "{:.1f}"
    )
    about = [title, "ratio: to the first refresh by the embedded engine, round by round", f"Spark's master: {master}"]
    report.keep(f"spark-{scale:g}", rows, about, table, chart)


@app.command(name="lookups")
def ask(scale: ScaleOption = _SCALE, folder: FolderOption = _BUILD) -> None:
    """Look-ups from an open reader, and the first answer in a new process."""
    home = folder / f"home-{scale:g}"
    run(contest.refresh(data.make_blobs(folder, scale), home), Limits.of_this_machine())
    rows = [{"question": name, "at_most": most, "milliseconds": taken} for name, most, taken in lookups.milliseconds(home)]
    taken = pl.col("milliseconds").list
    table = pl.DataFrame(rows, schema_overrides={"at_most": pl.Int64}).select(
        "question",
        median=taken.median(),
        p95=taken.eval(pl.element().quantile(0.95, "higher")).list.first(),
        slowest=taken.max(),
        at_most="at_most",
        asked=taken.len(),
    )
    title = f"Look-ups at scale {scale:g}"
    about = [title, "in milliseconds, each about another person, title or name", "at_most: what the 95th percentile may be"]
    report.keep(f"lookups-{scale:g}", rows, about, table, report.quantiles(table, title))


@app.command(name="profile")
def take_apart(scale: ScaleOption = _SCALE, folder: FolderOption = _BUILD) -> None:
    """Where a first refresh spends its time, and one with nothing to do."""
    blobs, home = data.make_blobs(folder, scale), folder / "home-profile"
    shutil.rmtree(home, ignore_errors=True)
    rows = [
        {"refresh": kind, "part": part, "seconds": seconds, "cpu": cpu}
        for kind in ("first", "nothing changed")
        for part, (seconds, cpu) in profile.parts(blobs, home).items()
    ]
    table = pl.DataFrame(rows).with_columns(share=pl.col("seconds") / pl.col("seconds").sum().over("refresh"))
    told = table.filter(pl.col("share") >= _WORTH_TELLING)
    title = f"Where a refresh at scale {scale:g} spends its time"
    about = [title, "seconds: on the clock; cpu: of processor time", f"parts below {_WORTH_TELLING:.0%} are left out"]
    report.keep(f"profile-{scale:g}", rows, about, told, report.shares(told, title))


@app.command(name="download")
def fetch(
    gigabytes: Annotated[float, typer.Option(help="How large the blob is.")] = 1.0,
    rounds: RoundsOption = _ROUNDS,
    folder: FolderOption = _BUILD,
) -> None:
    """The download of a blob from Azurite on this machine, beside plain clients."""
    runs = download.seconds(folder, int(gigabytes * report.GB), rounds)
    rows = [{"client": name, "round": number, "seconds": taken} for name, number, taken in runs]
    table = report.speeds(rows, "client", download.PROJECT, gigabytes)
    title = f"Download of {gigabytes:g} GB from Azurite on the same machine"
    about = [title, "ratio: of the speed of film-assets to this one's, round by round; 0.8 of the fastest is asked for"]
    report.keep("download", rows, about, table, report.rates(table, "client", title))


def _builds(folder: Path, scale: float, rounds: int, only: list[str] | None) -> list[dict[str, Any]]:
    folder.mkdir(parents=True, exist_ok=True)
    done = contest.compare(folder, scale, rounds, only or _NAMES)
    return [_row(build.contender, "contender", build.round, build.run, build.left) for build in done]


def _row(name: str, kind: str, number: int, measured: Any, disk: int) -> Mapping[str, Any]:
    row = {kind: name, "round": number, **asdict(measured), "disk": disk}
    print(f"{name}, round {number}: {measured.seconds:.1f} s, {measured.peak / report.GB:.2f} GB, {measured.ended}")
    return row


if __name__ == "__main__":
    app()
