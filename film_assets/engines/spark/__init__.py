"""Spark: tables computed on a cluster, and kept in a lake.

Belongs here: what is Spark's own. Does not belong here: what is the same for every engine (``engines``).
"""
