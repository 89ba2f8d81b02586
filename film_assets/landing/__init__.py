"""Landing: a blob becomes typed Parquet slices, one an id range, with an account of every row.

The way of a blob: its *dialect* is recognised (``dialect``), it is *cut* by id range (``cut``; an unsorted one is sorted
into ranges first), the bytes of each slice are hashed, and only slices that changed are *read* (``read``): strictly and fast
if they are clean, line by line with the reasons for each rejected row if not. ``land`` puts these together. Does not belong
here: DuckDB.
"""

from film_assets.landing.land import LANDING_VERSION, Slice, Written, land

__all__ = ["LANDING_VERSION", "Slice", "Written", "land"]
