"""WHEN: the tables as Dagster assets, made from their declarations, and the job that refreshes them.

``blobs`` (observed) -> ``tables`` (raw, films, metrics, quality) -> ``snapshot`` (what readers open). Does not belong here:
what a table holds (``tables``) and how a step does its work (``pipeline`` and ``engines``).
"""

import warnings

import dagster as dg

# Backfill policies and observed blobs are "beta" in Dagster's words, and the design rests on both; the lock file pins them.
warnings.filterwarnings("ignore", category=dg.BetaWarning)
