"""WHEN: the tables as Dagster assets, made from their declarations, and the jobs, schedules and sensors that run them.

``assets`` has the graph: blobs (observed), tables and checks, secondary indexes, the published snapshot, notifications. ``run``
runs the refresh in this process; ``private`` is all that is used of Dagster and not public. Does not belong here: what a table
holds (``tables``) and how a step does its work (``refresh``, ``engines``).
"""

import warnings

import dagster as dg

# Backfill policies and observed blobs are "beta" in Dagster's words, and the design rests on both; the lock file pins them.
warnings.filterwarnings("ignore", category=dg.BetaWarning)
