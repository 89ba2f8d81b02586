"""The copies that make look-ups quick: they say what the tables say, and follow every change."""

import shutil
from pathlib import Path

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings as examples, strategies as st

from film_assets.reader import open_films
from film_assets.settings import Settings, load_settings
from film_assets.snapshot import indexes
from film_assets.snapshot.macros import BY_ID, SIGNATURE_BITS, folded, named, signed
from film_assets_tests.blobs import change
from film_assets_tests.conftest import refresh

pytestmark = pytest.mark.slow


def test_credits_are_those_of_the_tables_whatever_is_replaced(sample: Path, tmp_path: Path) -> None:
    """Titles come, go and change in one range after another."""
    blobs = tmp_path / "blobs"
    shutil.copytree(sample, blobs)
    settings = load_settings(source=str(blobs), home=tmp_path / "home")
    refresh(settings)
    _assert_credits_agree(settings)
    first, middle, last = (_titles(settings, share) for share in (0, 0.5, 1))
    for gone, edited in ((first, middle), (middle, last), (last, first)):
        change(blobs, "titles", gone[0], lambda _: None)
        change(blobs, "titles", edited[1], lambda fields: [*fields[:2], "Another Name", *fields[3:]])
        refresh(settings)
        _assert_credits_agree(settings)


def _titles(settings: Settings, share: float) -> list[str]:
    """Two titles that stand at that share of all."""
    with duckdb.connect(settings.kept_in.films, read_only=True) as films:
        found = [name for (name,) in films.sql("select tconst from films.titles order by tconst").fetchall()]
    at = int(share * (len(found) - 2))
    return found[at : at + 2]


def _assert_credits_agree(settings: Settings) -> None:
    tables = """
        select nconst, tconst, category from films.cast where nconst is not null
        union all select nconst, tconst, 'director' from films.directors
        union all select nconst, tconst, 'writer' from films.writers"""
    copies = """
        select 'nm' || substr(who::varchar, 2), 'tt' || substr(what::varchar, 2), split_part(part, chr(9), 1)
        from films.lookup.credits"""
    unsorted = "select who < lag(who) over (partition by cut order by rowid) as falls from films.lookup.credits"
    placed = """
        select {number} from {table} as named join films.lookup.{name}_places
            on named.rowid between first and last and {number} // 64 = block"""
    with duckdb.connect(settings.kept_in.films, read_only=True) as films:
        for name, (table, number) in BY_ID.items():
            found = placed.format(name=name, table=table, number=number)
            assert films.sql(f"from {table} where {number} not in ({found})").fetchall() == []
        assert films.sql(f"select count(*) > 1000 from ({copies})").fetchall() == [(True,)]
        for one, other in ((tables, copies), (copies, tables)):
            assert films.sql(f"(from ({one}) except from ({other}))").fetchall() == []
        assert films.sql(f"select count(*) from ({unsorted}) where falls").fetchall() == [(0,)]


def test_look_ups_follow_every_change_and_nothing_else_is_written(settings: Settings, blobs: Path) -> None:
    refresh(settings)
    change(blobs, "titles", "tt0000009", lambda fields: [*fields[:2], "Señorita Jerry", *fields[3:]])
    change(blobs, "crew", "tt0000009", lambda fields: [fields[0], "nm0000001", fields[2]])
    with duckdb.connect(settings.kept_in.warehouse) as working:
        before = dict(working.sql("select name || range, builtAt from state.ranges where name like 'lookup.%'").fetchall())
    refresh(settings)
    with duckdb.connect(settings.kept_in.warehouse) as working:
        after = dict(working.sql("select name || range, builtAt from state.ranges where name like 'lookup.%'").fetchall())
    assert {name for name in after if after[name] != before[name]} == {
        "lookup.credits00",
        "lookup.other_titles00",
        "lookup.rated_titles00",
    }
    with open_films(settings.kept_in.folder) as films:
        assert films.find("senorita")["id"].to_list() == ["tt0000009"]
        assert films.find("miss jerry").height == 0
        assert films.credits("nm0000001").filter(tconst="tt0000009")["roles"].to_list() == ["director"]


TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12), min_size=1, max_size=8)


@examples(max_examples=150, deadline=None)
@given(texts=TEXTS, wanted=st.data())
def test_a_signature_hides_no_name(texts: list[str], wanted: st.DataObject) -> None:
    """What is found by signatures is what is found without them."""
    text = wanted.draw(st.sampled_from(texts))
    start = wanted.draw(st.integers(0, len(text)))
    part = wanted.draw(st.sampled_from([text[start:], text[:start], text.upper(), "x" + text]))
    with duckdb.connect() as connection:
        names = connection.sql(f"select {folded('name')} as folded from (select unnest(?) as name)", params=[texts]).pl()
        names = names.with_columns(signature=pl.Series(indexes.signatures(names["folded"])))
        connection.register("names", names.to_arrow())
        for within, test in ((True, f"contains(folded, {folded('$wanted')})"), (False, f"folded = {folded('$wanted')}")):
            signed_and_named = f"{signed('$wanted')} and {named('$wanted', within=within)}"
            queries = (f"select folded from names where {where} order by all" for where in (signed_and_named, test))
            quick, plain = (connection.sql(query, params={"wanted": part}).fetchall() for query in queries)
            assert quick == plain


def test_signatures_have_a_bit_for_each_pair_of_bytes() -> None:
    found = indexes.signatures(pl.Series(["", "a", "ab", "abab", "é"])).tolist()
    ab, e = (1 << (int.from_bytes(text.encode()) % SIGNATURE_BITS) for text in ("ab", "é"))
    ba = 1 << (int.from_bytes(b"ba") % SIGNATURE_BITS)
    assert found == [0, 0, ab, ab | ba, e]


def test_find_is_what_a_look_at_every_name_finds(sample: Path, tmp_path: Path) -> None:
    """However many are asked for, and whether or not the best known fill the answer."""
    settings = load_settings(source=str(sample), home=tmp_path / "home")
    refresh(settings)
    every = """
        select nconst as id, 'person' as kind, primaryName as name, knownNumVotes as votes
        from films.names left join metrics.known_for_success using (nconst)
        union all select tconst, 'title', primaryTitle, numVotes from films.titles left join films.ratings using (tconst)
        order by votes desc nulls last, kind, id"""
    with open_films(settings.kept_in.folder) as films:
        names = films.sql(f"select id, {folded('name')} as folded from ({every})").pl()
        for text in ("a", "the", "gård", "harvest", "lindqvist", "王", "zzz"):
            (wanted,) = films.sql(f"select {folded('$text')}", {"text": text}).fetchall()[0]
            found = names.filter(pl.col("folded").str.contains(wanted, literal=True))["id"].to_list()
            for limit in (1, 20, 1000):
                assert films.find(text, limit=limit)["id"].to_list() == found[:limit]
