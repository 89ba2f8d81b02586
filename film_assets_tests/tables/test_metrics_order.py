"""The order of rows decides nothing: not a digit of any metric."""

import polars as pl
from hypothesis import given, settings, strategies as st
from polars.testing import assert_frame_equal

from film_assets_tests.tables.chain import blobs, computed

TITLES = [f"tt000000{i}" for i in range(7)]
PEOPLE = [f"nm000000{i}" for i in range(4)]
LISTS = st.lists(st.sampled_from(PEOPLE), unique=True, max_size=3).map(lambda people: ",".join(people) or None)
GENRES = st.sampled_from([None, "Drama", "Drama,Western", "Western"])
RATINGS = st.integers(10, 100).map(lambda tenths: tenths / 10)
METRICS = ("known_for_success", "comparison", "title_success", "person_success", "collaborations", "genre_success")


@st.composite
def worlds(draw: st.DrawFn) -> dict[str, pl.DataFrame]:
    cast = draw(st.lists(st.tuples(st.sampled_from(TITLES), st.sampled_from(PEOPLE)), max_size=20))
    rated = draw(st.lists(st.sampled_from(TITLES), unique=True))
    known = st.lists(st.sampled_from(TITLES), unique=True, max_size=4).map(lambda titles: ",".join(titles) or None)
    return blobs(
        titles=[
            {"tconst": t, "titleType": "movie", "startYear": draw(st.none() | st.integers(1900, 2030)), "genres": draw(GENRES)}
            for t in TITLES[1:]
        ],
        ratings=[{"tconst": t, "averageRating": draw(RATINGS), "numVotes": draw(st.integers(0, 3_000_000))} for t in rated],
        crew=[{"tconst": t, "directors": draw(LISTS), "writers": draw(LISTS)} for t in TITLES],
        cast=[{"tconst": t, "ordering": i, "nconst": n, "category": "actor"} for i, (t, n) in enumerate(cast)],
        names=[{"nconst": n, "knownForTitles": draw(known)} for n in PEOPLE],
    )


@settings(max_examples=30, deadline=None)
@given(world=worlds(), seed=st.integers(0, 2**32 - 1))
def test_row_order_changes_nothing(world, seed):
    shuffled = {name: frame.sample(fraction=1, shuffle=True, seed=seed) for name, frame in world.items()}
    before, after = computed(world), computed(shuffled)
    for name in METRICS:
        assert_frame_equal(before[f"metrics.{name}"], after[f"metrics.{name}"], check_exact=True)


@settings(max_examples=30, deadline=None)
@given(world=worlds())
def test_means_lie_between_the_ratings(world):
    tables = computed(world)
    ratings = tables["films.ratings"]["averageRating"]
    for name, columns in (("person_success", ("averageRating", "voteWeightedRating")), ("collaborations", ("averageRating",))):
        for column in columns:
            values = tables[f"metrics.{name}"][column].drop_nulls()
            if values.len():
                assert values.min() >= ratings.min() - 1e-9
                assert values.max() <= ratings.max() + 1e-9
