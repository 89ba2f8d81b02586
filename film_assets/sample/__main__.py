"""``python -m film_assets.sample`` prints the ids of the people to compare in a demonstration, on one line."""

from film_assets.sample.world import DEMO_PEOPLE

print(*(nconst for nconst, _ in DEMO_PEOPLE))  # noqa: T201
